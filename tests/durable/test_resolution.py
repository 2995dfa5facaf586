"""Deciding about messages in doubt: the ledger, the result and the counts say the same, whatever else happens meanwhile."""

from __future__ import annotations

from typing import Any

import pyarrow as pa
import pytest
from sqlalchemy import insert, select, update

from engine.durable import control, deliveries, delivery_pages, engines, resolution
from engine.durable.chunks import encode, parts_of, raw_chunk, spans, stream_tables
from engine.durable.clock import now_ms
from engine.durable.commit import Finished, Part, commit
from engine.durable.compaction import compact
from engine.durable.contract import Done, JobRef
from engine.durable.database import Database
from engine.durable.delivery_rules import Arming, Call, Opening, Settling
from engine.durable.filters import Where
from engine.durable.ledger import State
from engine.durable.queries import Filter, get
from engine.durable.resolution import TREATED, in_doubt, in_doubt_rows, mark_resent, treat_as_sent
from engine.durable.results import Results
from engine.durable.schema import CATEGORY, TIMESTAMP, hidden
from engine.durable.sending_tables import deliveries as delivery_rows
from engine.durable.states import Status
from engine.durable.tables import Job, chunks, jobs
from engine.durable.totals import Totals
from engine.durable.vault import Vault
from engine.errors import NotFound, WrongState
from tests.durable.ledger_world import fresh, outcome
from tests.durable.store import claim_one, reasons, running_job

BATCH = 4
DOUBTFUL = {1, 2, 6, 9}
SCHEMA = pa.schema(
    [
        pa.field("email", pa.string(), metadata={"description": "as given"}),
        pa.field("status", CATEGORY, False, {"description": "what became of it"}),
        pa.field("message_id", pa.string()),
        pa.field("sent_at", TIMESTAMP),
        pa.field("error", pa.string()),
    ]
)


def address(number: int) -> str:
    return f"p{number:02}@x.org"


class Sending:
    """A job of twelve messages in three batches; four are in doubt."""

    def __init__(self, database: Database, vault: Vault) -> None:
        self.database = database
        self.job: Job = running_job(database, vault, count=12, batch=BATCH)
        self.id = self.job.id
        ref = JobRef(self.id, lease=self.job.lease)
        names = [address(number) for number in range(12)]
        calls: list[Call] = [Opening(ref, [fresh(name, number) for number, name in enumerate(names)])]
        for number, name in enumerate(names):
            state = State.IN_DOUBT if number in DOUBTFUL else State.SENT
            calls += [Arming(ref, name, 1), Settling(ref, outcome(name, 1, state, 1_000 + number, error="lost"), armed=True)]
        deliveries.write(database, calls)

    def rows(self, batch: int) -> pa.Table:
        """What the batch's rows are by the ledger."""
        found = []
        for one in delivery_pages.page(self.database, self.id).deliveries[batch * BATCH : (batch + 1) * BATCH]:
            row = {"email": one.recipient, "message_id": one.message_id, "error": one.error, "sent_at": one.sent_at}
            found.append({**row, "status": one.state})
        return pa.Table.from_pylist(found, schema=SCHEMA)

    def finish(self, *batches: int, outcome: Status | None = None) -> bool:
        """Commit batches as the engine that claimed the job; whether the fence held."""
        tables = [self.rows(number) for number in batches]
        outcomes = []
        for rows in tables:
            doubtful = rows.column("status").to_pylist().count("in_doubt")
            counts = {"sent": BATCH - doubtful, **({"in_doubt": doubtful} if doubtful else {})}
            outcomes.append(Done(rows, BATCH - doubtful, doubtful, counts, {"status": counts, "domain": {"x.org": BATCH}}))
        finished = [Finished(n, BATCH, encode(rows)) for n, rows in zip(batches, tables, strict=True)]
        totals = Totals.of(self.job).plus(outcomes)
        part = Part(self.id, "count", self.job.lease, self.job.engine_id or "", totals, finished, outcome=outcome, reason="done")
        return bool(commit(self.database, [part]))

    def table(self) -> pa.Table:
        return pa.concat_tables(stream_tables(self.database, self.id, "output"))

    def doubtful(self) -> set[int]:
        """Rows of the result that are in doubt."""
        rows = self.table()
        pairs = zip(rows.column("email").to_pylist(), rows.column("status").to_pylist(), strict=True)
        return {int(email[1:3]) for email, status in pairs if status == "in_doubt"}

    def check(self, doubtful: set[int]) -> None:
        """Ledger, result and counts agree."""
        assert {one.item for one in in_doubt(self.database, self.id)} == doubtful
        assert self.doubtful() == doubtful
        job, rows = get(self.database, self.id), self.table().num_rows
        assert (job.processed_items, job.success_count, job.failed_count) == (rows, rows - len(doubtful), len(doubtful))
        expected = {"sent": rows - len(doubtful), **({"in_doubt": len(doubtful)} if doubtful else {})}
        assert job.counts == job.tallies["status"] == expected and job.tallies["domain"] == {"x.org": rows}


