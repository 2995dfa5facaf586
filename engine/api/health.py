"""Health: the web process, the database and the engines."""

from __future__ import annotations

import time
from typing import Any, Literal

from fastapi import APIRouter, Request, Response
from sqlalchemy import text
from sqlalchemy.exc import SQLAlchemyError

from engine.api.auth import KNOWN
from engine.api.context import Bench
from engine.api.shapes import Wire
from engine.durable.clock import iso
from engine.durable.database import Database
from engine.durable.engines import EngineState, recent
from engine.settings import mask_url
from engine.version import VERSION

router = APIRouter(tags=["operations"])


class EngineShape(Wire):
    """An engine of the last hour."""

    id: str
    host: str
    pid: int
    version: str
    started_at: str | None
    heartbeat_at: str | None
    alive: bool
    jobs: int


class DatabaseShape(Wire):
    """The database."""

    ok: bool
    version: str | None = None
    url: str
    latency_ms: float | None = None
    warning: str | None = None


class Health(Wire):
    """How all is; `down` (and 503) when the database does not answer or no engine is alive."""

    success: bool
    status: Literal["ok", "degraded", "down"]
    version: str | None = None
    database: DatabaseShape | None = None
    engines: list[EngineShape] | None = None


@router.get("/health", response_model_exclude_unset=True, responses={503: {"model": Health}}, summary="Whether all is well")
def health(bench: Bench, request: Request, response: Response) -> Health:
    """With a token configured, a call without it gets only `success` and `status`."""
    database, engines = _look(bench.database)
    down = not database.ok or not any(engine.alive for engine in engines)
    status: Literal["ok", "degraded", "down"] = "down" if down else "degraded" if database.warning else "ok"
    response.status_code = 503 if down else 200
    response.headers["Cache-Control"] = "no-store"
    details: dict[str, Any] = {"version": VERSION, "database": database, "engines": engines}
    return Health(success=not down, status=status, **(details if request.scope[KNOWN] else {}))


def _look(database: Database) -> tuple[DatabaseShape, list[EngineShape]]:
    url = mask_url(database.url.render_as_string(hide_password=True))
    started = time.perf_counter()
    try:
        with database.read() as connection:
            connection.execute(text("SELECT 1"))
        latency = round((time.perf_counter() - started) * 1000, 2)
        shape = DatabaseShape(ok=True, version=database.version, url=url, latency_ms=latency, warning=database.warning)
        return shape, [_shape(state) for state in recent(database)]
    except SQLAlchemyError:
        return DatabaseShape(ok=False, url=url), []


def _shape(state: EngineState) -> EngineShape:
    engine = state.record
    return EngineShape(
        id=engine.id,
        host=engine.hostname,
        pid=engine.pid,
        version=engine.version,
        started_at=iso(engine.started_at),
        heartbeat_at=iso(engine.heartbeat_at),
        alive=state.alive,
        jobs=engine.jobs,
    )
