"""Fixtures for everybody: a fresh database on SQLite and on PostgreSQL, a vault, and skips that CI turns into failures."""

from __future__ import annotations

import os
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, settings
from sqlalchemy import URL, make_url, text

from engine.durable.database import Database
from engine.durable.ids import new_id
from engine.durable.migrate import HEAD, open_database
from engine.durable.vault import Vault
from tests.lab import postfix

POSTGRES = os.environ.get("POSTBENCH_TEST_POSTGRES_URL", "")
REQUIRED = {name.strip() for name in os.environ.get("POSTBENCH_TEST_REQUIRE", "").split(",") if name.strip()}
# A busy machine is no failure, and the same code has the same outcome; `--hypothesis-profile=search` draws new examples.
settings.register_profile("search", deadline=None, suppress_health_check=[HealthCheck.too_slow])
settings.register_profile("tests", settings.get_profile("search"), derandomize=True)
settings.load_profile("tests")
BOTH = [pytest.param("sqlite", id="sqlite"), pytest.param("postgresql", id="postgresql", marks=pytest.mark.postgres)]


@pytest.fixture(autouse=True)
def _own_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    """No test sees the settings of the person who runs it."""
    for name in [name for name in os.environ if name.startswith("POSTBENCH_") and not name.startswith("POSTBENCH_TEST_")]:
        monkeypatch.delenv(name)


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport(item: pytest.Item, call: pytest.CallInfo[None]) -> Any:
    """Where `POSTBENCH_TEST_REQUIRE` names a marker, a skip of a test with that marker is a failure."""
    report = yield
    required = [name for name in REQUIRED if item.get_closest_marker(name)]
    if report.skipped and required and not hasattr(report, "wasxfail"):
        reason = report.longrepr[2] if isinstance(report.longrepr, tuple) else report.longrepr
        report.outcome = "failed"
        report.longrepr = f"POSTBENCH_TEST_REQUIRE asks for {', '.join(required)}, but the test was skipped: {reason}"
    return report


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Tests that need a server are skipped where no server is named."""
    missing = {
        "postgres": "" if POSTGRES else "POSTBENCH_TEST_POSTGRES_URL names no PostgreSQL server",
        "postfix": postfix.missing(),
    }
    for item in items:
        for marker, reason in missing.items():
            if reason and item.get_closest_marker(marker):
                item.add_marker(pytest.mark.skip(reason=reason))


class Server:
    """The PostgreSQL server of the tests: makes and drops databases on it."""

    def __init__(self, url: str) -> None:
        scheme, _, rest = url.partition("://")
        self._url: URL = make_url(f"postgresql+psycopg://{rest}" if scheme in ("postgres", "postgresql") else url)

    @contextmanager
    def fresh(self) -> Iterator[str]:
        """The URL of a new database, dropped afterwards whoever is still connected."""
        name = f"postbench_test_{new_id()}"
        self._run(f"CREATE DATABASE {name} TEMPLATE template0")
        try:
            yield self._url.set(database=name).render_as_string(hide_password=False)
        finally:
            self._run(f"DROP DATABASE {name} WITH (FORCE)")

    def _run(self, statement: str) -> None:
        import psycopg

        address = self._url.set(drivername="postgresql").render_as_string(hide_password=False)
        with psycopg.connect(address, autocommit=True) as connection:
            connection.execute(statement)


@pytest.fixture(scope="session")
def postgres() -> Server:
    """The PostgreSQL server named by POSTBENCH_TEST_POSTGRES_URL."""
    if not POSTGRES:
        pytest.skip("POSTBENCH_TEST_POSTGRES_URL names no PostgreSQL server")
    return Server(POSTGRES)


@pytest.fixture(scope="session")
def migrated_file(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A migrated SQLite file to copy: quicker than migrating for each test."""
    path = tmp_path_factory.mktemp("template") / "postbench.db"
    open_database(f"sqlite:///{path}").close()
    return path


@pytest.fixture(scope="session")
def migrated_postgres(postgres: Server) -> Iterator[Database]:
    """A migrated PostgreSQL database that the tests share: quicker than one for each."""
    with postgres.fresh() as url:
        database = open_database(url)
        yield database
        database.close()


@pytest.fixture(params=BOTH)
def backend(request: pytest.FixtureRequest) -> str:
    """The name of the database product."""
    return str(request.param)


@pytest.fixture
def empty_url(backend: str, request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[str]:
    """The URL of a database without any table."""
    if backend == "sqlite":
        yield f"sqlite:///{tmp_path / 'empty.db'}"
        return
    server: Server = request.getfixturevalue("postgres")
    with server.fresh() as url:
        yield url


@pytest.fixture
def database_url(backend: str, request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[str]:
    """The URL of a migrated database without any row."""
    if backend == "sqlite":
        yield sqlite_copy(request.getfixturevalue("migrated_file"), tmp_path)
        return
    shared: Database = request.getfixturevalue("migrated_postgres")
    with shared.write() as connection:
        connection.execute(text("SET LOCAL lock_timeout = '30s'"))
        tables = "job, engine, throughput, verified_email, verdict_claim, suppression, suppression_event, bounce"
        connection.execute(text(f"TRUNCATE {tables} RESTART IDENTITY CASCADE"))
        connection.execute(text("UPDATE alembic_version SET version_num = :head"), {"head": HEAD})
    yield shared.url.render_as_string(hide_password=False)


@pytest.fixture
def database(database_url: str) -> Iterator[Database]:
    """A migrated database without any row."""
    found = Database(database_url)
    yield found
    found.close()


@pytest.fixture
def sqlite_url(migrated_file: Path, tmp_path: Path) -> str:
    """The URL of a migrated SQLite database, for tests that mean SQLite only."""
    return sqlite_copy(migrated_file, tmp_path)


@pytest.fixture
def sqlite_database(sqlite_url: str) -> Iterator[Database]:
    """A migrated SQLite database, for tests that mean SQLite only."""
    found = Database(sqlite_url)
    yield found
    found.close()


@pytest.fixture
def vault() -> Vault:
    """A vault with a key of its own."""
    return Vault("a key of the tests")


def sqlite_copy(template: Path, folder: Path) -> str:
    """The URL of a copy of that file in the folder."""
    path = folder / "postbench.db"
    shutil.copyfile(template, path)
    return f"sqlite:///{path}"
