"""A mail exchanger of the lab: SMTP with scripted personalities, by host, by domain and by recipient; it counts everything.

    with LabSmtp() as mx:                                   # 127.0.0.1, any free port
        mx.hosts["127.0.0.1"] = Host(delay=0.005)           # how the host behaves; `mx.host_of` gives it to change a field
        mx.recipients["jane@one.test"] = "full"             # a word of PERSONALITIES, or a reply such as "550 5.1.1 No such user"
        mx.domains["all.test"] = "ok"                       # every other local part of the domain: a catch-all
        mx.counts.recipients["jane@one.test"]               # RCPT questions about her

What is said about a recipient: the table `recipients`, by address; else the local part itself if it begins with a personality's
word (`full`, `ok.17`, `missing-3`); else the table `domains`; else `Host.others` (missing). Words beginning with `!` are deeds
instead of replies: see `DEEDS`. `Host.answers` replaces the reply to any verb, and to `CONNECT`.

    with in_process("tests.lab.smtp", "--hosts", "50", "--delay", "0.005") as port:     # 127.0.1.1 … 127.0.1.50 on one port
        counted("127.0.1.1", port)                                                      # its counters, as JSON values
"""

from __future__ import annotations

import argparse
import asyncio
import json
import re
import socket
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, fields, replace
from typing import Any

from tests.lab.certificates import server_context
from tests.lab.running import LabServer, run_until_told

PERSONALITIES: Mapping[str, str] = {
    "ok": "250 2.1.5 Ok",
    "missing": "550 5.1.1 <{address}>: Recipient address rejected: User unknown in virtual mailbox table",
    "full": "452 4.2.2 <{address}>: mailbox is full (over quota)",
    "overquota": "552 5.2.2 The email account that you tried to reach is over quota",
    "disabled": "550 5.2.1 The email account that you tried to reach is disabled",
    "blocked": "550 5.7.1 Service unavailable; client host [{client}] blocked using zen.spamhaus.org",
    "policy": "550 5.7.1 Message refused for policy reasons",
    "denied": "550 5.4.1 Recipient address rejected: Access denied.",
    "unclear": "550 5.0.0 Something is not as it should be",
    "nomail": "556 5.1.10 The domain does not accept mail",
    "busy": "450 4.2.1 The user you are trying to contact is receiving mail at a rate that is too quickly",
    "greylisted": "!greylist",
    "later": "450 4.7.1 Greylisted, try again later",
    "closing": "421 4.7.0 Too many connections, try again later",
    "tarpit": "!silence",
    "garbage": "!garbage",
    "binary": "!binary",
    "endless": "!endless",
    "chatty": "!chatty",
    "drip": "!drip",
    "reset": "!reset",
    "hangup": "!close",
    "talkative": "550-5.1.1 The email account that you tried to reach does\r\n550-5.1.1 not exist. Please try\r\n550 5.1.1 again",
}
DEEDS: Mapping[str, bytes] = {
    "!garbage": b"HTTP/1.1 400 Bad Request\r\n\r\n<html>no</html>\r\n",
    "!binary": b"\x00\xff\xfe250\x00\r\n",
    "!endless": b"250-" + b"x" * 200_000,
    "!chatty": b"250-more\r\n" * 5_000,
}
"""What these deeds write. `!silence` writes nothing, `!drip` a line of a reply without end each tenth of a second, `!close` and
`!reset` end the connection, `!greylist` says `later` to an address as often as `LabSmtp.greylistings` says, then `ok`."""
FORBIDDEN = frozenset({"DATA", "BDAT", "VRFY", "EXPN"})
_WORD = re.compile(r"[a-z]+(?=$|[^a-z])")
_PATH = re.compile(r"(?:FROM|TO):\s*<([^>]*)>(.*)", re.IGNORECASE)