@pytest.fixture
def sending(database: Database, vault: Vault) -> Sending:
    return Sending(database, vault)


@pytest.fixture
def done(sending: Sending) -> Sending:
    """A completed job."""
    assert sending.finish(0, 1, 2, outcome=Status.COMPLETED)
    sending.check(DOUBTFUL)
    return sending


def test_messages_in_doubt_are_listed_in_order(done: Sending) -> None:
    found = in_doubt(done.database, done.id)
    assert [(one.recipient, one.item, one.at, one.attempts, one.error) for one in found] == [
        (address(number), number, 1_000 + number, 1, "lost") for number in sorted(DOUBTFUL)
    ]


@pytest.mark.parametrize("merged", [False, True])
def test_all_are_treated_as_sent(done: Sending, merged: bool) -> None:
    database = done.database
    if merged:
        assert compact(database, done.id) == 1
    before = done.table()
    filtered = Results(database)
    doubtful = Where.parse("status:in_doubt")
    assert filtered.page(done.id, SCHEMA, where=doubtful).total == 4
    assert treat_as_sent(database, done.id) == 4
    done.check(set())
    after = done.table()
    assert after.schema.equals(before.schema, check_metadata=True)
    for number, (old, new) in enumerate(zip(before.to_pylist(), after.to_pylist(), strict=True)):
        if number not in DOUBTFUL:
            assert old == new
        else:
            assert (new["status"], new["error"], new["sent_at"].timestamp()) == ("sent", TREATED, (1_000 + number) / 1000)
    (row,) = delivery_pages.page(database, done.id, q=address(6)).deliveries
    assert (row.state, row.resolution, row.sent_at, row.error) == ("sent", "sent", 1_006, TREATED)
    assert filtered.page(done.id, SCHEMA, where=doubtful).total == 0, "counts of filtered rows are out of date"
    revision = get(database, done.id).revision
    assert treat_as_sent(database, done.id) == 0 and get(database, done.id).revision == revision
    assert compact(database, done.id) == 1
    (span,) = spans(database, done.id, "output")
    merged_table = raw_chunk(database, done.id, "output", span)
    assert merged_table is not None and parts_of(merged_table, span) == [(0, 4), (1, 4), (2, 4)]


def test_some_are_treated_as_sent(done: Sending) -> None:
    assert treat_as_sent(done.database, done.id, [address(6), address(0), "nobody@x.org"]) == 1
    done.check(DOUBTFUL - {6})
    assert treat_as_sent(done.database, done.id, []) == 0
    assert treat_as_sent(done.database, done.id) == 3
    done.check(set())


def test_a_message_with_several_rows_counts_in_each(sending: Sending) -> None:
    """A mailbox that the list names twice."""
    rows = sending.rows(0)
    twice = pa.concat_tables([rows.slice(0, 2), rows.slice(1, 2)])
    counts = {"sent": 1, "in_doubt": 3}
    totals = Totals.of(sending.job).plus([Done(twice, 1, 3, counts, {"status": counts})])
    commit(sending.database, [Part(sending.id, "count", 1, sending.job.engine_id or "", totals, [Finished(0, 4, encode(twice))])])
    assert treat_as_sent(sending.database, sending.id, [address(1)]) == 1
    job = get(sending.database, sending.id)
    assert job.counts == {"sent": 3, "in_doubt": 1} and (job.success_count, job.failed_count) == (3, 1)


