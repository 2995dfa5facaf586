"""A folder on an IMAP server as a postbox: what is unseen is new, what was read is seen (RFC 9051, RFC 3501)."""

from __future__ import annotations

import asyncio
import imaplib
import socket
import ssl
import threading
from base64 import b64encode
from collections.abc import Callable, Collection, Sequence
from contextlib import suppress
from typing import TypeVar

from engine.errors import ForbiddenTarget
from engine.mail.bounces_mime import LONGEST
from engine.net.guard import Guard
from engine.net.postbox import LIMIT, Unavailable
from engine.net.postbox_url import Mailbox

T = TypeVar("T")
TIMEOUT = 30.0
"""Seconds for one step of the dialogue."""
_SLACK = 4_096


class ImapPostbox:
    """A folder on an IMAP server. The connection stays open from the first fetch until `close`; a lost one is opened again."""

    def __init__(self, mailbox: Mailbox, guard: Guard, context: ssl.SSLContext, timeout: float = TIMEOUT) -> None:
        self._mailbox, self._guard, self._context, self._timeout = mailbox, guard, context, timeout
        self._lock = threading.Lock()
        self._open: tuple[_Client, str] | None = None

    async def fetch(self, limit: int = LIMIT) -> list[tuple[str, bytes]]:
        """See Postbox."""
        return await _aside(lambda: self._talk(lambda client, validity: _fetch(client, validity, limit)))

    async def done(self, keys: Collection[str]) -> None:
        """See Postbox."""
        await _aside(lambda: self._talk(lambda client, validity: _mark(client, validity, keys)))

    async def close(self) -> None:
        """See Postbox."""
        await _aside(self._leave)

    def _talk(self, steps: Callable[[_Client, str], T]) -> T:
        """Do something with the folder selected; what goes wrong becomes a sentence, and the connection is dropped."""
        with self._lock:
            try:
                client, validity = self._open = self._open or self._select()
                return steps(client, validity)
            except Exception as error:
                self._drop()
                raise Unavailable(self._sentence(error)) from error

    def _select(self) -> tuple[_Client, str]:
        """A connection with the folder selected, and the folder's UIDVALIDITY: identifiers hold as long as that stays."""
        client = _Client(self._mailbox, self._guard, self._context, self._timeout)
        try:
            if not self._mailbox.implicit and not self._mailbox.loopback:
                if "STARTTLS" not in client.capabilities:
                    raise Unavailable("it offers no STARTTLS, and the password would be sent in clear")
                client.starttls(self._context)
            _login(client, self._mailbox)
            answer, said = client.select(_quoted(folder_name(self._mailbox.folder)))
            if answer != "OK":
                raise Unavailable(f"the folder cannot be opened: {_words(said)}")
            _, numbers = client.response("UIDVALIDITY")
            return client, _words(numbers)
        except BaseException:
            _hang_up(client)
            raise

    def _leave(self) -> None:
        with self._lock:
            if self._open is not None:
                with suppress(imaplib.IMAP4.error, OSError):
                    self._open[0].logout()
            self._drop()

    def _drop(self) -> None:
        if self._open is not None:
            _hang_up(self._open[0])
            self._open = None

    def _sentence(self, error: Exception) -> str:
        """Why it did not work; of what the libraries say only what cannot hold a password."""
        match error:
            case Unavailable() | ForbiddenTarget():
                reason = str(error)
            case ssl.SSLCertVerificationError():
                reason = f"its certificate is not valid: {error.verify_message}"
            case TimeoutError():
                reason = "it did not answer in time"
            case OSError():
                reason = f"it cannot be reached ({error.strerror or type(error).__name__})"
            case imaplib.IMAP4.readonly():
                reason = "the folder cannot be written, so that messages could not be marked as read"
            case imaplib.IMAP4.abort():
                reason = "the connection broke"
            case _:
                reason = f"it answered in a way that is not understood ({type(error).__name__})"
        return f"{self._mailbox.shown}: {reason}"


