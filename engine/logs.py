"""Structured logs on standard error: readable lines on a terminal, JSON elsewhere; addresses are masked."""

from __future__ import annotations

import logging
import re
import sys
from typing import Any

import structlog
from structlog.typing import EventDict, WrappedLogger

_ADDRESS = re.compile(r"[^\s@'\"<>:,;]{1,64}@([^\s@'\"<>:,;]{1,253})")


def configure_logs() -> None:
    """One line per fact, at info level and above."""
    renderer = structlog.dev.ConsoleRenderer() if sys.stderr.isatty() else structlog.processors.JSONRenderer()
    structlog.configure(
        processors=[
            structlog.processors.add_log_level,
            structlog.processors.TimeStamper(fmt="iso", utc=True),
            structlog.processors.format_exc_info,
            mask_addresses,
            renderer,
        ],
        wrapper_class=structlog.make_filtering_bound_logger(logging.INFO),
        logger_factory=structlog.PrintLoggerFactory(sys.stderr),
        cache_logger_on_first_use=True,
    )


def mask_addresses(_logger: WrappedLogger, _method: str, entry: EventDict) -> EventDict:
    """Keep the domain of an e-mail address, hide whose it is."""
    return {key: _masked(value) for key, value in entry.items()}


def _masked(value: Any) -> Any:
    if isinstance(value, str):
        return _ADDRESS.sub(r"***@\1", value)
    if isinstance(value, dict):
        return {_masked(key): _masked(item) for key, item in value.items()}
    if isinstance(value, list | tuple | set | frozenset):
        return [_masked(item) for item in value]
    return value
