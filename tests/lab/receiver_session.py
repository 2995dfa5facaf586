"""One connection of the lab's relay; see `tests.lab.receiver`."""

from __future__ import annotations

import asyncio
import base64
import hmac
import json
import re
from dataclasses import dataclass
from typing import TYPE_CHECKING

from tests.lab.certificates import server_context

if TYPE_CHECKING:
    from tests.lab.receiver import Act, Receiver

_PATH = re.compile(r"(?:FROM|TO):\s*<(.*?)>( .*)?", re.IGNORECASE)
_CHALLENGE = "<1896.697170952@relay.lab.test>"
DOT = b".\r\n"


@dataclass(frozen=True, slots=True)
class Taken:
    """A message that was accepted: envelope, content without stuffed dots, and how it came."""

    sender: str
    recipient: str
    data: bytes
    parameters: str = ""
    user: str = ""
    secure: bool = False

    def line(self) -> bytes:
        """As a line of the record."""
        values = [self.sender, self.recipient, base64.b64encode(self.data).decode(), self.parameters, self.user, self.secure]
        return json.dumps(values).encode() + b"\n"

    @classmethod
    def of(cls, line: bytes) -> Taken:
        """From a line of the record."""
        sender, recipient, data, *rest = json.loads(line)
        return cls(sender, recipient, base64.b64decode(data), *rest)


class Over(Exception):
    """The session ends."""