class _Client(imaplib.IMAP4):
    """The standard library's client over a connection to a vetted address, with a bound on what it takes at once."""

    def __init__(self, mailbox: Mailbox, guard: Guard, context: ssl.SSLContext, timeout: float) -> None:
        self._guard, self._context, self._implicit = guard, context, mailbox.implicit
        super().__init__(mailbox.host, mailbox.port, timeout)

    def _create_socket(self, timeout: float | None) -> socket.socket:
        found = [str(entry[4][0]) for entry in socket.getaddrinfo(self.host, self.port, type=socket.SOCK_STREAM)]
        addresses = self._guard.found(self.host, self.port, found).vetted(found, self.port)
        if not addresses:
            raise ForbiddenTarget("it has no permitted address")
        plain = _first(addresses, self.port, timeout)
        if not self._implicit:
            return plain
        try:
            return self._context.wrap_socket(plain, server_hostname=self.host)
        except BaseException:
            plain.close()
            raise

    def read(self, size: int) -> bytes:
        """A literal of a response."""
        if size > LONGEST + _SLACK:
            raise self.abort("more than was asked for")
        return super().read(size)


def _first(addresses: Sequence[str], port: int, timeout: float | None) -> socket.socket:
    """A connection to the first of the addresses that takes one."""
    failure: OSError = OSError("no address")
    for address in addresses:
        try:
            return socket.create_connection((address, port), timeout)
        except OSError as error:
            failure = error
    raise failure


def _login(client: _Client, mailbox: Mailbox) -> None:
    """By AUTHENTICATE PLAIN (RFC 4616), which takes any character, else by LOGIN."""
    try:
        if "AUTH=PLAIN" in client.capabilities:
            client.authenticate("PLAIN", lambda _: f"\0{mailbox.user}\0{mailbox.password}".encode())
        else:
            client.login(_quoted(mailbox.user), mailbox.password)
    except imaplib.IMAP4.abort:
        raise
    except (imaplib.IMAP4.error, UnicodeError):
        raise Unavailable("the login was refused") from None


def _fetch(client: _Client, validity: str, limit: int) -> list[tuple[str, bytes]]:
    answer, said = client.uid("SEARCH", "UNSEEN")
    if answer != "OK":
        raise Unavailable("it could not be searched")
    found: list[tuple[str, bytes]] = []
    for uid in sorted({int(number) for line in said if line for number in line.split()}):
        if len(found) == limit:
            break
        _, parts = client.uid("FETCH", str(uid), f"(BODY.PEEK[]<0.{LONGEST}>)")
        bodies = [part[1] for part in parts if isinstance(part, tuple) and b"BODY[" in part[0].upper()]
        found += [(f"{validity}.{uid}", body) for body in bodies[:1]]
    return found


def _mark(client: _Client, validity: str, keys: Collection[str]) -> None:
    numbers = sorted(int(key.rpartition(".")[2]) for key in keys if key.rpartition(".")[0] == validity)
    if numbers and client.uid("STORE", ",".join(map(str, numbers)), "+FLAGS.SILENT", r"(\Seen)")[0] != "OK":
        raise Unavailable("messages could not be marked as read")


def _hang_up(client: _Client) -> None:
    with suppress(OSError):
        client.shutdown()


def folder_name(name: str) -> str:
    """The name of a folder as it goes over the wire: in modified UTF-7 (RFC 3501 section 5.1.3)."""
    coded, wide = "", ""
    for char in [*name, ""]:
        if char and not " " <= char <= "~":
            wide += char
            continue
        if wide:
            coded += "&" + b64encode(wide.encode("utf-16-be")).decode().rstrip("=").replace("/", ",") + "-"
            wide = ""
        coded += "&-" if char == "&" else char
    return coded


def _quoted(text: str) -> str:
    """A quoted string (RFC 9051 section 4.3)."""
    return '"' + text.replace("\\", "\\\\").replace('"', '\\"') + '"'


def _words(said: Sequence[object]) -> str:
    """What the server said, as one printable line."""
    text = b" ".join(part for part in said if isinstance(part, bytes)).decode("utf-8", "replace")
    return "".join(char if char.isprintable() else " " for char in text)[:200]


async def _aside(steps: Callable[[], T]) -> T:
    """What the steps return, done in a thread that nobody waits for when the process ends: a server may keep silent for long."""
    loop = asyncio.get_running_loop()
    told: asyncio.Future[T] = loop.create_future()

    def tell(result: T | None, error: Exception | None) -> None:
        if told.cancelled():
            return
        if error is None:
            told.set_result(result)  # type: ignore[arg-type]
        else:
            told.set_exception(error)

    def work() -> None:
        result, error = None, None
        try:
            result = steps()
        except Exception as trouble:
            error = trouble
        with suppress(RuntimeError):  # the loop has ended meanwhile
            loop.call_soon_threadsafe(tell, result, error)

    threading.Thread(target=work, name="imap", daemon=True).start()
    return await told
