"""An IMAP server of the lab: one user, folders in memory, and the few commands that a reader of bounces uses (RFC 3501).

with LabImap() as imap:                            # 127.0.0.1, any free port; LabImap(tls=True) begins with TLS
    imap.add(b"Subject: hello\\r\\n\\r\\n")            # a new message in INBOX
    imap.seen()                                    # the numbers (UIDs) of those that were read
    imap.folder = "Bounces"                        # the only folder there is
    imap.commands["FETCH"]                         # how often each command came
"""

from __future__ import annotations

import asyncio
import base64
import re
from collections import Counter
from dataclasses import dataclass

from tests.lab.certificates import server_context
from tests.lab.running import LabServer

_RANGE = re.compile(r"BODY\.PEEK\[\]<0\.(\d+)>")
_QUOTED = re.compile(r'"((?:[^"\\]|\\.)*)"|(\S+)')


@dataclass
class Stored:
    """A message: its UID, its bytes, whether it was read."""

    uid: int
    data: bytes
    seen: bool = False


class LabImap(LabServer):
    """`hang`: a command that is never answered; `drop`: one at which the connection closes, once; `extra`: bytes too many."""

    def __init__(self, *, tls: bool = False, starttls: bool = False, plain: bool = True) -> None:
        super().__init__()
        self.tls, self.starttls, self.plain = tls, starttls, plain
        self.user, self.password, self.folder = (
            "bounces@sender.test",
            "s3cret pass/w\N{LATIN SMALL LETTER O WITH DIAERESIS}rd",
            "INBOX",
        )
        self.validity = 7
        self.read_only = False
        self.hang = self.drop = ""
        self.extra = 0
        self.commands: Counter[str] = Counter()
        self.secured = 0
        self._stored: list[Stored] = []

    def add(self, data: bytes) -> int:
        """Put a new message into the folder; its UID."""
        with self.lock:
            self._stored.append(Stored(100 + len(self._stored), data))
            return self._stored[-1].uid

    def remove(self, uid: int) -> None:
        """Expunge a message, as another program would."""
        with self.lock:
            self._stored = [message for message in self._stored if message.uid != uid]

    def seen(self) -> list[int]:
        """The UIDs of messages that were marked as read."""
        with self.lock:
            return [message.uid for message in self._stored if message.seen]

    async def open(self) -> None:
        """See LabServer."""
        await self.listen(self._talk, ssl=server_context() if self.tls else None)

    async def _talk(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        secure = self.tls
        self.secured += secure
        writer.write(b"* OK lab ready\r\n")
        while line := (await reader.readline()).decode("latin-1").rstrip("\r\n"):
            tag, _, rest = line.partition(" ")
            words = [
                quoted.replace('\\"', '"').replace("\\\\", "\\") if quoted else bare for quoted, bare in _QUOTED.findall(rest)
            ]
            name = words[1].upper() if words[0].upper() == "UID" else words[0].upper()
            self.commands[name] += 1
            if self.drop == name:
                self.drop = ""
                return
            if self.hang == name:
                await asyncio.Event().wait()
            answer = (
                await self._authenticate(reader, writer, words) if name == "AUTHENTICATE" else self._answer(name, words, writer)
            )
            writer.write(f"{tag} {answer}\r\n".encode())
            await writer.drain()
            if name == "STARTTLS" and answer.startswith("OK"):
                await writer.start_tls(server_context())
                secure = True
                self.secured += 1
            if name == "LOGOUT":
                return

    def _answer(self, name: str, words: list[str], writer: asyncio.StreamWriter) -> str:
        if name == "CAPABILITY":
            offered = ["IMAP4rev1", *(["AUTH=PLAIN"] if self.plain else []), *(["STARTTLS"] if self.starttls else [])]
            writer.write(f"* CAPABILITY {' '.join(offered)}\r\n".encode())
        elif name == "LOGIN":
            return "OK in" if words[1:] == [self.user, self.password] else "NO [AUTHENTICATIONFAILED] no"
        elif name == "SELECT":
            return self._select(words[1], writer)
        elif name == "LOGOUT":
            writer.write(b"* BYE\r\n")
        elif name == "SEARCH":
            with self.lock:
                found = " ".join(str(message.uid) for message in self._stored if not message.seen)
            writer.write(f"* SEARCH {found}\r\n".encode())
        elif name == "FETCH":
            self._fetch(int(words[2]), " ".join(words[3:]), writer)
        elif name == "STORE":
            self._store(words[2], " ".join(words[3:]))
        elif name != "STARTTLS":
            return "BAD unknown"
        return "OK done"

    async def _authenticate(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter, words: list[str]) -> str:
        writer.write(b"+ \r\n")
        given = base64.b64decode(await reader.readline())
        right = words[1] == "PLAIN" and given == f"\0{self.user}\0{self.password}".encode()
        return "OK in" if right else "NO [AUTHENTICATIONFAILED] no"

    def _select(self, folder: str, writer: asyncio.StreamWriter) -> str:
        if folder != self.folder:
            return "NO [NONEXISTENT] no such folder"
        writer.write(f"* {len(self._stored)} EXISTS\r\n* OK [UIDVALIDITY {self.validity}] valid\r\n".encode())
        return "OK [READ-ONLY] selected" if self.read_only else "OK [READ-WRITE] selected"

    def _fetch(self, uid: int, what: str, writer: asyncio.StreamWriter) -> None:
        asked = _RANGE.search(what)
        assert asked is not None, what
        writer.write(b"* 1 FETCH (FLAGS (\\Recent))\r\n")  # an unasked one, as servers send them
        with self.lock:
            data = next((message.data for message in self._stored if message.uid == uid), None)
        if data is not None:
            part = data[: int(asked.group(1))] + b"x" * self.extra
            writer.write(b"* 1 FETCH (UID %d BODY[]<0> {%d}\r\n%s)\r\n" % (uid, len(part), part))

    def _store(self, uids: str, what: str) -> None:
        assert what == "+FLAGS.SILENT (\\Seen)", what
        wanted = {int(number) for number in uids.split(",")}
        with self.lock:
            for message in self._stored:
                message.seen = message.seen or message.uid in wanted