def test_a_batch_that_is_not_finished_reads_the_ledger(sending: Sending) -> None:
    assert treat_as_sent(sending.database, sending.id, [address(1)]) == 1
    sending.job = retaken(sending)
    assert sending.finish(0, 1, 2, outcome=Status.COMPLETED)
    sending.check(DOUBTFUL - {1})


def retaken(sending: Sending) -> Job:
    """The job, claimed anew: an engine that held it would count wrong."""
    assert get(sending.database, sending.id).engine_id is None
    job = claim_one(sending.database)
    assert job.id == sending.id
    return job


def test_an_engine_at_work_starts_over_with_the_new_counts(sending: Sending) -> None:
    assert sending.finish(0)
    sending.job = get(sending.database, sending.id)
    old = sending.rows(1)
    assert treat_as_sent(sending.database, sending.id) == 4
    assert not sending.finish(1), "its counts are old, and its rows may be"
    sending.job = retaken(sending)
    assert sending.finish(1, 2, outcome=Status.COMPLETED)
    sending.check(set())
    assert old.column("status").to_pylist().count("in_doubt") == 1
    assert any("treated as sent" in reason for _, _, reason in reasons(sending.database, sending.id))


@pytest.mark.parametrize("change", [control.pause, control.cancel])
def test_a_job_that_does_not_run_keeps_its_state(sending: Sending, change: Any) -> None:
    assert sending.finish(0, 1)
    change(sending.database, sending.id)
    status = get(sending.database, sending.id).status
    assert treat_as_sent(sending.database, sending.id) == 4
    sending.check(set())
    assert get(sending.database, sending.id).status == status
    control.resume(sending.database, sending.id)
    sending.job = claim_one(sending.database)
    assert sending.finish(2, outcome=Status.COMPLETED)
    sending.check(set())


@pytest.mark.parametrize("merged", [False, True])
def test_an_answer_that_comes_late_is_in_the_result_too(done: Sending, merged: bool) -> None:
    """The engine that handed it over was taken for dead and was only slow; another one has finished the job meanwhile."""
    if merged:
        assert compact(done.database, done.id) == 1
    ref = JobRef(done.id, lease=done.job.lease)
    taken = outcome(address(6), 1, State.SENT, 9_000, smtp_code=250)
    refused = outcome(address(1), 1, State.FAILED, 9_000, smtp_code=554, error="Spam.")
    assert deliveries.write(done.database, [Settling(ref, taken, armed=True), Settling(ref, refused, armed=True)]) == [True, True]
    rows = done.table().to_pylist()
    assert (rows[6]["status"], rows[6]["error"], rows[6]["sent_at"].timestamp()) == ("sent", None, 9.0)
    assert (rows[1]["status"], rows[1]["error"], rows[1]["sent_at"]) == ("failed", "Spam.", None)
    assert done.doubtful() == {one.item for one in in_doubt(done.database, done.id)} == {2, 9}
    job = get(done.database, done.id)
    assert job.counts == job.tallies["status"] == {"sent": 9, "failed": 1, "in_doubt": 2}
    assert (job.success_count, job.failed_count) == (9, 3)
    assert "came late" in reasons(done.database, done.id)[-1][2]


def test_an_answer_that_comes_late_reaches_the_engine_that_has_the_job_now(sending: Sending) -> None:
    assert sending.finish(0)
    sending.job = get(sending.database, sending.id)
    old, ref = sending.job, JobRef(sending.id, lease=sending.job.lease - 1)
    rows = sending.rows(1)
    late = outcome(address(6), 1, State.SENT, 1_006, error="lost")
    assert deliveries.write(sending.database, [Settling(ref, late, armed=True)]) == [True]
    assert not sending.finish(1) and rows.column("status")[2].as_py() == "in_doubt", "it would say so of what was sent"
    sending.job = retaken(sending)
    assert sending.job.lease > old.lease and sending.finish(1, 2, outcome=Status.COMPLETED)
    sending.check(DOUBTFUL - {6})


