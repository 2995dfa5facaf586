"""Room on the disk: deleted jobs give it back."""

from __future__ import annotations

from pathlib import Path

import pytest
from sqlalchemy import text

from engine.durable.database import Database
from engine.durable.migrate import open_database
from engine.durable.space import free_bytes, shrink


@pytest.fixture
def filled(tmp_path: Path):
    """A SQLite database with ten megabytes of deleted rows."""
    database = open_database(f"sqlite:///{tmp_path / 'postbench.db'}")
    with database.write() as connection:
        connection.execute(text("CREATE TABLE big (payload BLOB)"))
        for _ in range(10):
            connection.execute(text("INSERT INTO big VALUES (randomblob(1000000))"))
    with database.write() as connection:
        connection.execute(text("DELETE FROM big"))
    yield database
    database.close()


def pages(database: Database, pragma: str) -> int:
    with database.unfenced() as connection:
        return int(connection.exec_driver_sql(f"PRAGMA {pragma}").scalar_one())


def test_free_pages_of_the_file_count_as_room(filled: Database, monkeypatch: pytest.MonkeyPatch):
    class Usage:
        free = 1000

    monkeypatch.setattr("shutil.disk_usage", lambda _: Usage)
    assert (free_bytes(filled) or 0) > 9_000_000


def test_deleted_rows_are_given_back_to_the_disk(filled: Database):
    assert pages(filled, "freelist_count") > 2000
    shrink(filled)
    assert pages(filled, "freelist_count") == 0
    assert pages(filled, "page_count") < 200


def test_shrinking_stops_when_asked(filled: Database):
    shrink(filled, stopping=lambda: True)
    assert pages(filled, "freelist_count") > 2000


def test_a_file_made_without_auto_vacuum_is_left_as_it_is(filled: Database):
    with filled.unfenced() as connection:
        connection.exec_driver_sql("PRAGMA auto_vacuum=NONE")
        connection.exec_driver_sql("VACUUM")
        connection.exec_driver_sql("CREATE TABLE more (payload BLOB)")
        connection.exec_driver_sql("INSERT INTO more VALUES (randomblob(1000000))")
        connection.exec_driver_sql("DELETE FROM more")
    free = pages(filled, "freelist_count")
    shrink(filled)
    assert pages(filled, "freelist_count") == free
