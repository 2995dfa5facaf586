"""One SMTP connection as a stream of complete replies, with limits on what a server may send."""

from __future__ import annotations

import asyncio
import re
import ssl
from collections import deque
from dataclasses import dataclass

from engine.errors import PostbenchError
from engine.mail.evidence import Answer

MAX_LINE = 4096
"""Bytes of one line; RFC 5321 section 4.5.3.1.5 asks for 512, real servers send more."""
MAX_LINES = 100
MAX_WAITING = 64
"""Replies that nobody has asked for yet; more is a flood."""
MAX_TEXT = 300
_LINE = re.compile(rb"([2-5][0-9]{2})(?:([ -])(.*))?", re.DOTALL)
_ENHANCED = re.compile(r"[245]\.[0-9]{1,3}\.[0-9]{1,3}\b")


class Trouble(PostbenchError):
    """A dialogue ended without a word about the recipient; never leaves the prober.

    `answer` is what a probe says because of it, `reply` the server's refusal where there was one; after a `final` one no
    other server is asked.
    """

    def __init__(self, answer: Answer, message: str, reply: Reply | None = None, final: bool = False) -> None:
        self.answer, self.reply, self.final = answer, reply, final
        super().__init__(message)


@dataclass(frozen=True, slots=True)
class Reply:
    """A complete reply: its code and its lines, without code and line ends (RFC 5321 section 4.2)."""

    code: int
    lines: tuple[str, ...]

    @property
    def text(self) -> str:
        """The lines joined by a space; an enhanced code that each line repeats stands once."""
        first, *rest = self.lines
        found = _ENHANCED.match(first)
        repeated = found.group() if found else ""
        return " ".join([first, *(line.removeprefix(repeated).lstrip() for line in rest)]).strip()


def printable(text: str) -> str:
    """The text as shown: one line of at most 300 printable characters."""
    start = text[: 4 * MAX_TEXT]
    if not start.isprintable():
        start = "".join(char if char.isprintable() else " " for char in start)
    return " ".join(start.split())[:MAX_TEXT]


class Replies:
    """Cuts bytes into replies. `feed` raises `Trouble` when they are not SMTP or too long."""

    def __init__(self) -> None:
        self._rest = bytearray()
        self._lines: list[str] = []

    def feed(self, data: bytes) -> list[Reply]:
        """The replies that these bytes complete."""
        self._rest += data
        *lines, rest = self._rest.split(b"\n")
        if max(map(len, (*lines, rest))) > MAX_LINE:
            raise Trouble(Answer.NO_CONNECTION, f"the server sent a line of more than {MAX_LINE} bytes")
        self._rest = rest
        return [reply for line in lines if (reply := self._take(bytes(line.removesuffix(b"\r"))))]

    def _take(self, line: bytes) -> Reply | None:
        match = _LINE.fullmatch(line)
        if match is None:
            raise Trouble(Answer.NO_CONNECTION, "the server sent something that is not an SMTP reply")
        code, mark, text = match.groups()
        self._lines.append(_decoded(text or b""))
        if mark == b"-":
            if len(self._lines) >= MAX_LINES:
                raise Trouble(Answer.NO_CONNECTION, f"the server sent a reply of more than {MAX_LINES} lines")
            return None
        lines, self._lines = tuple(self._lines), []
        return Reply(int(code), lines)


def _decoded(raw: bytes) -> str:
    try:
        return raw.decode()
    except UnicodeDecodeError:
        return raw.decode("latin-1")


