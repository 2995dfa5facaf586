"""The body of an HTTP answer: what it claims to be, and its bytes within limits, however it is compressed."""

from __future__ import annotations

import codecs
import re
import zlib
from collections.abc import Sequence
from dataclasses import dataclass
from email.message import Message
from email.utils import parsedate_to_datetime

from engine.net.http_outcome import Outcome, Trouble

PIECE = 64 * 1024
"""Bytes decoded at a time, so that a small piece cannot grow without being measured."""
ENCODINGS = ("gzip", "x-gzip", "deflate")
GZIPPED = ("application/gzip", "application/x-gzip")
"""Kinds that are gzip by themselves, as sitemaps may be."""
LONGEST_RETRY = 7 * 86_400.0
_SECONDS = re.compile(r"[0-9]+(\.[0-9]+)?")


@dataclass(frozen=True, slots=True)
class Reading:
    """How a body is read: the kinds that are wanted (prefixes; none = any) and the limits in bytes.

    With `cut`, what goes beyond the limits is left unread; without, it is too big.
    """

    kinds: tuple[str, ...]
    wire: int
    decoded: int
    cut: bool = False


class Body:
    """Takes the pieces of a body as they come from the wire; `data` is what they say."""

    def __init__(self, encoding: str, reading: Reading) -> None:
        self.data = bytearray()
        self.full = False
        """No more is wanted."""
        self._reading, self._wire = reading, 0
        self._inflate = zlib.decompressobj(zlib.MAX_WBITS | 32) if encoding else None

    def take(self, piece: bytes) -> None:
        """Take the next piece.

        Raises:
            Trouble: more than the limits allow, or not compressed as it says.
        """
        self._wire += len(piece)
        if self._inflate is None:
            self.data += piece
        else:
            self._decode(piece, self._inflate)
        if self._wire > self._reading.wire or len(self.data) > self._reading.decoded:
            if not self._reading.cut:
                raise too_big(self._reading)
            del self.data[self._reading.decoded :]
            self.full = True

    def finish(self) -> bool:
        """Nothing more comes; whether the compressed data were whole."""
        if self._inflate is None or self.full or not self._wire:
            return True
        self.data += self._inflate.flush()  # a few hundred bytes at most: what one symbol stands for
        return self._inflate.eof

    def _decode(self, piece: bytes, inflate: zlib._Decompress) -> None:
        while piece and len(self.data) <= self._reading.decoded and not inflate.eof:
            try:
                self.data += inflate.decompress(piece, PIECE)
            except zlib.error as error:
                if self.data or (raw := _raw(piece)) is None:
                    raise Trouble(Outcome.WRONG_TYPE, f"the page is not compressed as it says: {error}") from error
                self._inflate = inflate = raw
                continue
            piece = inflate.unconsumed_tail


def _raw(piece: bytes) -> zlib._Decompress | None:
    """A decoder for deflate without its header, as some servers send it; None when this is no such beginning."""
    try:
        zlib.decompressobj(-zlib.MAX_WBITS).decompress(piece, 1)
    except zlib.error:
        return None
    return zlib.decompressobj(-zlib.MAX_WBITS)


def too_big(reading: Reading) -> Trouble:
    """The trouble with a body beyond the limits."""
    limit = f"{reading.wire / 1e6:g} MB on the wire or {reading.decoded / 1e6:g} MB decoded"
    return Trouble(Outcome.TOO_BIG, f"the page is larger than {limit}")


def encoding_of(header: str, kind: str) -> str:
    """The compression of a body, empty for none.

    Raises:
        Trouble: one that was not asked for.
    """
    name = header.strip().lower()
    if name in ENCODINGS or (name in ("", "identity") and kind in GZIPPED):
        return name if name in ENCODINGS else "gzip"
    if name in ("", "identity"):
        return ""
    raise Trouble(Outcome.WRONG_TYPE, f"the page is compressed with {name[:20]}, which was not asked for")


def kind_of(header: str) -> tuple[str, str | None]:
    """Media type and charset of a Content-Type (RFC 9110 section 8.3); charset None where none is known to Python."""
    message = Message()
    message["Content-Type"] = re.sub(r"[^\x20-\x7e]", " ", header)[:256]
    kind = header.partition(";")[0].strip().lower()[:100]
    try:
        charset = message.get_param("charset")
        label = charset.strip(" '\"") if isinstance(charset, str) else ""
        b"-".decode(label or "none", "replace")
    except (LookupError, ValueError, TypeError):  # unknown, or a codec that is no character encoding
        return kind, None
    return kind, codecs.lookup(label).name


def wanted(kind: str, kinds: Sequence[str]) -> bool:
    """Whether a body of this kind is among those asked for; one that does not say is looked at."""
    return not kinds or not kind or kind.startswith(tuple(kinds))


def sniffed(data: bytes) -> str:
    """The kind of a body that does not say: text, unless there are NUL bytes at its beginning."""
    return "application/octet-stream" if b"\0" in data[:1024] else "text/html"


def retry_after(value: str, date: str, now: float) -> float | None:
    """Seconds to wait of a Retry-After header (RFC 9110 section 10.2.3), 0 to a week; None when it cannot be read.

    A date counts from the answer's own `date`, or else from `now` (Unix time). Fractions, which the RFC does not know and some
    services give, are taken too.
    """
    value = value.strip()
    if _SECONDS.fullmatch(value):
        return min(float(value[:9]), LONGEST_RETRY)
    until = _unix(value)
    if until is None:
        return None
    begin = _unix(date)
    return min(max(until - (now if begin is None else begin), 0.0), LONGEST_RETRY)


def _unix(date: str) -> float | None:
    try:
        return parsedate_to_datetime(date).timestamp()
    except (ValueError, TypeError, OverflowError, IndexError):
        return None
