"""Claims on addresses: who is finding out about one, so that nobody else asks meanwhile."""

from __future__ import annotations

import os
from collections.abc import Callable, Collection

from sqlalchemy import Connection, delete, select, update

from engine.durable.clock import now_ms
from engine.durable.database import Database
from engine.durable.engines import host_key, process_born
from engine.durable.tables import verdict_claims as claims
from engine.durable.verdict_sql import Statement, encode


def owner(label: str = "") -> str:
    """A name for who claims: this process, and what in it; each that may ask at the same time needs a label of its own."""
    return f"{host_key()}|{os.getpid()}|{process_born(os.getpid()) or 0}|{label}"


def owner_dead(name: str) -> bool:
    """Whether the process that `owner` named is known to be gone; False on another machine, where only time can tell."""
    host, _, rest = name.partition("|")
    pid, born, *_ = (*rest.split("|", 2), "", "")
    if host != host_key() or not (pid.isdigit() and born.isdigit()):
        return False
    return process_born(int(pid)) != int(born)


def claim(database: Database, addresses: Collection[str], owner: str, until_ms: int) -> set[str]:
    """Which of the addresses this owner may ask about until then; the others are being asked about by somebody else.

    What the owner holds already is granted again. Look the granted ones up once more: they may have been answered since
    they were last looked up.
    """
    if not addresses:
        return set()
    asked = {"list": encode(sorted(set(addresses))), "owner": owner, "until": until_ms}
    sql = _CLAIM.on(database.is_sqlite)
    return set(database.transact(lambda connection: connection.execute(sql, asked).scalars().all()))


def release(database: Database, addresses: Collection[str], owner: str) -> None:
    """Give claims of this owner back."""
    if addresses:
        database.transact(lambda connection: let_go(connection, addresses, owner))


def let_go(connection: Connection, addresses: Collection[str], owner: str) -> None:
    """Give claims back in the caller's transaction."""
    sql = _RELEASE.on(connection.dialect.name == "sqlite")
    connection.execute(sql, {"list": encode(sorted(set(addresses))), "owner": owner})


def renew(database: Database, owner: str, until_ms: int) -> int:
    """Hold all claims of this owner until then; returns how many there are."""
    mine = update(claims).where(claims.c.owner == owner).values(until_ms=until_ms)
    return database.transact(lambda connection: connection.execute(mine).rowcount)


def drop_claims(database: Database, is_dead: Callable[[str], bool] = owner_dead) -> int:
    """Drop the claims of owners that are gone and those that ran out; returns how many."""
    with database.read() as connection:
        owners = connection.execute(select(claims.c.owner).distinct()).scalars().all()
    if not owners:
        return 0
    dead = [name for name in owners if is_dead(name)]

    def work(connection: Connection) -> int:
        return connection.execute(delete(claims).where(claims.c.owner.in_(dead) | (claims.c.until_ms <= now_ms()))).rowcount

    return database.transact(work)


_CLAIM = Statement(
    "INSERT INTO verdict_claim (address, owner, until_ms)"
    " SELECT item.value, :owner, CAST(:until AS BIGINT) FROM {list} WHERE true"  # `WHERE true`: else ON would belong to FROM
    " ON CONFLICT (address) DO UPDATE SET owner = excluded.owner, until_ms = excluded.until_ms"
    " WHERE verdict_claim.owner = excluded.owner OR verdict_claim.until_ms <= {now} RETURNING address"
)
_RELEASE = Statement("DELETE FROM verdict_claim WHERE owner = :owner AND address IN (SELECT item.value FROM {list})")
