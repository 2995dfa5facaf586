"""generate-verified-emails: valid synthetic addresses only, and what became of the others."""

from __future__ import annotations

from typing import Any

import pytest

from engine.durable.contract import Batch, Done, JobRef
from engine.durable.schema import arrow_schema
from engine.durable.validate import read_params
from engine.errors import InvalidInput, SpaceTooSmall
from engine.jobs import registry
from engine.jobs.generate_verified_emails import Params, Row, candidates, plan, process
from engine.mail.evidence import Answer
from tests.verifying.world import NOW, Prober, Tools, fake_verifier

TYPE = registry()["generate-verified-emails"]


def params(**more: Any) -> Params:
    return Params.model_validate({"count": 10, "providers": ["d.test", "e.test"], "service": "smtp", "seed": 1, **more})


async def run(wanted: Params, tools: Tools, number: int = 0) -> Done:
    planned = plan(wanted, None)
    start, stop = planned.span(number)
    outcome = await process(Batch(number, start, stop, planned.items, job=JobRef("job", NOW)), wanted, tools)
    assert isinstance(outcome, Done)
    return outcome


async def test_rows_are_the_valid_ones():
    tools = Tools(fake_verifier(Prober(Answer.NOT_FOUND, Answer.EXISTS, Answer.GREYLISTED)))
    outcome = await run(params(), tools)
    assert outcome.rows.schema.equals(arrow_schema(Row))
    assert set(outcome.rows["status"].to_pylist()) == {"valid"} and all(outcome.rows["synthetic"].to_pylist())
    assert outcome.rows.num_rows == outcome.succeeded == outcome.counts["valid"]
    assert outcome.succeeded + outcome.failed == sum(outcome.tallies["reason"].values()) == plan(params(), None).batch
    assert outcome.tallies["reason"]["greylisted"] == 1, "a candidate is not waited for"


async def test_the_same_candidates_whatever_the_batch():
    whole = [row["email"] for n in range(4) for row in (await run(params(), Tools(fake_verifier()), n)).rows.to_pylist()]
    assert len(set(whole)) == len(whole)
    again = (await run(params(), Tools(fake_verifier()), 2)).rows["email"].to_pylist()
    assert again == [email for email in whole if email in again]


def test_the_goal_is_the_count():
    wanted = plan(params(count=100, maxCandidates=350), None)
    assert (wanted.items, wanted.goal, wanted.batch) == (350, 100, 20)
    assert plan(params(count=3), None).batch == 5


def test_candidates_are_as_many_as_there_are_at_most():
    few = params(count=3, pattern="{f}", suffix="never", maxCandidates=1_000)
    assert candidates(few) < 1_000


def test_a_space_too_small_for_the_count_is_refused():
    with pytest.raises(SpaceTooSmall):
        plan(params(count=1000, pattern="{f}", suffix="never"), None)


def test_fewer_candidates_than_wanted_are_refused():
    with pytest.raises(InvalidInput, match="maxCandidates"):
        read_params(TYPE, {"count": 10, "maxCandidates": 9})