class Session:
    """The server's end: reads commands as they come, answers each, and keeps what is to be kept."""

    def __init__(self, relay: Receiver, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self.relay, self.reader, self.writer = relay, reader, writer
        self.secure, self.quit, self.greeted, self.user = relay.tls, False, False, ""
        self.sender: str | None = None
        self.parameters = ""
        self.address = ""
        self.act: Act | None = None
        self.taken = 0
        self._rest = bytearray()

    async def run(self) -> None:
        """From the banner to the end."""
        manner = self.relay.manner
        try:
            crowded = manner.most is not None and self.relay.open_now > manner.most
            await self.say("421 4.7.0 Too many connections" if crowded else manner.answers.get("CONNECT", manner.banner))
            while (line := await self.line()) is not None:
                verb, _, rest = line.partition(" ")
                verb = verb.upper()
                self.relay.count(verb)
                scripted = self.relay.manner.answers.get(verb)
                handler = getattr(self, f"on_{verb.lower()}", None)
                if scripted is not None or handler is None:
                    await self.say(scripted or "502 5.5.1 Command not implemented")
                else:
                    await handler(rest)
        except Over:
            pass

    async def more(self) -> bool:
        """Whether more bytes came."""
        data = await self.reader.read(1 << 16)
        self._rest += data
        with self.relay.lock:
            self.relay.batches += 1
        return bool(data)

    async def line(self) -> str | None:
        """The next command, None at the end."""
        while (end := self._rest.find(b"\n")) < 0:
            if not await self.more():
                return None
        line = bytes(self._rest[:end])
        del self._rest[: end + 1]
        return line.rstrip(b"\r").decode()

    async def say(self, reply: str) -> None:
        """A reply, or a deed."""
        if self.relay.manner.delay:
            await asyncio.sleep(self.relay.manner.delay)
        if reply == "!silence":
            self.relay.stall()
            await self.reader.read()
            raise Over
        if reply == "!deaf":
            await asyncio.Event().wait()
        if reply == "!reset":
            self.writer.transport.abort()
        if reply in ("!close", "!reset"):
            raise Over
        self.writer.write(f"{reply}\r\n".encode())
        if reply.startswith("421"):
            raise Over

    async def on_ehlo(self, rest: str) -> None:
        if not self.relay.manner.ehlo:
            await self.say("502 5.5.2 Command not recognized")
            return
        self._greet(rest)
        lines = ["relay.lab.test", *self.relay.manner.extensions(self.secure)]
        await self.say("\r\n".join([*(f"250-{line}" for line in lines[:-1]), f"250 {lines[-1]}"]))

    async def on_helo(self, rest: str) -> None:
        self._greet(rest)
        await self.say("250 relay.lab.test")

    def _greet(self, name: str) -> None:
        self.greeted, self.sender, self.act = True, None, None
        with self.relay.lock:
            self.relay.names[name] += 1

    async def on_starttls(self, rest: str) -> None:
        how = self.relay.manner.starttls
        if how == "refused":
            await self.say("502 5.5.1 TLS is out of order")
            return
        await self.say("220 2.0.0 Ready to start TLS" if how else "502 5.5.1 Command not implemented")
        if how == "broken":
            self.writer.write(b"\x15\x03\x01\x00\x02\x02\x28 no TLS here\r\n")
            raise Over
        if how:
            try:
                await self.writer.start_tls(server_context())
            except OSError:
                raise Over from None
            self.secure, self.greeted, self._rest = True, False, bytearray()
            with self.relay.lock:
                self.relay.secured += 1

    async def on_auth(self, rest: str) -> None:
        mechanism, _, initial = rest.partition(" ")
        expected, given = self.relay.manner.auth, ("", "")
        if mechanism.upper() == "PLAIN":
            _, user, password = base64.b64decode(initial).decode().split("\0")
            given = user, password
        elif mechanism.upper() == "LOGIN":
            given = await self._question("Username:"), await self._question("Password:")
        elif expected is not None:
            user, _, digest = (await self._question(_CHALLENGE)).rpartition(" ")
            right = hmac.new(expected[1].encode(), _CHALLENGE.encode(), "md5").hexdigest()
            given = user, expected[1] if digest == right else ""
        good = given == expected
        with self.relay.lock:
            self.relay.logins += good
            self.relay.refused_logins += not good
        self.user = given[0] if good else ""
        await self.say("235 2.7.0 Welcome" if good else "535 5.7.8 Error: authentication failed")

    async def _question(self, text: str) -> str:
        await self.say(f"334 {base64.b64encode(text.encode()).decode()}")
        return base64.b64decode(await self.line() or "").decode()

    async def on_mail(self, rest: str) -> None:
        manner, match = self.relay.manner, _PATH.fullmatch(rest)
        if match is None or not self.greeted or self.sender is not None:
            await self.say("501 5.5.4 Syntax: MAIL FROM:<address>" if match is None else "503 5.5.1 Bad sequence of commands")
        elif manner.demand and not self.user:
            await self.say("530 5.7.0 Authentication required")
        elif manner.quota is not None and self.taken >= manner.quota:
            await self.say("421 4.7.0 Too many messages on this connection")
        elif "SMTPUTF8" in (match[2] or "") and not manner.smtputf8:
            await self.say("555 5.5.4 Unsupported option: SMTPUTF8")
        elif (act := self.relay.act(match[1], "mail")).step == "mail":
            await self.say(act.reply)
        else:
            self.sender, self.parameters = match[1], (match[2] or "").strip()
            await self.say("250 2.1.0 Ok")

    async def on_rcpt(self, rest: str) -> None:
        match = _PATH.fullmatch(rest)
        if match is None or self.sender is None:
            await self.say("501 5.5.4 Syntax: RCPT TO:<address>" if match is None else "503 5.5.1 Error: need MAIL command")
            return
        act = self.relay.act(match[1], "rcpt")
        if act.step == "rcpt" and not act.reply.startswith("2"):
            await self.say(act.reply.replace("{address}", match[1]))
            return
        self.address, self.act = match[1], act
        await self.say("250 2.1.5 Ok")

    async def on_data(self, rest: str) -> None:
        act = self.act
        if act is None and not (self.relay.manner.lax and self.sender is not None):
            await self.say("554 5.5.1 Error: no valid recipients")
            return
        if act is not None and act.step == "data":
            await self.say(act.reply)
            return
        await self.say("354 End data with <CR><LF>.<CR><LF>")
        if act is not None and act.step == "body" and (self._rest or await self.more()):
            await self.say(act.reply)
        data = await self._message()
        await self._dot(data, act)

    async def _message(self) -> bytes:
        """All up to the dot, without stuffed dots; ends the session where the message breaks off."""
        start = 0
        while not self._rest.startswith(DOT) and (end := self._rest.find(b"\r\n" + DOT, start)) < 0:
            start = max(len(self._rest) - 4, 0)
            if not await self.more():
                raise Over
        size = 0 if self._rest.startswith(DOT) else end + 2
        data = bytes(self._rest[:size])
        del self._rest[: size + len(DOT)]
        return data.replace(b"\r\n..", b"\r\n.").removeprefix(b".")

    async def _dot(self, data: bytes, act: Act | None) -> None:
        self.relay.count("DOT")
        sender, self.sender, self.act = self.sender or "", None, None
        if act is None or act.step != "dot":
            await self.say("554 5.5.1 Error: no valid recipients")
            return
        if act.wait:
            await asyncio.sleep(act.wait)
        scripted = self.relay.manner.answers.get("DOT", act.reply)
        if act.taken and (not scripted or scripted[0] in "2!"):
            self.taken += 1
            self.relay.take(Taken(sender, self.address, data, self.parameters, self.user, self.secure))
        await self.say(scripted or f"250 2.0.0 Ok: queued as {self.taken}")

    async def on_rset(self, rest: str) -> None:
        self.sender = self.act = None
        await self.say("250 2.0.0 Ok")

    async def on_noop(self, rest: str) -> None:
        await self.say("250 2.0.0 Ok")

    async def on_quit(self, rest: str) -> None:
        self.quit = True
        await self.say("221 2.0.0 Bye")
        raise Over

    async def on_xlab(self, rest: str) -> None:
        """The counters: for those who run the relay in another process."""
        self.quit = True
        await self.say(f"250 {json.dumps(self.relay.snapshot())}")
        raise Over

    async def on_xset(self, rest: str) -> None:
        """A change of manner: likewise."""
        self.quit = True
        self.relay.tell(json.loads(rest))
        await self.say("250 {}")
        raise Over
