"""One request and its answer over a lane: bounded in time and size, and every failure in plain words."""

from __future__ import annotations

import asyncio
import ssl
from collections.abc import AsyncGenerator, AsyncIterator
from contextlib import aclosing
from dataclasses import dataclass
from typing import cast

import httpx

from engine.errors import ForbiddenTarget
from engine.net.http_body import Body, Reading, encoding_of, kind_of, sniffed, too_big, wanted
from engine.net.http_lanes import Lane
from engine.net.http_outcome import Outcome, Trouble
from engine.net.http_urls import Target

REDIRECTS = frozenset({301, 302, 303, 307, 308})
DRAINED = 64 * 1024
"""Bytes of a body nobody wants that are read all the same, so that the connection can be used again."""


@dataclass(frozen=True, slots=True)
class Answer:
    """What a server answered: a body only for 2xx, a location only for redirects; `broken`: the body's end is missing."""

    status: int
    headers: httpx.Headers
    kind: str = ""
    charset: str | None = None
    body: bytes = b""
    broken: bool = False
    location: str = ""


@dataclass(frozen=True, slots=True)
class Asking:
    """What goes with every request: its headers, and the seconds for a connection and for the whole of it."""

    headers: tuple[tuple[str, str], ...]
    connect: float
    seconds: float
    reading: Reading


async def exchange(lane: Lane, place: Target, asking: Asking) -> Answer:
    """Ask for a page.

    Raises:
        Trouble: there is no answer, or one that is not wanted.
    """
    try:
        async with asyncio.timeout(asking.seconds):
            return await _ask(lane, place, asking)
    except TimeoutError as error:
        await lane.drop()
        raise Trouble(Outcome.SLOW, f"{place.host} took longer than {asking.seconds:.3g} seconds") from error
    except BaseException:  # whatever is left on this connection is nobody's answer
        await lane.drop()
        raise


async def _ask(lane: Lane, place: Target, asking: Asking) -> Answer:
    """The same without the clock, and once more where the server had closed the connection that was kept for it."""
    while True:
        kept = lane.used > 0
        try:
            response = await lane.transport.handle_async_request(_request(place, asking))
        except (httpx.ReadError, httpx.WriteError, httpx.RemoteProtocolError) as error:
            await lane.drop()
            if not kept:
                raise _unanswered(error, place) from error
        except (ForbiddenTarget, httpx.HTTPError, OSError, ValueError) as error:
            lane.sent = False
            raise _unreached(error, place) from error
        else:
            try:
                return await _answer(lane, place, response, asking.reading)
            except Trouble as trouble:
                trouble.status = response.status_code
                raise


def _request(place: Target, asking: Asking) -> httpx.Request:
    # Ahead of the clock over all: httpcore does not close a connection whose TLS handshake is cancelled.
    timeout = httpx.Timeout(None, connect=min(asking.connect, 0.9 * asking.seconds)).as_dict()
    return httpx.Request("GET", place.url, headers=asking.headers, extensions={"timeout": timeout})


async def _answer(lane: Lane, place: Target, response: httpx.Response, reading: Reading) -> Answer:
    """Read what is wanted of an answer, and keep the connection if all of it was read."""
    assert isinstance(response.stream, httpx.AsyncByteStream)
    async with aclosing(cast(AsyncGenerator[bytes, None], aiter(response.stream))) as pieces:
        if 200 <= response.status_code < 300:
            answer = await _page(place, response, pieces, reading)
            whole = not answer.broken
        else:
            whole = await _drained(response, pieces)
            location = response.headers.get("location", "") if response.status_code in REDIRECTS else ""
            answer = Answer(response.status_code, response.headers, location=location)
    if whole:
        lane.used += 1
        await response.stream.aclose()
    else:
        await lane.drop()
    return answer


async def _page(place: Target, response: httpx.Response, pieces: AsyncIterator[bytes], reading: Reading) -> Answer:
    """The answer with its body."""
    headers = response.headers
    kind, charset = kind_of(headers.get("content-type", ""))
    if not wanted(kind, reading.kinds):
        raise Trouble(Outcome.WRONG_TYPE, f"{kind[:60]} is not a kind of page that is read")
    if not reading.cut and _length(headers) > reading.wire:
        raise too_big(reading)
    body = Body(encoding_of(headers.get("content-encoding", ""), kind), reading)
    broken = False
    try:
        async for piece in pieces:
            body.take(piece)
            if body.full:
                break
    except (httpx.ReadError, httpx.RemoteProtocolError) as error:
        if not body.data:
            raise _unanswered(error, place) from error
        broken = True
    broken |= not body.finish() or body.full
    data = bytes(body.data)
    if not wanted(kind := kind or sniffed(data), reading.kinds):
        raise Trouble(Outcome.WRONG_TYPE, "the page does not say what it is, and is not text")
    return Answer(response.status_code, headers, kind, charset, data, broken)


async def _drained(response: httpx.Response, pieces: AsyncIterator[bytes]) -> bool:
    """Read a body nobody wants if it is short; False when it is not, or breaks off."""
    left = DRAINED
    if _length(response.headers) > left:
        return False
    try:
        async for piece in pieces:
            left -= len(piece)
            if left < 0:
                break
    except (httpx.ReadError, httpx.RemoteProtocolError):
        return False
    return left >= 0


def _length(headers: httpx.Headers) -> int:
    """The length that the headers name, 0 where they name none."""
    text = headers.get("content-length", "")
    return int(text[:18]) if text.isascii() and text.isdigit() else 0


def _unanswered(error: Exception, place: Target) -> Trouble:
    """A connection was there, and no answer that could be read came over it."""
    if isinstance(error, httpx.RemoteProtocolError) and "disconnected" not in str(error) and "closed" not in str(error):
        return Trouble(Outcome.UNREACHABLE, f"{place.host} did not answer in HTTP")
    return Trouble(Outcome.UNREACHABLE, f"{place.host} closed the connection without a whole answer")


def _unreached(error: Exception, place: Target) -> Trouble:
    """No connection was made, or none was to be."""
    if isinstance(error, ForbiddenTarget):
        return Trouble(Outcome.REFUSED, str(error))
    if (secure := _tls(error)) is not None:
        return Trouble(Outcome.UNREACHABLE, _tls_words(secure, place))
    if isinstance(error, httpx.TimeoutException):
        return Trouble(Outcome.UNREACHABLE, f"{place.host} does not answer on port {place.port}")
    if "has no address" in str(error):
        return Trouble(Outcome.UNREACHABLE, str(error)[:300])
    if isinstance(error, (httpx.ConnectError, OSError)):
        return Trouble(Outcome.UNREACHABLE, f"{place.host} takes no connections on port {place.port}")
    return Trouble(Outcome.UNREACHABLE, f"{place.host} could not be asked: {str(error)[:200]}")


def _tls(error: BaseException) -> ssl.SSLError | None:
    """The TLS error behind an error, if there is one."""
    seen: BaseException | None = error
    for _ in range(8):
        if seen is None or isinstance(seen, ssl.SSLError):
            return seen
        seen = seen.__cause__ or seen.__context__
    return None


def _tls_words(error: ssl.SSLError, place: Target) -> str:
    if isinstance(error, ssl.SSLCertVerificationError):
        return f"the certificate of {place.host} is not valid: {error.verify_message.rstrip('.')}"
    reason = (error.reason or "the handshake failed").replace("_", " ").lower()
    return f"{place.host} offers no TLS on port {place.port}: {reason}"
