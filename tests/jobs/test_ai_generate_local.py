"""A whole job by real small weights in this process: each row can be used, or says why not."""

from __future__ import annotations

from collections.abc import AsyncIterator

import pyarrow as pa
import pytest

from engine.mail.address import Address, parse
from engine.mail.drafting import is_made_up
from engine.net.llm import Llms
from engine.net.llm_local import LocalLlm
from tests.jobs.writing import PEOPLE, World, run, settled
from tests.lab.weights import no_weights, weights

pytestmark = [
    pytest.mark.weights,
    pytest.mark.slow,
    pytest.mark.skipif(bool(no_weights()), reason=no_weights() or "there are weights"),
]


@pytest.fixture
async def tools() -> AsyncIterator[World]:
    """The doors, with real weights behind one of them."""
    found = World(lambda _: "", secrets={})
    local = LocalLlm(weights())
    found.doors = {**found.doors, "llm": Llms({"local": local})}
    yield found
    await local.close()


def checked(table: pa.Table, texts: tuple[str, ...]) -> None:
    """So small a model need not say anything sensible; its rows are whole nevertheless, or say why they are not."""
    for row in table.to_pylist():
        assert (row["provider"], row["model"]) == ("local", weights().stem) and 1 <= row["attempts"] <= 3
        if row["status"] == "ok":
            assert all(row[name] for name in texts) and row["error"] is None
        else:
            assert row["status"] == "failed" and row["error"].startswith("The answers could not be used, 3 times:")
            assert not any(row[name] for name in texts)


async def test_contacts_by_small_weights(tools: World) -> None:
    table = await run(tools, settled(mode="contacts", count=1, brief="Buyers in Norway.", provider="local", model=None))
    checked(table, ("first_name", "last_name", "title", "company"))
    for email in filter(None, table["email"].to_pylist()):
        assert is_made_up(email) and isinstance(parse(email), Address)


async def test_a_draft_by_small_weights(tools: World) -> None:
    params = settled(brief="Invite them to tea.", length="short", provider="local", model=None)
    table = await run(tools, params, [{"email": PEOPLE[0]["email"], "first_name": "Ann"}])
    assert table.num_rows == 1
    checked(table, ("subject", "body"))
    assert tools.spending.spent["job"].tokens > 50, "what a model of our own does is counted as well"
