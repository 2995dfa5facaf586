"""Bring the database to this version's tables: under a lock, in one transaction, with a copy of an old SQLite file first."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from functools import cache
from pathlib import Path

import structlog
from sqlalchemy import Connection, inspect, text
from sqlalchemy.exc import DBAPIError

from engine.durable.database import Database
from engine.durable.ids import new_id
from engine.errors import ConfigError, DatabaseTooNew

HEAD = "0004"
"""The revision this version works with; a test compares it with the migration scripts."""
FOLDER = Path(__file__).parent / "migrations"
_LOCK = 0x706F7374  # any constant: PostgreSQL's advisory lock of the migrations
log = structlog.get_logger()


def open_database(url: str) -> Database:
    """Open the database and migrate it to this version.

    Raises:
        ConfigError: the folder cannot be written, the file is no Postbench database, the server is out of reach.
        DatabaseTooNew: a newer Postbench made it.
    """
    database = Database(url)
    try:
        _check_folder(database)
        migrate(database)
    except DBAPIError as error:
        database.close()
        where = database.url.render_as_string(hide_password=True)
        raise ConfigError(f"POSTBENCH_DATABASE_URL: cannot open {where}: {error.orig}") from error
    except BaseException:
        database.close()
        raise
    return database


def migrate(database: Database) -> None:
    """Run what is missing; harmless when nothing is, safe when several processes start at once."""
    with database.read() as connection:
        found = current(connection)
    if found == HEAD:
        return
    _known(found)
    if found and database.is_sqlite:
        _copy(database, found)
    with _locked(database) as connection:
        found = current(connection)
        _known(found)
        if found != HEAD:
            _upgrade(connection)
            log.info("database migrated", revision=HEAD, was=found or "empty")


def current(connection: Connection) -> str | None:
    """The revision the database is at; None when it is empty."""
    tables = set(inspect(connection).get_table_names())
    if "alembic_version" in tables:
        revision: str | None = connection.execute(text("SELECT version_num FROM alembic_version")).scalar()
        return revision
    if tables:
        raise ConfigError("POSTBENCH_DATABASE_URL names a database with tables that are not Postbench's; use an empty one")
    return None


@cache
def revisions() -> frozenset[str]:
    """Every revision this version knows."""
    return frozenset(path.name.split("_")[0] for path in (FOLDER / "versions").glob("[0-9]*.py"))


def _known(found: str | None) -> None:
    if found is not None and found not in revisions():
        raise DatabaseTooNew(
            f"The database is at revision {found}, newer than this Postbench ({HEAD}); upgrade Postbench or restore an older copy"
        )


def _upgrade(connection: Connection) -> None:
    from alembic import command
    from alembic.config import Config

    config = Config()
    config.set_main_option("script_location", str(FOLDER).replace("%", "%%"))
    config.attributes["connection"] = connection
    command.upgrade(config, "head")


@contextmanager
def _locked(database: Database) -> Iterator[Connection]:
    """A write transaction that only one process can be in; foreign keys off, as rebuilding a table would cascade."""
    if not database.is_sqlite:
        with database.write() as connection:
            connection.execute(text(f"SELECT pg_advisory_xact_lock({_LOCK})"))
            yield connection
        return
    with database.unfenced() as connection:
        connection.exec_driver_sql("PRAGMA foreign_keys=OFF")
        connection.exec_driver_sql("BEGIN IMMEDIATE")
        try:
            yield connection
            connection.exec_driver_sql("COMMIT")
        except BaseException:
            connection.exec_driver_sql("ROLLBACK")
            raise
        finally:
            connection.exec_driver_sql("PRAGMA foreign_keys=ON")


def _copy(database: Database, revision: str) -> None:
    """A consistent copy beside the file, named by its revision, before anything is changed."""
    target = Path(f"{database.url.database}.{revision}.bak")
    draft = target.with_name(f"{target.name}.{new_id()}")  # several processes may be copying
    with database.unfenced() as connection:
        connection.exec_driver_sql("VACUUM INTO ?", (str(draft),))
    draft.replace(target)
    log.info("database copied before migration", copy=str(target))


def _check_folder(database: Database) -> None:
    if not database.is_sqlite or not database.url.database:
        return
    folder = Path(database.url.database).resolve().parent
    try:
        folder.mkdir(parents=True, exist_ok=True)
        probe = folder / ".writable"
        probe.touch()
        probe.unlink(missing_ok=True)  # another process may be trying the same
    except OSError as error:
        raise ConfigError(
            f"The data folder {folder} cannot be written ({error.strerror}); set POSTBENCH_DATA_DIR to a folder that can"
        ) from None