class Wire(asyncio.Protocol):
    """The client's end of one connection: commands go out, replies come in, one waiter at a time.

    It takes over a connection that the guard opened (`of`). Streams measure the same; a protocol of its own sees at once that an
    idle connection was closed or spoken to, and turns to TLS without asking what a stream still holds.
    """

    def __init__(self, writer: asyncio.StreamWriter) -> None:
        # A writer that is forgotten closes its transport.
        self._writer = writer
        self._transport: asyncio.Transport = writer.transport  # type: ignore[assignment]
        self._parser = Replies()
        self._replies: deque[Reply] = deque()
        self._fault: Trouble | None = None
        self._waiter: asyncio.Future[Reply] | None = None
        self._gone = asyncio.Event()
        self._room = asyncio.Event()
        self._room.set()
        self.secure = False

    @classmethod
    async def of(cls, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> Wire:
        """Take over a connection; what the server has said by now is kept."""
        wire = cls(writer)
        # What the kernel does not take at once is waited for by whoever asks for `room`.
        wire._transport.set_write_buffer_limits(0)
        wire._transport.pause_reading()
        # With the end marked, reading gives what is there and does not wait.
        reader.feed_eof()
        early = await reader.read(MAX_LINE * MAX_LINES)
        wire._transport.set_protocol(wire)
        if early:
            wire.data_received(early)
        if not wire._transport.is_closing():
            # Were the end of the stream seen already, it is seen again from here.
            wire._transport.resume_reading()
        return wire

    @property
    def quiet(self) -> bool:
        """Whether it is open and nothing unasked-for came in: an idle connection that may be used again."""
        return self.alive and not self._replies

    @property
    def alive(self) -> bool:
        """Whether it is open, as far as we know."""
        return self._fault is None and not self._transport.is_closing()

    def send(self, *commands: str) -> None:
        """Write the commands in one piece; on a closed connection the next `reply` says so."""
        self.write("".join(f"{command}\r\n" for command in commands).encode())

    def write(self, data: bytes) -> None:
        """Write bytes as they are; on a closed connection the next `reply` says so."""
        if not self._transport.is_closing():
            self._transport.write(data)

    async def room(self, until: float, step: str) -> None:
        """Wait until what was written has been handed to the kernel; under TLS the last piece may still be on its way there.

        Returns at once on a connection that is lost or spoken to meanwhile: nobody reads what would be written.

        Raises:
            Trouble: the server does not read; the connection is then of no use.
        """
        if self._room.is_set():
            return
        timer = asyncio.get_running_loop().call_at(until, self._fail, Trouble(Answer.TIMEOUT, f"{step} was not taken in time"))
        try:
            await self._room.wait()
        finally:
            timer.cancel()
        if self._fault is not None:
            raise self._fault

    async def reply(self, until: float, step: str) -> Reply:
        """The next reply, awaited until that moment of the loop's clock.

        Raises:
            Trouble: it did not come, or was no reply; the connection is then of no use.
        """
        if self._replies:
            return self._replies.popleft()
        if self._fault is not None:
            raise self._fault
        loop = asyncio.get_running_loop()
        waiter: asyncio.Future[Reply] = loop.create_future()
        self._waiter = waiter
        timer = loop.call_at(until, self._fail, Trouble(Answer.TIMEOUT, f"no answer to {step} in time"))
        try:
            return await waiter
        finally:
            timer.cancel()
            self._waiter = None

    async def encrypt(self, context: ssl.SSLContext, name: str, until: float) -> None:
        """Turn to TLS (RFC 3207). Raises `Trouble` when the handshake fails; the connection is then of no use."""
        loop = asyncio.get_running_loop()
        patience = max(until - loop.time(), 0.01)
        try:
            secured = await loop.start_tls(
                self._transport, self, context, server_hostname=name, ssl_handshake_timeout=patience, ssl_shutdown_timeout=1.0
            )
        except (OSError, ValueError) as error:
            self.abort()
            raise Trouble(Answer.NO_CONNECTION, "the TLS handshake failed") from error
        if secured is None:
            raise Trouble(Answer.NO_CONNECTION, "the server closed the connection in the TLS handshake")
        self._transport = secured
        # Zero would make asyncio's TLS pause us before anything is written.
        secured.set_write_buffer_limits(1, 0)
        # What came in the clear after the reply to STARTTLS was not said under TLS.
        self._parser, self._replies, self.secure = Replies(), deque(), True

    async def close(self, until: float) -> None:
        """Close it after what is still to be written, and wait until it is gone; at that moment drop it."""
        self._transport.close()
        try:
            async with asyncio.timeout_at(until):
                await self._gone.wait()
        except TimeoutError:
            self.abort()

    def abort(self) -> None:
        """Drop the connection at once."""
        self._transport.abort()

    def data_received(self, data: bytes) -> None:
        """Called by the transport."""
        if self._fault is not None:
            return
        try:
            self._replies.extend(self._parser.feed(data))
        except Trouble as trouble:
            self._fail(trouble)
            return
        if len(self._replies) > MAX_WAITING:
            self._fail(Trouble(Answer.NO_CONNECTION, "the server sends replies that nobody asked for"))
        elif self._replies and self._waiter is not None and not self._waiter.done():
            self._waiter.set_result(self._replies.popleft())
        elif self._replies:
            self._room.set()

    def pause_writing(self) -> None:
        """Called by the transport."""
        if self.alive:
            self._room.clear()

    def resume_writing(self) -> None:
        """Called by the transport."""
        self._room.set()

    def eof_received(self) -> bool:
        """Called by the transport; the connection is closed then."""
        self._end("the server closed the connection")
        return False

    def connection_lost(self, exc: Exception | None) -> None:
        """Called by the transport."""
        self._gone.set()
        self._end("the connection was reset" if exc else "the connection was closed")

    def _end(self, message: str) -> None:
        if self._fault is None:
            self._fault = Trouble(Answer.NO_CONNECTION, message)
            self._tell(self._fault)

    def _fail(self, trouble: Trouble) -> None:
        if self._fault is None:
            self._fault = trouble
            self._tell(trouble)
            self.abort()

    def _tell(self, trouble: Trouble) -> None:
        self._room.set()
        if self._waiter is not None and not self._waiter.done():
            self._waiter.set_exception(trouble)
