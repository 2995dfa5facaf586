"""Submitting: everything or nothing is stored, and an Idempotency-Key makes one job."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from threading import Barrier
from typing import Any

import pyarrow as pa
import pytest
from sqlalchemy import text

from engine.durable import control
from engine.durable.chunks import stream_tables
from engine.durable.database import Database
from engine.durable.queries import get, stats
from engine.durable.sources import InputReader
from engine.durable.states import Status
from engine.durable.submit import Request, Submitted, submit
from engine.durable.vault import Vault
from engine.errors import IdempotencyConflict, InvalidInput
from tests.durable.store import claim_one, commit_batches, complete, new_job, reasons, running_job
from tests.toys import COUNT, LOOK


def total(database: Database) -> int:
    return stats(database)["total"]


def rows_of(database: Database, job_id: str, column: str) -> list[Any]:
    return [value for table in stream_tables(database, job_id, "input") for value in table.column(column).to_pylist()]


def test_a_new_job_is_pending_with_its_plan_and_its_first_timeline_line(database: Database, vault: Vault) -> None:
    job = get(database, new_job(database, vault, count=10, batch=3, user_id="ann"))
    assert (job.status, job.total_items, job.batch_size, job.batches, job.user_id) == ("pending", 10, 3, 4, "ann")
    assert (job.processed_items, job.progress, job.lease, job.crashes) == (0, 0.0, 0, 0)
    assert job.created_at == job.updated_at or job.updated_at - job.created_at < 1000
    assert reasons(database, job.id) == [(None, "pending", "submitted")]


def test_free_choices_are_made_at_submit(database: Database, vault: Vault) -> None:
    seeds = {get(database, new_job(database, vault)).params["seed"] for _ in range(3)}
    assert len(seeds) == 3 and None not in seeds
    assert get(database, new_job(database, vault, seed=7)).params["seed"] == 7


def test_ids_are_unguessable_and_safe_in_a_url(database: Database, vault: Vault) -> None:
    ids = {new_job(database, vault) for _ in range(20)}
    assert len(ids) == 20
    assert all(len(i) == 26 and i.isalnum() and i == i.lower() for i in ids)


def test_a_list_of_strings_becomes_the_input_and_stays_out_of_the_parameters(database: Database, vault: Vault) -> None:
    emails = [f"user{n}@example.com" for n in range(9)]
    job = get(database, new_job(database, vault, LOOK, emails=emails))
    assert (job.total_items, job.batch_size, job.params) == (9, 4, {})
    assert rows_of(database, job.id, "email") == emails


def test_an_uploaded_table_keeps_all_its_columns(database: Database, vault: Vault) -> None:
    rows = pa.table({"email": ["a@x.org", None], "age": [1, 2], "tags": [["a"], []]})
    job_id = new_job(database, vault, LOOK, rows=rows)
    assert pa.concat_tables(stream_tables(database, job_id, "input")).equals(rows)


def test_a_long_input_is_stored_in_pieces_and_each_batch_gets_its_rows(
    database: Database, vault: Vault, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("engine.durable.sources.INPUT_ROWS", 5)
    job = get(database, new_job(database, vault, LOOK, rows=pa.table({"email": [str(n) for n in range(13)]})))
    reader = InputReader(database, job.id)
    assert reader.rows == 13
    plan = LOOK.plan(None, reader.source)
    batches = [reader.batch(plan, number, None) for number in range(plan.batches)]
    assert [b.rows.column(0).to_pylist() for b in batches if b.rows is not None] == [
        [str(n) for n in range(start, min(start + 4, 13))] for start in (0, 4, 8, 12)
    ]


@pytest.mark.parametrize(
    ("job_type", "wrong", "field"),
    [
        (COUNT, {"count": -1}, "count"),
        (COUNT, {"nonsense": 1}, "nonsense"),
        (COUNT, {"count": "many"}, "count"),
        (COUNT, {"rows": pa.table({"email": ["a"]})}, "fromJob"),
        (LOOK, {}, "emails"),
        (LOOK, {"emails": []}, "emails"),
        (LOOK, {"emails": ["a"], "from_job": "x"}, "fromJob"),
        (LOOK, {"from_job": "nobody"}, "fromJob"),
        (LOOK, {"rows": pa.table({"email": pa.array([], pa.string())})}, "emails"),
    ],
)
def test_a_wrong_request_names_the_field_and_leaves_no_job(
    database: Database, vault: Vault, job_type: Any, wrong: dict[str, Any], field: str
) -> None:
    with pytest.raises(InvalidInput) as caught:
        new_job(database, vault, job_type, **wrong)
    assert [problem.field for problem in caught.value.problems] == [field]
    assert "many" not in str(caught.value)
    assert total(database) == 0


@pytest.mark.parametrize("value", [2**70, "\ud800"])
def test_a_value_that_arrow_cannot_hold_becomes_text(database: Database, vault: Vault, value: Any) -> None:
    from engine.durable.schema import items_table

    table = items_table([{"x": value}, {"x": 1}], "email")
    assert table.column("x").to_pylist()[1] == "1"


class TestFromJob:
    def test_a_completed_job_is_copied_whole(self, database: Database, vault: Vault) -> None:
        first = complete(database, vault, count=10, batch=3)
        second = get(database, new_job(database, vault, LOOK, from_job=first))
        assert rows_of(database, second.id, "number") == list(range(10))
        assert (second.total_items, second.source_job_id, second.source_where) == (10, first, None)
        control.remove(database, first)
        assert rows_of(database, second.id, "number") == list(range(10)), "a job's input must not depend on another job"

    def test_a_filter_takes_the_rows_that_fit(self, database: Database, vault: Vault) -> None:
        first = complete(database, vault, count=10, batch=3)
        second = get(database, new_job(database, vault, LOOK, from_job=first, where="parity:odd"))
        assert rows_of(database, second.id, "number") == [1, 3, 5, 7, 9]
        assert (second.total_items, second.source_where) == (5, "parity:odd")

    def test_of_a_cancelled_job_the_committed_rows_are_taken(self, database: Database, vault: Vault) -> None:
        job = running_job(database, vault, count=10, batch=3)
        commit_batches(database, job.id, [0, 2])
        control.cancel(database, job.id)
        second = new_job(database, vault, LOOK, from_job=job.id)
        assert rows_of(database, second, "number") == [0, 1, 2, 6, 7, 8]

    @pytest.mark.parametrize("where", ["parity:nothing like it", "no such column:1", "nonsense"])
    def test_a_filter_that_fits_nothing_is_refused(self, database: Database, vault: Vault, where: str) -> None:
        first = complete(database, vault)
        with pytest.raises(InvalidInput):
            new_job(database, vault, LOOK, from_job=first, where=where)
        assert total(database) == 1

    def test_a_job_that_has_not_ended_is_refused(self, database: Database, vault: Vault) -> None:
        first = new_job(database, vault)
        with pytest.raises(InvalidInput, match="has not ended"):
            new_job(database, vault, LOOK, from_job=first)

    def test_the_copy_of_a_merged_job_reads_the_same(self, database: Database, vault: Vault) -> None:
        from engine.durable.compaction import compact

        first = complete(database, vault, count=10, batch=3)
        compact(database, first)
        second = new_job(database, vault, LOOK, from_job=first)
        reader = InputReader(database, second)
        batch = reader.batch(LOOK.plan(None, reader.source), 1, None)
        assert batch.rows is not None and batch.rows.column("number").to_pylist() == [4, 5, 6, 7]
        assert not (batch.rows.schema.metadata or {}), "a merge's notes are nobody else's business"


class TestIdempotency:
    def ask(self, database: Database, vault: Vault, key: str | None, **params: Any) -> Submitted:
        return submit(database, vault, Request(COUNT, params, idempotency_key=key))

    def test_the_same_request_again_finds_the_job(self, database: Database, vault: Vault) -> None:
        first = self.ask(database, vault, "k", count=5)
        again = self.ask(database, vault, "k", count=5)
        assert (first.created, again.created, again.job_id) == (True, False, first.job_id)
        assert total(database) == 1

    def test_another_request_under_the_key_is_a_conflict(self, database: Database, vault: Vault) -> None:
        self.ask(database, vault, "k", count=5)
        with pytest.raises(IdempotencyConflict):
            self.ask(database, vault, "k", count=6)
        assert total(database) == 1

    def test_other_rows_or_other_column_names_are_another_request(self, database: Database, vault: Vault) -> None:
        def ask(table: pa.Table) -> Submitted:
            return submit(database, vault, Request(LOOK, {}, rows=table, idempotency_key="k"))

        first = ask(pa.table({"email": ["a"]}))
        assert ask(pa.table({"email": ["a"]})).job_id == first.job_id
        for other in ({"email": ["b"]}, {"mail": ["a"]}):
            with pytest.raises(IdempotencyConflict):
                ask(pa.table(other))

    def test_an_empty_key_is_no_key(self, database: Database, vault: Vault) -> None:
        assert self.ask(database, vault, "").created and self.ask(database, vault, "").created

    def test_a_key_that_is_too_long_is_refused(self, database: Database, vault: Vault) -> None:
        with pytest.raises(InvalidInput, match="200"):
            self.ask(database, vault, "k" * 201)

    def test_two_at_once_make_one_job(self, database: Database, vault: Vault) -> None:
        ready = Barrier(8)

        def ask(_: int) -> Submitted:
            ready.wait()
            return self.ask(database, vault, "k", count=5, seed=1)

        with ThreadPoolExecutor(8) as threads:
            found = list(threads.map(ask, range(8)))
        assert len({s.job_id for s in found}) == 1 and sum(s.created for s in found) == 1
        assert total(database) == 1


class TestSecrets:
    def test_a_secret_is_encrypted_and_nowhere_else(self, database: Database, vault: Vault) -> None:
        job = get(database, new_job(database, vault, api_key="s3cr3t-value"))
        assert "s3cr3t-value" not in str(job.params) and "apiKey" not in job.params
        with database.read() as connection:
            tokens = connection.execute(text("SELECT token FROM secret")).scalars().all()
        assert len(tokens) == 1 and b"s3cr3t-value" not in bytes(tokens[0])
        assert vault.load(database, job.id) == {"api_key": "s3cr3t-value"}

    @pytest.mark.parametrize("ending", [Status.COMPLETED, Status.FAILED])
    def test_it_is_dropped_when_the_job_ends(self, database: Database, vault: Vault, ending: Status) -> None:
        job = running_job(database, vault, count=3, api_key="s3cr3t")
        commit_batches(database, job.id, [0], outcome=ending, reason="the end")
        assert vault.load(database, job.id) == {}

    def test_it_is_dropped_when_the_job_is_cancelled_and_kept_while_it_is_paused(self, database: Database, vault: Vault) -> None:
        job_id = new_job(database, vault, api_key="s3cr3t")
        claim_one(database)
        control.pause(database, job_id)
        assert vault.load(database, job_id) == {"api_key": "s3cr3t"}
        control.cancel(database, job_id)
        assert vault.load(database, job_id) == {}
