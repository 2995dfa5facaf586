"""The API as an ASGI app, to be mounted under `/api`; its lifespan must be entered by whoever mounts it."""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable, Mapping
from contextlib import asynccontextmanager

from fastapi import FastAPI
from starlette.middleware import Middleware

from engine.access import required
from engine.api import (
    deliveries,
    docs,
    errors,
    health,
    jobs,
    metrics,
    results,
    session,
    stream,
    suppressions,
    unsubscribe,
    verified,
)
from engine.api.auth import Auth
from engine.api.excerpts import Excerpts
from engine.api.hub import Hub
from engine.api.limits import BodyLimit
from engine.api.per_type import body_model, per_type
from engine.durable.contract import JobType
from engine.jobs import registry
from engine.version import VERSION
from engine.workbench import Workbench, workbench

_BODIES = (jobs.JobBody, jobs.CleanupBody, session.TicketBody, suppressions.SuppressionBody, deliveries.DecisionBody)
_ROUTERS = (
    jobs.router,
    results.router,
    stream.router,
    deliveries.router,
    verified.router,
    verified.files,
    suppressions.router,
    suppressions.files,
    unsubscribe.router,
    session.router,
    health.router,
    metrics.router,
)


def build(types: Mapping[str, JobType] | None = None, open_workbench: Callable[[], Workbench] = workbench) -> FastAPI:
    """The API over these job types; the workbench is opened when the lifespan begins."""
    types = registry() if types is None else types

    @asynccontextmanager
    async def lifespan(app: FastAPI) -> AsyncIterator[None]:
        bench = open_workbench()
        app.state.workbench, app.state.excerpts = bench, Excerpts(bench)
        app.state.locked = required(bench.settings)
        app.state.hub = Hub(bench.database)
        await app.state.hub.start()
        try:
            yield
        finally:
            await app.state.hub.stop()

    app = FastAPI(
        title="Postbench",
        version=VERSION,
        summary="Jobs that make, verify, find and write to e-mail lists, and their results.",
        lifespan=lifespan,
        docs_url=None,
        redoc_url=None,
        middleware=[Middleware(BodyLimit), Middleware(Auth)],
        responses={"4XX": {"model": errors.ErrorAnswer, "description": "What is wrong, naming the field"}},
    )
    errors.install(app)
    for router in (*_ROUTERS, per_type(types)):
        app.include_router(router)
    docs.install(app, [*_BODIES, *(body_model(job_type) for job_type in types.values())])
    return app
