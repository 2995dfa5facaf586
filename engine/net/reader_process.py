"""A process that reads documents of strangers: what a hostile one can break or fill up is this process and nothing else."""

from __future__ import annotations

import os
import signal
import sys
from contextlib import suppress

from engine.mail.page import MAX_LINKS, Link, Page, read_page, read_sitemap, read_text
from engine.mail.page.charset import text_of
from engine.mail.page.priorities import priority_of
from engine.mail.page.urls import is_worth_reading
from engine.net.reader_wire import READY, Order, Sitemap, answered, received, send

SECONDS = 20
"""Seconds of a core for one document."""
OPEN_FILES = 16
_SAMPLE = b'<html><body><a href="mailto:anne@kestrelworks.com">Anne</a> <p>anne (at) kestrelworks (dot) com</p></body></html>'


def main(memory: int) -> int:
    """Read what comes on standard input, answer on standard output, within so many bytes; ends with its input."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # Ctrl-C is for the engine, which closes the input
    source, sink = sys.stdin.buffer, os.fdopen(os.dup(1), "wb")
    with open(os.devnull, "wb") as nowhere:  # noqa: PTH123 - a device
        os.dup2(nowhere.fileno(), 1)  # nobody else's words get among the answers
    read(Order("page", _SAMPLE, "https://kestrelworks.com/"))  # the lists are in memory before the limits are set
    _confine(memory)
    with suppress(BrokenPipeError):
        send(sink, READY)
        while (order := received(source)) is not None:
            _allow_seconds()
            send(sink, answered(read(order)))
    return 0


def read(order: Order) -> Page | Sitemap:
    """What the document says."""
    if order.what == "sitemap":
        return _sitemap(read_sitemap(order.body, order.url), b"<sitemapindex" in order.body[:4_096])
    tlds = frozenset(order.extra_tlds)
    if order.what == "page":
        return read_page(order.body, order.url, order.charset, tlds)
    return Page("", tuple(read_text(text_of(order.body, order.charset), tlds)), (), order.url, False, "")


def _sitemap(urls: list[str], is_index: bool) -> Sitemap:
    if is_index:
        return Sitemap(children=tuple(urls[:MAX_LINKS]))
    links = [Link(url, priority_of(_path(url), ""), "") for url in urls if is_worth_reading(url)]
    return Sitemap(links=tuple(sorted(links, key=lambda link: link.priority)[:MAX_LINKS]))


def _path(url: str) -> str:
    return url.split("/", 3)[3]


def _confine(memory: int) -> None:
    """Bound the memory and write no files, where the system can."""
    with suppress(ImportError, ValueError, OSError):
        import resource

        for limit, value in (("CORE", 0), ("FSIZE", 0), ("NOFILE", OPEN_FILES), ("AS", memory)):
            with suppress(ValueError, OSError):
                resource.setrlimit(getattr(resource, f"RLIMIT_{limit}"), (value, value))


def _allow_seconds() -> None:
    """Another document, another share of the core."""
    with suppress(ImportError, ValueError, OSError):
        import resource

        used = resource.getrusage(resource.RUSAGE_SELF)
        _, most = resource.getrlimit(resource.RLIMIT_CPU)
        resource.setrlimit(resource.RLIMIT_CPU, (int(used.ru_utime + used.ru_stime) + SECONDS, most))
