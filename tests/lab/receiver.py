"""A relay of the lab: it takes messages, keeps them, and fails where it is told to.

    with Receiver() as relay:                                        # 127.0.0.1, any free port
        relay.set(pipelining=False, auth=("jane", "secret"))         # how the host behaves: fields of `Manner`
        relay.scripts["jane@one.test"] = [Act("dot", "451 4.3.0 Later"), OK]   # in turn; the last one stays
        relay.accepted["jane@one.test"]                              # how often a message for her was taken
        relay.messages                                               # what was taken, in order

What is done with a recipient: the list in `scripts`, by address; else, if the local part begins with a word of `WORDS`
(`busy`, `dropped.17`, `silent-3`), what that does; else the message is taken. `Manner.answers` replaces the reply to a verb, to
`CONNECT`, and to the dot (`DOT`) of every message. Deeds instead of replies: `!close`, `!reset`,
`!silence` (reads on, says nothing), `!deaf` (does not even read).

    with in_process("tests.lab.receiver", "--record", str(path)) as port:   # every message is in the file before it is answered
        told(port, {"delay": 0.01, "scripts": {"jane@one.test": [["dot", "!close", True]]}})
        asked(port)["accepted"]                                             # the counters, as JSON values
        recorded(path)                                                      # its messages, also after it was killed
"""

from __future__ import annotations

import argparse
import asyncio
import json
import re
import socket
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import IO, Any

from tests.lab.certificates import server_context
from tests.lab.receiver_session import Session, Taken
from tests.lab.running import LabServer, run_until_told

__all__ = ["OK", "WORDS", "Act", "Manner", "Receiver", "Taken", "asked", "recorded", "told"]


@dataclass(frozen=True, slots=True)
class Act:
    """What happens at a step (`mail`, `rcpt`, `data`, `body`, `dot`): a reply or a deed; "" is the usual reply.

    Scripts for `mail` stand under the sender's address, the others under the recipient's. `body` is when the message begins to
    arrive. At the dot, `taken` says whether the message is kept before that, `wait` how many seconds pass.
    """

    step: str
    reply: str = ""
    taken: bool = False
    wait: float = 0.0


OK = Act("dot", taken=True)
WORDS: Mapping[str, Act] = {
    "ok": OK,
    "missing": Act("rcpt", "550 5.1.1 <{address}>: Recipient address rejected: User unknown in virtual mailbox table"),
    "disabled": Act("rcpt", "550 5.2.1 The email account that you tried to reach is disabled"),
    "policy": Act("rcpt", "550 5.7.1 Message refused for policy reasons"),
    "full": Act("rcpt", "452 4.2.2 <{address}>: mailbox is full (over quota)"),
    "busy": Act("rcpt", "450 4.7.1 Greylisted, try again later"),
    "closing": Act("rcpt", "421 4.7.0 Too many messages, try again later"),
    "hangup": Act("rcpt", "!close"),
    "notnow": Act("data", "451 4.3.0 Not now"),
    "nodata": Act("data", "554 5.5.1 No message for you"),
    "dropped": Act("body", "!close"),
    "deaf": Act("body", "!deaf"),
    "early": Act("body", "552 5.3.4 Message too big, and no need to hear the rest"),
    "deferred": Act("dot", "451 4.3.0 Try again later"),
    "spam": Act("dot", "554 5.7.1 Message content rejected"),
    "gone": Act("dot", "550 5.1.1 No such user here"),
    "shutting": Act("dot", "421 4.3.2 Shutting down"),
    "lost": Act("dot", "!close"),
    "kept": Act("dot", "!close", taken=True),
    "silent": Act("dot", "!silence", taken=True),
    "mute": Act("dot", "!silence"),
    "slow": Act("dot", taken=True, wait=0.2),
}
_WORD = re.compile(r"[a-z]+(?=$|[^a-z])")


@dataclass(frozen=True, slots=True)
class Manner:
    """How the relay behaves. Replace it as a whole: it is read from another thread.

    `delay` is waited before each reply, in seconds. `starttls`: `""` (not offered), `ok`, `refused`, or `broken` after 220. With
    `auth` (user, password) a login is offered by these `mechanisms`, and with `demand` it is needed. `most` connections at once
    are greeted, the others get 421; `quota` messages are taken on a connection, then MAIL gets 421. `size` is what EHLO says.
    `lax`: DATA is answered 354 though no recipient was taken.
    """

    banner: str = "220 relay.lab.test ESMTP"
    delay: float = 0.0
    ehlo: bool = True
    pipelining: bool = True
    smtputf8: bool = True
    eightbit: bool = True
    size: int | None = 10_240_000
    starttls: str = ""
    auth: tuple[str, str] | None = None
    mechanisms: str = "PLAIN LOGIN"
    demand: bool = False
    most: int | None = None
    quota: int | None = None
    lax: bool = False
    answers: Mapping[str, str] = field(default_factory=dict)

    def extensions(self, secure: bool) -> list[str]:
        """What EHLO lists."""
        offered = {
            "PIPELINING": self.pipelining,
            f"SIZE {self.size}": self.size is not None,
            "STARTTLS": bool(self.starttls) and not secure,
            f"AUTH {self.mechanisms}": self.auth is not None,
            "ENHANCEDSTATUSCODES": True,
            "8BITMIME": self.eightbit,
            "SMTPUTF8": self.smtputf8,
        }
        return [keyword for keyword, whether in offered.items() if whether]


