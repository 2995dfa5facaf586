"""The database: one SQLAlchemy engine, short read and write transactions, SQLite set up to survive power cuts."""

from __future__ import annotations

import json
import sqlite3 as stdlib_sqlite
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import partial
from types import ModuleType
from typing import Any, TypeVar

from sqlalchemy import Connection, create_engine, event, make_url, text
from sqlalchemy.engine import URL
from sqlalchemy.exc import (
    ArgumentError,
    DataError,
    DBAPIError,
    IntegrityError,
    NoSuchModuleError,
    NotSupportedError,
    ProgrammingError,
)
from sqlmodel import Session

from engine.errors import ConfigError

try:
    import pysqlite3.dbapi2 as bundled_sqlite
except ImportError:  # no wheel for this platform
    sqlite: ModuleType = stdlib_sqlite
else:
    sqlite = bundled_sqlite

T = TypeVar("T")
CHANNEL = "postbench"
"""The PostgreSQL notification channel that says: something was committed."""
SAFE_SQLITE = (3, 51, 3)
"""The first SQLite without the WAL-reset corruption bug (present since 3.7.0)."""
_PRAGMAS = (
    "busy_timeout=30000",
    "auto_vacuum=INCREMENTAL",
    "journal_mode=WAL",
    "synchronous=FULL",
    "foreign_keys=ON",
    "cache_size=-8000",
    "temp_store=MEMORY",
    "wal_autocheckpoint=4000",
    "journal_size_limit=67108864",
)
_RETRIES = 5
_TRANSIENT = ("40001", "40P01")  # PostgreSQL: serialization failure, deadlock


def is_away(error: BaseException) -> bool:
    """Whether the database only cannot do it just now: it is away, locked or full, and what was asked is in order."""
    hopeless = (DataError, IntegrityError, NotSupportedError, ProgrammingError)
    return isinstance(error, DBAPIError) and not isinstance(error, hopeless)


class Database:
    """A database URL opened. `read` gives a consistent snapshot, `write` the only way to change anything."""

    def __init__(self, url: str) -> None:
        try:
            self.url: URL = make_url(url)
        except ArgumentError:
            raise ConfigError("POSTBENCH_DATABASE_URL is not a URL such as postgresql://user:password@host/name") from None
        if self.url.get_backend_name() not in ("sqlite", "postgresql") or self.url.database in (None, "", ":memory:"):
            raise ConfigError("POSTBENCH_DATABASE_URL must name a SQLite file (sqlite:///path) or a PostgreSQL database")
        self.is_sqlite = self.url.get_backend_name() == "sqlite"
        options: dict[str, Any] = {"module": sqlite, "connect_args": {"timeout": 30, "check_same_thread": False}}
        if not self.is_sqlite:
            options = {"pool_pre_ping": True}
        try:
            self._engine = create_engine(
                self.url, hide_parameters=True, pool_size=10, max_overflow=40, json_serializer=_dumps, **options
            )
        except (ImportError, NoSuchModuleError):
            raise ConfigError(
                "POSTBENCH_DATABASE_URL needs a driver: use postgresql:// and install the extra `postgres`"
            ) from None
        self._writer = self._engine.execution_options(write=True)
        if self.is_sqlite:
            event.listen(self._engine, "connect", _set_up)
            event.listen(self._engine, "begin", _begin)

    @contextmanager
    def read(self) -> Iterator[Connection]:
        """A snapshot: nothing committed meanwhile is seen."""
        with self._engine.connect() as connection:
            if not self.is_sqlite:
                connection.execution_options(isolation_level="REPEATABLE READ", postgresql_readonly=True)
            yield connection

    @contextmanager
    def session(self) -> Iterator[Session]:
        """A snapshot that gives SQLModel objects."""
        with self.read() as connection, Session(connection, expire_on_commit=False) as session:
            yield session

    @contextmanager
    def write(self) -> Iterator[Connection]:
        """A short write transaction, committed at the end of the block; it wakes every watcher."""
        with self._writer.begin() as connection:
            yield connection
            if not self.is_sqlite:
                connection.execute(text(f"NOTIFY {CHANNEL}"))

    def transact(self, work: Callable[[Connection], T]) -> T:
        """Run `work` in a write transaction, again when the database breaks a deadlock by rolling it back."""
        for attempt in range(_RETRIES):
            try:
                with self.write() as connection:
                    return work(connection)
            except DBAPIError as error:
                if attempt + 1 == _RETRIES or getattr(error.orig, "sqlstate", None) not in _TRANSIENT:
                    raise
                time.sleep(0.01 * 2**attempt)
        raise AssertionError("unreachable")

    @contextmanager
    def unfenced(self) -> Iterator[Connection]:
        """A connection without a transaction, for `VACUUM` and pragmas."""
        options: dict[str, Any] = {"raw": True} if self.is_sqlite else {"isolation_level": "AUTOCOMMIT"}
        with self._engine.connect() as connection:
            yield connection.execution_options(**options)

    def raw(self) -> Any:
        """A driver connection of its own, outside the pool; the caller closes it."""
        if self.is_sqlite:
            connection = sqlite.connect(self.url.database, check_same_thread=False, isolation_level=None, timeout=30)
            return connection
        import psycopg

        return psycopg.connect(self.url.set(drivername="postgresql").render_as_string(hide_password=False), autocommit=True)

    @property
    def version(self) -> str:
        """Product and version: `SQLite 3.53.0`, `PostgreSQL 15.8`."""
        if self.is_sqlite:
            return f"SQLite {sqlite.sqlite_version}"
        with self.read() as connection:
            number: str = connection.execute(text("SHOW server_version")).scalar_one()
            return f"PostgreSQL {number.split(' ')[0]}"

    @property
    def warning(self) -> str | None:
        """What is risky about this database, in a sentence; None when nothing is known."""
        if self.is_sqlite and sqlite.sqlite_version_info < SAFE_SQLITE:
            remedy = "install the package `pysqlite3`, or use a Python with SQLite 3.51.3 or newer"
            return f"SQLite {sqlite.sqlite_version} has a rare WAL corruption bug; {remedy}"
        return None

    def close(self) -> None:
        """Close every pooled connection."""
        self._engine.dispose()


def _set_up(connection: Any, _record: Any) -> None:
    connection.isolation_level = None
    for pragma in _PRAGMAS:
        connection.execute(f"PRAGMA {pragma}").close()


def _begin(connection: Connection) -> None:
    options = connection.get_execution_options()
    if options.get("raw"):
        return
    # SQLAlchemy's deferred BEGIN lets two read-modify-writes overlap and lose one; IMMEDIATE queues them.
    connection.exec_driver_sql("BEGIN IMMEDIATE" if options.get("write") else "BEGIN")


_dumps = partial(json.dumps, ensure_ascii=False, separators=(",", ":"))
