"""Designs filled from a row: subject, text and HTML as one recipient reads them."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass

from markupsafe import escape

from engine.mail.message.designs import Design
from engine.mail.message.flaws import RowFlaw
from engine.mail.message.inlining import inlined
from engine.mail.message.recipients import is_unsafe

MAX_SUBJECT = 998
"""Characters of a subject; a line of a message has no more (RFC 5322 section 2.1.1)."""
UNSUBSCRIBE = "Unsubscribe"

_END = re.compile(r"</body\s*>", re.IGNORECASE)


@dataclass(frozen=True, slots=True)
class Filled:
    """One recipient's message; the lines of `text` and `html` end with a line feed."""

    subject: str
    text: str
    html: str | None = None


def fill(design: Design, values: Mapping[str, object], unsubscribe_url: str, email: str = "") -> Filled:
    """The message for a row. `unsubscribe_url`, `postal_address` and, where given, `email` are variables too, before its columns.

    A part that lacks the postal address or the link gets them as its last lines. Text is made from HTML where there is none.

    Raises:
        RowFlaw: a variable has no value, or a value can't stand where it is used.
    """
    given = _given(design, values, unsubscribe_url, email)
    subject = _subject(design, given)
    html = None
    if design.html is not None:
        html = _with_html_footer(inlined(design.html.render(given)), design.postal_address, unsubscribe_url)
    text = design.text.render(given) if design.text is not None else _told(html or "")
    return Filled(subject, _with_footer(_lines(text), design.postal_address, unsubscribe_url), html and _lines(html))


def _told(html: str) -> str:
    from engine.mail.message.plain_text import html_to_text

    return html_to_text(html)


def check(design: Design, values: Mapping[str, object], unsubscribe_url: str, email: str = "") -> None:
    """Raise the `RowFlaw` of a row, if it has one, in a small part of the time that `fill` may take for HTML."""
    given = _given(design, values, unsubscribe_url, email)
    _subject(design, given)
    for template in (design.html, design.text):
        if template is not None:
            template.render(given)


def _given(design: Design, values: Mapping[str, object], unsubscribe_url: str, email: str) -> dict[str, object]:
    """The row with the variables that are always there."""
    always = {"unsubscribe_url": unsubscribe_url, "postal_address": design.postal_address}
    return {**values, **always, "email": email} if email else {**values, **always}


def _subject(design: Design, values: Mapping[str, object]) -> str:
    subject = design.subject.render(values).strip(" ")
    if is_unsafe(subject):
        raise RowFlaw("The subject would have a line break or another control character in it; a value must not bring one")
    if len(subject) > MAX_SUBJECT:
        raise RowFlaw(f"The subject would have more than {MAX_SUBJECT} characters")
    if not subject or subject.isspace():
        raise RowFlaw("The subject would be empty")
    return subject


def _lines(text: str) -> str:
    """Line ends of all systems as one, and one at the end."""
    return text.replace("\r\n", "\n").replace("\r", "\n").rstrip("\n") + "\n"


def _with_footer(text: str, address: str, url: str) -> str:
    missing = [] if _says(text, address) else [address]
    if url not in text:
        missing.append(f"{UNSUBSCRIBE}: {url}")
    return f"{text.rstrip()}\n\n" + "\n".join(missing) + "\n" if missing else text


def _with_html_footer(html: str, address: str, url: str) -> str:
    missing = [] if _says(html, str(escape(address))) or _says(html, address) else [str(escape(address)).replace("\n", "<br>")]
    if url not in html and str(escape(url)) not in html:
        missing.append(f'<a href="{escape(url)}">{UNSUBSCRIBE}</a>')
    if not missing:
        return html
    footer = f'<p style="font-size: 12px; color: #666;">{"<br>".join(missing)}</p>\n'
    end = next(reversed(list(_END.finditer(html))), None)
    return html[: end.start()] + footer + html[end.start() :] if end else html + footer


def _says(text: str, address: str) -> bool:
    """Whether the address stands there, however its lines are broken."""
    return address in text or " ".join(address.split()) in " ".join(re.sub(r"<br\s*/?>", " ", text).split())
