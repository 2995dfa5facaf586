"""What the lab's web server says: pages as data, and everything that can go wrong with one."""

from __future__ import annotations

import asyncio
import gzip
import json
import socket
import struct
import zlib
from collections.abc import AsyncIterator, Mapping
from dataclasses import dataclass, field
from functools import cache
from typing import Any, Literal, get_args

Fault = Literal[
    "reset",  # the connection is reset instead of an answer
    "empty",  # it is closed without one
    "silence",  # no answer ever comes
    "garbage",  # bytes that are not HTTP
    "headers",  # headers without end
    "drip",  # the body comes byte by byte, `delay` seconds apart
    "endless",  # the body never ends, at full speed
    "short",  # the body breaks off in the middle
    "broken_reset",  # the same, by a reset
    "long",  # more comes than the headers say
    "bomb",  # 100 MB of blanks in a small gzip
    "closing",  # answered well, then closed without a word, as servers do with idle connections
]
HTML = "text/html; charset=utf-8"
BOMB = 100_000_000


@dataclass(frozen=True, slots=True)
class Page:
    """An answer. `{port}` in headers and bodies becomes the server's port; `kind` is the Content-Type, None = without one.

    `compress` is a Content-Encoding: gzip, deflate (zlib), raw (deflate without its header, called deflate), or one that is only
    claimed; `chunked` sends no length.
    """

    body: bytes | str = b""
    status: int = 200
    kind: str | None = HTML
    headers: Mapping[str, str] = field(default_factory=dict)
    compress: str = ""
    chunked: bool = False
    delay: float = 0.0
    fault: Fault | None = None

    def __post_init__(self) -> None:
        assert self.fault is None or self.fault in get_args(Fault), self.fault

    def encoded(self, port: int) -> bytes:
        """The body as it goes over the wire."""
        data = self.body.encode() if isinstance(self.body, str) else self.body
        data = data.replace(b"{port}", str(port).encode()) if b"{port}" in data else data
        if self.compress == "raw":
            packer = zlib.compressobj(wbits=-15)
            return packer.compress(data) + packer.flush()
        if self.compress == "deflate":
            return zlib.compress(data)
        return gzip.compress(data) if self.compress == "gzip" else data

    def head(self, port: int, length: int | None) -> bytes:
        """Status line and headers; chunked where no length is given."""
        lines = [f"HTTP/1.1 {self.status} Lab"]
        if self.kind is not None:
            lines.append(f"Content-Type: {self.kind}")
        if self.compress:
            lines.append(f"Content-Encoding: {'deflate' if self.compress == 'raw' else self.compress}")
        lines.append("Transfer-Encoding: chunked" if length is None else f"Content-Length: {length}")
        lines.extend(f"{name}: {value.replace('{port}', str(port))}" for name, value in self.headers.items())
        return "\r\n".join([*lines, "", ""]).encode("latin-1")


def redirect(to: str, status: int = 302) -> Page:
    """A redirect; `{port}` in it becomes the server's port."""
    return Page("moved", status, headers={"Location": to})


def text(body: str, status: int = 200) -> Page:
    """Plain text, such as a robots.txt."""
    return Page(body, status, "text/plain")


def sitemap(*urls: str, gzipped: bool = False) -> Page:
    """A sitemap of these URLs, as XML or as a gzip file."""
    entries = "".join(f"<url><loc>{url}</loc></url>" for url in urls)
    xml = f'<?xml version="1.0"?><urlset xmlns="http://www.sitemaps.org/schemas/sitemap/0.9">{entries}</urlset>'.encode()
    return Page(gzip.compress(xml), kind="application/x-gzip") if gzipped else Page(xml, kind="application/xml")


def generated(host: str, pages: int, size: int = 2_000) -> dict[str, Page]:
    """A site: a start page that links to the others, each of about `size` bytes and with an address of its own."""
    links = "".join(f'<li><a href="/p{n}">Page {n}</a></li>' for n in range(1, pages))
    filler = "<p>" + "Lorem ipsum dolor sit amet. " * (size // 28) + "</p>"
    site = {"/": Page(f"<title>{host}</title><ul>{links}</ul>{filler}")}
    for n in range(1, pages):
        site[f"/p{n}"] = Page(f'<title>{n}</title><a href="mailto:person{n}@{host}">write</a>{filler}')
    return site


def from_json(data: Mapping[str, Mapping[str, Any]]) -> dict[str, dict[str, Page]]:
    """Sites from plain data: host → path → body, or an object of Page's fields."""
    return {
        host: {path: Page(**page) if isinstance(page, dict) else Page(str(page)) for path, page in pages.items()}
        for host, pages in data.items()
    }


@cache
def explosive() -> bytes:
    """100 MB of blanks as 100 kB of gzip."""
    packer = zlib.compressobj(9, wbits=31)
    return b"".join([*(packer.compress(b" " * 1_000_000) for _ in range(BOMB // 1_000_000)), packer.flush()])


async def wrong(page: Page, port: int, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> bool:
    """Answer with the page's fault; whether the connection may be used again."""
    data = page.encoded(port)
    if page.fault in ("reset", "empty", "silence", "garbage"):
        return await _no_answer(page.fault, reader, writer)
    if page.fault in ("drip", "endless", "headers"):
        async for piece in _forever(page, port, data):
            writer.write(piece)
            await writer.drain()
        return False
    if page.fault == "bomb":
        data = explosive()
        writer.write(Page(kind=page.kind, compress="gzip").head(port, len(data)) + data)
        return True
    if page.fault == "long":
        writer.write(page.head(port, len(data)) + data + b"<p>and more than was said</p>")
        return True
    if page.fault == "closing":
        writer.write(page.head(port, len(data)) + data)
        return False
    writer.write(page.head(port, len(data)) + data[: len(data) // 2])
    await writer.drain()
    if page.fault == "broken_reset":
        _reset(writer)
    return False


async def _no_answer(fault: str, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> bool:
    if fault == "reset":
        _reset(writer)
    elif fault == "garbage":
        writer.write(b"\x15\x03\x01\x00\x02\x02\x0a this is not HTTP\r\n\r\n")
    elif fault == "silence":
        await reader.read()  # until the other side gives up
    return False


async def _forever(page: Page, port: int, data: bytes) -> AsyncIterator[bytes]:
    if page.fault == "headers":
        yield b"HTTP/1.1 200 Lab\r\n"
        while True:
            yield b"X-More: " + b"x" * 1_000 + b"\r\n"
            await asyncio.sleep(0)
    if page.fault == "drip":
        yield page.head(port, len(data))
        for byte in data:
            await asyncio.sleep(page.delay)
            yield bytes([byte])
        return
    yield page.head(port, None)
    while True:
        yield b"8000\r\n" + b"<p>more</p>     " * 2_048 + b"\r\n"
        await asyncio.sleep(0)


def _reset(writer: asyncio.StreamWriter) -> None:
    """Make the closing of this connection a reset."""
    sock = writer.get_extra_info("socket")
    if sock is not None:
        sock.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
    writer.transport.abort()


def as_json(value: object) -> Page:
    """A page of JSON."""
    return Page(json.dumps(value), kind="application/json")
