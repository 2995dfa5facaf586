"""The doors to language models: every fault of a service is told apart, keys stay in their header, few requests at once."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator
from typing import Any

import pytest

from engine.errors import ConfigError
from engine.mail.drafting import Prompt, draft_prompt, json_in
from engine.mail.drafting.prompts import Style
from engine.net.calls import counting
from engine.net.guard import Guard, transport
from engine.net.llm import Answer, FakeLlm, Finish, Kind, Llm, Question, Trouble
from engine.net.llm_services import AT_ONCE, AnthropicLlm, OpenAiLlm
from tests.lab.llm import LlmServer
from tests.lab.running import until

KEY = "sk-secret-0123456789"
PROMPT = draft_prompt("Invite them.", {"email": "row-1@shop.test"}, Style())
Door = OpenAiLlm | AnthropicLlm


class Clock:
    def __init__(self) -> None:
        self.time = 1_000.0

    def __call__(self) -> float:
        return self.time


@pytest.fixture
def service() -> Iterator[LlmServer]:
    with LlmServer() as server:
        yield server


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture(params=["openai", "anthropic"])
async def door(request: pytest.FixtureRequest, service: LlmServer, clock: Clock) -> Any:
    found: Door
    way = transport(Guard(trusted=frozenset({("127.0.0.1", service.port)})))
    if request.param == "openai":
        found = OpenAiLlm(service.openai, way, model="lab-1", clock=clock, timeout=5)
    else:
        found = AnthropicLlm(service.anthropic, way, model="lab-1", clock=clock, timeout=5)
    yield found
    await found.close()


async def begin() -> None:
    """Every request may be made."""


async def keep(answer: Answer) -> None:
    """Every answer is kept."""


async def asked(door: Llm, key: str = KEY, prompt: Prompt = PROMPT, **more: Any) -> Answer | Trouble:
    return await door.ask(Question(prompt, "", **more), key, begin, keep)


async def test_an_answer_comes_with_its_model_and_its_tokens(door: Door, service: LlmServer):
    with counting() as calls:
        answer = await asked(door, temperature=0.2, seed=7)
    assert isinstance(answer, Answer)
    assert json_in(answer.text, "subject")["subject"] == "An offer for row-1"
    assert (answer.model, answer.finish, answer.tokens_in, answer.tokens_out) == ("lab-1", Finish.DONE, 100, 20)
    assert calls["llm"] == 1


async def test_the_key_is_in_its_header_and_nowhere_else(door: Door, service: LlmServer):
    await asked(door)
    (call,) = service.calls
    holders = [name for name, value in call.headers.items() if KEY in value]
    assert holders == (["x-api-key"] if isinstance(door, AnthropicLlm) else ["authorization"])
    assert KEY not in str(call.body) and KEY not in call.path


async def test_the_schema_is_sent_strictly_and_no_tool_is_offered(door: Door, service: LlmServer):
    await asked(door)
    body = service.calls[0].body
    wanted = PROMPT.schema
    if isinstance(door, AnthropicLlm):
        assert body["output_config"] == {"format": {"type": "json_schema", "schema": wanted}}
    else:
        assert body["response_format"]["json_schema"] == {"name": "draft", "strict": True, "schema": wanted}
    assert not {"tools", "tool_choice", "functions"} & set(body)


@pytest.mark.parametrize(
    ("fault", "kind"),
    [
        ("429", Kind.BUSY),
        ("quota", Kind.DENIED),
        ("500", Kind.DOWN),
        ("503", Kind.DOWN),
        ("disconnect", Kind.DOWN),
        ("cut", Kind.DOWN),
        ("html", Kind.DOWN),
        ("401", Kind.DENIED),
        ("403", Kind.DENIED),
        ("404", Kind.DENIED),
        ("redirect", Kind.DENIED),
        ("413", Kind.REJECTED),
        ("reported", Kind.DOWN),
    ],
)
async def test_faults_are_told_apart_without_a_word_of_the_key(door: Door, service: LlmServer, fault: Any, kind: Kind):
    service.fault(fault)
    found = await asked(door)
    assert isinstance(found, Trouble) and found.kind is kind
    assert KEY not in found.sentence and found.sentence.startswith("The ")


@pytest.mark.parametrize(("fault", "finish"), [("length", Finish.LENGTH), ("refusal", Finish.REFUSED)])
async def test_why_a_model_stopped_is_told(door: Door, service: LlmServer, fault: Any, finish: Finish):
    service.fault(fault)
    found = await asked(door)
    assert isinstance(found, Answer) and found.finish is finish and found.tokens_in == 100


@pytest.mark.parametrize("fault", ["null", "empty"])
async def test_an_answer_without_a_text_is_no_crash(door: Door, service: LlmServer, fault: Any):
    service.fault(fault)
    found = await asked(door)
    assert (isinstance(found, Answer) and not found.text) or (isinstance(found, Trouble) and found.kind is Kind.DOWN)


async def test_no_choice_is_an_empty_answer_that_was_paid_for(service: LlmServer):
    door = OpenAiLlm(service.openai, transport(Guard(allow_private=True)))
    service.fault("empty")
    found = await asked(door)
    assert isinstance(found, Answer) and (found.text, found.tokens_in) == ("", 100)
    await door.close()


async def test_where_no_tokens_are_counted_the_texts_are_measured(door: Door, service: LlmServer):
    service.fault("uncounted")
    found = await asked(door)
    assert isinstance(found, Answer) and found.tokens_out == -(-len(found.text) // 4)
    assert found.tokens_in == pytest.approx(len(PROMPT.system + PROMPT.turns[0]) / 4, abs=2)


async def test_a_key_that_is_repeated_in_an_answer_is_left_out(door: Door, service: LlmServer):
    service.fault("told")
    found = await asked(door)
    assert isinstance(found, Answer) and KEY not in found.text
    assert json_in(found.text, "subject")["subject"] == "An offer for *** row-1"


@pytest.mark.parametrize(
    ("said", "kind"),
    [
        ("Your credit balance is too low to access the API.", Kind.DENIED),
        ("lab-1 is not a valid model ID", Kind.DENIED),
        ("The model `lab-1` does not exist", Kind.DENIED),
        ("Your prompt was flagged", Kind.REJECTED),
    ],
)
async def test_a_refusal_that_holds_for_every_question_is_told_apart(door: Door, service: LlmServer, said: str, kind: Kind):
    service.takes.said = said
    found = await asked(door)
    assert isinstance(found, Trouble) and found.kind is kind
    assert kind is Kind.REJECTED or len(service.calls) == 1


async def test_who_hangs_is_given_up(service: LlmServer):
    service.fault("hang")
    door = OpenAiLlm(service.openai, transport(Guard(allow_private=True)), timeout=0.05)
    found = await asked(door)
    assert isinstance(found, Trouble) and (found.kind, found.sentence) == (Kind.DOWN, "The AI service did not answer in time.")
    service.heal()
    await door.close()


async def test_after_being_told_to_wait_nothing_is_asked_with_that_key(door: Door, service: LlmServer, clock: Clock):
    service.retry_after = "30"
    service.fault("429")
    first = await asked(door)
    assert isinstance(first, Trouble) and (first.wait, first.asked) == (30.0, True)
    clock.time += 10
    second = await asked(door)
    assert isinstance(second, Trouble) and (second.kind, second.wait, second.asked) == (Kind.BUSY, 20.0, False)
    assert isinstance(await asked(door, key="another-key"), Answer)
    clock.time += 21
    assert isinstance(await asked(door), Answer)
    assert len(service.calls) == 3


@pytest.mark.parametrize("status", [400, 422])
async def test_without_schemas_it_asks_in_simpler_forms_and_remembers(door: Door, service: LlmServer, status: int):
    service.takes.schema, service.takes.status = False, status
    assert isinstance(await asked(door), Answer)
    used = len(service.calls)
    assert used == 2 and '"subject"' in str(service.calls[-1].body), "the schema is in words now"
    service.takes.object = False
    assert isinstance(await asked(door), Answer)
    assert "response_format" not in service.calls[-1].body and "output_config" not in service.calls[-1].body
    used = len(service.calls)
    assert isinstance(await asked(door), Answer)
    assert len(service.calls) == used + 1, "what it takes is remembered"


async def test_parameters_that_a_model_does_not_take_are_left_out(door: Door, service: LlmServer):
    service.takes.temperature = service.takes.seed = False
    service.takes.max_tokens = isinstance(door, AnthropicLlm)
    assert isinstance(await asked(door, temperature=0.2, seed=3), Answer)
    body = service.calls[-1].body
    assert "temperature" not in body and "seed" not in body
    assert isinstance(door, AnthropicLlm) or (body["max_completion_tokens"] == 4_000 and "response_format" in body)


async def test_a_model_with_little_room_is_asked_for_short_answers(door: Door, service: LlmServer):
    service.takes.most = 1_500
    assert isinstance(await asked(door), Answer) and isinstance(await asked(door), Answer)
    assert [call.body["max_tokens"] for call in service.calls] == [4_000, 1_000, 1_000]
    assert {"response_format", "output_config"} & set(service.calls[-1].body), "that was about the length, not about the schema"


async def test_a_model_without_system_messages_gets_the_instructions_in_the_first_question(service: LlmServer):
    door = OpenAiLlm(service.openai, transport(Guard(allow_private=True)))
    service.takes.system = False
    assert isinstance(await asked(door), Answer)
    (turn,) = service.calls[-1].body["messages"]
    assert turn == {"role": "user", "content": f"{PROMPT.system}\n\n{PROMPT.turns[0]}"}
    assert "response_format" in service.calls[-1].body
    await door.close()


async def test_each_request_is_permitted_on_its_own(door: Door, service: LlmServer):
    class Spent(Exception):
        pass

    left = [None]

    async def once() -> None:
        if not left:
            raise Spent
        left.pop()

    service.takes.schema = False
    with pytest.raises(Spent):
        await door.ask(Question(PROMPT, ""), KEY, once, keep)
    assert len(service.calls) == 1


async def test_an_answer_is_kept_before_anything_else_is_asked_in_its_place(door: Door, service: LlmServer):
    """So that a crash costs no more answers than may be under way."""
    writing = asyncio.Event()
    kept: list[Answer] = []

    async def slowly(answer: Answer) -> None:
        kept.append(answer)
        await writing.wait()

    many = [asyncio.create_task(door.ask(Question(PROMPT, ""), KEY, begin, slowly)) for _ in range(3 * AT_ONCE)]
    await until(lambda: len(kept) == AT_ONCE)
    assert len(service.calls) == AT_ONCE
    writing.set()
    await asyncio.gather(*many)
    assert len(kept) == len(service.calls) == 3 * AT_ONCE


async def test_only_a_few_requests_are_under_way_at_once(door: Door, service: LlmServer):
    service.delay = 0.02
    await asyncio.gather(*(asked(door) for _ in range(4 * AT_ONCE)))
    assert 1 < service.most <= AT_ONCE and len(service.calls) == 4 * AT_ONCE


async def test_a_key_that_no_header_can_hold_is_refused_without_a_request(door: Door, service: LlmServer):
    found = await asked(door, key="sk\r\nx: y")
    assert isinstance(found, Trouble) and found.kind is Kind.DENIED and not service.calls


async def test_an_address_that_is_not_trusted_is_out_of_reach(service: LlmServer):
    door = OpenAiLlm(service.openai, transport(Guard()))
    found = await asked(door)
    assert isinstance(found, Trouble) and found.kind is Kind.DENIED and "POSTBENCH_AI_URL" in found.sentence
    assert not service.calls
    await door.close()


@pytest.mark.parametrize("url", ["", "ftp://x/v1", "api.openai.com/v1", "http://x/v1?key=1"])
def test_a_wrong_base_is_a_wrong_setting(url: str):
    with pytest.raises(ConfigError, match="POSTBENCH_AI_URL is not the base"):
        OpenAiLlm(url, transport(Guard()))


async def test_the_fake_answers_like_the_real_ones():
    fake = FakeLlm(lambda question: '{"subject": "x"}')
    answer = await asked(fake)
    assert isinstance(answer, Answer) and answer.tokens_in and fake.keys == [KEY] and fake.asked[0].prompt == PROMPT
