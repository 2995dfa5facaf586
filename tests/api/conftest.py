"""The API in this process, and a whole running server."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from collections.abc import AsyncIterator, Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path

import httpx
import pytest
from starlette.applications import Starlette
from starlette.middleware import Middleware
from starlette.routing import Mount

from engine.api.app import build
from engine.api.guard import Guard
from engine.jobs import registry
from engine.settings import Settings
from engine.workbench import Workbench
from tests.api.kinds import PROBE
from tests.lab.running import free_port

ROOT = Path(__file__).resolve().parents[2]
BASE = "http://127.0.0.1:8501"
TYPES = {**registry(), PROBE.name: PROBE}


@pytest.fixture
def configured(tmp_path):
    return Settings(data_dir=tmp_path, engine="off")


@pytest.fixture
def bench(configured) -> Iterator[Workbench]:
    opened = Workbench.open(configured, TYPES)
    yield opened
    opened.database.close()


@pytest.fixture
async def api(bench):
    app = build(TYPES, lambda: bench)
    async with app.router.lifespan_context(app):
        yield app


@pytest.fixture
async def http(api, bench) -> AsyncIterator[httpx.AsyncClient]:
    whole = Starlette(routes=[Mount("/api", app=api)], middleware=[Middleware(Guard, settings=bench.settings)])
    transport = httpx.ASGITransport(whole, raise_app_exceptions=False)
    async with httpx.AsyncClient(transport=transport, base_url=BASE) as client:
        yield client


@dataclass
class Server:
    """`python app.py` in a process of its own."""

    folder: Path
    port: int
    extra: dict[str, str] = field(default_factory=dict)
    process: subprocess.Popen[bytes] | None = None

    @property
    def lines(self) -> list[str]:
        """What it has said so far: a file, as the engine may write on when the web process has gone."""
        return (self.folder / "output.log").read_text().splitlines()

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    @property
    def environment(self) -> dict[str, str]:
        ours = {"POSTBENCH_DATA_DIR": str(self.folder), "POSTBENCH_PORT": str(self.port)}
        clean = {name: value for name, value in os.environ.items() if not name.startswith("POSTBENCH_")}
        return {**clean, **ours, **self.extra}

    def start(self) -> Server:
        """Start, and wait for the line that says so."""
        command = [sys.executable, str(ROOT / "app.py")]
        with (self.folder / "output.log").open("wb") as output:
            self.process = subprocess.Popen(
                command, env=self.environment, cwd=self.folder, stdout=output, stderr=subprocess.STDOUT, start_new_session=True
            )
        deadline = time.monotonic() + 120
        while not any(line.startswith("Postbench is ready") for line in self.lines):
            assert self.process.poll() is None and time.monotonic() < deadline, "\n".join(self.lines)
            time.sleep(0.02)
        return self

    def send(self, number: signal.Signals) -> None:
        assert self.process is not None
        self.process.send_signal(number)

    def stop(self, number: signal.Signals = signal.SIGTERM) -> int:
        """Stop; returns the exit code."""
        assert self.process is not None
        if self.process.poll() is None:
            self.send(number)
        return self.process.wait(60)


@pytest.fixture
def make_server(tmp_path) -> Iterator[Callable[..., Server]]:
    made: list[Server] = []

    def make(**extra: str) -> Server:
        made.append(Server(tmp_path, free_port(), extra))
        return made[-1].start()

    yield make
    for server in made:
        server.stop()


@pytest.fixture(scope="module")
def server(tmp_path_factory) -> Iterator[Server]:
    running = Server(tmp_path_factory.mktemp("data"), free_port()).start()
    yield running
    running.stop()
