"""Postboxes as doors: where messages come back to; what is new in them, and what was read."""

from __future__ import annotations

import asyncio
import os
import stat
from collections.abc import Collection, Iterator, Mapping
from contextlib import suppress
from pathlib import Path
from typing import Protocol

from engine.mail.bounces_mime import LONGEST

LIMIT = 20
"""Messages that are fetched in one go."""


class Unavailable(Exception):
    """The postbox cannot be read now; says why, in a sentence without the password."""


class Postbox(Protocol):
    """Messages that wait to be read, any number of readers at once: who reads one twice has the same key and the same bytes."""

    async def fetch(self, limit: int = LIMIT) -> list[tuple[str, bytes]]:
        """Up to `limit` messages that are new, by key; of a long one the first `engine.mail.bounces_mime.LONGEST` bytes.

        Raises:
            Unavailable: it cannot be read now.
        """

    async def done(self, keys: Collection[str]) -> None:
        """These were read and are new no longer; a key that is not known any more is let go.

        Raises:
            Unavailable: it cannot be written now; they may be fetched again.
        """

    async def close(self) -> None:
        """Let go of the connection, if there is one; a later call opens another."""


class MaildirPostbox:
    """A Maildir (https://cr.yp.to/proto/maildir.html): new messages are in `new`, read ones in `cur` with the flag S."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder

    async def fetch(self, limit: int = LIMIT) -> list[tuple[str, bytes]]:
        """See Postbox."""
        return await asyncio.to_thread(self._fetch, limit)

    async def done(self, keys: Collection[str]) -> None:
        """See Postbox."""
        await asyncio.to_thread(self._done, sorted(keys))

    async def close(self) -> None:
        """See Postbox."""

    def _fetch(self, limit: int) -> list[tuple[str, bytes]]:
        found: list[tuple[str, bytes]] = []
        for name in self._names():
            data = _read(self._folder / "new" / name)
            if data is not None:
                found.append((name, data))
            if len(found) >= limit:
                break
        return found

    def _names(self) -> Iterator[str]:
        """The messages in `new`, the oldest first: their names begin with the time."""
        try:
            names = [entry.name for entry in os.scandir(self._folder / "new") if not entry.name.startswith(".")]
        except OSError as error:
            raise Unavailable(f"There is no Maildir to read at {self._folder} ({error.strerror}).") from error
        yield from sorted(names)

    def _done(self, keys: Collection[str]) -> None:
        try:
            (self._folder / "cur").mkdir(exist_ok=True)
            for key in keys:
                with suppress(FileNotFoundError):  # another reader was first
                    (self._folder / "new" / key).rename(self._folder / "cur" / f"{key.partition(':')[0]}:2,S")
        except OSError as error:
            raise Unavailable(f"Messages in {self._folder} cannot be marked as read ({error.strerror}).") from error


def _read(path: Path) -> bytes | None:
    """How a message begins; None where there is none that can be read. A link or a pipe is no message."""
    try:
        number = os.open(path, os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK)
    except OSError:
        return None
    with os.fdopen(number, "rb") as file:
        return file.read(LONGEST) if stat.S_ISREG(os.fstat(number).st_mode) else None


class FakePostbox:
    """A postbox in memory. `read` holds the keys that are done; while `trouble` is set every call is Unavailable with it."""

    def __init__(self, messages: Mapping[str, bytes] | None = None) -> None:
        self.messages = dict(messages or {})
        self.read: set[str] = set()
        self.trouble = ""
        self.fetches = self.closes = 0

    async def fetch(self, limit: int = LIMIT) -> list[tuple[str, bytes]]:
        """See Postbox."""
        self._check()
        self.fetches += 1
        return [(key, data[:LONGEST]) for key, data in self.messages.items() if key not in self.read][:limit]

    async def done(self, keys: Collection[str]) -> None:
        """See Postbox."""
        self._check()
        self.read |= set(keys) & self.messages.keys()

    async def close(self) -> None:
        """See Postbox."""
        self.closes += 1

    def _check(self) -> None:
        if self.trouble:
            raise Unavailable(self.trouble)
