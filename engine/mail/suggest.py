"""Likelier domains for mistyped ones; a hint, never a correction."""

from __future__ import annotations


def suggestion(domain: str) -> str:
    """A likelier domain for a mistyped one, "" when none is likely."""
    return ""
