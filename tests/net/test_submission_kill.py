"""A relay that is killed again and again: what was sent it has, what is to be tried again it has not."""

from __future__ import annotations

import asyncio
import os
import signal
import subprocess
import sys
from functools import partial
from pathlib import Path

import pytest

from engine.net import submission_pool
from engine.net.guard import Guard
from engine.net.submission import Receipt, Result
from engine.net.submission_smtp import Limits, SmtpTransport, Waits
from engine.net.submission_url import relay_of
from tests.lab.receiver import recorded
from tests.lab.running import ROOT, free_port, until
from tests.net.submitting import letter, unarmed

LETTERS, KILLS, CONNECTIONS = 400, 4, 8


class Killed:
    """A relay in a process of its own, on one port, with one record."""

    def __init__(self, record: Path) -> None:
        self._record, self.port = record, free_port()
        self._child: subprocess.Popen[bytes] | None = None

    def start(self) -> None:
        command = [sys.executable, "-m", "tests.lab.receiver", "--port", str(self.port), "--record", str(self._record)]
        manner = '{"delay": 0.001}'
        child = subprocess.Popen([*command, "--manner", manner], cwd=ROOT, stdin=subprocess.PIPE, stdout=subprocess.PIPE)
        assert child.stdout is not None
        self._child = child
        assert int(child.stdout.readline()) == self.port

    def kill(self) -> None:
        child, self._child = self._child, None
        assert child is not None
        os.kill(child.pid, signal.SIGKILL)
        child.communicate()


async def test_receipts_are_true_whenever_the_relay_dies(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(submission_pool, "FIRST_PAUSE", 0.05)
    record = tmp_path / "record"
    relay = Killed(record)
    await asyncio.to_thread(relay.start)
    transport = SmtpTransport(
        relay_of(f"smtp://127.0.0.1:{relay.port}"),
        Guard(trusted=frozenset({("127.0.0.1", relay.port)})),
        "here.test",
        limits=Limits(connections=CONNECTIONS),
        waits=Waits(10.0, 10.0, 10.0, 10.0),
    )
    receipts: dict[str, Receipt] = {}
    waiting = iter([f"ok.{number}@two.test" for number in range(LETTERS)])

    async def work() -> None:
        for address in waiting:
            receipts[address] = await transport.deliver(letter(address), unarmed)

    def reached(count: int) -> bool:
        return len(receipts) >= count

    workers = [asyncio.create_task(work()) for _ in range(CONNECTIONS)]
    for number in range(1, KILLS + 1):
        await until(partial(reached, number * LETTERS // (KILLS + 1)))
        await asyncio.to_thread(relay.kill)
        await asyncio.to_thread(relay.start)
    await asyncio.gather(*workers)
    await transport.close()
    await asyncio.to_thread(relay.kill)
    kept = [message.recipient for message in recorded(record)]
    by_result = {result: {name for name, receipt in receipts.items() if receipt.result is result} for result in Result}
    assert len(kept) == len(set(kept)), "delivered twice"
    assert by_result[Result.SENT] <= set(kept), "said to be sent, and lost"
    assert not by_result[Result.RETRY] & set(kept), "would be delivered twice"
    assert len(by_result[Result.IN_DOUBT]) <= KILLS * CONNECTIONS
    assert len(by_result[Result.SENT]) > LETTERS // 2
    assert sum(map(len, by_result.values())) == LETTERS
