"""The outbox: messages as .eml files in a folder, one folder for each job, to look at instead of sending."""

from __future__ import annotations

import asyncio
import os
import re
import stat
import tempfile
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

from engine.errors import NotFound
from engine.net.submission import Arm, Letter, Receipt, Result, Trouble

SUFFIX = ".eml"
_SAFE = re.compile(r"(?!\.)[A-Za-z0-9._@=+-]{1,200}")
"""A part of a path that stays where it is put: no separator, and no dot in front (`..`, hidden and unfinished files)."""


class Outbox:
    """Writes letters into `folder`, each to the file its name says; the same letter again replaces its file.

    `capacity` files are written at once, in threads.
    """

    replays = True

    def __init__(self, folder: Path, capacity: int = 4) -> None:
        self._folder, self.capacity = folder, capacity
        self._threads = ThreadPoolExecutor(capacity, thread_name_prefix="outbox")
        self._closed = False

    async def deliver(self, letter: Letter, arm: Arm) -> Receipt:
        """See Transport. A file that cannot be written is worth another try.

        Raises:
            ValueError: the letter's name is not one for a file.
        """
        path = _path(self._folder, letter.name)
        if self._closed:
            return Receipt(Result.UNSENT, error="the outbox is closed")
        await arm()
        try:
            await asyncio.get_running_loop().run_in_executor(self._threads, _write, path, letter.data)
        except OSError as error:
            reason = error.strerror or type(error).__name__
            return Receipt(Result.RETRY, error=f"the outbox cannot be written: {reason}", trouble=Trouble.CONNECTION)
        return Receipt(Result.SENT, reply="written to the outbox")

    async def close(self) -> None:
        """Wait for what is being written."""
        self._closed = True
        await asyncio.to_thread(self._threads.shutdown)


@dataclass(frozen=True, slots=True)
class Written:
    """A message in the outbox: its name, its size in bytes and when it was written (ms)."""

    name: str
    size: int
    written_at: int


def count(folder: Path, job_id: str) -> int:
    """How many messages a job has in the outbox."""
    return sum(1 for _ in _names(folder, job_id))


def entries(folder: Path, job_id: str, limit: int = 50, offset: int = 0) -> list[Written]:
    """Messages of a job, in the order of their names; none where it has none."""
    found: list[Written] = []
    for name in sorted(_names(folder, job_id))[offset : offset + limit]:
        try:
            status = (folder / job_id / name).lstat()
        except FileNotFoundError:
            continue
        if stat.S_ISREG(status.st_mode):
            found.append(Written(name, status.st_size, status.st_mtime_ns // 1_000_000))
    return found


def read(folder: Path, job_id: str, name: str) -> bytes:
    """A message of a job.

    Raises:
        NotFound: there is none of that name.
    """
    if _is_safe(job_id) and _is_safe(name) and name.endswith(SUFFIX):
        path = folder / job_id / name
        try:
            if stat.S_ISREG(path.lstat().st_mode):
                return path.read_bytes()
        except (FileNotFoundError, NotADirectoryError):
            pass
    raise NotFound("There is no such message in the outbox.")


def left_alone(folder: Path, before: float) -> list[str]:
    """Jobs whose messages were all written before a moment (seconds since 1970)."""
    try:
        with os.scandir(folder) as found:
            jobs = [each for each in found if _is_safe(each.name) and each.is_dir(follow_symlinks=False)]
            return [each.name for each in jobs if each.stat(follow_symlinks=False).st_mtime < before]
    except (FileNotFoundError, NotADirectoryError):
        return []


def discard(folder: Path, job_id: str) -> None:
    """Delete the messages of a job, and its folder where nothing else is in it."""
    for name in list(_names(folder, job_id)):
        (folder / job_id / name).unlink(missing_ok=True)
    with suppress(OSError):  # something else is in it, or it is gone
        (folder / job_id).rmdir()


def _names(folder: Path, job_id: str) -> Iterator[str]:
    if not _is_safe(job_id):
        return
    try:
        with os.scandir(folder / job_id) as found:
            yield from (entry.name for entry in found if _is_safe(entry.name) and entry.name.endswith(SUFFIX))
    except (FileNotFoundError, NotADirectoryError):
        return


def _is_safe(part: str) -> bool:
    return _SAFE.fullmatch(part) is not None


def _path(folder: Path, name: str) -> Path:
    """The file for a letter's name: at most one folder below the outbox."""
    parts = name.split("/")
    if len(parts) > 2 or not all(map(_is_safe, parts)):
        raise ValueError("a letter's name is `<folder>/<name>` of letters, digits and . _ @ = + -")
    path = folder.joinpath(*parts)
    return path if path.name.endswith(SUFFIX) else path.with_name(path.name + SUFFIX)


def _write(path: Path, data: bytes) -> None:
    """Write a file whole or not at all, and have it on disk; only its owner reads it."""
    path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    descriptor, unfinished = tempfile.mkstemp(".part", ".", path.parent)
    try:
        with os.fdopen(descriptor, "wb") as file:
            file.write(data)
            file.flush()
            os.fsync(descriptor)
        Path(unfinished).replace(path)
    except BaseException:
        Path(unfinished).unlink()
        raise
    folder = os.open(path.parent, os.O_RDONLY)
    try:
        os.fsync(folder)
    finally:
        os.close(folder)
