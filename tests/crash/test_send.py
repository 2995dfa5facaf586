"""Kill, stop and freeze the engine, or kill the relay, while messages go out: none twice, none lost, few in doubt."""

from __future__ import annotations

import os
import random
import signal
import subprocess
import sys
import time
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import pyarrow as pa
import pytest

from engine.durable import delivery_pages, resolution
from engine.durable.chunks import stream_tables
from engine.durable.database import Database
from engine.durable.ledger import State
from engine.durable.migrate import open_database
from engine.durable.queries import get
from engine.durable.submit import Request, submit
from engine.durable.vault import Vault
from engine.jobs import registry
from engine.net.submission_pool import Limits
from tests.conftest import Server
from tests.crash.harness import ROOT, start_engine, wait_until
from tests.durable.store import age
from tests.lab.receiver import Receiver, recorded, told
from tests.lab.running import HOST, PATIENCE, free_port

pytestmark = pytest.mark.slow
SEND = registry()["send-emails"]
RECIPIENTS = int(os.environ.get("POSTBENCH_TEST_RECIPIENTS", "400"))
CONNECTIONS = Limits().connections


def submitted(folder: Path, count: int = RECIPIENTS, url: str = "") -> tuple[Database, str]:
    """A job to 400 recipients, not yet begun."""
    database = open_database(url or f"sqlite:///{folder / 'postbench.db'}")
    params = {
        "recipients": [{"email": f"r{n}@lab.test", "first_name": f"Name {n}"} for n in range(count)],
        "from": "Ada <ada@sender.test>",
        "subject": "Hello {{ first_name }}",
        "text": "You are number {{ first_name }}.",
        "postalAddress": "1 High Street, London",
        "consentBasis": "customer",
        "transport": "smtp",
    }
    return database, submit(database, Vault.open(None, folder), Request(SEND, params)).job_id


def settings(port: int) -> dict[str, str]:
    return {
        "POSTBENCH_SMTP_URL": f"smtp://{HOST}:{port}",
        "POSTBENCH_SEND_RETRY_SECONDS": "0.3",
        "POSTBENCH_HELO_NAME": "lab.test",
    }


def dice() -> random.Random:
    seed = int(os.environ.get("POSTBENCH_TEST_SEED") or time.time_ns())
    print(f"seed {seed}")
    return random.Random(seed)


def check(database: Database, job_id: str, accepted: Counter[str], most_in_doubt: int, count: int = RECIPIENTS) -> None:
    """The promises, from what the relay took, and what table, ledger and counts say."""
    job = get(database, job_id)
    assert job.status == "completed", f"{job.status}: {job.error_message}"
    rows = pa.concat_tables(stream_tables(database, job_id, "output"))
    assert rows["email"].to_pylist() == [f"r{n}@lab.test" for n in range(count)], "a row for everybody, in the order of the list"
    status = dict(zip(rows["email"].to_pylist(), rows["status"].to_pylist(), strict=True))
    assert [address for address, times in accepted.items() if times > 1] == [], "delivered twice"
    assert [a for a, said in status.items() if said == "sent" and accepted[a] != 1] == [], "said to be sent, and lost"
    assert set(status.values()) <= {"sent", "in_doubt"}, Counter(status.values())
    in_doubt = [address for address, said in status.items() if said == "in_doubt"]
    print(f"{len(in_doubt)} in doubt, of which {sum(accepted[a] for a in in_doubt)} had arrived")
    assert len(in_doubt) <= most_in_doubt, "more in doubt than there were connections"
    assert sorted(one.recipient for one in resolution.in_doubt(database, job_id)) == sorted(in_doubt), "the ledger says so, too"
    assert delivery_pages.counts(database, job_id) == job.counts == Counter(status.values())
    assert (job.processed_items, job.success_count, job.failed_count) == (count, count - len(in_doubt), len(in_doubt))


def killed(folder: Path, database: Database, job_id: str, relay: Receiver, **more: str) -> int:
    """How often the engine was killed until the job had ended."""
    chance, kills = dice(), 0
    while not get(database, job_id).ended:
        before = len(relay.messages)
        process = start_engine(folder, **settings(relay.port), **more)
        try:
            wait_until(lambda: len(relay.messages) > before or get(database, job_id).ended, "a message", folder)  # noqa: B023
            time.sleep(chance.uniform(0.3, 0.5))
        finally:
            process.send_signal(signal.SIGKILL)
            process.wait()
        kills += not get(database, job_id).ended
    return kills


def test_kills_of_the_engine_while_sending(tmp_path: Path) -> None:
    database, job_id = submitted(tmp_path)
    with Receiver() as relay:
        relay.set(delay=0.04)
        kills = killed(tmp_path, database, job_id, relay)
        accepted = Counter(relay.accepted)
    assert kills >= 5, "the job was too short to be disturbed"
    check(database, job_id, accepted, CONNECTIONS * kills)
    database.close()


@pytest.mark.postgres
def test_kills_while_sending_on_postgresql(postgres: Server, tmp_path: Path) -> None:
    with postgres.fresh() as url:
        database, job_id = submitted(tmp_path, 100, url)
        with Receiver() as relay:
            relay.set(delay=0.06)
            kills = killed(tmp_path, database, job_id, relay, POSTBENCH_DATABASE_URL=url)
            accepted = Counter(relay.accepted)
        assert kills >= 1
        check(database, job_id, accepted, CONNECTIONS * kills, 100)
        database.close()


