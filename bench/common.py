"""What the benchmarks share: a Postbench of their own on a free port with an empty data folder, and watching its memory."""

from __future__ import annotations

import contextlib
import json
import os
import socket
import statistics
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import httpx
import psutil

ROOT = Path(__file__).resolve().parent.parent
LOG = "bench.log"


@dataclass
class Server:
    """A running Postbench; `client` talks to its API, `engine` and `web` are its processes."""

    url: str
    folder: Path
    web: psutil.Process
    client: httpx.Client
    engine: psutil.Process
    started: list[subprocess.Popen[bytes]] = field(default_factory=list)

    def submit(self, kind: str, **params: Any) -> str:
        """A new job's id."""
        answer = self.client.post(f"/api/{kind}-job", json=params)
        answer.raise_for_status()
        return str(answer.json()["jobId"])

    def job(self, job_id: str) -> dict[str, Any]:
        """The job as the API shows it."""
        job: dict[str, Any] = self.client.get(f"/api/jobs/{job_id}/status").raise_for_status().json()["job"]
        return job

    def wait(self, job_id: str, seconds: float = 900) -> dict[str, Any]:
        """Follow the job's event stream to its end; returns the job."""
        with self.client.stream("GET", f"/api/jobs/{job_id}/stream", timeout=seconds) as stream:
            for line in stream.iter_lines():
                if line.startswith("data:") and json.loads(line[5:])["type"] == "complete":
                    break
        return self.job(job_id)


def free_port() -> int:
    """A port that was free a moment ago."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


@contextlib.contextmanager
def postbench(**settings: str) -> Iterator[Server]:
    """Start `python app.py` with an empty data folder; stopped and removed at the end."""
    port = free_port()
    with tempfile.TemporaryDirectory(prefix="postbench-bench-") as name, (Path(name) / LOG).open("wb") as log:
        environment = {**os.environ, "POSTBENCH_DATA_DIR": name, "POSTBENCH_PORT": str(port), **settings}
        process = subprocess.Popen([sys.executable, str(ROOT / "app.py")], env=environment, stdout=log, stderr=log)
        try:
            url = f"http://127.0.0.1:{port}"
            with httpx.Client(base_url=url, timeout=60) as client:
                engine = _ready(client, process, Path(name) / LOG)
                yield Server(url, Path(name), psutil.Process(process.pid), client, engine, [process])
        finally:
            process.terminate()
            process.wait(30)


def _ready(client: httpx.Client, process: subprocess.Popen[bytes], log: Path) -> psutil.Process:
    deadline = time.monotonic() + 60
    while time.monotonic() < deadline:
        if process.poll() is not None:
            raise SystemExit(f"Postbench ended with code {process.returncode}:\n{log.read_text()}")
        with contextlib.suppress(httpx.TransportError):
            answer = client.get("/api/health")
            engines = answer.json().get("engines", []) if answer.status_code == 200 else []
            alive = [engine for engine in engines if engine["alive"]]
            if alive:
                return psutil.Process(alive[0]["pid"])
        time.sleep(0.05)
    raise SystemExit(f"Postbench did not come up:\n{log.read_text()}")


class PeakMemory:
    """The largest resident size of a process while the block runs, in MiB."""

    def __init__(self, process: psutil.Process) -> None:
        self._process, self._stop = process, threading.Event()
        self.before = self.peak = process.memory_info().rss / 2**20
        self._thread = threading.Thread(target=self._watch, daemon=True)

    def __enter__(self) -> PeakMemory:
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._stop.set()
        self._thread.join()

    def _watch(self) -> None:
        while not self._stop.wait(0.02):
            self.peak = max(self.peak, self._process.memory_info().rss / 2**20)


def percentile(values: list[float], share: float) -> float:
    """The value that `share` of the others do not exceed."""
    return statistics.quantiles(values, n=1000, method="inclusive")[round(share * 1000) - 1] if len(values) > 1 else values[0]


def seconds_of(job: dict[str, Any], start: str, end: str) -> float:
    """Seconds between two moments of a job."""
    from datetime import datetime

    moments = [datetime.fromisoformat(job[name]) for name in (start, end)]
    return (moments[1] - moments[0]).total_seconds()
