"""Starting `python -m engine` for real, killing it without mercy, and comparing what is left with an undisturbed run."""

from __future__ import annotations

import hashlib
import io
import os
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

from pyarrow import csv

from engine.durable import engines
from engine.durable.chunks import stream_tables
from engine.durable.database import Database
from engine.durable.lease import MAX_CRASHES
from engine.durable.queries import get

ROOT = Path(__file__).resolve().parents[2]
PATIENCE = 300.0
"""Seconds that a condition may take on a slow and busy machine."""


def environment(folder: Path, **more: str) -> dict[str, str]:
    """The environment of a process that keeps its data in that folder."""
    kept = {name: value for name, value in os.environ.items() if not name.startswith("POSTBENCH_")}
    return {**kept, "POSTBENCH_DATA_DIR": str(folder), "PYTHONUNBUFFERED": "1", **more}


def start_engine(folder: Path, *arguments: str, **more: str) -> subprocess.Popen[bytes]:
    """The real engine, its log in `engine.log`."""
    with (folder / "engine.log").open("ab") as log:
        command = [sys.executable, "-m", "engine", *arguments]
        return subprocess.Popen(
            command, cwd=ROOT, env=environment(folder, **more), stdin=subprocess.DEVNULL, stderr=log, stdout=log
        )


def wait_until(condition: Callable[[], bool], what: str, folder: Path | None = None) -> None:
    """Wait until the condition holds."""
    deadline = time.monotonic() + PATIENCE
    while not condition():
        if time.monotonic() > deadline:
            said = (folder / "engine.log").read_text()[-3000:] if folder and (folder / "engine.log").exists() else ""
            raise AssertionError(f"waited {PATIENCE:.0f} s in vain for {what}\n{said}")
        time.sleep(0.01)


def living(database: Database) -> list[int]:
    """The pids of the engines that live."""
    return [record.pid for record in engines.living(database)]


def refreshed(database: Database, job_id: str, folder: Path) -> bool:
    """Whether the job had to be spared, and was until something was committed: five deaths in a row without progress fail it."""
    if get(database, job_id).crashes < MAX_CRASHES - 2:
        return False
    wait_until(lambda: get(database, job_id).crashes == 0 or get(database, job_id).ended, "a commit", folder)
    return True


class Hashing(io.RawIOBase):
    """A file that keeps only the hash of what is written."""

    def __init__(self) -> None:
        self.digest = hashlib.sha256()

    def writable(self) -> bool:
        return True

    def write(self, data: Any) -> int:
        self.digest.update(data)
        return len(data)


def fingerprint(database: Database, job_id: str) -> tuple[int, str]:
    """(rows, hash) of the whole table as CSV, in order, however it is cut into chunks."""
    rows, sink = 0, Hashing()
    for found in stream_tables(database, job_id, "output"):
        csv.write_csv(found, sink, csv.WriteOptions(include_header=False))
        rows += found.num_rows
    return rows, sink.digest.hexdigest()