def test_what_was_armed_when_a_job_ended_is_in_doubt(sending: Sending) -> None:
    ref = JobRef(sending.id, lease=sending.job.lease)
    deliveries.write(sending.database, [Opening(ref, [fresh("z@x.org", 99)]), Arming(ref, "z@x.org", 1)])
    items = {one.item for one in in_doubt(sending.database, sending.id)}
    assert items == DOUBTFUL, "it is under way"
    control.cancel(sending.database, sending.id)
    assert {one.item for one in in_doubt(sending.database, sending.id)} == DOUBTFUL | {99}
    assert treat_as_sent(sending.database, sending.id, ["z@x.org"]) == 1
    (row,) = delivery_pages.page(sending.database, sending.id, q="z@").deliveries
    assert (row.state, row.resolution) == ("sent", "sent") and row.sent_at


def test_nobody_decides_about_a_message_while_an_engine_may_hear_the_answer(sending: Sending) -> None:
    ref, database = JobRef(sending.id, lease=sending.job.lease), sending.database
    deliveries.write(database, [Opening(ref, [fresh("z@x.org", 99)]), Arming(ref, "z@x.org", 1)])
    control.cancel(database, sending.id)
    engine = engines.register(database, "1")
    assert {one.item for one in in_doubt(database, sending.id)} == DOUBTFUL
    with pytest.raises(WrongState):
        database.transact(lambda c: mark_resent(c, sending.id, ["z@x.org"], "other"))
    assert treat_as_sent(database, sending.id, ["z@x.org"]) == 0
    late = (
        update(delivery_rows)
        .where(delivery_rows.c.recipient == "z@x.org")
        .values(updated_at=now_ms() - resolution.UNDER_WAY_MS - 1)
    )
    with database.write() as connection:
        before = connection.execute(select(delivery_rows.c.updated_at).where(delivery_rows.c.recipient == "z@x.org")).scalar_one()
        connection.execute(late)
    assert {one.item for one in in_doubt(database, sending.id)} == DOUBTFUL | {99}, "no server answers after so long"
    with database.write() as connection:
        connection.execute(update(delivery_rows).where(delivery_rows.c.recipient == "z@x.org").values(updated_at=before))
    engines.unregister(database, engine)
    assert {one.item for one in in_doubt(database, sending.id)} == DOUBTFUL | {99}, "nobody hears it any more"


def test_a_merge_and_a_decision_at_once(done: Sending, monkeypatch: pytest.MonkeyPatch) -> None:
    """The merge has read the rows when somebody decides: it may not bring them back."""
    honest = encode

    def then_decide(*given: Any) -> bytes:
        monkeypatch.setattr("engine.durable.compaction.encode", honest)
        payload = honest(*given)
        assert treat_as_sent(done.database, done.id) == 4
        return payload

    monkeypatch.setattr("engine.durable.compaction.encode", then_decide)
    with pytest.raises(WrongState):
        compact(done.database, done.id)
    done.check(set())
    assert compact(done.database, done.id) == 1
    done.check(set())


def test_a_decision_while_chunks_are_merged(done: Sending, monkeypatch: pytest.MonkeyPatch) -> None:
    honest = spans

    def then_merge(*given: Any) -> Any:
        monkeypatch.setattr("engine.durable.resolution.spans", honest)
        found = honest(*given)
        compact(done.database, done.id)
        return found

    monkeypatch.setattr("engine.durable.resolution.spans", then_merge)
    assert treat_as_sent(done.database, done.id) == 4
    done.check(set())


def test_a_batch_that_finishes_during_a_decision_is_seen(sending: Sending, monkeypatch: pytest.MonkeyPatch) -> None:
    honest = spans

    def then_finish(*given: Any) -> Any:
        monkeypatch.setattr("engine.durable.resolution.spans", honest)
        found = honest(*given)
        assert sending.finish(0)
        return found

    monkeypatch.setattr("engine.durable.resolution.spans", then_finish)
    assert treat_as_sent(sending.database, sending.id) == 4
    sending.check(set())