@dataclass(frozen=True, slots=True)
class Host:
    """How one address of the lab behaves. Replace it as a whole: it is read from another thread.

    `delay` is waited before each answer, `banner_delay` before the banner, in seconds. `starttls` is `""` (not offered), `ok`,
    `refused`, or `broken` or `silent` after 220. `quota`: recipients on a connection before 421. `session_errors`: refused
    recipients before 421 to the next command (Postfix: 20). `ehlo`: whether EHLO is known.
    """

    banner: str = "220 mx.lab.test ESMTP"
    banner_delay: float = 0.0
    delay: float = 0.0
    ehlo: bool = True
    pipelining: bool = True
    smtputf8: bool = True
    starttls: str = ""
    quota: int | None = None
    session_errors: int | None = None
    others: str = "missing"
    answers: Mapping[str, str] = field(default_factory=dict)

    def extensions(self, secure: bool) -> list[str]:
        """What EHLO lists."""
        offered = {
            "PIPELINING": self.pipelining,
            "SIZE 10240000": True,
            "STARTTLS": bool(self.starttls) and not secure,
            "ENHANCEDSTATUSCODES": True,
            "8BITMIME": True,
            "SMTPUTF8": self.smtputf8,
        }
        return [keyword for keyword, whether in offered.items() if whether]


@dataclass(slots=True)
class Counts:
    """What happened so far. `most` is the largest number of connections open at once, by host; `forbidden` should stay empty."""

    connections: Counter[str] = field(default_factory=Counter)
    open: Counter[str] = field(default_factory=Counter)
    most: Counter[str] = field(default_factory=Counter)
    commands: Counter[str] = field(default_factory=Counter)
    recipients: Counter[str] = field(default_factory=Counter)
    senders: Counter[str] = field(default_factory=Counter)
    names: Counter[str] = field(default_factory=Counter)
    forbidden: list[str] = field(default_factory=list)
    secured: int = 0
    unfinished: int = 0
    """Connections that ended without QUIT."""
    batches: int = 0
    """Pieces in which commands arrived; fewer than commands where the client pipelines."""


class Over(Exception):
    """The session ends; with `reset` by a reset."""

    def __init__(self, reset: bool = False) -> None:
        self.reset = reset


