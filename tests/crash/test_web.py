"""SIGKILL the web process: the engine works on, and the next web process finds it and starts no second one."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import urllib.error
import urllib.request
from pathlib import Path

import pytest

from engine.durable.migrate import open_database
from engine.durable.queries import get
from engine.durable.submit import Request, submit
from engine.durable.vault import Vault
from engine.jobs import registry
from tests.crash.harness import ROOT, environment, living, wait_until
from tests.lab.running import free_port

pytestmark = pytest.mark.slow


def start_web(folder: Path, port: int) -> subprocess.Popen[bytes]:
    with (folder / "engine.log").open("ab") as log:
        settings = environment(folder, POSTBENCH_PORT=str(port))
        return subprocess.Popen(
            [sys.executable, "app.py"],
            cwd=ROOT,
            env=settings,
            stdin=subprocess.DEVNULL,
            stdout=log,
            stderr=log,
            start_new_session=True,
        )


def answers(port: int) -> bool:
    """Whether the web process says that it and an engine are well."""
    try:
        with urllib.request.urlopen(f"http://127.0.0.1:{port}/api/health", timeout=10) as answer:
            return bool(answer.status == 200)
    except (urllib.error.URLError, ConnectionError, TimeoutError):
        return False


def test_the_engine_works_on_and_the_next_web_process_finds_it(tmp_path: Path) -> None:
    database = open_database(f"sqlite:///{tmp_path / 'postbench.db'}")
    vault = Vault.open(None, tmp_path)
    port = free_port()
    web = start_web(tmp_path, port)
    engine = 0
    try:
        wait_until(lambda: answers(port), "the web process to answer", tmp_path)
        [engine] = living(database)
        job_id = submit(database, vault, Request(registry()["generate-emails"], {"count": 2_000_000})).job_id
        wait_until(lambda: get(database, job_id).processed_items > 0, "the job to move", tmp_path)
        web.kill()
        web.wait()
        assert living(database) == [engine]
        web = start_web(tmp_path, port)
        wait_until(lambda: answers(port), "the next web process to answer", tmp_path)
        wait_until(lambda: get(database, job_id).ended, "the job to end", tmp_path)
        job = get(database, job_id)
        assert (job.status, job.processed_items, job.crashes, job.lease) == ("completed", 2_000_000, 0, 1)
        assert living(database) == [engine], "the next web process must not start a second engine"
        web.terminate()
        assert web.wait(60) == 0
        assert living(database) == [engine], "not its child, not its business"
    finally:
        web.kill()
        web.wait()
        if engine and engine in living(database):
            os.kill(engine, signal.SIGTERM)
    wait_until(lambda: not living(database), "the engine to end", tmp_path)
    database.close()
