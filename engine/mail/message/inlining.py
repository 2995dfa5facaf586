"""Style sheets of HTML messages, written into the elements: many mail programs read no others."""

from __future__ import annotations

from css_inline import CSSInliner, InlineError

from engine.mail.message.flaws import RowFlaw

MAX_TAGS = 10_000
"""Tags of an HTML message; parsers that do what browsers do may take time that grows with their square."""
_MAX_MATCHES = 5_000_000

# Nothing is fetched and no file is read. Rules such as @media, which no element can carry, stay in the head.
_inliner = CSSInliner(load_remote_stylesheets=False, keep_at_rules=True, base_url=None)


def inlined(html: str) -> str:
    """The HTML with its styles in its elements; unchanged where it has no style sheet.

    Raises:
        RowFlaw: the style sheet can't be read.
    """
    if "<style" not in html.lower():
        return html
    if html.count("<") * html.count("{") > _MAX_MATCHES:
        raise RowFlaw("The style sheet of the HTML has too many rules for so many elements")
    try:
        return _inliner.inline(html)
    except InlineError:
        raise RowFlaw("The style sheet of the HTML can't be read") from None
