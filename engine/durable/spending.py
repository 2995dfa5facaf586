"""What jobs spend at paid services: a request is reserved before it is made, tokens are counted after; caps hold at any crash."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Protocol

from sqlalchemy import Connection, Insert, insert, select, update
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.exc import IntegrityError

from engine.durable.database import Database
from engine.durable.sending_tables import spendings


@dataclass(frozen=True, slots=True)
class Caps:
    """The most that a job may spend: requests begun, and tokens of prompts and answers together."""

    requests: int
    tokens: int


@dataclass(frozen=True, slots=True)
class Spent:
    """What a job has spent so far."""

    requests: int = 0
    tokens_in: int = 0
    tokens_out: int = 0

    @property
    def tokens(self) -> int:
        """Of both kinds."""
        return self.tokens_in + self.tokens_out


class Spending(Protocol):
    """Keeps jobs within their caps."""

    async def reserve(self, job_id: str, caps: Caps) -> Spent | None:
        """Count a request that is about to be made. What was spent before, where a cap forbids it; None when it may be made."""

    async def add(self, job_id: str, tokens_in: int, tokens_out: int) -> None:
        """Count the tokens of an answer."""


class StoredSpending:
    """The counts in the database; opened at first use, so that it can be made on any machine and in any process."""

    def __init__(self, open_database: Callable[[], Database]) -> None:
        self._open = open_database
        self._opened: Database | None = None

    async def reserve(self, job_id: str, caps: Caps) -> Spent | None:
        """One statement decides and counts."""
        return await self._call(reserve, job_id, caps)  # type: ignore[no-any-return]

    async def add(self, job_id: str, tokens_in: int, tokens_out: int) -> None:
        """Counted at once."""
        await self._call(add, job_id, tokens_in, tokens_out)

    async def close(self) -> None:
        """Close the database."""
        if self._opened is not None:
            self._opened.close()

    async def _call(self, function: Callable[..., Any], *arguments: Any) -> Any:
        def work() -> Any:
            if self._opened is None:
                self._opened = self._open()
            return function(self._opened, *arguments)

        return await asyncio.to_thread(work)


def reserve(database: Database, job_id: str, caps: Caps) -> Spent | None:
    """See `Spending.reserve`; a job that is gone gets nothing."""

    def work(connection: Connection) -> Spent | None:
        first = _insert(connection).values(job_id=job_id, requests=0, tokens_in=0, tokens_out=0)
        connection.execute(first)
        mine = spendings.c.job_id == job_id
        room = (spendings.c.requests < caps.requests) & (spendings.c.tokens_in + spendings.c.tokens_out < caps.tokens)
        counted = update(spendings).where(mine, room).values(requests=spendings.c.requests + 1)
        return None if connection.execute(counted).rowcount == 1 else _spent(connection, job_id)

    try:
        return database.transact(work)
    except IntegrityError:  # deleted meanwhile
        return Spent()


def add(database: Database, job_id: str, tokens_in: int, tokens_out: int) -> None:
    """See `Spending.add`."""
    more = {"tokens_in": spendings.c.tokens_in + tokens_in, "tokens_out": spendings.c.tokens_out + tokens_out}
    database.transact(lambda connection: connection.execute(update(spendings).where(spendings.c.job_id == job_id).values(**more)))


def spent(database: Database, job_id: str) -> Spent:
    """What a job has spent, answers that were lost to a crash included."""
    with database.read() as connection:
        return _spent(connection, job_id)


def _spent(connection: Connection, job_id: str) -> Spent:
    row = connection.execute(select(spendings).where(spendings.c.job_id == job_id)).first()
    return Spent() if row is None else Spent(row.requests, row.tokens_in, row.tokens_out)


def _insert(connection: Connection) -> Insert:
    """An insert that leaves an existing row alone."""
    if connection.dialect.name == "postgresql":
        return postgresql.insert(spendings).on_conflict_do_nothing()
    if connection.dialect.name == "sqlite":
        return sqlite.insert(spendings).on_conflict_do_nothing()
    return insert(spendings)


class FakeSpending:
    """The counts in memory, for tests."""

    def __init__(self) -> None:
        self.spent: dict[str, Spent] = {}

    async def reserve(self, job_id: str, caps: Caps) -> Spent | None:
        """Count, unless a cap is reached."""
        now = self.spent.get(job_id, Spent())
        if now.requests >= caps.requests or now.tokens >= caps.tokens:
            return now
        self.spent[job_id] = Spent(now.requests + 1, now.tokens_in, now.tokens_out)
        return None

    async def add(self, job_id: str, tokens_in: int, tokens_out: int) -> None:
        """Count."""
        now = self.spent.get(job_id, Spent())
        self.spent[job_id] = Spent(now.requests, now.tokens_in + tokens_in, now.tokens_out + tokens_out)
