"""Fixtures of the tests that run engines."""

from __future__ import annotations

import pytest

from engine.durable import committer, dispatcher, lease, service


@pytest.fixture
def no_pauses(monkeypatch: pytest.MonkeyPatch) -> None:
    """Engines try again at once and stop soon."""
    monkeypatch.setattr(dispatcher, "RETRY_SECONDS", 0.0)
    monkeypatch.setattr(committer, "_BACKOFF_SECONDS", (0.0,))
    monkeypatch.setattr(lease, "CRASH_PAUSE_MS", 0)
    monkeypatch.setattr(service, "GRACE_SECONDS", 0.2)
