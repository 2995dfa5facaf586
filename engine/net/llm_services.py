"""Services of language models over HTTP: those that speak OpenAI's protocol, and Anthropic's."""

from __future__ import annotations

import asyncio
import hashlib
import time
from abc import ABC, abstractmethod
from collections.abc import Callable, Mapping
from dataclasses import replace
from typing import Any, ClassVar

import httpx
import structlog

from engine.net.llm import Answer, Begin, Finish, Keep, Kind, Question, Trouble
from engine.net.llm_habits import Form, Habits
from engine.net.llm_wire import Refusal, Wire

AT_ONCE = 8
"""Requests to one service that are under way."""
TIMEOUT = 180.0
USUAL_REST = 20.0
"""Seconds of rest after a 429 that names none."""
TIGHT = 1_000
"""Most tokens of an answer of a model with little room."""
_BYTES_PER_TOKEN = 4
"""In English about the truth, elsewhere a little much: for counting where a service does not."""
_FORMS_TRIED = 8
_KEYS = 1_000
_NOT_UNDERSTOOD = Trouble(Kind.DOWN, "The AI service answered in a form that is not understood.")
log = structlog.get_logger()


class _Service(ABC):
    """What all services have in common: few requests at once, rest when told to, and what their models take."""

    forms: ClassVar[tuple[Form, ...]]
    dialects: ClassVar[bool] = False

    def __init__(
        self,
        wire: Wire,
        *,
        model: str = "",
        at_once: int = AT_ONCE,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._wire, self._model, self._clock = wire, model, clock
        self._room = asyncio.Semaphore(at_once)
        self._habits: dict[str, Habits] = {}
        self._rest: dict[bytes, float] = {}

    async def ask(self, question: Question, key: str, begin: Begin, keep: Keep) -> Answer | Trouble:
        """See `Llm.ask`."""
        question = question if question.model else replace(question, model=self._model)
        key = key.strip()
        async with self._room:
            if (rest := self._rest.get(_digest(key), 0.0) - self._clock()) > 0:
                return Trouble(Kind.BUSY, "The AI service asked to be left alone for a while.", rest, asked=False)
            found = await self._tried(question, key, begin)
            if isinstance(found, Answer):
                await keep(found)
        if isinstance(found, Trouble) and found.kind is Kind.BUSY:
            self._note_rest(key, USUAL_REST if found.wait is None else found.wait)
        return found

    async def close(self) -> None:
        """Let go of the connections."""
        await self._wire.close()

    async def _tried(self, question: Question, key: str, begin: Begin) -> Answer | Trouble:
        """Ask in the strictest form that the model is thought to take, then in simpler ones."""
        habits = self._habits.get(question.model, Habits())
        first: Trouble | None = None
        for _ in range(_FORMS_TRIED):
            await begin()
            found = await self._wire.post(self.path, self.body(question, habits), self.headers(key), key)
            if not isinstance(found, Refusal):
                return self._learned(question, habits, found) if isinstance(found, dict) else found
            first = first or found.trouble
            simpler = habits.after(found.said, self.forms, self.dialects)
            if simpler is None:
                return first
            habits = simpler
        return first or _NOT_UNDERSTOOD

    def _learned(self, question: Question, habits: Habits, value: dict[str, Any]) -> Answer | Trouble:
        model = question.model
        found = self.read(value, model)
        if isinstance(found, Trouble):
            return found
        if self._habits.get(model) != (proven := replace(habits, proven=True)):
            if proven != Habits(proven=True):
                log.info("llm_asked_otherwise", form=habits.form.name.lower(), without=sorted(habits.without))
            self._habits[model] = proven
        return _counted(found, question)

    def _note_rest(self, key: str, seconds: float) -> None:
        if len(self._rest) >= _KEYS:
            self._rest.pop(next(iter(self._rest)))
        self._rest[_digest(key)] = self._clock() + seconds

    @property
    @abstractmethod
    def path(self) -> str:
        """Where questions go, below the base."""

    @abstractmethod
    def headers(self, key: str) -> dict[str, str]:
        """The headers that carry the key."""

    @abstractmethod
    def body(self, question: Question, habits: Habits) -> dict[str, Any]:
        """The request."""

    @abstractmethod
    def read(self, value: Mapping[str, Any], model: str) -> Answer | Trouble:
        """The answer in the service's JSON; `model` where it does not say which it was."""


class OpenAiLlm(_Service):
    """`POST {base}/chat/completions`, as OpenAI, Ollama, llama.cpp and vLLM know it; `model` stands in where none is named."""

    forms = (Form.SCHEMA, Form.OBJECT, Form.PROMPT)
    dialects = True

    def __init__(
        self,
        url: str,
        transport: httpx.AsyncBaseTransport,
        *,
        model: str = "",
        setting: str = "POSTBENCH_AI_URL",
        timeout: float = TIMEOUT,
        at_once: int = AT_ONCE,
        clock: Callable[[], float] = time.monotonic,
        now: Callable[[], float] = time.time,
    ) -> None:
        super().__init__(Wire(url, setting, transport, timeout, now), model=model, at_once=at_once, clock=clock)

    path = "/chat/completions"

    def headers(self, key: str) -> dict[str, str]:
        """A bearer token, where there is a key."""
        return {"authorization": f"Bearer {key}"} if key else {}

    def body(self, question: Question, habits: Habits) -> dict[str, Any]:
        """See https://platform.openai.com/docs/api-reference/chat/create."""
        body: dict[str, Any] = {
            "model": question.model,
            "messages": _conversation(_system(question, habits), _turns(question), habits.merged),
            ("max_completion_tokens" if habits.renamed else "max_tokens"): _limit(question, habits),
            **_optional(question, habits),
        }
        if habits.form is Form.SCHEMA:
            schema = {"name": question.prompt.name, "strict": True, "schema": question.prompt.schema}
            body["response_format"] = {"type": "json_schema", "json_schema": schema}
        elif habits.form is Form.OBJECT:
            body["response_format"] = {"type": "json_object"}
        return body

    def read(self, value: Mapping[str, Any], model: str) -> Answer | Trouble:
        """The first choice; a refusal has its own field. No choice is an empty answer, which was paid for like another."""
        choices = value.get("choices")
        usage = value.get("usage")
        counted = _number(usage, "prompt_tokens"), _number(usage, "completion_tokens")
        if choices == []:
            return Answer("", _named(value, model), Finish.DONE, *counted)
        choice = choices[0] if isinstance(choices, list) and choices else None
        message = choice.get("message") if isinstance(choice, Mapping) else None
        if not isinstance(choice, Mapping) or not isinstance(message, Mapping):
            return _failed(value)
        finish = {"length": Finish.LENGTH, "content_filter": Finish.FILTERED}.get(str(choice.get("finish_reason")), Finish.DONE)
        finish = Finish.REFUSED if message.get("refusal") else finish
        return Answer(_plain(message.get("content")), _named(value, model), finish, *counted)


class AnthropicLlm(_Service):
    """`POST {base}/v1/messages`; `model` where a question names none."""

    forms = (Form.SCHEMA, Form.PROMPT)

    def __init__(
        self,
        url: str,
        transport: httpx.AsyncBaseTransport,
        *,
        model: str = "",
        timeout: float = TIMEOUT,
        at_once: int = AT_ONCE,
        clock: Callable[[], float] = time.monotonic,
        now: Callable[[], float] = time.time,
    ) -> None:
        wire = Wire(url.rstrip("/").removesuffix("/v1"), "POSTBENCH_ANTHROPIC_URL", transport, timeout, now)
        super().__init__(wire, model=model, at_once=at_once, clock=clock)

    path = "/v1/messages"

    def headers(self, key: str) -> dict[str, str]:
        """See https://platform.claude.com/docs/en/api/overview."""
        return {"x-api-key": key, "anthropic-version": "2023-06-01"}

    def body(self, question: Question, habits: Habits) -> dict[str, Any]:
        """See https://platform.claude.com/docs/en/build-with-claude/structured-outputs. The protocol knows no seed."""
        body: dict[str, Any] = {
            "model": question.model,
            "system": _system(question, habits),
            "messages": _turns(question),
            "max_tokens": _limit(question, habits),
            **_optional(question, replace(habits, without=habits.without | {"seed"})),
        }
        if "temperature" in body:
            body["temperature"] = min(1.0, body["temperature"])
        if habits.form is Form.SCHEMA:
            body["output_config"] = {"format": {"type": "json_schema", "schema": question.prompt.schema}}
        return body

    def read(self, value: Mapping[str, Any], model: str) -> Answer | Trouble:
        """The text blocks, joined."""
        content = value.get("content")
        if not isinstance(content, list):
            return _failed(value)
        texts = [block.get("text") for block in content if isinstance(block, Mapping) and block.get("type") == "text"]
        stopped = str(value.get("stop_reason"))
        finish = {"max_tokens": Finish.LENGTH, "refusal": Finish.REFUSED}.get(stopped, Finish.DONE)
        usage = value.get("usage")
        counted = _number(usage, "input_tokens"), _number(usage, "output_tokens")
        return Answer("".join(text for text in texts if isinstance(text, str)), _named(value, model), finish, *counted)


def _system(question: Question, habits: Habits) -> str:
    """The instructions, with the schema in words where it cannot be given otherwise."""
    prompt = question.prompt
    return prompt.system if habits.form is Form.SCHEMA else f"{prompt.system}\n\n{prompt.schema_text}"


def _conversation(system: str, turns: list[dict[str, str]], merged: bool) -> list[dict[str, str]]:
    """The messages, the instructions first: on their own, or in front of the first question."""
    if not merged:
        return [{"role": "system", "content": system}, *turns]
    return [{**turns[0], "content": f"{system}\n\n{turns[0]['content']}"}, *turns[1:]]


def _limit(question: Question, habits: Habits) -> int:
    return min(question.limit, TIGHT) if habits.tight else question.limit


def _counted(answer: Answer, question: Question) -> Answer:
    """With tokens by the length of the texts where the service counts none, so that a cap holds there too."""
    if answer.tokens_in or answer.tokens_out:
        return answer
    asked = question.prompt.system, *question.prompt.turns
    return replace(answer, tokens_in=sum(_estimated(text) for text in asked), tokens_out=_estimated(answer.text))


def _estimated(text: str) -> int:
    return -(-len(text.encode(errors="replace")) // _BYTES_PER_TOKEN)


def _failed(value: Mapping[str, Any]) -> Trouble:
    """A body without an answer, which relays give with status 200: the status is in it, if anywhere."""
    error = value.get("error")
    code = error.get("code") if isinstance(error, Mapping) else None
    if str(code) == "429":
        return Trouble(Kind.BUSY, "The AI service is being asked too often.")
    return Trouble(Kind.DOWN, "The AI service reported an error instead of an answer.") if error else _NOT_UNDERSTOOD


def _turns(question: Question) -> list[dict[str, str]]:
    roles = ("user", "assistant")
    return [{"role": roles[place % 2], "content": text} for place, text in enumerate(question.prompt.turns)]


def _optional(question: Question, habits: Habits) -> dict[str, Any]:
    given = {"temperature": question.temperature, "seed": question.seed}
    return {name: value for name, value in given.items() if value is not None and name not in habits.without}


def _plain(content: Any) -> str:
    """The text of a message, which some services cut into parts."""
    if isinstance(content, list):
        parts = [part.get("text") for part in content if isinstance(part, Mapping)]
        return "".join(part for part in parts if isinstance(part, str))
    return content if isinstance(content, str) else ""


def _named(value: Mapping[str, Any], model: str) -> str:
    named = value.get("model")
    return model or (named[:200] if isinstance(named, str) else "")


def _number(usage: Any, name: str) -> int:
    value = usage.get(name) if isinstance(usage, Mapping) else 0
    return value if isinstance(value, int) and not isinstance(value, bool) and 0 <= value < 2**40 else 0


def _digest(key: str) -> bytes:
    return hashlib.sha256(key.encode(errors="replace")).digest()
