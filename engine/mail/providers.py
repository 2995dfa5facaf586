"""Mailbox providers: the default mix, and the check of a domain's syntax."""

from __future__ import annotations

import re

import idna

DEFAULT_PROVIDERS: tuple[tuple[str, float], ...] = (
    ("gmail.com", 45),
    ("yahoo.com", 15),
    ("outlook.com", 13),
    ("hotmail.com", 9),
    ("icloud.com", 9),
    ("aol.com", 4),
    ("comcast.net", 3),
    ("proton.me", 2),
)
"""Consumer providers with rough shares of consumer mailboxes; an estimate, no provider publishes comparable figures."""

MAX_DOMAIN = 253
"""RFC 1035 section 2.3.4, without the root dot."""

_LABEL = re.compile(r"(?!-)[a-z0-9-]{1,63}(?<!-)")


def ascii_domain(text: str) -> str:
    """The domain in ASCII and lower case; an internationalised one in its IDNA 2008 form. Raises `ValueError` with the remedy."""
    domain = text.strip().removeprefix("@").removesuffix(".").lower()
    if not domain.isascii():
        try:
            domain = idna.encode(domain, uts46=True).decode("ascii")
        except idna.IDNAError:
            raise ValueError("the domain is not a valid internationalised one (IDNA 2008)") from None
    labels = domain.split(".")
    if len(labels) < 2:
        raise ValueError("the domain is incomplete; write one such as gmail.com")
    if len(domain) > MAX_DOMAIN or not all(_LABEL.fullmatch(label) for label in labels):
        raise ValueError("the domain is not valid; use letters, digits and inner hyphens between dots, such as gmail.com")
    if labels[-1].isdigit():
        raise ValueError("the domain looks like a network address; write one such as gmail.com")
    return domain
