"""Logging in to a relay: the mechanisms of AUTH that it offers and we know (RFC 4954)."""

from __future__ import annotations

import base64
import binascii
import hmac
from collections.abc import Callable, Generator, Iterable

Steps = Generator[str, str, None]
"""The lines to send; each but the first answers the text of the server's 334, which is sent in."""


def steps_for(offered: Iterable[str], user: str, password: str) -> Steps | None:
    """The steps of the best mechanism among those offered, None when we know none.

    A connection on which a password may be said is safe against listeners, so plain mechanisms come first: they work
    everywhere, while CRAM-MD5 needs a server that keeps passwords readable.
    """
    names = {name.upper() for name in offered}
    return next((steps(user, password) for name, steps in _MECHANISMS.items() if name in names), None)


def _plain(user: str, password: str) -> Steps:
    """RFC 4616, with the initial response of RFC 4954 section 4."""
    yield "AUTH PLAIN " + _encoded(f"\0{user}\0{password}".encode())


def _login(user: str, password: str) -> Steps:
    """draft-murchison-sasl-login: two questions in any words."""
    yield "AUTH LOGIN"
    yield _encoded(user.encode())
    yield _encoded(password.encode())


def _cram_md5(user: str, password: str) -> Steps:
    """RFC 2195."""
    text = yield "AUTH CRAM-MD5"
    try:
        challenge = base64.b64decode(text, validate=True)
    except binascii.Error:
        challenge = b""
    yield _encoded(user.encode() + b" " + hmac.new(password.encode(), challenge, "md5").hexdigest().encode())


def _encoded(data: bytes) -> str:
    return base64.b64encode(data).decode()


_MECHANISMS: dict[str, Callable[[str, str], Steps]] = {"PLAIN": _plain, "LOGIN": _login, "CRAM-MD5": _cram_md5}