class LabSmtp(LabServer):
    """The server; `addresses` are loopback addresses that share one port. Further verbs: a `session` with more `on_<verb>`."""

    session: type[Session]

    def __init__(self, addresses: Sequence[str] = ("127.0.0.1",), port: int = 0, **host: Any) -> None:
        super().__init__()
        self.addresses, self.wanted_port = tuple(addresses), port
        self.hosts: dict[str, Host] = {}
        self.default = Host(**host)
        self.recipients: dict[str, str] = {}
        self.domains: dict[str, str] = {}
        self.greylistings = 1
        self.greylisted: Counter[str] = Counter()
        self.counts = Counts()

    async def open(self) -> None:
        """Listen on every address."""
        port = self.wanted_port
        for address in self.addresses:
            self.host = address
            port = await self.listen(self.talk, port)

    def host_of(self, address: str) -> Host:
        """How that address behaves."""
        return self.hosts.get(address, self.default)

    def set(self, address: str, **changes: Any) -> None:
        """Change how an address behaves, from now on."""
        self.hosts[address] = replace(self.host_of(address), **changes)

    def snapshot(self) -> dict[str, Any]:
        """The counters as plain values."""
        with self.lock:
            values = {each.name: getattr(self.counts, each.name) for each in fields(Counts)}
            return {name: dict(value) if isinstance(value, Counter) else value for name, value in values.items()}

    def personality(self, address: str, host: Host) -> str:
        """The word or reply for a recipient."""
        local, _, domain = address.lower().partition("@")
        word = _WORD.match(local)
        own = word.group() if word and word.group() in PERSONALITIES else None
        return self.recipients.get(address.lower()) or own or self.domains.get(domain) or host.others

    async def talk(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        """One connection."""
        own = writer.get_extra_info("sockname")[0]
        counts, session = self.counts, self.session(self, own, reader, writer)
        with self.lock:
            counts.connections[own] += 1
            counts.open[own] += 1
            counts.most[own] = max(counts.most[own], counts.open[own])
        try:
            await session.run()
        except Over as over:
            if over.reset:
                writer.transport.abort()
        finally:
            with self.lock:
                counts.open[own] -= 1
                counts.unfinished += not session.quit


class Session:
    """The server's end of one connection: `sender`, `recipients` and `greeted` are where the dialogue stands."""

    def __init__(self, lab: LabSmtp, own: str, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self.lab, self.own, self.reader, self.writer = lab, own, reader, writer
        self.client = writer.get_extra_info("peername")[0]
        self.greeted, self.secure, self.quit = "", False, False
        self.sender: str | None = None
        self.recipients: list[str] = []
        self.asked = self.refused = 0
        self._commands: list[bytes] = []
        self._rest = b""

    @property
    def host(self) -> Host:
        """How this end behaves, now."""
        return self.lab.host_of(self.own)

    async def run(self) -> None:
        """From the banner to the end."""
        if self.host.banner_delay:
            self.lab.stall()
            await asyncio.sleep(self.host.banner_delay)
        await self.say(self.host.answers.get("CONNECT", self.host.banner))
        while (line := await self.line()) is not None:
            verb, _, rest = line.partition(" ")
            verb = verb.upper()
            with self.lab.lock:
                self.lab.counts.commands[verb] += 1
                if verb in FORBIDDEN:
                    self.lab.counts.forbidden.append(line)
            if self.host.session_errors is not None and self.refused >= self.host.session_errors:
                await self.say("421 4.7.0 mx.lab.test Error: too many errors")
            scripted = self.host.answers.get(verb)
            if scripted is not None:
                await self.say(scripted)
                continue
            handler = getattr(self, f"on_{verb.lower()}", None)
            await (handler(rest) if handler else self.say("502 5.5.1 Command not implemented"))

    async def line(self) -> str | None:
        """The next command, None at the end."""
        if not self._commands:
            while b"\n" not in self._rest:
                data = await self.reader.read(65_536)
                if not data:
                    return None
                self._rest += data
            with self.lab.lock:
                self.lab.counts.batches += 1
            *self._commands, self._rest = self._rest.split(b"\n")
            self._commands.reverse()
        return self._commands.pop().rstrip(b"\r").decode()

    async def say(self, reply: str) -> None:
        """A reply, or a deed."""
        await self.lab.answering.wait()
        if self.host.delay:
            await asyncio.sleep(self.host.delay)
        if reply in ("!silence", "!drip"):
            self.lab.stall()
        if reply == "!silence":
            await self.reader.read()
            raise Over
        if reply in ("!close", "!reset"):
            raise Over(reset=reply == "!reset")
        if reply == "!drip":
            while True:
                self.writer.write(b"250-and\r\n")
                await self.writer.drain()
                await asyncio.sleep(0.1)
        self.writer.write(DEEDS.get(reply) or f"{reply}\r\n".encode())
        await self.writer.drain()
        if reply.startswith("421"):
            raise Over

    async def on_ehlo(self, rest: str) -> None:
        if not self.host.ehlo:
            await self.say("502 5.5.2 Command not recognized")
            return
        self._greet(rest)
        lines = ["mx.lab.test", *self.host.extensions(self.secure)]
        await self.say("\r\n".join([*(f"250-{line}" for line in lines[:-1]), f"250 {lines[-1]}"]))

    async def on_helo(self, rest: str) -> None:
        self._greet(rest)
        await self.say("250 mx.lab.test")

    def _greet(self, name: str) -> None:
        self.greeted, self.sender = name, None
        self.recipients.clear()
        with self.lab.lock:
            self.lab.counts.names[name] += 1

    async def on_starttls(self, rest: str) -> None:
        how = self.host.starttls
        if how == "refused":
            await self.say("454 4.7.0 TLS not available due to temporary reason")
            return
        await self.say("220 2.0.0 Ready to start TLS" if how else "502 5.5.1 Command not implemented")
        if how == "silent":
            await self.say("!silence")
        if how == "broken":
            self.writer.write(b"\x15\x03\x01\x00\x02\x02\x28 no TLS here\r\n")
            await self.writer.drain()
            raise Over
        if how:
            try:
                await self.writer.start_tls(server_context())
            except OSError:
                raise Over from None
            self.secure, self.greeted, self._rest = True, "", b""
            self._commands.clear()
            with self.lab.lock:
                self.lab.counts.secured += 1

    async def on_mail(self, rest: str) -> None:
        match = _PATH.match(rest)
        if match is None or not self.greeted or self.sender is not None:
            await self.say("501 5.5.4 Syntax: MAIL FROM:<address>" if match is None else "503 5.5.1 Bad sequence of commands")
            return
        if "SMTPUTF8" in match[2].upper() and not (self.host.smtputf8 and self.host.ehlo):
            await self.say("555 5.5.4 Unsupported option: SMTPUTF8")
            return
        self.sender = match[1]
        with self.lab.lock:
            self.lab.counts.senders[self.sender] += 1
        await self.say("250 2.1.0 Ok")

    async def on_rcpt(self, rest: str) -> None:
        match = _PATH.match(rest)
        if match is None or self.sender is None:
            await self.say("501 5.5.4 Syntax: RCPT TO:<address>" if match is None else "503 5.5.1 Error: need MAIL command")
            return
        address, self.asked = match[1], self.asked + 1
        with self.lab.lock:
            self.lab.counts.recipients[address] += 1
        if self.host.quota is not None and self.asked > self.host.quota:
            await self.say("421 4.7.0 Too many recipients on this connection, try again later")
            return
        word = self.lab.personality(address, self.host)
        reply = PERSONALITIES.get(word, word)
        if reply == "!greylist":
            with self.lab.lock:
                self.lab.greylisted[address] += 1
                again = self.lab.greylisted[address] <= self.lab.greylistings
            reply = PERSONALITIES["later" if again else "ok"]
        if reply.startswith("2"):
            self.recipients.append(address)
        self.refused += reply.startswith(("4", "5"))
        await self.say(reply.replace("{address}", address).replace("{client}", self.client))

    async def on_rset(self, rest: str) -> None:
        self.sender = None
        self.recipients.clear()
        await self.say("250 2.0.0 Ok")

    async def on_noop(self, rest: str) -> None:
        await self.say("250 2.0.0 Ok")

    async def on_quit(self, rest: str) -> None:
        self.quit = True
        await self.say("221 2.0.0 Bye")
        raise Over

    async def on_xlab(self, rest: str) -> None:
        """The counters: for those who run the lab in another process."""
        self.quit = True
        await self.say(f"250 {json.dumps(self.lab.snapshot())}")
        raise Over


LabSmtp.session = Session


def counted(host: str, port: int) -> dict[str, Any]:
    """The counters of a lab in another process, as `Counts`; the connection that asks is counted too."""
    with socket.create_connection((host, port), timeout=10) as connection, connection.makefile("rwb") as lines:
        lines.readline()
        lines.write(b"XLAB\r\n")
        lines.flush()
        found: dict[str, Any] = json.loads(lines.readline().removeprefix(b"250 "))
        return found


def main() -> None:
    """Serve until standard input ends; see `in_process`."""
    parser = argparse.ArgumentParser()
    parser.add_argument("--hosts", type=int, default=1, help="how many addresses, from 127.0.1.1 on")
    parser.add_argument("--port", type=int, default=0)
    parser.add_argument("--delay", type=float, default=0.0, help="seconds before each answer")
    parser.add_argument("--others", default="missing", help="what is said of recipients that no table names")
    chosen = parser.parse_args()
    addresses = [f"127.0.{1 + number // 250}.{1 + number % 250}" for number in range(chosen.hosts)]
    asyncio.run(run_until_told(LabSmtp(addresses, chosen.port, delay=chosen.delay, others=chosen.others)))


if __name__ == "__main__":
    main()
