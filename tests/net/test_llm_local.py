"""A model in this process: what is missing is said, and real small weights answer in the form that was asked for."""

from __future__ import annotations

import sys
from importlib.util import find_spec
from pathlib import Path

import pytest

from engine.mail.drafting import Style, contacts_prompt, initials_of, json_in, read_contacts
from engine.mail.drafting.contacts import contacts_schema
from engine.net.llm import Answer, Finish, Kind, Question, Trouble
from engine.net.llm_local import TEXT_CHARS, LocalLlm, bounded, missing
from tests.lab.weights import no_weights, weights

PROMPT = contacts_prompt("Buyers of office chairs in Norway.", [initials_of(0, 1)], Style())


async def keep(answer: Answer) -> None:
    """Every answer is kept."""


async def never() -> None:
    raise AssertionError("nothing was to be asked")


def test_what_is_missing_is_said_with_its_remedy(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    file = tmp_path / "model.gguf"
    assert "POSTBENCH_AI_MODEL_FILE" in missing(None)
    assert "is not there" in missing(file)
    file.write_bytes(b"GGUF")
    monkeypatch.setitem(sys.modules, "xllamacpp", None)
    assert "postbench[local]" in missing(file)


async def test_without_weights_nothing_is_answered_until_somebody_has_looked(tmp_path: Path):
    door = LocalLlm(tmp_path / "none.gguf")
    found = await door.ask(Question(PROMPT, ""), "", never, keep)
    assert isinstance(found, Trouble) and (found.kind, found.asked) == (Kind.DENIED, False)
    await door.close()


@pytest.mark.skipif(find_spec("xllamacpp") is None, reason="the extra `local` is not installed")
async def test_a_file_that_holds_no_weights_is_named(tmp_path: Path):
    file = tmp_path / "broken.gguf"
    file.write_bytes(b"no weights at all")
    door = LocalLlm(file)
    found = await door.ask(Question(PROMPT, ""), "", never, keep)
    assert isinstance(found, Trouble) and found.sentence == "The weights in broken.gguf cannot be loaded."
    await door.close()


def test_a_small_model_gets_bounds_for_all_that_it_writes():
    schema = bounded(contacts_schema(3), 3)
    contacts = schema["properties"]["contacts"]
    assert (contacts["minItems"], contacts["maxItems"]) == (3, 3)
    assert contacts["items"]["properties"]["title"]["maxLength"] == TEXT_CHARS
    assert "maxLength" not in str(contacts_schema(3)), "services with strict modes take no such bounds"


@pytest.mark.weights
@pytest.mark.slow
@pytest.mark.skipif(bool(no_weights()), reason=no_weights() or "there are weights")
async def test_small_weights_answer_in_the_form_that_was_asked_for():
    """What so small a model says is of no use; that it is JSON of this schema is the grammar's doing."""
    door = LocalLlm(weights())
    begun: list[int] = []

    async def begin() -> None:
        begun.append(1)

    try:
        found = await door.ask(Question(PROMPT, "", temperature=0.5, seed=3), "", begin, keep)
        assert isinstance(found, Answer), found
        assert found.finish is Finish.DONE and found.tokens_out > 10 and found.model == weights().stem
        assert begun == [1], "the schema was taken at once"
        value = json_in(found.text, "contacts")
        assert list(value["contacts"][0]) == ["first_name", "last_name", "title", "company", "note"]
        taken = read_contacts(value, [0], ())
        assert taken.contacts or taken.problems
    finally:
        await door.close()
