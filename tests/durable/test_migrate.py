"""Migrations: from nothing to head, once, whoever starts at the same time, and never on a database that is not ours."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest
from alembic.autogenerate import compare_metadata
from alembic.migration import MigrationContext
from alembic.script import ScriptDirectory
from sqlalchemy import text
from sqlmodel import SQLModel

from engine.durable import migrate
from engine.durable.database import Database
from engine.durable.migrate import HEAD, current, open_database
from engine.durable.queries import get
from engine.durable.states import CHECKS
from engine.durable.timeline import timeline
from engine.durable.vault import Vault
from engine.errors import ConfigError, DatabaseTooNew
from tests.durable.store import complete, output

ROOT = Path(__file__).resolve().parents[2]


def execute(url: str, *statements: str) -> None:
    database = Database(url)
    for statement in statements:
        database.transact(lambda c, statement=statement: c.execute(text(statement)))  # type: ignore[misc]
    database.close()


def revision(url: str) -> str | None:
    database = Database(url)
    try:
        with database.read() as connection:
            return current(connection)
    finally:
        database.close()


def test_the_head_is_the_newest_script() -> None:
    scripts = ScriptDirectory(str(migrate.FOLDER))
    assert scripts.get_heads() == [HEAD]
    assert {script.revision for script in scripts.walk_revisions()} == migrate.revisions()


def test_from_an_empty_database_to_head_and_again(empty_url: str, vault: Vault) -> None:
    assert revision(empty_url) is None
    for _ in range(2):
        open_database(empty_url).close()
        assert revision(empty_url) == HEAD
    database = open_database(empty_url)
    assert output(database, complete(database, vault)) == list(range(10))
    database.close()


def test_the_scripts_make_the_tables_of_the_models(database: Database) -> None:
    with database.read() as connection:
        context = MigrationContext.configure(connection, opts={"compare_type": True, "compare_server_default": True})
        assert compare_metadata(context, SQLModel.metadata) == []


def test_the_scripts_make_the_checks_of_the_models(empty_url: str) -> None:
    """Autogenerate does not look at CHECK constraints."""
    from sqlalchemy import inspect

    database = open_database(empty_url)
    with database.read() as connection:
        names = {check["name"] for check in inspect(connection).get_check_constraints("job")}
    database.close()
    assert names == set(CHECKS)


def test_the_checks_of_the_first_script_are_those_of_the_code() -> None:
    script = ScriptDirectory(str(migrate.FOLDER)).get_revision("0001")
    assert script.module._CHECKS == CHECKS


def test_a_database_of_the_first_version_keeps_its_jobs(empty_url: str, vault: Vault, monkeypatch: pytest.MonkeyPatch) -> None:
    at_first(empty_url, monkeypatch)
    values = "'j', 't', 'pending', '{}', 1, 1, 9, 1, 0, 0, 0, 0, '{}', '{}', '[]', 0, 0, 0, false"
    columns = (
        "id, type, status, params, created_at, updated_at, total_items, batch_size, processed_items, success_count, failed_count,"
        " batches_done, counts, tallies, history, revision, lease, crashes, compacted"
    )
    execute(
        empty_url,
        f"INSERT INTO job ({columns}) VALUES ({values})",
        "INSERT INTO event VALUES (1, 'j', 1, NULL, 'pending', 'new', NULL)",
    )
    database = open_database(empty_url)
    job = get(database, "j")
    assert (job.total_items, job.goal) == (9, None) and len(timeline(database, "j")) == 1
    with database.read() as connection:
        context = MigrationContext.configure(connection, opts={"compare_type": True, "compare_server_default": True})
        assert compare_metadata(context, SQLModel.metadata) == []
    database.close()


def at_first(url: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """Make a database as the first version did."""
    from alembic import command

    honest = command.upgrade
    with monkeypatch.context() as patched:
        patched.setattr(command, "upgrade", lambda config, _head: honest(config, "0001"))
        open_database(url).close()
    assert revision(url) == "0001"


def test_the_index_of_addresses_is_sorted_by_bytes(database: Database) -> None:
    """PostgreSQL's own collation would not serve prefixes; autogenerate does not look at collations."""
    if database.is_sqlite:
        return
    query = "SELECT collation_name FROM information_schema.columns WHERE table_name = 'verified_email' AND column_name = :name"
    with database.read() as connection:
        assert {connection.execute(text(query), {"name": name}).scalar() for name in ("address", "domain")} == {"C"}


def test_processes_that_start_at_once_migrate_once(empty_url: str) -> None:
    code = "import sys; from engine.durable.migrate import open_database; open_database(sys.argv[1]).close(); print('fine')"
    command = [sys.executable, "-c", code, empty_url]
    started = [subprocess.Popen(command, cwd=ROOT, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True) for _ in range(4)]
    said = [process.communicate()[0] for process in started]
    assert [process.returncode for process in started] == [0] * 4, "\n".join(said)
    assert sum("database migrated" in text for text in said) == 1, "\n".join(said)
    assert revision(empty_url) == HEAD


def test_a_newer_database_is_refused(database_url: str) -> None:
    execute(database_url, "UPDATE alembic_version SET version_num = '9999'")
    with pytest.raises(DatabaseTooNew, match="9999"):
        open_database(database_url)
    assert revision(database_url) == "9999"


