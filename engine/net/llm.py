"""Language models behind a door: one question, one answer or the trouble that kept it away."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass
from enum import Enum, auto
from typing import Protocol

from engine.mail.drafting.prompts import Prompt
from engine.net import calls

Begin = Callable[[], Awaitable[None]]
"""Awaited just before each request goes out; what it raises ends the question and is raised."""


class Finish(Enum):
    """Why a model stopped."""

    DONE = auto()
    LENGTH = auto()
    REFUSED = auto()
    FILTERED = auto()


class Kind(Enum):
    """What sort of trouble it is, for whoever decides what to do next.

    BUSY: come back later. DOWN: may pass. DENIED: nothing will be answered until somebody has looked. REJECTED: this question is
    not taken, another may be.
    """

    BUSY = auto()
    DOWN = auto()
    DENIED = auto()
    REJECTED = auto()


@dataclass(frozen=True, slots=True)
class Question:
    """A prompt for a model; an empty model is the service's own choice. `limit`: most tokens of the answer."""

    prompt: Prompt
    model: str
    temperature: float | None = None
    seed: int | None = None
    limit: int = 4_000


@dataclass(frozen=True, slots=True)
class Answer:
    """What a model wrote, which model that was as it calls itself, why it stopped, and the tokens that were counted."""

    text: str
    model: str
    finish: Finish = Finish.DONE
    tokens_in: int = 0
    tokens_out: int = 0


@dataclass(frozen=True, slots=True)
class Trouble:
    """Why there is no answer, in a sentence without the key or the prompt.

    `wait`: seconds that the service asks for. `asked`: whether a request was made at all.
    """

    kind: Kind
    sentence: str
    wait: float | None = None
    asked: bool = True


Keep = Callable[[Answer], Awaitable[None]]
"""Awaited with an answer before the service is asked anything else in its place; what it raises is raised."""


class Llm(Protocol):
    """A service that answers with a language model."""

    async def ask(self, question: Question, key: str, begin: Begin, keep: Keep) -> Answer | Trouble:
        """Ask once; a service that does not know a way to ask for JSON is asked in a simpler one, each time after `begin`."""

    async def close(self) -> None:
        """Let go of connections and processes."""


class Llms:
    """The services of this server by name; the door `llm`."""

    def __init__(self, services: Mapping[str, Llm]) -> None:
        self.services = dict(services)

    async def close(self) -> None:
        """Close them all."""
        for service in self.services.values():
            await service.close()


class FakeLlm:
    """A service for tests: `reply` makes each answer from the question; `asked` and `keys` are what came in."""

    def __init__(self, reply: Callable[[Question], Answer | Trouble | str]) -> None:
        self.reply = reply
        self.asked: list[Question] = []
        self.keys: list[str] = []

    async def ask(self, question: Question, key: str, begin: Begin, keep: Keep) -> Answer | Trouble:
        """What `reply` gives; a text becomes an answer of 10 tokens for 100."""
        await begin()
        calls.note("llm")
        self.asked.append(question)
        self.keys.append(key)
        reply = self.reply(question)
        found = Answer(reply, question.model or "fake-1", tokens_in=100, tokens_out=10) if isinstance(reply, str) else reply
        if isinstance(found, Answer):
            await keep(found)
        return found

    async def close(self) -> None:
        """Nothing to let go of."""
