"""What the reader of pages and its processes say to each other: lengths, then JSON and bytes; nothing in it is ever code."""

from __future__ import annotations

import json
import struct
from dataclasses import dataclass, fields, is_dataclass
from operator import attrgetter
from typing import Any, BinaryIO, Literal

from engine.mail.page.model import Link

LENGTHS = struct.Struct("!II")
LONGEST = 32 << 20
"""Bytes of an answer; what says that it is longer is none."""
What = Literal["page", "text", "sitemap"]
READY = b'"ready"'


@dataclass(frozen=True, slots=True)
class Sitemap:
    """A sitemap as read: further sitemaps if it is an index, else pages worth reading, the most promising first."""

    children: tuple[str, ...] = ()
    links: tuple[Link, ...] = ()


@dataclass(frozen=True, slots=True)
class Order:
    """A document to read: what it is, its bytes, where it was, what its Content-Type says, top levels that count as public."""

    what: What
    body: bytes
    url: str
    charset: str | None = None
    extra_tlds: tuple[str, ...] = ()

    def packed(self) -> tuple[bytes, bytes]:
        """What goes over the wire."""
        about = json.dumps([self.what, self.url, self.charset, self.extra_tlds]).encode()
        return LENGTHS.pack(len(about), len(self.body)) + about, self.body


def received(source: BinaryIO) -> Order | None:
    """The next order; None when there is none."""
    header = source.read(LENGTHS.size)
    if len(header) < LENGTHS.size:
        return None
    about, size = LENGTHS.unpack(header)
    what, url, charset, tlds = json.loads(source.read(about))
    return Order(what, source.read(size), url, charset, tuple(tlds))


def send(sink: BinaryIO, answer: bytes) -> None:
    """Answer."""
    sink.write(LENGTHS.pack(len(answer), 0) + answer)
    sink.flush()


def answered(value: object) -> bytes:
    """A value made of frozen dataclasses, tuples and text as JSON."""
    return json.dumps(_plain(value), separators=(",", ":")).encode()


def _plain(value: Any) -> Any:
    """The same made of dicts and lists.

    A page has thousands of links: records of one kind in a tuple, which hold nothing but text and numbers, go together.
    """
    if isinstance(value, tuple):
        if len({type(one) for one in value}) != 1 or not is_dataclass(value[0]):
            return [_plain(one) for one in value]
        names = _names(type(value[0]))
        return [dict(zip(names, row, strict=True)) for row in map(attrgetter(*names), value)]
    return {name: _plain(getattr(value, name)) for name in _names(type(value))} if is_dataclass(value) else value


def _names(kind: Any) -> tuple[str, ...]:
    return tuple(field.name for field in fields(kind))
