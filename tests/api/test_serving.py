"""The web process as a user starts and stops it."""

from __future__ import annotations

import re
import signal
import socket
import subprocess
import sys
import threading

import httpx
import psutil
import pytest
from sqlalchemy import text

from engine.client import Client
from engine.durable.migrate import open_database
from tests.api.conftest import ROOT, Server
from tests.lab.running import PATIENCE, free_port

READY = re.compile(r"Postbench is ready: (http://127\.0\.0\.1:\d+) · engine running \(pid (\d+)\) · data in (.+)")


def refusal(server: Server) -> str:
    """What `python app.py` says when it will not start."""
    command = [sys.executable, str(ROOT / "app.py")]
    ended = subprocess.run(command, env=server.environment, cwd=server.folder, capture_output=True, text=True, timeout=60)
    assert ended.returncode == 2, ended
    lines = [line for line in ended.stderr.splitlines() if not line.startswith("{")]
    assert len(lines) == 1 and lines[0].startswith("postbench: ") and not ended.stdout
    return lines[0]


def engine_pid(server: Server) -> int:
    found = next(filter(None, map(READY.fullmatch, server.lines)), None)
    assert found is not None, server.lines
    assert found[1] == server.url and found[3] == str(server.folder)
    return int(found[2])


@pytest.mark.slow
def test_one_line_says_that_all_is_up_and_a_signal_ends_all(make_server):
    server = make_server()
    pid = engine_pid(server)
    assert sum(line.startswith("Postbench is ready") for line in server.lines) == 1
    assert httpx.get(f"{server.url}/api/health").json()["status"] in ("ok", "degraded")
    assert httpx.get(f"{server.url}/api").headers["location"] == "/api/docs"
    with Client(server.url) as client:
        job = client.submit("generate-emails", count=5, run_after="2999-01-01T00:00:00Z")
    connected, ended = threading.Event(), threading.Event()

    def follow() -> None:
        with httpx.stream("GET", f"{server.url}/api/jobs/{job.id}/stream") as response:
            for _ in response.iter_lines():
                connected.set()
        ended.set()

    reader = threading.Thread(target=follow, daemon=True)
    reader.start()
    assert connected.wait(PATIENCE)
    server.send(signal.SIGINT)
    assert ended.wait(PATIENCE), "an open stream must not hold up the end"
    server.send(signal.SIGINT)  # impatience must not leave the engine behind
    assert server.stop(signal.SIGINT) == 0
    assert not psutil.pid_exists(pid)
    assert not [line for line in server.lines if "Traceback" in line], server.lines  # as of a stream that had to be cut off


@pytest.mark.slow
def test_sigterm_ends_all_with_a_download_open(make_server):
    server = make_server()
    pid = engine_pid(server)
    with Client(server.url) as client:
        job = client.generate_emails(300_000).wait(on_progress=lambda _: None)
    with socket.create_connection(("127.0.0.1", server.port)) as slow:  # asks for much and reads nothing
        slow.sendall(f"GET /api/jobs/{job.id}/results.json HTTP/1.1\r\nHost: 127.0.0.1:{server.port}\r\n\r\n".encode())
        slow.recv(1)
        assert server.stop(signal.SIGTERM) == 0
    assert not psutil.pid_exists(pid)


def test_a_port_in_use_is_said_clearly(tmp_path):
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        port = taken.getsockname()[1]
        said = refusal(Server(tmp_path, port))
    assert f"Port {port} on 127.0.0.1 is in use" in said and "POSTBENCH_PORT" in said


@pytest.mark.parametrize(
    ("extra", "words"),
    [
        ({"POSTBENCH_HOST": "0.0.0.0"}, ["POSTBENCH_HOST", "POSTBENCH_API_TOKEN"]),
        ({"POSTBENCH_HOST": "192.0.2.1", "POSTBENCH_API_TOKEN": "t"}, ["192.0.2.1", "POSTBENCH_HOST"]),
        ({"POSTBENCH_PORT": "http"}, ["POSTBENCH_PORT"]),
        ({"POSTBENCH_DATA_DIR": "/proc/nowhere"}, ["/proc/nowhere", "POSTBENCH_DATA_DIR"]),
        ({"POSTBENCH_DATABASE_URL": "mysql://x/y"}, ["POSTBENCH_DATABASE_URL"]),
        ({"POSTBENCH_SMTP_URL": "mail.example.com"}, ["POSTBENCH_SMTP_URL", "smtps://"]),
    ],
)
def test_a_wrong_setting_is_said_clearly(tmp_path, extra, words):
    said = refusal(Server(tmp_path, free_port(), extra))
    assert all(word in said for word in words), said


def test_a_newer_database_is_said_clearly(tmp_path):
    database = open_database(f"sqlite:///{tmp_path / 'postbench.db'}")
    with database.write() as connection:
        connection.execute(text("UPDATE alembic_version SET version_num = '9999'"))
    database.close()
    assert "newer" in refusal(Server(tmp_path, free_port()))
