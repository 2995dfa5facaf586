"""The duty of reading bounces: what is kept, what is not, and that nothing is lost or counted twice."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from functools import partial
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import insert
from structlog.testing import capture_logs

from engine.durable import bounces, suppressions
from engine.durable.bounces import BounceIn
from engine.durable.database import Database
from engine.durable.sending_tables import deliveries
from engine.durable.vault import Vault
from engine.mail.unsubscribing import link, token
from engine.net.postbox import LIMIT, FakePostbox, MaildirPostbox
from engine.sending.bouncing import Bouncing, keep
from tests.durable.running import engine, until
from tests.durable.store import new_job
from tests.mail import bounce_samples as samples
from tests.mail.message.letters import sign
from tests.toys import COUNT

JANE = "jane@shop.test"


class Kept:
    """Keeps in memory; fails as often as told."""

    def __init__(self, failures: int = 0) -> None:
        self.failures = failures
        self.found: dict[str, BounceIn] = {}
        self.calls = 0

    def __call__(self, found: Sequence[BounceIn]) -> int:
        self.calls += 1
        if self.failures:
            self.failures -= 1
            raise OSError("the disk is gone")
        new = {entry.digest: entry for entry in found if entry.digest not in self.found}
        self.found |= new
        return len(new)


def box(*messages: bytes) -> FakePostbox:
    return FakePostbox({str(number): message for number, message in enumerate(messages)})


async def test_bounces_are_kept_by_key_and_everything_is_marked_as_read() -> None:
    postbox, kept = box(samples.POSTFIX.replace(JANE.encode(), b"Jane@Shop.TEST"), samples.ORDINARY, b"\xff"), Kept()
    await Bouncing(postbox, kept, sign, clock=lambda: 12.5).read_bounces()
    [entry] = kept.found.values()
    assert (entry.address, entry.kind, entry.status, entry.message_id) == (JANE, "hard", "5.1.1", samples.ORIGINAL_ID)
    assert entry.at == 12_500
    assert postbox.read == {"0", "1", "2"}
    assert postbox.closes == 1


async def test_it_reads_until_nothing_is_new() -> None:
    postbox, kept = box(*(samples.POSTFIX.replace(b"4F2aBc1234", b"%d" % number) for number in range(3 * LIMIT + 1))), Kept()
    await Bouncing(postbox, kept, sign).read_bounces()
    assert (len(kept.found), len(postbox.read)) == (3 * LIMIT + 1, 3 * LIMIT + 1)


async def test_what_was_not_kept_is_read_again() -> None:
    postbox, kept = box(samples.POSTFIX), Kept(failures=1)
    bouncing = Bouncing(postbox, kept, sign)
    with pytest.raises(OSError, match="disk"):
        await bouncing.read_bounces()
    assert postbox.read == set()
    await bouncing.read_bounces()
    assert (len(kept.found), postbox.read) == (1, {"0"})


async def test_what_was_kept_and_not_marked_is_kept_once() -> None:
    postbox, kept = box(samples.POSTFIX), Kept()
    await Bouncing(postbox, kept, sign).read_bounces()
    postbox.read.clear()
    await Bouncing(postbox, kept, sign).read_bounces()
    assert (len(kept.found), kept.calls) == (1, 2)


async def test_a_postbox_that_keeps_everything_as_new_does_not_keep_the_duty_busy() -> None:
    class Forgetful(FakePostbox):
        async def done(self, keys: Any) -> None:
            pass

    postbox = Forgetful({"0": samples.POSTFIX})
    with capture_logs() as logs:
        await Bouncing(postbox, Kept(), sign).read_bounces()
    assert postbox.fetches == 2
    assert [line["reason"] for line in logs if line["log_level"] == "warning"] == ["What was read stays unread."]


async def test_trouble_is_said_once_and_again_after_it_was_over() -> None:
    postbox = box()
    bouncing = Bouncing(postbox, Kept(), sign)
    with capture_logs() as logs:
        for trouble in ("no server", "no server", "", "no server"):
            postbox.trouble = trouble
            await bouncing.read_bounces()
    assert [line["reason"] for line in logs] == ["no server", "no server"]
    assert postbox.closes == 4


async def test_logs_count_and_name_nobody() -> None:
    with capture_logs() as logs:
        await Bouncing(box(samples.POSTFIX, samples.FULL, samples.COMPLAINT), Kept(), sign).read_bounces()
    assert logs == [{"event": "bounces read", "log_level": "info", "messages": 3, "new": 3, "hard": 1, "soft": 1, "complaint": 1}]


async def test_a_report_without_an_address_is_left_out() -> None:
    block = "Reporting-MTA: dns; a.test\n\nFinal-Recipient: rfc822; jane\nAction: failed\nStatus: 5.1.1\n"
    kept = Kept()
    postbox = box(samples.report(block))
    await Bouncing(postbox, kept, sign).read_bounces()
    assert (kept.calls, postbox.read) == (0, {"0"})


def link_of(key: str, job_id: str = "gone") -> str:
    return f"<mailto:leave@us.test>, <{link('https://us.test', token(sign, key, job_id))}>"


async def test_hard_suppresses_soft_counts_and_a_complaint_is_one(database: Database) -> None:
    found = {"ann": samples.POSTFIX, "bob": samples.FULL, "cat": samples.COMPLAINT}
    messages = [samples.returned(message, name, link_of(f"{name}@shop.test")) for name, message in found.items()]
    await Bouncing(box(*messages), partial(keep, database), sign).read_bounces()
    listed = suppressions.find(database, [f"{name}@shop.test" for name in found])
    assert {address: (entry.source, entry.job_id) for address, entry in listed.items()} == {
        "ann@shop.test": ("bounce", "gone"),
        "cat@shop.test": ("complaint", "gone"),
    }
    assert bounces.soft_count(database, "bob@shop.test") == 1
    assert len(bounces.of(database, "ann@shop.test")) == 1


@pytest.mark.parametrize("message", [samples.POSTFIX, samples.COMPLAINT], ids=["bounce", "complaint"])
async def test_a_report_that_anybody_could_write_suppresses_nobody(database: Database, message: bytes) -> None:
    """One without a link of ours, with a forged one, and with that to somebody else's mailbox, which is the only one to count."""
    forged = link_of(JANE).replace(">", "x>")
    reports = [message, samples.returned(message, "jane", forged), samples.returned(message, "jane", link_of("eve@shop.test"))]
    with capture_logs() as logs:
        await Bouncing(box(*reports), partial(keep, database), sign).read_bounces()
    assert sorted(suppressions.find(database, [JANE, "eve@shop.test"])) == ["eve@shop.test"]
    assert [line["reports"] for line in logs if line["event"] == "reports on no message of ours"] == [2]


