"""Engine processes as the database knows them, and whether one still lives."""

from __future__ import annotations

import os
import socket
from dataclasses import dataclass
from functools import cache
from pathlib import Path

import psutil
from sqlalchemy import delete, insert, select, update

from engine.durable.clock import now_ms
from engine.durable.database import Database
from engine.durable.ids import new_id
from engine.durable.lease import LEASE_MS
from engine.durable.tables import EngineRecord, engines

HOUR_MS = 3_600_000


@cache
def host_key() -> str:
    """Names this machine, this boot and this process namespace: pids mean something only within one."""
    boot = _text("/proc/sys/kernel/random/boot_id") or str(psutil.boot_time())
    try:
        namespace = str(Path("/proc/self/ns/pid").readlink())
    except OSError:
        namespace = ""
    return f"{socket.gethostname()}/{boot}/{namespace}"


def process_born(pid: int) -> int | None:
    """When that process started, in ticks of this boot; None when it is gone. Tells a reused pid from the old one."""
    if stat := _text(f"/proc/{pid}/stat"):
        fields = stat.rpartition(")")[2].split()
        return None if fields[0] in "ZX" else int(fields[19])
    try:  # not on Linux; psutil counts from the wall clock, which may be set, so it comes second
        process = psutil.Process(pid)
        return None if process.status() == psutil.STATUS_ZOMBIE else round(process.create_time() * 100)
    except psutil.Error:
        return None


def is_dead(engine: EngineRecord) -> bool:
    """Whether the process is known to be gone; False on another machine, where only the lease can tell."""
    return engine.host == host_key() and process_born(engine.pid) != engine.born


def register(database: Database, version: str, engine: str | None = None) -> str:
    """Write this process down as an engine, under the id that it had if it was forgotten; returns the id."""
    engine, pid = engine or new_id(), os.getpid()
    values = {"id": engine, "host": host_key(), "hostname": socket.gethostname(), "pid": pid, "born": process_born(pid) or 0}
    times = {"started_at": now_ms(), "heartbeat_at": now_ms()}
    database.transact(lambda c: c.execute(insert(engines).values(**values, **times, version=version, jobs=0)))
    return engine


def unregister(database: Database, engine: str) -> None:
    """Say that the engine has stopped on purpose."""
    stopped = update(engines).where(engines.c.id == engine).values(stopped_at=now_ms(), heartbeat_at=now_ms(), jobs=0)
    database.transact(lambda c: c.execute(stopped))


def prune(database: Database) -> None:
    """Forget engines not heard of for a day."""
    database.transact(lambda c: c.execute(delete(engines).where(engines.c.heartbeat_at < now_ms() - 24 * HOUR_MS)))


@dataclass(frozen=True, slots=True)
class EngineState:
    """An engine and whether it is alive now."""

    record: EngineRecord
    alive: bool


def recent(database: Database) -> list[EngineState]:
    """The engines of the last hour, newest first; one that stopped, died or fell silent is not alive."""
    with database.session() as session:
        now = session.scalar(select(now_ms())) or 0
        query = select(EngineRecord).where(engines.c.heartbeat_at > now - HOUR_MS).order_by(engines.c.started_at.desc())
        found = list(session.scalars(query))
    return [EngineState(engine, _alive(engine, now)) for engine in found]


def living(database: Database) -> list[EngineRecord]:
    """The engines that are alive."""
    return [state.record for state in recent(database) if state.alive]


def _alive(engine: EngineRecord, now: int) -> bool:
    return engine.stopped_at is None and now - engine.heartbeat_at < LEASE_MS and not is_dead(engine)


def _text(path: str) -> str:
    try:
        return Path(path).read_text().strip()
    except OSError:
        return ""