def test_a_database_of_somebody_else_is_refused_untouched(empty_url: str) -> None:
    execute(empty_url, "CREATE TABLE customers (id INTEGER PRIMARY KEY)")
    with pytest.raises(ConfigError, match="not Postbench's"):
        open_database(empty_url)
    database = Database(empty_url)
    with database.read() as connection:
        from sqlalchemy import inspect

        assert inspect(connection).get_table_names() == ["customers"]
    database.close()


def test_a_file_that_is_no_database_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "notes.txt"
    path.write_text("dear diary " * 100)
    with pytest.raises(ConfigError, match="not a database"):
        open_database(f"sqlite:///{path}")
    assert path.read_text().startswith("dear diary")


def test_a_folder_that_cannot_be_written_is_named(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("in the way")
    with pytest.raises(ConfigError, match="POSTBENCH_DATA_DIR"):
        open_database(f"sqlite:///{tmp_path}/file/postbench.db")


def test_a_folder_that_another_process_is_trying_at_the_same_time(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    honest = Path.touch

    def touched_and_removed(self: Path, *args: object) -> None:
        honest(self)
        self.unlink()

    monkeypatch.setattr(Path, "touch", touched_and_removed)
    open_database(f"sqlite:///{tmp_path / 'new' / 'postbench.db'}").close()


def test_a_server_out_of_reach_is_named_without_its_password(unused_tcp_port: int) -> None:
    pytest.importorskip("psycopg")
    with pytest.raises(ConfigError) as caught:
        open_database(f"postgresql+psycopg://ann:s3cr3t@127.0.0.1:{unused_tcp_port}/x")
    assert "s3cr3t" not in str(caught.value) and "127.0.0.1" in str(caught.value)


@pytest.mark.parametrize(
    "url", ["", "nonsense", "mysql://h/d", "sqlite://", "sqlite:///:memory:", "postgresql+nonsense://h/d", "oracle://h/d"]
)
def test_a_url_that_cannot_be_used_is_refused(url: str) -> None:
    with pytest.raises(ConfigError, match="POSTBENCH_DATABASE_URL"):
        open_database(url)


class TestCopy:
    @pytest.fixture
    def old_url(self, sqlite_url: str, vault: Vault, monkeypatch: pytest.MonkeyPatch) -> str:
        """A database of an older version, with a job, before a migration that rebuilds the job table."""
        database = Database(sqlite_url)
        complete(database, vault)
        database.close()
        execute(sqlite_url, "UPDATE alembic_version SET version_num = '0000'")
        monkeypatch.setattr(migrate, "revisions", lambda: frozenset({"0000", HEAD}))

        def upgrade(connection: object) -> None:
            from alembic.operations import Operations

            operations = Operations(MigrationContext.configure(connection, opts={"render_as_batch": True}))  # type: ignore[arg-type]
            with operations.batch_alter_table("job", recreate="always"):
                pass
            operations.execute(f"UPDATE alembic_version SET version_num = '{HEAD}'")

        monkeypatch.setattr(migrate, "_upgrade", upgrade)
        return sqlite_url

    def test_an_old_file_is_copied_before_it_is_changed(self, old_url: str, tmp_path: Path) -> None:
        for _ in range(2):
            open_database(old_url).close()
        copies = sorted(path.name for path in tmp_path.iterdir() if "bak" in path.name)
        assert copies == ["postbench.db.0000.bak"]
        assert revision(f"sqlite:///{tmp_path / copies[0]}") == "0000"
        copy = Database(f"sqlite:///{tmp_path / copies[0]}")
        with copy.read() as connection:
            assert connection.execute(text("SELECT count(*) FROM chunk")).scalar() == 4
        copy.close()

    def test_rebuilding_a_table_keeps_the_rows_that_depend_on_it(self, old_url: str) -> None:
        database = open_database(old_url)
        with database.read() as connection:
            assert connection.execute(text("SELECT count(*) FROM chunk")).scalar() == 4
            assert connection.execute(text("PRAGMA foreign_keys")).scalar() == 1
        database.close()

    def test_a_migration_that_breaks_leaves_the_old_state(self, old_url: str, monkeypatch: pytest.MonkeyPatch) -> None:
        honest = migrate._upgrade

        def broken(connection: object) -> None:
            honest(connection)  # type: ignore[arg-type]
            raise RuntimeError("power cut")

        monkeypatch.setattr(migrate, "_upgrade", broken)
        with pytest.raises(RuntimeError, match="power cut"):
            open_database(old_url)
        assert revision(old_url) == "0000"

    def test_a_copy_that_another_process_makes_at_the_same_time(
        self, old_url: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        honest = Path.unlink

        def removed_then_made_by_another(self: Path, missing_ok: bool = False) -> None:
            honest(self, missing_ok)
            if self.name.endswith("0000.bak"):
                self.write_bytes(b"the other's copy")

        monkeypatch.setattr(Path, "unlink", removed_then_made_by_another)
        open_database(old_url).close()
        assert revision(f"sqlite:///{tmp_path / 'postbench.db.0000.bak'}") == "0000"
