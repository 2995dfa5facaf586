"""SIGKILL the engine, then the relay, while messages go out: none delivered twice, none lost, few in doubt."""

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

from engine.durable.chunks import stream_tables
from engine.durable.database import Database
from engine.durable.migrate import open_database
from engine.durable.queries import get
from engine.durable.submit import Request, submit
from engine.durable.vault import Vault
from engine.jobs import registry
from engine.net.submission_pool import Limits
from tests.crash.harness import ROOT, start_engine, wait_until
from tests.lab.receiver import Receiver, recorded, told
from tests.lab.running import HOST, PATIENCE

pytestmark = pytest.mark.slow
SEND = registry()["send-emails"]
RECIPIENTS = int(os.environ.get("POSTBENCH_TEST_RECIPIENTS", "400"))
CONNECTIONS = Limits().connections


def submitted(folder: Path) -> tuple[Database, str]:
    """A job to 400 recipients, not yet begun."""
    database = open_database(f"sqlite:///{folder / 'postbench.db'}")
    params = {
        "recipients": [{"email": f"r{n}@lab.test", "first_name": f"Name {n}"} for n in range(RECIPIENTS)],
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


def table(database: Database, job_id: str) -> pa.Table:
    job = get(database, job_id)
    assert job.status == "completed", f"{job.status}: {job.error_message}"
    return pa.concat_tables(stream_tables(database, job_id, "output"))


def check(rows: pa.Table, accepted: Counter[str], kills: int) -> None:
    """The promises, from what the relay took and what the table says."""
    status = dict(zip(rows["email"].to_pylist(), rows["status"].to_pylist(), strict=True))
    assert len(status) == RECIPIENTS
    assert [address for address, times in accepted.items() if times > 1] == [], "delivered twice"
    assert [a for a, said in status.items() if said == "sent" and accepted[a] != 1] == [], "said to be sent, and lost"
    assert set(status.values()) <= {"sent", "in_doubt"}, Counter(status.values())
    in_doubt = [address for address, said in status.items() if said == "in_doubt"]
    print(f"{kills} kills, {len(in_doubt)} in doubt, of which {sum(accepted[a] for a in in_doubt)} had arrived")
    assert len(in_doubt) <= CONNECTIONS * kills, "more in doubt than there were connections"
    assert rows["email"].to_pylist() == [f"r{n}@lab.test" for n in range(RECIPIENTS)], "in the order of the list"


def test_kills_of_the_engine_while_sending(tmp_path: Path) -> None:
    chance, kills = dice(), 0
    database, job_id = submitted(tmp_path)
    with Receiver() as relay:
        relay.set(delay=0.04)
        while not get(database, job_id).ended:
            before = len(relay.messages)
            process = start_engine(tmp_path, **settings(relay.port))
            try:
                wait_until(lambda: len(relay.messages) > before or get(database, job_id).ended, "a message", tmp_path)  # noqa: B023
                time.sleep(chance.uniform(0.3, 0.5))
            finally:
                process.send_signal(signal.SIGKILL)
                process.wait()
            kills += not get(database, job_id).ended
        accepted = Counter(relay.accepted)
    assert kills >= 5, "the job was too short to be disturbed"
    check(table(database, job_id), accepted, kills)
    database.close()


@contextmanager
def relay_process(record: Path, port: int = 0) -> Iterator[tuple[subprocess.Popen[bytes], int]]:
    """A relay that keeps its messages in a file, and can be killed."""
    command = [sys.executable, "-m", "tests.lab.receiver", "--record", str(record), "--port", str(port)]
    process = subprocess.Popen(command, cwd=ROOT, stdin=subprocess.PIPE, stdout=subprocess.PIPE)
    assert process.stdin is not None and process.stdout is not None
    try:
        found = int(process.stdout.readline())
        told(found, {"delay": 0.04})
        yield process, found
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
    with relay_process(record) as (_, port):
        pass
    process = start_engine(tmp_path, **settings(port))
    try:
        while not get(database, job_id).ended:
            before = sum(arrived(record).values())
            with relay_process(record, port):
                wait_until(_more(database, job_id, record, before), "a message", tmp_path)
                time.sleep(chance.uniform(0.3, 0.5))
            kills += not get(database, job_id).ended
        rows = table(database, job_id)
    finally:
        process.terminate()
        assert process.wait(PATIENCE) == 0
    assert kills >= 5, "the job was too short to be disturbed"
    check(rows, arrived(record), kills)
    database.close()


def _more(database: Database, job_id: str, record: Path, before: int) -> Callable[[], bool]:
    return lambda: sum(arrived(record).values()) > before or get(database, job_id).ended
