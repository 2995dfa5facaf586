"""The outbox is tidied of jobs that are gone, and of nothing else."""

from __future__ import annotations

import os
from pathlib import Path

from engine.durable.database import Database
from engine.durable.vault import Vault
from engine.net.outbox import count
from engine.sending.tidying import DAY, Tidying
from tests.durable.store import complete

NOW = 2_000_000_000.0


def put(folder: Path, job_id: str, days: float) -> None:
    """A message written so many days ago."""
    (folder / job_id).mkdir(parents=True)
    (folder / job_id / "m.eml").write_bytes(b"Subject: Hi")
    os.utime(folder / job_id, (NOW - days * DAY, NOW - days * DAY))


async def test_old_messages_of_jobs_that_are_gone_are_deleted(database: Database, vault: Vault, tmp_path: Path):
    living = complete(database, vault)
    for job_id, days in ((living, 99), ("gone-and-old", 31), ("gone-but-young", 29), (".hidden", 99)):
        put(tmp_path, job_id, days)
    (tmp_path / "gone-and-old" / "notes.txt").write_text("not ours")
    put(tmp_path, "gone-too", 40)
    await Tidying(tmp_path, database, 30, lambda: NOW).tidy_outbox()
    left = {job_id: count(tmp_path, job_id) for job_id in (living, "gone-and-old", "gone-but-young", "gone-too")}
    assert left == {living: 1, "gone-and-old": 0, "gone-but-young": 1, "gone-too": 0}
    assert (tmp_path / "gone-and-old" / "notes.txt").exists() and not (tmp_path / "gone-too").exists()
    assert (tmp_path / ".hidden" / "m.eml").exists()


async def test_an_outbox_that_is_not_there_is_no_trouble(database: Database, tmp_path: Path):
    await Tidying(tmp_path / "none", database, 0, lambda: NOW).tidy_outbox()
