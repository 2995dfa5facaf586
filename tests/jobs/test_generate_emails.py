"""The job type generate-emails: its parameters, its plan, its rows."""

from __future__ import annotations

import json
from collections import Counter
from typing import Any

import pyarrow as pa
import pytest
from pydantic import ValidationError

from engine.durable.contract import Batch, Done, JobType
from engine.durable.schema import arrow_schema
from engine.errors import InvalidInput, SpaceTooSmall
from engine.jobs import generate_emails as module
from engine.jobs.generate_emails import BATCH, CHARTS, MAX_COUNT, Params, Row, plan, preview, process
from engine.mail.names import COUNTRIES
from engine.mail.pattern import PLACEHOLDERS
from engine.mail.providers import DEFAULT_PROVIDERS


def params(**wanted: Any) -> Params:
    return Params.model_validate({"seed": 5, **wanted})


async def done(wanted: Params, start: int, stop: int) -> Done:
    outcome = await process(Batch(0, start, stop, wanted.count), wanted, None)  # type: ignore[arg-type]
    assert isinstance(outcome, Done)
    return outcome


def test_it_is_a_job_type():
    job_type = JobType.from_module(module)
    assert (job_type.name, job_type.page, job_type.cpu_bound) == ("generate-emails", "/generate-emails", True)
    assert job_type.columns.names == ["email", "first_name", "last_name", "gender", "age", "country", "provider", "synthetic"]
    assert {chart.tally for chart in CHARTS} == {"provider", "age", "gender", "country"}


def test_defaults():
    given = Params()
    assert [(provider.domain, provider.weight) for provider in given.providers] == list(DEFAULT_PROVIDERS)
    assert (given.country, given.age_range, given.gender, given.suffix) == (("US",), "18-65", "any", "auto")
    assert given.pattern == "{firstname}.{lastname}"


@pytest.mark.parametrize(
    ("wire", "field", "value"),
    [
        ({"country": "de"}, "country", ("DE",)),
        ({"country": ["us", "US", " gb "]}, "country", ("US", "GB")),
        ({"ageRange": " 20 - 30 "}, "age_range", "20-30"),
        ({"ageRange": "40-40"}, "age_range", "40-40"),
        ({"seed": -1}, "seed", -1),
        ({"count": MAX_COUNT}, "count", MAX_COUNT),
    ],
)
def test_accepted_values(wire, field, value):
    assert getattr(Params.model_validate(wire), field) == value


def test_providers_are_domains_or_domains_with_weights_and_fold():
    given = params(providers=["GMAIL.com", {"domain": "bücher.de", "weight": 2.5}, {"domain": "gmail.com"}])
    assert [(provider.domain, provider.weight) for provider in given.providers] == [("gmail.com", 2.0), ("xn--bcher-kva.de", 2.5)]


@pytest.mark.parametrize(
    ("wire", "field", "told"),
    [
        ({"count": 0}, "count", "greater than or equal to 1"),
        ({"count": MAX_COUNT + 1}, "count", "less than or equal to 10000000"),
        ({"providers": []}, "providers", "empty"),
        ({"providers": ["gmail.com", "hunter2"]}, "providers.1", "incomplete"),
        ({"providers": ["gmail.com", {"domain": "hunter2"}]}, "providers.1.domain", "incomplete"),
        ({"providers": [{"domain": "a.de", "weight": 0}]}, "providers.0.weight", "greater than 0"),
        ({"providers": [{"domain": "a.de", "weight": "inf"}]}, "providers.0.weight", "finite number"),
        ({"country": "hunter2"}, "country", "unknown country; use one of AR, AU"),
        ({"country": []}, "country", "unknown country"),
        ({"ageRange": "hunter2"}, "ageRange", '"low-high"'),
        ({"ageRange": "65-18"}, "ageRange", "lower age comes first"),
        ({"ageRange": "5-18"}, "ageRange", "between 13 and 110"),
        ({"ageRange": "18-111"}, "ageRange", "between 13 and 110"),
        ({"gender": "hunter2"}, "gender", "'any', 'male' or 'female'"),
        ({"pattern": ""}, "pattern", "empty"),
        ({"pattern": "{firstname}.{hunter2}"}, "pattern", "unknown placeholder at character 13; valid ones are: firstname"),
        ({"suffix": "hunter2"}, "suffix", "'auto' or 'never'"),
        ({"seed": 2**63}, "seed", "less than"),
        ({"hunter": 2}, "hunter", "not permitted"),
    ],
)
def test_bad_input_names_the_field_and_the_remedy_but_not_the_value(wire, field, told):
    with pytest.raises(ValidationError) as caught:
        Params.model_validate(wire)
    [error] = caught.value.errors(include_input=False, include_url=False)
    assert ".".join(map(str, error["loc"])) == field
    assert told in error["msg"]
    assert "hunter2" not in error["msg"]


