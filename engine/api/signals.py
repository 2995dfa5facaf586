"""Ending in order: open streams end at the first signal, and no later one makes the server leave its engine child behind."""

from __future__ import annotations

import asyncio
import signal
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from types import FrameType
from typing import Any

import uvicorn

GRACE_SECONDS = 2
"""What a slow download gets before it is cut off."""
_SIGNALS = (signal.SIGINT, signal.SIGTERM)


@contextmanager
def orderly_end(end_streams: Callable[[], None]) -> Iterator[None]:
    """While the block lasts, a signal first ends the streams and then does what it did before; further ones do nothing.

    uvicorn waits for open responses, for ever if it must, and at a second Ctrl-C skips the end of the lifespan, which is
    where the engine child is stopped.
    """
    if threading.current_thread() is not threading.main_thread():
        yield
        return
    loop = asyncio.get_running_loop()
    before = {number: signal.getsignal(number) for number in _SIGNALS}
    ending = False

    def hook(number: int, frame: FrameType | None) -> None:
        nonlocal ending
        if ending:
            return
        ending = True
        loop.call_soon_threadsafe(end_streams)
        handler = before[signal.Signals(number)]
        _bound_wait(handler)
        if callable(handler):
            handler(number, frame)

    for number in _SIGNALS:
        signal.signal(number, hook)
    try:
        yield
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)


def _bound_wait(handler: Any) -> None:
    server = getattr(handler, "__self__", None)
    if isinstance(server, uvicorn.Server) and server.config.timeout_graceful_shutdown is None:
        server.config.timeout_graceful_shutdown = GRACE_SECONDS
