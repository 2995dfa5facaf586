"""Lists of recipients: what their statuses vouch for, and lists as an older version stored them."""

from __future__ import annotations

import pyarrow as pa
import pytest

from engine.sending.parcels import Turn
from engine.sending.recipients import NTH, SAID, TURN, Recipients, Why, recipients_of, vouched

STORED = ["_recipient", "_why"]


def listed(**columns: list[str | None]) -> pa.Table:
    return pa.table({name: pa.array(values, pa.string()) for name, values in columns.items()})


@pytest.mark.parametrize(
    ("columns", "verified"),
    [
        ({"status": ["valid", "risky", "valid"]}, True),
        ({"status": ["ok", "failed", "ok"]}, False),
        ({"status": ["ok", "failed"], "input_status": ["valid", "valid"]}, True),
        ({"status": ["ok", "ok"], "input_status": ["valid", None]}, False),
        ({"status": ["valid", "customer"]}, False),
        ({"status": ["found", "no_addresses"]}, True),
        ({"email": ["ann@x.org"]}, False),
    ],
)
def test_only_verdicts_vouch_for_those_who_are_left(columns: dict[str, list[str | None]], verified: bool) -> None:
    assert vouched(listed(**columns)) is verified


def stored() -> pa.Table:
    rows = listed(email=["a@x.org", "nobody", "b@x.org", "A@x.org"])
    return recipients_of(rows, "email", False).table(rows)


def test_a_list_is_read_as_it_was_stored() -> None:
    assert Recipients.of_table(stored()) == recipients_of(
        listed(email=["a@x.org", "nobody", "b@x.org", "A@x.org"]), "email", False
    )


def test_turns_and_reasons_that_an_older_version_did_not_keep_are_made_up_for() -> None:
    found = Recipients.of_table(stored().drop_columns([SAID, TURN, NTH]))
    assert [out and (out.why, out.said) for out in found.left_out] == [
        None, (Why.NO_ADDRESS, ""), None, (Why.REPEATED, ""),
    ]  # fmt: skip
    assert found.keys == ["a@x.org", "", "b@x.org", "a@x.org"]
    assert found.turns[2] == Turn(1, 1)


@pytest.mark.parametrize("name", STORED)
def test_without_knowing_who_may_be_written_to_nobody_is(name: str) -> None:
    found = Recipients.of_table(stored().drop_columns([name]))
    assert all(out is not None and "older version" in out.said for out in found.left_out)
    assert len(found.keys) == len(found.turns) == 4
