"""Reading results: pages and streams see each committed row once, whatever happens to the chunks meanwhile."""

from __future__ import annotations

import itertools

import pyarrow as pa
import pytest

from engine.durable import control
from engine.durable.chunks import decode, encode, spans, stream_tables
from engine.durable.compaction import compact, unmerged
from engine.durable.database import Database
from engine.durable.filters import Where
from engine.durable.queries import get
from engine.durable.results import Results
from engine.durable.vault import Vault
from engine.errors import InvalidInput, NotFound
from tests.durable.store import commit_batches, complete, new_job, output, running_job, table
from tests.toys import COUNT_SCHEMA, LOOK


def values(found: pa.Table) -> list[int]:
    return found.column("number").to_pylist()  # type: ignore[no-any-return]


class TestPage:
    def test_a_page_is_a_window_over_the_committed_rows(self, database: Database, vault: Vault) -> None:
        job_id = complete(database, vault, count=20, batch=3)
        results = Results(database)
        for offset, limit in itertools.product((0, 1, 3, 19, 20, 50), (1, 4, 100)):
            page = results.page(job_id, COUNT_SCHEMA, offset, limit)
            assert (values(page.table), page.total) == (list(range(20))[offset : offset + limit], 20)

    def test_a_page_under_a_filter(self, database: Database, vault: Vault) -> None:
        job_id = complete(database, vault, count=20, batch=3)
        results = Results(database)
        odd = [n for n in range(20) if n % 2]
        for offset, limit in itertools.product((0, 1, 3, 9, 10), (1, 4, 100)):
            for _ in range(2):  # counted, then remembered
                page = results.page(job_id, COUNT_SCHEMA, offset, limit, Where.parse("parity:odd"))
                assert (values(page.table), page.total) == (odd[offset : offset + limit], 10)

    def test_a_job_without_rows_yet_has_its_columns(self, database: Database, vault: Vault) -> None:
        job = get(database, new_job(database, vault, LOOK, rows=pa.table({"email": ["a"], "length": [1]})))
        results = Results(database)
        schema = results.schema(job, LOOK)
        assert schema.names == ["email", "input_length", "length"]
        page = results.page(job.id, schema)
        assert (page.table.num_rows, page.total, page.table.schema.names) == (0, 0, schema.names)

    def test_while_the_job_runs(self, database: Database, vault: Vault) -> None:
        job = running_job(database, vault, count=9, batch=3)
        commit_batches(database, job.id, [2])
        assert values(Results(database).page(job.id, COUNT_SCHEMA).table) == [6, 7, 8]
        commit_batches(database, job.id, [0])
        assert values(Results(database).page(job.id, COUNT_SCHEMA).table) == [0, 1, 2, 6, 7, 8]

    @pytest.mark.parametrize("where", ["absent:1", "nonsense", " and ", "number=1"])
    def test_a_filter_that_makes_no_sense_is_refused(self, database: Database, vault: Vault, where: str) -> None:
        job_id = complete(database, vault)
        with pytest.raises(InvalidInput, match="where"):
            Results(database).page(job_id, COUNT_SCHEMA, where=Where.parse(where))

    @pytest.mark.parametrize("where", [None, "parity:odd"])
    def test_chunks_merged_in_the_middle_of_a_page(
        self, database: Database, vault: Vault, monkeypatch: pytest.MonkeyPatch, where: str | None
    ) -> None:
        job_id = complete(database, vault, count=20, batch=3)
        results = Results(database)
        expected = [n for n in range(20) if where is None or n % 2]
        honest = spans

        def then_merge(*args: object) -> object:
            found = honest(*args)  # type: ignore[arg-type]
            monkeypatch.setattr("engine.durable.results.spans", honest)
            compact(database, job_id)
            return found

        monkeypatch.setattr("engine.durable.results.spans", then_merge)
        page = results.page(job_id, COUNT_SCHEMA, 0, 100, Where.parse(where))
        assert (values(page.table), page.total) == (expected, len(expected))
        page = results.page(job_id, COUNT_SCHEMA, 2, 5, Where.parse(where))
        assert (values(page.table), page.total) == (expected[2:7], len(expected))

    @pytest.mark.parametrize("where", [None, "parity:odd"])
    def test_a_job_deleted_in_the_middle_of_a_page_is_not_found(
        self, database: Database, vault: Vault, monkeypatch: pytest.MonkeyPatch, where: str | None
    ) -> None:
        job_id = complete(database, vault)
        found = spans(database, job_id, "output")
        control.remove(database, job_id)
        monkeypatch.setattr("engine.durable.results.spans", lambda *_: found)
        with pytest.raises(NotFound):
            Results(database).page(job_id, COUNT_SCHEMA, where=Where.parse(where))


