"""`python -m engine` as a process: help, exit codes, signals, and a life after its parent."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from pathlib import Path
from urllib.parse import quote

import pytest

from engine.durable import engines, suppressions
from engine.durable.migrate import open_database
from engine.durable.queries import get
from engine.durable.submit import Request, submit
from engine.durable.vault import Vault
from engine.jobs import registry
from engine.mail.unsubscribing import link, token
from engine.version import VERSION
from tests.crash.harness import ROOT, environment, living, start_engine, wait_until
from tests.lab.imap import LabImap
from tests.mail.bounce_samples import POSTFIX, returned


def run(folder: Path, *arguments: str, **more: str) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-m", "engine", *arguments]
    return subprocess.run(command, cwd=ROOT, env=environment(folder, **more), capture_output=True, text=True, timeout=120)


def test_help_and_version(tmp_path: Path) -> None:
    helped = run(tmp_path, "--help")
    assert helped.returncode == 0 and "SIGTERM" in helped.stdout and "--parent" in helped.stdout
    assert run(tmp_path, "--version").stdout == f"postbench engine {VERSION}\n"
    assert list(tmp_path.iterdir()) == [], "help must not touch the data folder"


@pytest.mark.parametrize(
    ("wrong", "named"),
    [
        ({"POSTBENCH_CONCURRENCY": "many"}, "POSTBENCH_CONCURRENCY"),
        ({"POSTBENCH_DATABASE_URL": "mysql://h/d"}, "POSTBENCH_DATABASE_URL"),
        ({"POSTBENCH_DATA_DIR": "/dev/null/x"}, "POSTBENCH_DATA_DIR"),
        ({"POSTBENCH_BOUNCE_URL": "imaps://me:s3cret@"}, "POSTBENCH_BOUNCE_URL"),
    ],
)
def test_a_wrong_setting_is_exit_code_2_and_one_line(tmp_path: Path, wrong: dict[str, str], named: str) -> None:
    ended = run(tmp_path, **wrong)
    assert ended.returncode == 2 and named in ended.stderr
    assert "Traceback" not in ended.stderr and "s3cret" not in ended.stderr


def test_a_wrong_argument_is_exit_code_2(tmp_path: Path) -> None:
    assert run(tmp_path, "--nonsense").returncode == 2


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_a_signal_gives_the_job_back_and_ends_with_0(tmp_path: Path, number: signal.Signals) -> None:
    database = open_database(f"sqlite:///{tmp_path / 'postbench.db'}")
    vault = Vault.open(None, tmp_path)
    job_id = submit(database, vault, Request(registry()["generate-emails"], {"count": 10_000_000})).job_id
    process = start_engine(tmp_path)
    try:
        wait_until(lambda: get(database, job_id).processed_items > 0, "the job to move", tmp_path)
        process.send_signal(number)
        assert process.wait(60) == 0, (tmp_path / "engine.log").read_text()
    finally:
        process.kill()
        process.wait()
    job = get(database, job_id)
    assert (job.status, job.engine_id, job.crashes) == ("running", None, 0) and 0 < job.processed_items < 10_000_000
    assert living(database) == []
    database.close()


def test_it_reads_bounces_from_an_imap_folder_and_stops_while_the_server_keeps_silent(tmp_path: Path) -> None:
    """Told to stop in the middle of a silent dialogue, it does not wait for the server."""
    database = open_database(f"sqlite:///{tmp_path / 'postbench.db'}")
    left = link("https://us.test", token(Vault.open(None, tmp_path).sign, "jane@shop.test", "gone"))
    with LabImap(tls=True) as imap:
        uid = imap.add(returned(POSTFIX, "jane", f"<{left}>"))
        login = f"{quote(imap.user)}:{quote(imap.password, safe='')}"
        url = f"imaps://{login}@{imap.host}:{imap.port}/INBOX?verify=off"
        process = start_engine(tmp_path, POSTBENCH_BOUNCE_URL=url, POSTBENCH_BOUNCE_SECONDS="1")
        try:
            wait_until(lambda: imap.seen() == [uid], "the bounce to be read", tmp_path)
            assert suppressions.get(database, "jane@shop.test").source == "bounce"
            imap.hang = "SEARCH"
            before = imap.commands["SEARCH"]
            wait_until(lambda: imap.commands["SEARCH"] > before, "the next look", tmp_path)
            process.send_signal(signal.SIGTERM)
            assert process.wait(20) == 0, (tmp_path / "engine.log").read_text()
        finally:
            process.kill()
            process.wait()
    said = (tmp_path / "engine.log").read_text()
    assert "bounces read" in said and quote(imap.password, safe="") not in said and imap.password not in said
    database.close()


def test_it_outlives_its_parent_while_there_is_work(tmp_path: Path) -> None:
    database = open_database(f"sqlite:///{tmp_path / 'postbench.db'}")
    vault = Vault.open(None, tmp_path)
    script = (
        "import os, subprocess, sys, time\n"
        "subprocess.Popen([sys.executable, '-m', 'engine', '--parent', str(os.getpid())], start_new_session=True)\n"
        "time.sleep(600)\n"
    )
    with (tmp_path / "engine.log").open("ab") as log:
        parent = subprocess.Popen([sys.executable, "-c", script], cwd=ROOT, env=environment(tmp_path), stdout=log, stderr=log)
    wait_until(lambda: bool(living(database)), "the engine to start")
    [child] = engines.living(database)
    parent.kill()
    parent.wait()
    try:
        job_id = submit(database, vault, Request(registry()["generate-emails"], {"count": 100_000})).job_id
        wait_until(lambda: get(database, job_id).ended, "the job to end")
        assert get(database, job_id).status == "completed"
        assert [record.id for record in engines.living(database)] == [child.id]
    finally:
        os.kill(child.pid, signal.SIGTERM)
    wait_until(lambda: not living(database), "the engine to end")
    database.close()
