"""What may be asked of ai-generate, and what the server makes of it at submit."""

from __future__ import annotations

import json
from typing import Any

import pyarrow as pa
import pytest
from pydantic import ValidationError

from engine.durable.chunks import stream_tables
from engine.durable.contract import Source
from engine.durable.control import rerun
from engine.durable.database import Database
from engine.durable.queries import get
from engine.durable.results import Results
from engine.durable.submit import Request, submit
from engine.durable.validate import read_params
from engine.durable.vault import Vault
from engine.errors import InvalidInput
from engine.jobs.ai_generate import Params, plan, row_of
from engine.mail.drafting import TEMPLATE_MODEL
from tests.jobs.writing import KEY, NOTHING_SET, PEOPLE, WRITE, settled

CONTACTS = {"mode": "contacts", "brief": "Buyers."}
DRAFTS = {"mode": "drafts", "brief": "Invite them.", "contacts": PEOPLE}
OUTCOME = ["provider", "model", "attempts", "status", "error"]
OWN = "the server's own key"


def refused(params: dict[str, Any]) -> dict[str, str]:
    unset = frozenset() if "provider" in params else NOTHING_SET
    with pytest.raises(InvalidInput) as caught:
        Params.model_validate(params).settled(lambda: 1).equipped({}, unset)
    return {problem.field: problem.message for problem in caught.value.problems}


def sent(database: Database, vault: Vault, params: dict[str, Any], **more: Any) -> str:
    return submit(database, vault, Request(WRITE, params, **more)).job_id


@pytest.mark.parametrize(
    ("set_up", "provider"),
    [
        ({"ai_url", "anthropic_api_key"}, "openai"),
        ({"anthropic_api_key"}, "anthropic"),
        ({"ai_model_file"}, "local"),
        (set(), "template"),
    ],
)
def test_the_provider_is_what_the_server_is_set_up_for(set_up: set[str], provider: str):
    model = {"model": "m-1"} if provider in ("openai", "anthropic") else {}
    found = Params.model_validate({**CONTACTS, **model}).equipped({}, NOTHING_SET - set_up)
    assert (found.provider, found.model) == (provider, {"template": TEMPLATE_MODEL, "local": None}.get(provider, "m-1"))


def test_the_servers_model_is_kept_with_the_job():
    assert Params.model_validate(CONTACTS).equipped({"model": "big-1"}, frozenset()).model == "big-1"
    only_anthropic = NOTHING_SET - {"anthropic_api_key"}
    assert Params.model_validate(CONTACTS).equipped({"model": "claude-x"}, only_anthropic).model == "claude-x"
    assert "model" in refused({**CONTACTS, "provider": "anthropic"}), "the server's model is another service's"


@pytest.mark.parametrize(
    ("params", "field"),
    [
        ({**CONTACTS, "tone": "warm"}, "tone"),
        ({**CONTACTS, "length": "short"}, "length"),
        ({**CONTACTS, "columns": ["email"]}, "columns"),
        ({**DRAFTS, "count": 3}, "count"),
        ({**CONTACTS, "provider": "template", "apiKey": KEY}, "apiKey"),
        ({**CONTACTS, "provider": "template", "model": "gpt"}, "model"),
        ({**DRAFTS, "provider": "template", "brief": "Hello {{ first_name }}"}, "brief"),
        ({**CONTACTS, "provider": "local", "model": "gpt"}, "model"),
        ({**CONTACTS, "provider": "openai"}, "model"),
    ],
)
def test_what_does_not_go_together_is_refused_with_the_field_and_the_remedy(params: dict[str, Any], field: str):
    problems = refused(params)
    assert list(problems) == [field] and any(word in problems[field] for word in ("leave it out", "name a model"))
    assert KEY not in str(problems)


WRONG: list[dict[str, Any]] = [
    {"brief": ""}, {"brief": "a\x00b"}, {"brief": "x" * 5_001}, {"count": 0}, {"count": 10_001}, {"temperature": 3},
    {"mode": "poems"}, {"maxRequests": 0}, {"maxTokens": 0}, {"provider": "bing"}, {"aiUrl": "http://10.0.0.1/v1"},
    {"language": "a\x1bb"}, {"brief": " \n\t"}, {"apiKey": "sk\r\nx: y"},
]  # fmt: skip


@pytest.mark.parametrize("wrong", WRONG)
def test_values_out_of_bounds_are_refused_and_no_job_names_a_url(wrong: dict[str, Any]):
    with pytest.raises(ValidationError):
        Params.model_validate({**CONTACTS, **wrong})


def test_texts_are_measured_in_characters():
    with pytest.raises(InvalidInput) as caught:
        read_params(WRITE, {**CONTACTS, "language": "x" * 61, "apiKey": "k" * 501})
    assert {problem.field: problem.message for problem in caught.value.problems} == {
        "language": "has more than 60 characters",
        "apiKey": "has more than 500 characters",
    }


def test_drafts_need_a_list_and_contacts_take_none(database: Database, vault: Vault):
    with pytest.raises(InvalidInput, match=r"contacts: is missing; a draft is written for each row.*fromJob"):
        sent(database, vault, {"mode": "drafts", "brief": "x", "provider": "template"})
    with pytest.raises(InvalidInput, match="contacts: is for drafts"):
        sent(database, vault, {**CONTACTS, "provider": "template", "contacts": PEOPLE})


