"""Every job type keeps the contract; a new one is found and checked here by itself."""

from __future__ import annotations

import pickle
import re

import pyarrow as pa
import pytest

from engine.durable.contract import LAST, JobType
from engine.jobs import registry

TYPES = list(registry().values())
every_type = pytest.mark.parametrize("job_type", TYPES, ids=lambda job_type: job_type.name)


@every_type
def test_names_are_stable_words(job_type: JobType):
    assert re.fullmatch(r"[a-z]+(-[a-z]+)*", job_type.name)
    assert job_type.title and job_type.summary and job_type.icon.startswith(":material/")


def test_places_in_the_navigation_are_distinct():
    places = [job_type.place for job_type in TYPES if job_type.place != LAST]
    assert len(set(places)) == len(places) and all(place < LAST for place in places)


@every_type
def test_parameters_are_frozen_strict_and_described(job_type: JobType):
    config = job_type.params.model_config
    assert config["frozen"] and config["extra"] == "forbid"
    assert not [name for name, info in job_type.params.model_fields.items() if not info.description]


@every_type
def test_columns_are_described_and_snake_case(job_type: JobType):
    for field in job_type.columns:
        assert re.fullmatch(r"[a-z][a-z0-9_]*", field.name)
        assert field.metadata[b"description"], f"column {field.name} has no description"


@every_type
def test_secret_fields_may_be_missing_from_stored_parameters(job_type: JobType):
    fields = job_type.params.model_fields
    assert all(not fields[name].is_required() for name in job_type.params.secret_fields)


@every_type
def test_the_list_of_items_is_a_field(job_type: JobType):
    assert job_type.params.items_field is None or job_type.params.items_field in job_type.params.model_fields


@every_type
def test_a_batch_can_travel_to_another_machine(job_type: JobType):
    assert pickle.loads(pickle.dumps(job_type.process)) is job_type.process


@every_type
def test_charts_have_names_of_their_own(job_type: JobType):
    tallies = [chart.tally for chart in job_type.charts]
    assert len(set(tallies)) == len(tallies)


@every_type
def test_the_schema_is_arrow_all_through(job_type: JobType):
    assert isinstance(job_type.columns, pa.Schema) and len(job_type.columns) > 0
