"""A real Dask cluster of subprocesses on loopback, and one executor of each kind."""

from __future__ import annotations

import importlib.util
import json
import os
import subprocess
import sys
import time
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import suppress
from pathlib import Path

import pytest

from engine.durable.executor import Executor, LocalExecutor
from tests.executors import toys
from tests.lab.running import free_port

ROOT = Path(__file__).resolve().parents[2]
NEEDS_DASK = pytest.mark.skipif(importlib.util.find_spec("distributed") is None, reason="pip install -e .[dask]")
DEADLINE_SECONDS = 120.0


def wait_for(condition: Callable[[], object], what: str) -> None:
    """Wait until the condition holds."""
    end = time.monotonic() + DEADLINE_SECONDS
    while not condition():
        assert time.monotonic() < end, f"waited {DEADLINE_SECONDS} s for {what}"
        time.sleep(0.02)


class Cluster:
    """A scheduler and workers as their users start them."""

    def __init__(self, folder: Path, threads: int = 4) -> None:
        self.folder, self.threads = folder, threads
        self.processes: list[subprocess.Popen[bytes]] = []
        self.port = free_port()
        self.start_scheduler()

    @property
    def address(self) -> str:
        return f"127.0.0.1:{self.port}"

    @property
    def log(self) -> str:
        """Everything the processes have said."""
        return (self.folder / "log").read_text()

    @property
    def workers(self) -> list[subprocess.Popen[bytes]]:
        """The workers that live."""
        return [process for process in self.processes if process is not self.scheduler and process.poll() is None]

    def start_scheduler(self) -> None:
        """Start it, on the port that it had before."""
        file = self.folder / "scheduler.json"
        file.unlink(missing_ok=True)
        place = ["--host", "127.0.0.1", "--port", str(self.port), "--no-dashboard", "--dashboard-address", "127.0.0.1:0"]
        self.scheduler = self._start("dask_scheduler", *place, "--scheduler-file", str(file))
        wait_for(lambda: file.exists() and file.read_text().endswith("}"), "the scheduler")
        self.port = int(json.loads(file.read_text())["address"].rpartition(":")[2])

    def start_worker(self) -> subprocess.Popen[bytes]:
        """Start one; it joins when it is ready."""
        place = [
            "--host",
            "127.0.0.1",
            "--no-dashboard",
            "--dashboard-address",
            "127.0.0.1:0",
            "--local-directory",
            str(self.folder),
        ]
        size = ["--no-nanny", "--nthreads", str(self.threads), "--memory-limit", "0", "--local-directory", str(self.folder)]
        return self._start("dask_worker", f"tcp://{self.address}", *place, *size)

    def close(self) -> None:
        for process in reversed(self.processes):
            with suppress(ProcessLookupError):
                process.kill()
            process.wait()

    def _start(self, module: str, *arguments: str) -> subprocess.Popen[bytes]:
        command = [sys.executable, "-m", f"distributed.cli.{module}", *arguments]
        with (self.folder / "log").open("ab") as log:
            environment = os.environ | {"DASK_LOGGING__DISTRIBUTED": "debug", "DASK_TEMPORARY_DIRECTORY": str(self.folder)}
            process = subprocess.Popen(command, cwd=ROOT, stdout=log, stderr=log, env=environment)
        self.processes.append(process)
        return process


@pytest.fixture(scope="session")
def shared_cluster(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Cluster]:
    """A cluster for the whole session."""
    found = Cluster(tmp_path_factory.mktemp("dask"))
    yield found
    found.close()


@pytest.fixture
def cluster(shared_cluster: Cluster) -> Cluster:
    """The shared cluster with two workers, or two on their way: a test may kill some."""
    while len(shared_cluster.workers) < 2:
        shared_cluster.start_worker()
    return shared_cluster


@pytest.fixture
def own_cluster(tmp_path: Path) -> Iterator[Cluster]:
    """A scheduler for one test to kill; it starts its workers itself."""
    folder = tmp_path / "cluster"
    folder.mkdir()
    found = Cluster(folder)
    yield found
    found.close()


@pytest.fixture(params=["local", pytest.param("dask", marks=[NEEDS_DASK, pytest.mark.dask])])
async def executor(request: pytest.FixtureRequest) -> AsyncIterator[Executor]:
    """Each executor in turn."""
    made: Executor
    if request.param == "local":
        made = LocalExecutor(toys.doors())
    else:
        from engine.durable.dask_executor import DaskExecutor

        made = DaskExecutor.connect(request.getfixturevalue("cluster").address, toys.doors)
    yield made
    await made.close()