def test_a_cap_that_cannot_do_is_refused_at_submit():
    with pytest.raises(InvalidInput, match=r"maxRequests: is too low: this needs 20 requests"):
        plan(settled(mode="contacts", count=100, maxRequests=19), None)
    assert plan(settled(mode="contacts", count=100, maxRequests=20), None).batches == 20
    assert plan(settled(mode="contacts", count=100, maxRequests=1, provider="template"), None).batches == 1


def test_plans_have_a_request_for_each_draft_and_for_a_few_contacts():
    assert (plan(settled(mode="contacts"), None).items, plan(settled(mode="contacts"), None).batch) == (10, 5)
    assert plan(settled(), Source(20, pa.schema([]))).batch == 1
    assert plan(settled(mode="contacts", provider="local", model=None), None).batch == 1


def test_of_another_jobs_rows_the_model_is_told_what_the_list_was_not_what_the_job_wrote():
    schema = pa.schema([(name, pa.string()) for name in ("email", "company", "status", "mx", "input_status")])
    assert settled().fitted(Source(1, schema, None, "verify-emails")).columns == ("email", "company")
    assert settled().fitted(Source(1, schema)).columns == tuple(schema.names)
    assert settled(columns=["mx"]).fitted(Source(1, schema, None, "verify-emails")).columns == ("mx",)
    with pytest.raises(InvalidInput, match="columns: 1 of them are not in the list"):
        settled(columns=["mx", "phone"]).fitted(Source(1, schema))


def test_each_mode_has_its_columns(database: Database, vault: Vault):
    contacts = get(database, sent(database, vault, {**CONTACTS, "provider": "template"}))
    drafts = get(database, sent(database, vault, {**DRAFTS, "provider": "template"}))
    names = ["first_name", "last_name", "email", "title", "company", "note", *OUTCOME]
    assert Results(database).schema(contacts, WRITE).names == names
    assert Results(database).schema(drafts, WRITE).names == ["email", "first_name", "note", "subject", "body", *OUTCOME]
    assert {*row_of({"mode": "drafts"}).model_fields, *row_of({"mode": "contacts"}).model_fields} == set(WRITE.row.model_fields)


def test_drafts_of_contacts_keep_both_apart(database: Database, vault: Vault):
    """A list of contacts that were written here has columns of the same names."""
    rows = [{**PEOPLE[0], "provider": "template", "status": "ok", "subject": "mine"}]
    job = get(database, sent(database, vault, {**DRAFTS, "contacts": rows, "provider": "template"}))
    names = Results(database).schema(job, WRITE).names
    assert names[:6] == ["email", "first_name", "note", "input_provider", "input_status", "input_subject"]


@pytest.mark.parametrize("provider", ["openai", "anthropic"])
def test_keys_are_kept_apart_and_under_their_provider(database: Database, vault: Vault, provider: str):
    name = {"openai": "api_key", "anthropic": "anthropic_api_key"}[provider]
    params = {**DRAFTS, "provider": provider, "model": "m"}
    own = sent(database, vault, params, defaults={name: OWN})
    given = sent(database, vault, {**params, "apiKey": KEY}, defaults={name: OWN})
    assert vault.load(database, own) == {name: OWN}
    assert vault.load(database, given) == {name: KEY}
    assert vault.load(database, sent(database, vault, {**params, "apiKey": " "}, defaults={name: OWN})) == {name: OWN}
    assert KEY not in json.dumps(get(database, given).params) and "apiKey" not in get(database, given).params
    again = rerun(database, vault, given, WRITE, {name: OWN})
    assert vault.load(database, again) == {name: OWN}
    assert sum(table.num_rows for table in stream_tables(database, again, "input")) == len(PEOPLE)


def test_only_anthropic_cannot_do_without_a_key(database: Database, vault: Vault):
    assert vault.load(database, sent(database, vault, {**DRAFTS, "provider": "openai", "model": "m"})) == {}
    with pytest.raises(InvalidInput, match="apiKey: is needed for this job"):
        sent(database, vault, {**DRAFTS, "provider": "anthropic", "model": "m"})


def test_a_job_that_came_with_a_key_runs_again_with_one_only(database: Database, vault: Vault):
    wanted = {**DRAFTS, "provider": "openai", "model": "m"}
    keyed, free = sent(database, vault, {**wanted, "apiKey": KEY}), sent(database, vault, wanted)
    assert vault.load(database, rerun(database, vault, free, WRITE)) == {}
    with pytest.raises(InvalidInput, match="apiKey: is needed for this job"):
        rerun(database, vault, keyed, WRITE)
    again = rerun(database, vault, keyed, WRITE, {"api_key": OWN})
    assert vault.load(database, again) == {"api_key": OWN} and get(database, again).params["ownKey"] is True


@pytest.mark.parametrize(("provider", "setting"), [("openai", "AI_URL"), ("local", "AI_MODEL_FILE")])
def test_a_provider_that_the_server_is_not_set_up_for_is_refused(database: Database, vault: Vault, provider: str, setting: str):
    model = {"model": "m"} if provider == "openai" else {}
    with pytest.raises(InvalidInput, match=f"provider: needs the server's setting POSTBENCH_{setting}"):
        sent(database, vault, {**DRAFTS, "provider": provider, **model}, unset=NOTHING_SET)


def test_a_template_says_what_it_is_in_the_job(database: Database, vault: Vault):
    job = get(database, sent(database, vault, DRAFTS, unset=NOTHING_SET))
    assert (job.params["provider"], job.params["model"]) == ("template", "template, not AI")
    assert vault.load(database, job.id) == {}