async def test_two_engines_on_one_postbox_keep_each_report_once(database: Database) -> None:
    messages = [samples.POSTFIX.replace(b"jane", b"user%d" % number) for number in range(2 * LIMIT)]
    postbox = box(*messages)
    await asyncio.gather(*(Bouncing(postbox, partial(keep, database), sign).read_bounces() for _ in range(3)))
    assert {len(bounces.of(database, f"user{number}@shop.test")) for number in range(2 * LIMIT)} == {1}


async def test_an_engine_reads_its_postbox_at_once_and_the_bounce_finds_its_delivery(
    database: Database, vault: Vault, tmp_path: Path
) -> None:
    """Whom we wrote to is suppressed, though the report names where that was forwarded to."""
    (tmp_path / "new").mkdir()
    (tmp_path / "new" / "1").write_bytes(samples.POSTFIX.replace(b"jane@shop.test", b"forwarded@elsewhere.test"))
    job_id = new_job(database, vault, count=1)
    row = {"job_id": job_id, "recipient": JANE, "item": 0, "domain": "shop.test", "message_id": samples.ORIGINAL_ID}
    with database.write() as connection:
        connection.execute(insert(deliveries).values(**row, state="sent", attempts=1, hard=False, sent_at=1, updated_at=1))
    bouncing = Bouncing(MaildirPostbox(tmp_path), partial(keep, database), sign)
    async with engine(database, vault, COUNT, further=[(bouncing.read_bounces, 3_600.0)]):
        await until((tmp_path / "cur" / "1:2,S").exists, "the message to be marked as read")
    assert suppressions.get(database, JANE).job_id == job_id
