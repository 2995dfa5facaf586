"""Two processes that both believe to hold a job, as after a lost connection to a worker: each message is armed by one of them."""

from __future__ import annotations

import subprocess
import sys
from collections import Counter
from pathlib import Path
from typing import Any

from engine.durable.database import Database
from engine.durable.delivery_pages import counts
from engine.durable.ledger import State
from engine.durable.vault import Vault
from tests.durable.store import running_job

ROOT = Path(__file__).resolve().parents[2]
CODE = """
import asyncio, sys
from engine.durable.contract import JobRef
from engine.durable.database import Database
from engine.durable.ledger import Fresh, LeaseLost, Outcome, State
from engine.durable.stored_ledger import StoredLedger

async def main(url, job, lease):
    ledger, ref = StoredLedger(lambda: Database(url)), JobRef(job, lease=int(lease))
    names = [f"p{number}@x.org" for number in range(200)]
    entries = await ledger.open(ref, [Fresh(name, 0, "x.org", name) for name in names])
    print("ready", flush=True)
    sys.stdin.readline()
    due = iter(names)

    async def connection():
        for name in due:
            if entries[name].state is not State.QUEUED:
                continue
            attempt = await ledger.intend(ref, name)
            try:
                await ledger.arm(ref, name, attempt)
            except LeaseLost:
                await ledger.settle(ref, Outcome(name, attempt, State.QUEUED, 1))
                continue
            print(name, flush=True)
            assert await ledger.settle(ref, Outcome(name, attempt, State.SENT, 1))

    await asyncio.gather(*[connection() for _ in range(4)])
    await ledger.close()

asyncio.run(main(*sys.argv[1:]))
"""


def test_each_message_is_armed_by_one_of_them(database: Database, vault: Vault) -> None:
    job = running_job(database, vault)
    url = database.url.render_as_string(hide_password=False)
    pipes: dict[str, Any] = {"stdin": subprocess.PIPE, "stdout": subprocess.PIPE, "stderr": subprocess.STDOUT, "text": True}
    command = [sys.executable, "-c", CODE, url, job.id, str(job.lease)]
    started = [subprocess.Popen(command, cwd=ROOT, **pipes) for _ in range(2)]
    for process in started:
        assert process.stdout is not None and process.stdout.readline() == "ready\n"
    for process in started:
        assert process.stdin is not None
        process.stdin.write("go\n")
        process.stdin.flush()
    said = [process.communicate(timeout=120)[0] for process in started]
    assert [process.returncode for process in started] == [0, 0], "\n".join(said)
    armed = Counter(line for text in said for line in text.split())
    assert len(armed) == 200 and set(armed.values()) == {1}
    assert counts(database, job.id) == {State.SENT: 200}
