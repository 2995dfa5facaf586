"""The conversation with a language model about a batch: ask, check, have it repaired, wait; what is paid for is kept."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import timedelta
from typing import Any, Protocol, Self

from engine.durable.contract import Batch, Json, Snooze, Tools
from engine.durable.spending import Caps, Spending, Spent
from engine.errors import Held
from engine.mail.drafting import Prompt, repair
from engine.net.llm import Answer, Finish, Kind, Llm, Question, Trouble

REPAIRS = 2
"""How often a model may answer again what could not be used, until something can."""
DOWN_TRIES = 10
"""Failures in a row until a service is given up; with the waits between them about nine minutes."""
BUSY_TRIES = 50
"""How often a service may ask to come back later."""
FIRST_WAIT, LONGEST_WAIT, USUAL_REST = 1.0, 300.0, 20.0
"""Seconds: after the first failure, after the last one, and where a service asks for rest without saying how long."""
SPREAD = 50
"""Batches that were told to wait come back one by one within a second, not all at once."""


class Task(Protocol):
    """What a model is to write for a batch. Its accepted parts are plain values, kept between runs."""

    @property
    def open(self) -> bool:
        """Whether something is still missing."""

    def prompt(self) -> Prompt:
        """The question about all that is missing."""

    def read(self, text: str, attempt: int) -> list[str]:
        """Take what can be used of an answer, the `attempt`-th of the batch; what is wrong with the rest, for the model."""

    def kept(self) -> Json:
        """What was taken so far."""


@dataclass
class Memory:
    """What a batch keeps while it is parked and between the answers that are paid for.

    `requests`, `tokens_in`, `tokens_out`: spent on it. `answers`: how many there were, from one that brought a part of it on.
    `last` and `problems`: the newest answer that is to be repaired. `refused`: why no other will be better. `downs`: failures in
    a row; `naps`: times that the service asked for rest; `why`: the newest trouble, for who watches.
    """

    kept: Json = None
    requests: int = 0
    answers: int = 0
    tokens_in: int = 0
    tokens_out: int = 0
    model: str = ""
    last: str = ""
    problems: list[str] = field(default_factory=list)
    refused: str = ""
    downs: int = 0
    naps: int = 0
    why: str = ""

    @classmethod
    def of(cls, state: Json) -> Self:
        """From what was saved."""
        return cls(**(state or {}))

    def state(self, task: Task) -> Json:
        """To be saved."""
        return {**vars(self), "kept": task.kept()}


@dataclass(frozen=True, slots=True)
class Service:
    """Whom to ask, how, and within which caps."""

    llm: Llm
    spending: Spending
    caps: Caps
    key: str = field(repr=False, default="")
    model: str = ""
    temperature: float | None = None
    seed: int | None = None


class _Capped(Exception):
    """A cap of the job forbids the request."""


async def converse(task: Task, memory: Memory, service: Service, batch: Batch, tools: Tools) -> Snooze | str:
    """Have the task written as far as that is possible; "" when it is done, else why the rest of it failed, or when to go on.

    Raises:
        Held: nothing will be answered until somebody has looked.
    """

    async def begin() -> None:
        over = await service.spending.reserve(batch.job.id, service.caps)
        if over is not None:
            raise _Capped(_cap_reached(over, service.caps))
        memory.requests += 1

    async def keep(answer: Answer) -> None:
        await service.spending.add(batch.job.id, answer.tokens_in, answer.tokens_out)
        _take(answer, memory, task)
        await tools.save(memory.state(task))  # what was paid for is on the disk before more is paid for

    while task.open:
        if memory.refused:
            return memory.refused
        if memory.answers > REPAIRS:
            return f"The answers could not be used, {memory.answers} times: {'; '.join(memory.problems)}"
        try:
            found = await service.llm.ask(_question(task, memory, service), service.key, begin, keep)
        except _Capped as capped:
            return str(capped)
        if isinstance(found, Trouble):
            return _waits(found, memory, task, batch, tools)
    return ""


def _question(task: Task, memory: Memory, service: Service) -> Question:
    prompt = task.prompt()
    if memory.problems:
        prompt = repair(prompt, memory.last, memory.problems)
    return Question(prompt, service.model, service.temperature, service.seed)


def _take(answer: Answer, memory: Memory, task: Task) -> None:
    """Remember what the answer is good for, and whether another could be better."""
    memory.answers += 1
    memory.downs, memory.why = 0, ""
    memory.tokens_in += answer.tokens_in
    memory.tokens_out += answer.tokens_out
    memory.model = answer.model
    if answer.finish is Finish.FILTERED:
        memory.refused = "The content filter of the AI service held the answer back."
    if answer.finish is Finish.REFUSED:
        memory.refused = "The model refused to write this."
    if memory.refused:
        return
    before = task.kept()
    problems = task.read(answer.text, memory.requests)
    if task.open and task.kept() != before:
        memory.answers = 1  # asked for what is still missing, a model that gives a part each time gets to the end
    if answer.finish is Finish.LENGTH and problems:
        problems = ["the answer was cut off because it was too long; write less"]
    memory.last, memory.problems = answer.text[:20_000] if task.open else "", problems


def _waits(trouble: Trouble, memory: Memory, task: Task, batch: Batch, tools: Tools) -> Snooze | str:
    """Come back later, or not at all."""
    memory.why = trouble.sentence
    match trouble.kind:
        case Kind.DENIED:
            raise Held(trouble.sentence)
        case Kind.REJECTED:
            return trouble.sentence
        case Kind.BUSY:
            memory.naps += trouble.asked
            tries, most = memory.naps, BUSY_TRIES
            wait = USUAL_REST if trouble.wait is None else trouble.wait
        case Kind.DOWN:
            memory.downs += 1
            tries, most = memory.downs, DOWN_TRIES
            wait = max(trouble.wait or 0.0, min(LONGEST_WAIT, FIRST_WAIT * 2 ** (memory.downs - 1)))
    if tries >= most:
        return f"{trouble.sentence} It was tried {tries} times in a row."
    return Snooze(tools.now() + timedelta(seconds=wait + batch.number % SPREAD / SPREAD), memory.state(task))


def _cap_reached(spent: Spent, caps: Caps) -> str:
    """Which cap it is."""
    if spent.requests >= caps.requests:
        return f"The cap of {caps.requests:,} requests is reached (maxRequests); run this row again with a higher one."
    return f"The cap of {caps.tokens:,} tokens is reached (maxTokens); run this row again with a higher one."


def spent_tally(memory: Memory) -> Mapping[str, int]:
    """What the batch spent, for the job's counters."""
    told: dict[str, Any] = {"requests": memory.requests, "tokens_in": memory.tokens_in, "tokens_out": memory.tokens_out}
    return {name: number for name, number in told.items() if number}