class Receiver(LabServer):
    """The server. With `record` every message is appended to that file before it is answered; with `tls` it begins with TLS."""

    def __init__(self, port: int = 0, *, tls: bool = False, record: Path | None = None, **manner: Any) -> None:
        super().__init__()
        self.wanted_port, self.tls, self.record = port, tls, record
        self.manner = Manner(**manner)
        self.scripts: dict[str, list[Act]] = {}
        self.messages: list[Taken] = []
        self.accepted: Counter[str] = Counter()
        self.commands: Counter[str] = Counter()
        self.names: Counter[str] = Counter()
        self.opened = self.open_now = self.most_open = 0
        self.batches = self.secured = self.logins = self.refused_logins = self.unfinished = 0
        self._file: IO[bytes] | None = None

    async def open(self) -> None:
        """Listen."""
        if self.record is not None:
            self._file = self.record.open("ab", buffering=0)
            if self._file.tell() and not self.record.read_bytes().endswith(b"\n"):
                self._file.write(b"\n")
        await self.listen(self.talk, self.wanted_port, server_context() if self.tls else None)

    async def shut(self) -> None:
        """Close the record too."""
        await super().shut()
        if self._file is not None:
            self._file.close()

    def set(self, **changes: Any) -> None:
        """Change how it behaves, from now on."""
        self.manner = replace(self.manner, **changes)

    def act(self, address: str, verb: str) -> Act:
        """What is to be done with a recipient this time, or with a sender at MAIL; scripts in turn, at each of them."""
        with self.lock:
            script = self.scripts.get(address)
            if script:
                return script.pop(0) if len(script) > 1 else script[0]
        if verb == "mail":
            return OK
        word = _WORD.match(address.partition("@")[0].lower())
        return WORDS.get(word.group(), OK) if word else OK

    def take(self, message: Taken) -> None:
        """Keep a message, before anybody hears of it."""
        if self._file is not None:
            self._file.write(message.line())
        with self.lock:
            self.messages.append(message)
            self.accepted[message.recipient] += 1

    def count(self, verb: str) -> None:
        """A command came."""
        with self.lock:
            self.commands[verb] += 1

    def snapshot(self) -> dict[str, Any]:
        """The counters as plain values."""
        names = "opened open_now most_open batches secured logins refused_logins unfinished".split()
        with self.lock:
            counters = {name: dict(getattr(self, name)) for name in ("accepted", "commands", "names")}
            return counters | {name: getattr(self, name) for name in names} | {"messages": len(self.messages)}

    def tell(self, changes: dict[str, Any]) -> None:
        """Change manner and scripts as `told` says."""
        scripts = changes.pop("scripts", {})
        with self.lock:
            self.scripts.update({address: [Act(*act) for act in acts] for address, acts in scripts.items()})
        self.set(**{name: tuple(value) if name == "auth" else value for name, value in changes.items()})

    async def talk(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        """One connection."""
        with self.lock:
            self.opened += 1
            self.open_now += 1
            self.most_open = max(self.most_open, self.open_now)
        session = Session(self, reader, writer)
        try:
            await session.run()
        finally:
            with self.lock:
                self.open_now -= 1
                self.unfinished += not session.quit


def asked(port: int, host: str = "127.0.0.1") -> dict[str, Any]:
    """The counters of a receiver in another process; the connection that asks is counted too."""
    return _exchange(host, port, b"XLAB\r\n")


def told(port: int, changes: Mapping[str, Any], host: str = "127.0.0.1") -> None:
    """Change how a receiver in another process behaves: fields of `Manner`, and `scripts` (acts as lists of their values)."""
    _exchange(host, port, b"XSET " + json.dumps(changes).encode() + b"\r\n")


def _exchange(host: str, port: int, command: bytes) -> dict[str, Any]:
    with socket.create_connection((host, port), timeout=10) as connection, connection.makefile("rwb") as lines:
        lines.readline()
        lines.write(command)
        lines.flush()
        found: dict[str, Any] = json.loads(lines.readline().removeprefix(b"250 "))
        return found


def recorded(path: Path) -> list[Taken]:
    """The messages in a record; a line that was cut off was never answered."""
    lines: Sequence[bytes] = path.read_bytes().split(b"\n")[:-1] if path.exists() else ()
    return [Taken.of(line) for line in lines if line.endswith(b"]")]


def main() -> None:
    """Serve until standard input ends; see `in_process`."""
    parser = argparse.ArgumentParser()
    parser.add_argument("--port", type=int, default=0)
    parser.add_argument("--record", type=Path, help="file to which every accepted message is appended")
    parser.add_argument("--tls", action="store_true", help="begin with TLS")
    parser.add_argument("--manner", type=json.loads, default={}, help="fields of Manner and scripts, as JSON")
    chosen = parser.parse_args()
    receiver = Receiver(chosen.port, tls=chosen.tls, record=chosen.record)
    receiver.tell(chosen.manner)
    asyncio.run(run_until_told(receiver))


if __name__ == "__main__":
    main()