def test_settling_draws_a_seed_only_where_none_was_given():
    assert Params().settled(lambda: 42).seed == 42
    assert Params(seed=7).settled(lambda: 42).seed == 7


def test_parameters_survive_the_wire():
    given = params(country=["DE", "FR"], providers=["gmail.com"], ageRange="20-30")
    assert Params.model_validate(json.loads(given.model_dump_json(by_alias=True))) == given


def test_a_form_can_be_drawn_from_the_parameters():
    for name, field in Params.model_json_schema()["properties"].items():
        assert field["title"], name
        assert field["description"].endswith("."), name
        assert "default" in field, name
    pattern = Params.model_json_schema()["properties"]["pattern"]["description"]
    assert all(f"{{{name}}}" in pattern for name in PLACEHOLDERS)


def test_the_plan_has_one_item_per_address():
    assert (plan(params(count=60_000), None).items, plan(params(count=60_000), None).batch) == (60_000, BATCH)


@pytest.mark.parametrize(
    ("wire", "available"),
    [
        ({"pattern": "info", "suffix": "never", "count": 100}, 8),
        ({"pattern": "info", "suffix": "never", "count": 2, "providers": ["gmail.com"]}, 1),
        ({"pattern": "{f}{l}", "suffix": "never", "count": 10_000}, 8 * 26 * 26),
        ({"pattern": "{birthyear}", "suffix": "never", "count": 1000, "ageRange": "30-39"}, 80),
        ({"pattern": "x" * 63, "count": 100}, 80),
    ],
)
def test_a_space_too_small_says_how_many_there_are(wire, available):
    with pytest.raises(SpaceTooSmall) as caught:
        plan(params(**wire), None)
    assert caught.value.available == available
    assert caught.value.problems[0].field == "count"
    assert f"only {available} distinct addresses" in str(caught.value)
    assert plan(params(**{**wire, "count": available}), None).items == available


@pytest.mark.parametrize("pattern", ["info", "{f}{l}", "{firstname}.{lastname}", "{number}", "{yy}"])
def test_with_suffixes_there_are_always_enough(pattern):
    assert plan(params(pattern=pattern, count=MAX_COUNT, providers=["gmail.com"], country="JP"), None).items == MAX_COUNT


def test_a_pattern_too_long_for_any_address_is_refused():
    with pytest.raises(InvalidInput) as caught:
        plan(params(pattern="x" * 65), None)
    assert caught.value.problems[0].field == "pattern"


async def test_rows_have_the_promised_schema():
    rows = (await done(params(count=10), 0, 10)).rows
    assert isinstance(rows, pa.Table)
    assert rows.schema.equals(arrow_schema(Row), check_metadata=True)
    assert set(rows["synthetic"].to_pylist()) == {True}


async def test_batches_together_are_the_list():
    wanted = params(count=1000, country=["DE", "PL"])
    whole = (await done(wanted, 0, 1000)).rows.to_pylist()
    parts = [(await done(wanted, start, min(start + 300, 1000))).rows.to_pylist() for start in range(0, 1000, 300)]
    assert [row for part in parts for row in part] == whole
    assert len({row["email"] for row in whole}) == 1000


async def test_counts_and_tallies_are_those_of_the_rows():
    outcome = await done(params(count=5000, country=["US", "JP"]), 100, 1100)
    rows = outcome.rows.to_pylist()
    assert (outcome.succeeded, outcome.failed, outcome.counts) == (1000, 0, {"generated": 1000})
    for tally, counts in outcome.tallies.items():
        assert counts == Counter(str(row[tally]) for row in rows)


async def test_another_count_is_another_list():
    lists = [(await done(params(count=count), 0, 50)).rows["email"].to_pylist() for count in (50, 51)]
    assert lists[0] != lists[1]


def test_a_preview_is_the_beginning_of_the_list():
    shown = preview(params(count=1000), 3)
    assert len(shown) == 3
    assert shown == module._rows(params(count=1000), 0, 3).to_pylist()
    assert len(preview(Params(count=2), 5)) == 2


def test_a_preview_refuses_what_a_job_would_refuse():
    with pytest.raises(SpaceTooSmall):
        preview(params(pattern="info", suffix="never", count=100))


@pytest.mark.parametrize("country", COUNTRIES)
async def test_every_country(country):
    rows = (await done(params(country=country, count=200), 0, 200)).rows
    assert len(set(rows["email"].to_pylist())) == 200
    assert set(rows["country"].to_pylist()) == {country}


async def test_all_countries_at_once():
    rows = (await done(params(country=list(COUNTRIES), count=26_000, pattern="{firstname}{lastname}"), 0, 26_000)).rows
    assert len(set(rows["email"].to_pylist())) == 26_000
    assert min(Counter(rows["country"].to_pylist()).values()) > 800