class TestStream:
    def test_batches_committed_while_reading_are_seen_and_none_twice(self, database: Database, vault: Vault) -> None:
        job = running_job(database, vault, count=12, batch=3)
        commit_batches(database, job.id, [0, 2])
        seen = []
        for number, found in enumerate(Results(database).tables(job.id)):
            seen.extend(values(found))
            if number == 0:
                commit_batches(database, job.id, [1])
        assert seen == list(range(9))

    @pytest.mark.parametrize("moment", range(8))
    def test_a_merge_in_the_middle_loses_and_doubles_nothing(
        self, database: Database, vault: Vault, monkeypatch: pytest.MonkeyPatch, moment: int
    ) -> None:
        monkeypatch.setattr("engine.durable.compaction.TARGET_ROWS", 7)
        job_id = complete(database, vault, count=20, batch=3)
        seen = []
        for number, found in enumerate(stream_tables(database, job_id, "output")):
            seen.extend(values(found))
            if number == moment:
                assert compact(database, job_id) == 4
        assert seen == list(range(20))

    def test_from_the_middle_of_a_merged_chunk(self, database: Database, vault: Vault) -> None:
        job_id = complete(database, vault, count=20, batch=3)
        compact(database, job_id)
        for start in range(7):
            found = pa.concat_tables(stream_tables(database, job_id, "output", start))
            assert values(found) == list(range(3 * start, 20))

    def test_a_filter_over_the_stream(self, database: Database, vault: Vault) -> None:
        job_id = complete(database, vault, count=10, batch=3)
        found = pa.concat_tables(Results(database).tables(job_id, Where.parse("parity:odd and number~3")))
        assert values(found) == [3]


class TestMerge:
    def test_fewer_chunks_and_the_same_table(self, database: Database, vault: Vault, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setattr("engine.durable.compaction.TARGET_ROWS", 7)
        job_id = complete(database, vault, count=20, batch=3)
        before = table(database, job_id)
        assert unmerged(database) == [job_id]
        assert compact(database, job_id) == 4
        after = table(database, job_id)
        assert after.to_pylist() == before.to_pylist() and after.schema.equals(before.schema, check_metadata=True)
        assert [(s.number, s.last, s.rows) for s in spans(database, job_id, "output")] == [
            (0, 1, 6),
            (2, 3, 6),
            (4, 5, 6),
            (6, 6, 2),
        ]
        assert unmerged(database) == []

    def test_again_changes_nothing(self, database: Database, vault: Vault) -> None:
        job_id = complete(database, vault, count=20, batch=3)
        assert compact(database, job_id) == compact(database, job_id) == 1
        assert output(database, job_id) == list(range(20))

    def test_after_a_merge_that_was_cut_short(self, database: Database, vault: Vault, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setattr("engine.durable.compaction.TARGET_ROWS", 7)
        job_id = complete(database, vault, count=20, batch=3)
        turns = iter([False, False, True])
        compact(database, job_id, lambda: next(turns))
        assert unmerged(database) == [job_id], "a merge that was stopped is taken up again"
        assert output(database, job_id) == list(range(20))
        assert compact(database, job_id) == 4
        assert output(database, job_id) == list(range(20))

    @pytest.mark.parametrize("when", ["before", "between"])
    def test_of_a_job_that_is_deleted_meanwhile(
        self, database: Database, vault: Vault, monkeypatch: pytest.MonkeyPatch, when: str
    ) -> None:
        job_id = complete(database, vault, count=20, batch=3)
        if when == "before":
            control.remove(database, job_id)
        else:
            import engine.durable.compaction as module

            honest = spans

            def then_delete(*args: object) -> object:
                found = honest(*args)  # type: ignore[arg-type]
                control.remove(database, job_id)
                monkeypatch.setattr(module, "spans", honest)
                return found

            monkeypatch.setattr(module, "spans", then_delete)
        assert compact(database, job_id) == 0

    def test_by_two_engines_at_once(self, database: Database, vault: Vault, monkeypatch: pytest.MonkeyPatch) -> None:
        import engine.durable.compaction as module
        from engine.errors import WrongState

        job_id = complete(database, vault, count=20, batch=3)
        honest = spans

        def then_the_other(*args: object) -> object:
            found = honest(*args)  # type: ignore[arg-type]
            monkeypatch.setattr(module, "spans", honest)
            module.compact(database, job_id)
            return found

        monkeypatch.setattr(module, "spans", then_the_other)
        with pytest.raises(WrongState):
            compact(database, job_id)
        assert output(database, job_id) == list(range(20))


def test_a_stream_of_many_chunks_seeks_each_one(sqlite_database: Database, vault: Vault) -> None:
    """The plan of the query that finds the next chunk walks the key, not all chunks before it."""
    from sqlalchemy import event

    job = running_job(sqlite_database, vault, count=300, batch=3)
    commit_batches(sqlite_database, job.id, range(100))
    counter = itertools.count()
    event.listen(
        sqlite_database._engine,
        "checkout",
        lambda connection, *_: connection.set_progress_handler(lambda: next(counter) and 0, 100),
    )
    steps = [next(counter) for _ in stream_tables(sqlite_database, job.id, "output")]
    early, late = steps[20] - steps[10], steps[90] - steps[80]
    assert late <= 2 * early + 10, "the last chunks cost more to find than the first"


def test_chunks_keep_every_kind_of_value() -> None:
    some = pa.table(
        {
            "text": ["é", None, ""],
            "category": pa.array(["a", None, "a"]).dictionary_encode(),
            "list": [[1], [], None],
            "moment": pa.array([1, None, 2], pa.timestamp("ms", "UTC")),
        }
    )
    assert decode(encode(some)).equals(some)
    assert decode(encode(some.slice(1, 1))).to_pylist() == some.slice(1, 1).to_pylist()
