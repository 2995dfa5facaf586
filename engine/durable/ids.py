"""Job ids: URL-safe, unguessable, easy to select with a double click."""

from __future__ import annotations

import base64
import secrets

BYTES = 16


def new_id() -> str:
    """26 characters a–z and 2–7: 128 random bits."""
    return base64.b32encode(secrets.token_bytes(BYTES)).decode().rstrip("=").lower()
