"""verify-emails: a verdict for each row, in order, beside what was given."""

from __future__ import annotations

from typing import Any

import pyarrow as pa
import pytest

from engine.durable.contract import Batch, Done, JobRef, Snooze, Source
from engine.durable.schema import bare, output_schema
from engine.durable.validate import read_params
from engine.errors import InvalidInput
from engine.jobs import registry
from engine.jobs.verify_emails import Params, plan, process
from engine.mail.evidence import Answer
from engine.verifying.ask import Service
from tests.verifying.world import NOW, Prober, Tools, fake_verifier

VERIFY = registry()["verify-emails"]


async def verified(rows: pa.Table, tools: Tools, state: Any = None, **params: Any) -> Done | Snooze:
    wanted = Params(**{"column": "email", **params})
    return await process(Batch(0, 0, rows.num_rows, rows.num_rows, rows, state, JobRef("job", NOW)), wanted, tools)


async def done(rows: pa.Table, tools: Tools | None = None, **params: Any) -> pa.Table:
    outcome = await verified(rows, tools or Tools(fake_verifier()), **params)
    assert isinstance(outcome, Done)
    assert outcome.rows.schema.equals(output_schema(VERIFY.columns, rows.schema))
    return outcome.rows


def listed(*emails: str | None) -> pa.Table:
    return bare(pa.table({"email": pa.array(emails, pa.string())}))


async def test_every_row_has_its_verdict_in_order():
    given = ["a@d.test", "A@D.test ", "nonsense", "b@nullmx.test", None, "info@d.test", "c@nowhere.test", "d@dead.test"]
    table = await done(listed(*given))
    assert table["email"].to_pylist() == given
    assert table["normalized"].to_pylist()[:3] == ["a@d.test", "A@d.test", None]
    told = list(zip(table["status"].to_pylist(), table["reason"].to_pylist(), strict=True))
    assert told == [
        ("valid", "domain_accepts_mail"),
        ("valid", "domain_accepts_mail"),
        ("invalid", "invalid_syntax"),
        ("invalid", "null_mx"),
        ("invalid", "invalid_syntax"),
        ("risky", "role"),
        ("invalid", "no_domain"),
        ("unknown", "dns_error"),
    ]
    assert table["level"].to_pylist()[:3] == ["domain", "domain", "syntax"]
    assert table["role"].to_pylist() == [False] * 5 + [True] + [False] * 2
    assert not any(table["cached"].to_pylist())


async def test_columns_of_the_list_come_back_first_and_a_clash_is_renamed():
    rows = pa.table({"name": ["Ann"], "email": ["a@d.test"], "status": ["customer"]})
    table = await done(rows)
    assert table.column_names[:4] == ["name", "input_email", "input_status", "email"]
    assert table.to_pylist()[0]["input_status"] == "customer" and table.to_pylist()[0]["status"] == "valid"


async def test_numbers_and_tallies_add_up():
    outcome = await verified(listed("a@d.test", "x@d.test", "b@dead.test", "?"), Tools(fake_verifier()), service="smtp")
    assert isinstance(outcome, Done)
    assert (outcome.succeeded, outcome.failed) == (3, 1), "an unknown is no verdict"
    assert outcome.counts == {"valid": 1, "invalid": 2, "unknown": 1}
    assert outcome.tallies["reason"] == {"mailbox_exists": 1, "mailbox_not_found": 1, "dns_error": 1, "invalid_syntax": 1}
    assert outcome.tallies["cache"] == {"known": 0, "asked": 4} and outcome.tallies["calls"]["smtp"] == 2


async def test_a_second_job_asks_nobody():
    tools = Tools(fake_verifier())
    emails = listed("a@d.test", "x@d.test", "b@nowhere.test")
    first = await done(emails, tools, service="smtp")
    asked, prober = dict(tools.verifier.resolver.asked), list(tools.verifier.prober.asked)  # type: ignore[attr-defined]
    outcome = await process(
        Batch(0, 0, 3, 3, emails, None, JobRef("second", NOW)), Params(column="email", service=Service.SMTP), tools
    )
    assert isinstance(outcome, Done)
    assert (tools.verifier.resolver.asked, tools.verifier.prober.asked) == (asked, prober)  # type: ignore[attr-defined]
    assert outcome.rows["cached"].to_pylist() == [True] * 3
    assert outcome.rows.drop_columns("cached").equals(first.drop_columns("cached"))
    assert outcome.tallies["cache"] == {"known": 3, "asked": 0} and outcome.tallies["calls"] == {}


async def test_a_greylisted_mailbox_parks_the_batch():
    tools = Tools(fake_verifier(Prober(Answer.GREYLISTED)))
    outcome = await verified(listed("a@d.test", "b@d.test"), tools, service="smtp")
    assert isinstance(outcome, Snooze) and (outcome.until - NOW).total_seconds() == 300
    tools.clock.now = outcome.until
    again = await verified(listed("a@d.test", "b@d.test"), tools, outcome.state, service="smtp")
    assert isinstance(again, Done) and again.counts == {"valid": 2}
    assert again.tallies["calls"]["smtp"] == 3


async def test_made_up_addresses_of_a_generated_list_are_probed_within_the_cap():
    tools = Tools(fake_verifier())
    tools.verifier.limits = type(tools.verifier.limits)(cap=1)
    rows = pa.table({"email": ["a@d.test", "b@d.test", "c@d.test"], "synthetic": [True, True, False]})
    table = await done(rows, tools, service="smtp")
    assert sorted(table["reason"].to_pylist()) == ["mailbox_exists", "mailbox_exists", "rate_limited"]


@pytest.mark.parametrize(
    ("table", "column", "field"),
    [
        (pa.table({"phone": ["1", "2"], "name": ["a", "b"]}), None, "column"),
        (pa.table({"phone": ["1", "2"]}), None, "emails"),
        (pa.table({"email": ["a@d.test"]}), "mail", "column"),
    ],
)
def test_a_list_without_addresses_is_refused(table: pa.Table, column: str | None, field: str):
    with pytest.raises(InvalidInput) as caught:
        Params(column=column).fitted(Source(table.num_rows, table.schema, table))
    [problem] = caught.value.problems
    assert problem.field == field and table.column_names[0] in problem.message


def test_the_address_column_is_found():
    table = pa.table({"id": ["1"], "Work e-mail": ["a@d.test"]})
    assert Params().fitted(Source(1, table.schema, table)).column == "Work e-mail"


@pytest.mark.parametrize(
    ("wrong", "field"),
    [
        ({"service": "carrier-pigeon"}, "service"),
        ({"maxAgeDays": -1}, "maxAgeDays"),
        ({"emails": [["a"]]}, "emails.0"),
        ({"emails": "a@b.test"}, "emails"),
    ],
)
def test_wrong_parameters_name_their_field(wrong: dict[str, Any], field: str):
    with pytest.raises(InvalidInput) as caught:
        read_params(VERIFY, wrong)
    assert caught.value.problems[0].field.startswith(field)


@pytest.mark.parametrize(
    ("service", "rows", "batch"), [("dns", 50, 100), ("dns", 10**6, 4000), ("smtp", 5000, 100), ("smtp", 30, 20)]
)
def test_batches_are_small_where_items_are_slow_or_few(service: str, rows: int, batch: int):
    source = Source(rows, pa.schema([("email", pa.string())]))
    assert plan(Params(service=Service(service)), source).batch == batch


def test_only_the_paid_service_needs_a_key():
    assert Params.needed_secrets({"service": "mailsso"}) == {"api_key"} and not Params.needed_secrets({"service": "smtp"})
    assert "hush" not in str(Params(api_key="hush").stored())
