"""A workbench of its own for each test, the pages as `AppTest` runs them, and a hand that works like an engine."""

from __future__ import annotations

import asyncio
import shutil
import time
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import Any

import pytest
import streamlit as st
from streamlit.testing.v1 import AppTest

from engine import settings, workbench
from engine.durable import engines, lease, queries
from engine.durable.chunks import encode
from engine.durable.commit import Finished, Part, commit
from engine.durable.contract import Batch, Done, Plan
from engine.durable.states import Status
from engine.durable.submit import Request, submit
from engine.durable.tables import Job
from engine.durable.totals import Totals
from engine.workbench import Workbench

ROUTER = str(Path(__file__).parents[2] / "pages/_router.py")
PARAMS = {"providers": ["gmail.com", "outlook.com"], "country": "US"}
Visit = Callable[..., AppTest]


@pytest.fixture(autouse=True)
def cookies(monkeypatch: pytest.MonkeyPatch) -> dict[str, str]:
    """The browser's cookies; `AppTest` has none of its own."""
    found: dict[str, str] = {}
    monkeypatch.setattr(type(st.context), "cookies", property(lambda self: found))
    return found


@pytest.fixture
def configure(monkeypatch: pytest.MonkeyPatch, tmp_path: Path, migrated_file: Path) -> Iterator[Callable[..., Workbench]]:
    """Open this test's workbench with these settings beside its folder."""
    shutil.copyfile(migrated_file, tmp_path / "postbench.db")
    monkeypatch.setenv("POSTBENCH_DATA_DIR", str(tmp_path))

    def opened(**values: str) -> Workbench:
        for name, value in values.items():
            monkeypatch.setenv(f"POSTBENCH_{name.upper()}", value)
        _clear()
        return workbench.workbench()

    yield opened
    workbench.workbench().database.close()
    _clear()


def _clear() -> None:
    settings.settings.cache_clear()
    workbench.workbench.cache_clear()


@pytest.fixture
def bench(configure: Callable[..., Workbench]) -> Workbench:
    """The workbench of this test."""
    return configure()


@pytest.fixture
def visit(bench: Workbench) -> Visit:
    """Open a page: its file, and the parameters of its address."""

    def opened(file: str, **params: str) -> AppTest:
        app = AppTest.from_file(ROUTER, default_timeout=120).run()
        app.switch_page(file)
        for name, value in params.items():
            app.query_params[name] = value
        return clean(app.run())

    return opened


def clean(app: AppTest) -> AppTest:
    """The page itself, which must not have raised."""
    assert not app.exception, app.exception[0].stack_trace
    return app


def said(app: AppTest) -> str:
    """Everything that the page says in its own HTML and in Markdown."""
    return "\n".join([element.proto.body for element in app.get("html")] + [element.value for element in app.markdown])


class Hand:
    """Does by hand, step by step, what an engine does."""

    def __init__(self, bench: Workbench) -> None:
        self.bench, self.database = bench, bench.database
        self.engine = engines.register(self.database, "0.1.0")

    def submit(self, count: int = 10, **params: Any) -> str:
        """A new job of generate-emails."""
        request = Request(self.bench.types["generate-emails"], {**PARAMS, "count": count, **params})
        return submit(self.database, self.bench.vault, request).job_id

    def job(self, job_id: str) -> Job:
        """The job as it stands."""
        return queries.get(self.database, job_id)

    def claim(self) -> Job:
        """Take the oldest job that is due."""
        return lease.claim(self.database, self.engine, list(self.bench.types), 1)[0]

    def work(self, batches: int | None = None, **end: Any) -> str:
        """Claim a job and commit its first batches; `end` is what the commit says of the job's going on."""
        job = self.claim()
        job_type = self.bench.types[job.type]
        params = job_type.params.model_validate(job.params)
        numbers = range(job.batches if batches is None else batches)
        spans = [(n, Plan(job.total_items, job.batch_size).span(n)) for n in numbers]
        tools: Any = None  # this type opens no door
        work: list[Any] = [job_type.process(Batch(n, *span, job.total_items), params, tools) for n, span in spans]
        return self.commit(job, dict(zip(numbers, [asyncio.run(item) for item in work], strict=True)), **end)

    def commit(self, job: Job, done: Mapping[int, Done], **end: Any) -> str:
        """Commit outcomes of batches, by number."""
        totals = Totals.of(job).plus(list(done.values())).paced(int(time.time() * 1000), 1.0)
        finished = [Finished(n, outcome.rows.num_rows, encode(outcome.rows)) for n, outcome in done.items()]
        items = sum(outcome.succeeded + outcome.failed for outcome in done.values())
        commit(self.database, [Part(job.id, job.type, job.lease, self.engine, totals, finished, items=items, **end)])
        return job.id

    def completed(self, count: int = 10, **params: Any) -> str:
        """A job from submit to end."""
        self.submit(count, **params)
        return self.work(outcome=Status.COMPLETED, reason="completed")


@pytest.fixture
def hand(bench: Workbench) -> Hand:
    """An engine's hand."""
    return Hand(bench)


def labels(app: AppTest, kind: str) -> list[str]:
    """The labels of the elements of a kind that `AppTest` has no list for."""
    return [str(getattr(element, "label", "")) for element in app.get(kind)]


def address(app: AppTest, name: str) -> str:
    """A parameter of the page's address; empty when it is not there."""
    found = app.query_params.get(name, "")
    return found if isinstance(found, str) else found[0]
