"""Starting and stopping the web process: what `app.py` is made of."""

from __future__ import annotations

import asyncio
import signal
import socket
import sys
from collections.abc import AsyncIterator, Callable
from contextlib import AbstractAsyncContextManager, asynccontextmanager, suppress
from typing import Any, NoReturn
from urllib.parse import urlsplit

import structlog
from fastapi import FastAPI
from starlette.middleware import Middleware
from starlette.responses import RedirectResponse
from starlette.routing import BaseRoute, Mount, Route
from streamlit import App

from engine.access import check_bind
from engine.api.context import PREFIX
from engine.api.guard import Guard
from engine.api.shell import Shell
from engine.api.signals import orderly_end
from engine.durable.tables import EngineRecord
from engine.errors import ConfigError
from engine.logs import configure_logs
from engine.settings import Settings, mask_url, settings
from engine.supervisor import Supervisor
from engine.workbench import Workbench, workbench

log = structlog.get_logger()


def guards() -> list[Middleware]:
    """What every request passes before Streamlit or the API sees it; a wrong setting ends the process with a message."""
    configure_logs()
    try:
        return [Middleware(Guard, settings=settings()), Middleware(Shell)]
    except ConfigError as error:
        _refuse(error)


def routes(api: FastAPI) -> list[BaseRoute]:
    """The API under `/api`, and bare `/api` itself, which Streamlit would answer with a page."""
    bare = Route(PREFIX, lambda _request: RedirectResponse(f"{PREFIX}/docs"), include_in_schema=False)
    return [bare, Mount(PREFIX, app=api)]


def lifespan(api: FastAPI) -> Callable[[App], AbstractAsyncContextManager[dict[str, Any] | None]]:
    """The life of the web process: the API's own, the engine child, the line that says so, and an orderly end."""

    @asynccontextmanager
    async def live(_app: App) -> AsyncIterator[None]:
        async with api.router.lifespan_context(api):
            supervisor = Supervisor(api.state.workbench)
            welcome = asyncio.create_task(_welcome(supervisor, api), name="welcome")
            try:
                with orderly_end(api.state.hub.end_streams):
                    yield
                    api.state.hub.end_streams()
                    welcome.cancel()
                    await supervisor.stop()
            finally:
                with suppress(asyncio.CancelledError):
                    await welcome

    return live


def run(app: App, api: FastAPI) -> None:
    """`python app.py`: check everything that can be wrong, then serve until a signal; exit code 2 and one line otherwise."""
    try:
        configured = settings()
        check_bind(configured)
        check_port(configured.host, configured.port)
        _check_doors(configured)
        workbench()
    except ConfigError as error:
        _refuse(error)
    api.state.url = configured.base_url
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(0))
    with suppress(KeyboardInterrupt):
        app.run(config=_streamlit_options(configured))


def _check_doors(configured: Settings) -> None:
    from engine.execution import check_settings  # this process needs the doors themselves for hardly anything

    check_settings(configured)


def check_port(host: str, port: int) -> None:
    """Find out early, and say clearly, that nobody can listen there.

    Raises:
        ConfigError: the port is taken, or the address is not this machine's.
    """
    try:
        family, kind, _, _, address = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM, flags=socket.AI_PASSIVE)[0]
        with socket.socket(family, kind) as probe:
            probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            probe.bind(address)
    except OSError as error:
        raise ConfigError(_why_not(host, port, error)) from None


def _why_not(host: str, port: int, error: OSError) -> str:
    try:
        with socket.create_connection((host, port), 1):
            return f"Port {port} on {host} is in use, perhaps by another Postbench; set POSTBENCH_PORT to a free one"
    except OSError:
        return f"Cannot listen on port {port} of {host} ({error.strerror}); set POSTBENCH_HOST and POSTBENCH_PORT"


def ready_line(bench: Workbench, url: str | None, engine: EngineRecord | None) -> str:
    """`Postbench is ready: http://127.0.0.1:8501 · engine running (pid 123) · data in /path`."""
    wanted = "not up yet, see the log" if bench.settings.engine == "auto" else "off (POSTBENCH_ENGINE)"
    state = f"running (pid {engine.pid})" if engine else wanted
    data = str(bench.settings.data_dir.resolve()) if bench.database.is_sqlite else mask_url(bench.settings.url)
    return f"Postbench is ready{f': {url}' if url else ''} · engine {state} · data in {data}"


async def _welcome(supervisor: Supervisor, api: FastAPI) -> None:
    try:
        engine = await supervisor.start()
        print(ready_line(api.state.workbench, getattr(api.state, "url", None), engine), flush=True)  # noqa: T201
    except Exception as error:  # the pages work without an engine, and say that there is none
        log.error("cannot start an engine", error=f"{type(error).__name__}: {error}")


def _streamlit_options(configured: Settings) -> dict[str, Any]:
    options: dict[str, Any] = {
        "server.port": configured.port,
        "server.address": configured.host,
        "logger.hideWelcomeMessage": True,
    }
    shown = urlsplit(configured.base_url).hostname
    if shown not in ("0.0.0.0", "::"):  # else Streamlit asks the network what this machine is called
        options["browser.serverAddress"] = shown
    return options


def _refuse(error: ConfigError) -> NoReturn:
    print(f"postbench: {error}", file=sys.stderr)  # noqa: T201
    sys.exit(2)