def test_a_decision_cut_short_is_made_again(done: Sending, monkeypatch: pytest.MonkeyPatch) -> None:
    honest, left = resolution._in_chunk, [1]

    def then_die(*given: Any) -> int:
        if not left:
            raise KeyboardInterrupt
        left.pop()
        return honest(*given)

    monkeypatch.setattr(resolution, "_in_chunk", then_die)
    with pytest.raises(KeyboardInterrupt):
        treat_as_sent(done.database, done.id)
    done.check({6, 9})
    monkeypatch.setattr(resolution, "_in_chunk", honest)
    assert treat_as_sent(done.database, done.id) == 2
    done.check(set())


def test_a_message_is_sent_again_once(done: Sending) -> None:
    database = done.database
    database.transact(lambda c: mark_resent(c, done.id, [address(1), address(2)], "new"))
    assert {one.item for one in in_doubt(database, done.id)} == {6, 9}
    with pytest.raises(WrongState, match="1 of these"):
        database.transact(lambda c: mark_resent(c, done.id, [address(2), address(6)], "another"))
    (row,) = delivery_pages.page(database, done.id, q=address(6)).deliveries
    assert row.resolution is None, "all or nothing"
    assert treat_as_sent(database, done.id) == 2
    assert done.doubtful() == {1, 2}
    (row,) = delivery_pages.page(database, done.id, q=address(1)).deliveries
    assert (row.state, row.resolution) == ("in_doubt", "resent:new")


def test_messages_that_deleted_jobs_were_to_send_again_are_to_be_decided_about_anew(done: Sending, vault: Vault) -> None:
    """One job sent one of two again and passed the other on to a third job; both jobs are deleted at once."""
    database, again, third = done.database, running_job(done.database, vault), running_job(done.database, vault)
    database.transact(lambda c: c.execute(update(jobs).where(jobs.c.id != done.id).values(params={"resends": done.id})))
    database.transact(lambda c: mark_resent(c, done.id, [address(1), address(2)], again.id))
    ref = JobRef(again.id, lease=again.lease)
    calls: list[Call] = [Opening(ref, [fresh(address(number), number) for number in (1, 2)])]
    for number, state in ((1, State.SENT), (2, State.IN_DOUBT)):
        calls += [Arming(ref, address(number), 1), Settling(ref, outcome(address(number), 1, state, 1_000), armed=True)]
    deliveries.write(database, calls)
    database.transact(lambda c: mark_resent(c, again.id, [address(2)], third.id))
    assert (control.cancel_all(database, Filter()), {one.item for one in in_doubt(database, done.id)}) == (2, {6, 9})
    assert control.remove_all(database, Filter(status=Status.CANCELLED)) == 2
    assert {one.item for one in in_doubt(database, done.id)} == {2, 6, 9}


def test_input_rows_come_back_with_their_hidden_columns(done: Sending) -> None:
    names = [address(number) for number in range(12)] + [address(1)]
    listed = hidden(pa.table({"email": [name.upper() for name in names], "_recipient": names}), "_recipient")
    for number, start in enumerate((0, 7)):
        piece = listed.slice(start, 7)
        values = {"job_id": done.id, "stream": "input", "number": number, "last": number, "row_count": piece.num_rows}
        done.database.transact(lambda c, v=values, p=piece: c.execute(insert(chunks), {**v, "payload": encode(p)}))  # type: ignore[misc]
    found = in_doubt_rows(done.database, done.id)
    assert found.column("_recipient").to_pylist() == [address(number) for number in (1, 2, 6, 9, 1)]
    assert found.schema.equals(listed.schema, check_metadata=True)
    assert in_doubt_rows(done.database, done.id, [address(9), address(0)]).column("email").to_pylist() == ["P09@X.ORG"]
    treat_as_sent(done.database, done.id)
    assert in_doubt_rows(done.database, done.id).num_rows == 0


def test_there_is_nothing_to_decide_about(database: Database, vault: Vault) -> None:
    with pytest.raises(NotFound):
        treat_as_sent(database, "no-such-job")
    with pytest.raises(NotFound):
        in_doubt_rows(database, "no-such-job")
    job = running_job(database, vault)
    assert in_doubt(database, job.id) == [] and treat_as_sent(database, job.id) == 0
