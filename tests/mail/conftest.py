"""Property tests here build name tables at their first example: no deadline per example."""

from __future__ import annotations

from hypothesis import settings

settings.register_profile("mail", deadline=None)
settings.load_profile("mail")
