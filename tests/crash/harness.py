"""Starting `python -m engine` for real, killing it without mercy, and comparing what is left with an undisturbed run."""

from __future__ import annotations

import hashlib
import os
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path

import pyarrow as pa

from engine.durable import engines
from engine.durable.chunks import stream_tables
from engine.durable.database import Database

ROOT = Path(__file__).resolve().parents[2]
PATIENCE = 60.0


def environment(folder: Path, **more: str) -> dict[str, str]:
    """The environment of a process that keeps its data in that folder."""
    kept = {name: value for name, value in os.environ.items() if not name.startswith("POSTBENCH_")}
    return {**kept, "POSTBENCH_DATA_DIR": str(folder), "PYTHONUNBUFFERED": "1", **more}


def start_engine(folder: Path, *arguments: str, **more: str) -> subprocess.Popen[bytes]:
    """The real engine, its log in `engine.log`."""
    with (folder / "engine.log").open("ab") as log:
        command = [sys.executable, "-m", "engine", *arguments]
        return subprocess.Popen(command, cwd=ROOT, env=environment(folder, **more), stdin=subprocess.DEVNULL, stderr=log, stdout=log)


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


def fingerprint(database: Database, job_id: str) -> tuple[int, str]:
    """(rows, hash) of the whole table in order, however it is cut into chunks and dictionaries."""
    rows, digest = 0, hashlib.sha256()
    for found in stream_tables(database, job_id, "output"):
        plain = pa.table({name: _plain(found.column(name)) for name in found.column_names})
        rows += plain.num_rows
        for row in plain.to_batches(max_chunksize=10_000):
            for column in row.columns:
                digest.update(b"\0".join(str(value).encode() for value in column.to_pylist()))
    return rows, digest.hexdigest()


def _plain(column: pa.ChunkedArray) -> pa.ChunkedArray:
    return column.cast(column.type.value_type) if pa.types.is_dictionary(column.type) else column
