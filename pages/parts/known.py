"""The page `/verified-emails`: every address that was verified, what is known of it, and where that came from."""

from __future__ import annotations


def known() -> None:
    """Everything on the page."""
