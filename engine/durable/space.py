"""Room on the disk: how much a SQLite database may still take, and giving back what deleted jobs have left in its file."""

from __future__ import annotations

import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

from engine.durable.database import Database

PAGES_AT_ONCE = 500
"""Pages given back per transaction: a few milliseconds, so that engines and pages get their turn."""


def free_bytes(database: Database) -> int | None:
    """Bytes a SQLite database may still take: free space of its disk, and free pages of its file; None for a server."""
    if not database.is_sqlite or not database.url.database:
        return None
    with database.unfenced() as connection:
        pages, size = (connection.exec_driver_sql(f"PRAGMA {name}").scalar_one() for name in ("freelist_count", "page_size"))
    free: int = shutil.disk_usage(Path(database.url.database).resolve().parent).free + pages * size
    return free


def shrink(database: Database, stopping: Callable[[], bool] = lambda: False) -> None:
    """Give free pages of a SQLite file back to the disk, in short transactions. A server does this by itself."""
    if not database.is_sqlite:
        return
    with database.unfenced() as connection:
        while not stopping() and connection.exec_driver_sql("PRAGMA freelist_count").scalar_one():
            before = connection.exec_driver_sql("PRAGMA page_count").scalar_one()
            _give_back(connection.connection.driver_connection)
            if connection.exec_driver_sql("PRAGMA page_count").scalar_one() == before:
                return  # the file was made without auto_vacuum


def _give_back(connection: Any) -> None:
    # Each step of this pragma frees one page, and the driver takes only the first one unless rows are fetched.
    connection.execute(f"PRAGMA incremental_vacuum({PAGES_AT_ONCE})").fetchall()
