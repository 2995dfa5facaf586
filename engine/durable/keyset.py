"""Cursors of lists that are paged by key: where the last page ended, as an opaque text."""

from __future__ import annotations

import base64
import re
from contextlib import suppress

from engine.errors import InvalidInput

_MAX_CURSOR = 2_000
_MOMENT = re.compile(r"([0-9]{1,15})\.(.+)", re.DOTALL)


def cursor(at: int, key: str) -> str:
    """The cursor after the row of that moment (ms) and key."""
    return key_cursor(f"{at}.{key}")


def position(cursor: str) -> tuple[int, str]:
    """Moment and key of a cursor.

    Raises:
        InvalidInput: no list gave it.
    """
    match = _MOMENT.fullmatch(key_position(cursor))
    if match is None:
        raise _strange()
    return int(match[1]), match[2]


def key_cursor(key: str) -> str:
    """The cursor after the row with that key."""
    return base64.urlsafe_b64encode(key.encode()).decode().rstrip("=")


def key_position(cursor: str) -> str:
    """The key of a cursor. Raises `InvalidInput` where no list gave it."""
    with suppress(ValueError):
        found = base64.urlsafe_b64decode(cursor[:_MAX_CURSOR] + "=" * (-len(cursor) % 4)).decode()
        if found and key_cursor(found) == cursor and "\0" not in found:
            return found
    raise _strange()


def _strange() -> InvalidInput:
    return InvalidInput.of("cursor", "is not one that this list gave; start without a cursor")
