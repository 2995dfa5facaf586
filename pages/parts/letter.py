"""A message as its reader sees it: head, HTML and text, without anything that runs or is fetched."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from email import message_from_bytes, policy
from email.message import EmailMessage
from html import escape
from typing import cast

import streamlit as st

from engine.mail.message.previews import safe_preview
from pages.parts import words

MAX_SHOWN = 100_000
"""Characters of a part that are shown."""
_HEAD = ("From", "Reply-To", "To", "Subject", "Date")
_UNSEEN = ("Message-ID", "List-Unsubscribe", "List-Unsubscribe-Post", "DKIM-Signature")


@dataclass(frozen=True, slots=True)
class Shown:
    """What is shown of a message: lines of its head, its parts, files with their sizes, its own size in bytes."""

    head: Mapping[str, str]
    text: str
    html: str | None
    files: Sequence[tuple[str, int]]
    size: int
    unseen: Mapping[str, str] | None = None
    """Further lines of the head, for those who want to know."""

    @classmethod
    def of(cls, data: bytes) -> Shown:
        """A message as it goes over the wire."""
        message = message_from_bytes(data, policy=policy.default)
        head = {name: str(message[name]) for name in _HEAD if name in message}
        unseen = {name: str(message[name]) for name in _UNSEEN if name in message}
        files = [(part.get_filename() or "a file", _bytes(part)) for part in message.iter_attachments()]
        html = _part(message, "html")
        return cls(head, _part(message, "plain") or "", html, files, len(data), unseen)


def _bytes(part: EmailMessage) -> int:
    payload = part.get_payload(decode=True)
    return len(payload) if isinstance(payload, bytes) else 0


def _part(message: EmailMessage, kind: str) -> str | None:
    part = message.get_body((kind,))
    return None if part is None else str(cast(EmailMessage, part).get_content())


def letter(shown: Shown, key: str) -> None:
    """The whole of it; `key` keeps its tabs apart from those of others."""
    st.html(_head(shown))
    labels = [*(["HTML"] if shown.html is not None else []), "Text", *(["Head"] if shown.unseen else [])]
    tabs = dict(zip(labels, st.tabs(labels, key=f"{key}_tabs"), strict=True))
    if shown.html is not None:
        with tabs["HTML"]:
            st.html(f'<div class="pb-paper">{safe_preview(shown.html[:MAX_SHOWN])}</div>')
    with tabs["Text"]:
        st.html(f'<div class="pb-paper pb-typed">{escape(shown.text[:MAX_SHOWN])}</div>')
    if shown.unseen:
        with tabs["Head"]:
            st.html(_lines(shown.unseen))


def _head(shown: Shown) -> str:
    files = ", ".join(f"{name} ({words.size(size)})" for name, size in shown.files)
    lines = {**shown.head, **({"Files": files} if files else {}), "Size": words.size(shown.size)}
    return _lines(lines)


def _lines(lines: Mapping[str, str]) -> str:
    """Names and values; the subject stands out."""
    strong = {"Subject"}
    rows = "".join(
        f"<em>{escape(name)}</em>{'<b>' if name in strong else '<span>'}{escape(value)}{'</b>' if name in strong else '</span>'}"
        for name, value in lines.items()
    )
    return f'<div class="pb-envelope">{rows}</div>'