def test_an_engine_that_is_told_to_stop_leaves_nothing_in_doubt(tmp_path: Path) -> None:
    database, job_id = submitted(tmp_path, 300)
    stops = 0
    with Receiver() as relay:
        relay.set(delay=0.1)  # more than the engine waits for when it is told to stop
        while not get(database, job_id).ended:
            before = len(relay.messages)
            process = start_engine(tmp_path, **settings(relay.port))
            try:
                wait_until(lambda: len(relay.messages) > before + 20 or get(database, job_id).ended, "messages", tmp_path)  # noqa: B023
                process.terminate()
                assert process.wait(PATIENCE) == 0
            finally:
                process.kill()
            stops += not get(database, job_id).ended
            states = delivery_pages.counts(database, job_id)
            assert states.get(State.SENT, 0) == sum(relay.accepted.values()), "what the relay has, the ledger knows"
            assert not states.keys() & {State.ARMED, State.IN_DOUBT}
        accepted = Counter(relay.accepted)
    assert stops >= 1, "the job was too short to be disturbed"
    check(database, job_id, accepted, 0, 300)
    database.close()


def test_an_engine_that_was_frozen_finds_its_job_taken_and_tells_what_it_knows(tmp_path: Path) -> None:
    database, job_id = submitted(tmp_path, 150)
    with Receiver() as relay:
        relay.set(delay=0.05)
        frozen = start_engine(tmp_path, **settings(relay.port))
        other = None
        try:
            wait_until(lambda: len(relay.messages) > 10, "messages", tmp_path)
            frozen.send_signal(signal.SIGSTOP)
            age(database, job_id, lease_until=0)  # as after 30 seconds
            taken = sum(relay.accepted.values())
            other = start_engine(tmp_path, **settings(relay.port))
            wait_until(lambda: sum(relay.accepted.values()) > taken + 30, "the other engine to send", tmp_path)
            frozen.send_signal(signal.SIGCONT)
            wait_until(lambda: get(database, job_id).ended, "the job's end", tmp_path)
            for process in (frozen, other):
                process.terminate()
                assert process.wait(PATIENCE) == 0
        finally:
            for process in filter(None, (frozen, other)):
                process.kill()
                process.wait()
        accepted = Counter(relay.accepted)
    check(database, job_id, accepted, 0, 150)
    assert sum(accepted.values()) == 150, "it had not died: the server's answers were heard, and nothing is in doubt"
    database.close()


def test_the_death_of_the_web_process_stops_no_message(tmp_path: Path) -> None:
    database, job_id = submitted(tmp_path, 100)
    parent = subprocess.Popen([sys.executable, "-c", "input()"], stdin=subprocess.PIPE)
    with Receiver() as relay:
        relay.set(delay=0.04)
        process = start_engine(tmp_path, "--parent", str(parent.pid), **settings(relay.port))
        try:
            wait_until(lambda: len(relay.messages) > 10, "messages", tmp_path)
            parent.kill()
            parent.communicate()
            wait_until(lambda: get(database, job_id).ended, "the job's end", tmp_path)
        finally:
            process.terminate()
            assert process.wait(PATIENCE) == 0
        accepted = Counter(relay.accepted)
    check(database, job_id, accepted, 0, 100)
    database.close()


@contextmanager
def relay_process(record: Path, port: int) -> Iterator[None]:
    """A relay that keeps its messages in a file, and can be killed."""
    command = [sys.executable, "-m", "tests.lab.receiver", "--record", str(record), "--port", str(port)]
    process = subprocess.Popen(command, cwd=ROOT, stdin=subprocess.PIPE, stdout=subprocess.PIPE)
    assert process.stdin is not None and process.stdout is not None
    try:
        found = int(process.stdout.readline())
        told(found, {"delay": 0.04})
        yield
    finally:
        process.kill()
        process.wait()
        process.stdin.close()
        process.stdout.close()


def arrived(record: Path) -> Counter[str]:
    return Counter(message.recipient for message in recorded(record)) if record.exists() else Counter()


def test_kills_of_the_relay_while_sending(tmp_path: Path) -> None:
    chance, kills, record = dice(), 0, tmp_path / "taken"
    database, job_id = submitted(tmp_path)
    port = free_port()
    process = start_engine(tmp_path, **settings(port))
    try:
        while not get(database, job_id).ended:
            before = sum(arrived(record).values())
            with relay_process(record, port):
                wait_until(_more(database, job_id, record, before), "a message", tmp_path)
                time.sleep(chance.uniform(0.3, 0.5))
            kills += not get(database, job_id).ended
    finally:
        process.terminate()
        assert process.wait(PATIENCE) == 0
    assert kills >= 5, "the job was too short to be disturbed"
    check(database, job_id, arrived(record), CONNECTIONS * kills)
    database.close()


def _more(database: Database, job_id: str, record: Path, before: int) -> Callable[[], bool]:
    return lambda: sum(arrived(record).values()) > before or get(database, job_id).ended
