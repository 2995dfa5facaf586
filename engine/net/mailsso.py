"""mails.so, an outside verification service: batches where the plan has them, else single calls; answers handed on at once."""

from __future__ import annotations

import asyncio
import time
import unicodedata
from collections.abc import Awaitable, Callable, Iterable, Mapping, Sequence
from typing import Any, Protocol
from urllib.parse import quote

import httpx
import structlog

from engine.mail.evidence import Reason, ServiceAnswer, Status
from engine.net import calls
from engine.net.mailsso_answers import service_answer
from engine.net.mailsso_wire import LATE, Kind, Patience, Trouble, Wire

HANDFUL = 5
"""Up to so many addresses are asked one by one, without a batch."""
MAX_BATCH = 50_000
"""The service takes no more addresses in a batch."""
_NEW_POLLS = 5
_DOWN_IN_A_ROW = 10
_POLL_GROWTH = 1.6
_GENERAL = {Kind.REFUSED, Kind.BUSY, Kind.LATE}
Started = Callable[[str], Awaitable[None]]
Answered = Callable[[Mapping[str, ServiceAnswer]], Awaitable[None]]
log = structlog.get_logger()


class MailsSo(Protocol):
    """Asks the service about addresses."""

    async def validate(
        self, addresses: Sequence[str], key: str, *, batch: str | None, started: Started, answered: Answered
    ) -> None:
        """Get an answer for every address (at most `MAX_BATCH`); what fails is an answer with an `error`.

        `started` is awaited with the id of a batch once it is paid for; given again as `batch`, that one is waited for instead of
        paying for another. `answered` is awaited with answers, under the texts given, as soon as there are any, one call at a
        time. What these two raise ends the validation and is raised.
        """

    @property
    def calls(self) -> int:
        """HTTP requests so far."""


class MailsSoClient:
    """The real service at a base URL. The transport decides where connections may go (`engine.net.guard.transport`).

    `clock` (monotonic), `now` (of the wall) and `sleep` are for tests.

    Raises:
        ConfigError: the URL is not an HTTP base URL.
    """

    def __init__(
        self,
        url: str,
        transport: httpx.AsyncBaseTransport | None,
        *,
        patience: Patience | None = None,
        clock: Callable[[], float] = time.monotonic,
        now: Callable[[], float] = time.time,
        sleep: Callable[[float], Awaitable[None]] = asyncio.sleep,
    ) -> None:
        self._wire = Wire(url, transport, patience or Patience(), clock, now, sleep)

    @property
    def calls(self) -> int:
        """HTTP requests so far, repeats included."""
        return self._wire.calls

    async def validate(
        self, addresses: Sequence[str], key: str, *, batch: str | None, started: Started, answered: Answered
    ) -> None:
        """See `MailsSo.validate`.

        Raises:
            ValueError: there are more than `MAX_BATCH` addresses.
        """
        if len(addresses) > MAX_BATCH:
            raise ValueError(f"{len(addresses)} addresses in one call; at most {MAX_BATCH}")
        await _Validation(self._wire, key.strip(), addresses, started, answered).run(batch)

    async def close(self) -> None:
        """Let go of the connections."""
        await self._wire.close()


class _Validation:
    """One list on its way through the service. `open` maps each distinct address, folded, to the texts that name it."""

    def __init__(self, wire: Wire, key: str, addresses: Sequence[str], started: Started, answered: Answered) -> None:
        self._wire, self._key, self._started, self._answered = wire, key, started, answered
        self._deadline = wire.clock() + wire.patience.total
        self._lock = asyncio.Lock()
        self._ready: dict[str, ServiceAnswer] = {}
        self._down = 0
        self.open: dict[str, list[str]] = {}
        for address in dict.fromkeys(addresses):
            self.open.setdefault(_fold(address), []).append(address)

    async def run(self, batch: str | None) -> None:
        """The given batch, else a new one where it pays, then single calls for what is left."""
        looked = bool(batch) and bool(self.open) and await self._follow(str(batch), resumed=True)
        if not looked and len(self.open) > HANDFUL and not self._wire.gated(self._key):
            number = await self._begin()
            if number:
                await self._follow(number, resumed=False)
        await self._singles()

    async def _begin(self) -> str:
        """Pay for a batch; its id, or "" when it is to be done without one."""
        emails = [texts[0] for texts in self.open.values()]
        value = await self._wire.post(self._key, self._deadline, "/v1/batch", {"emails": emails})
        if isinstance(value, Trouble):
            await self._give_up_batch(value)
            return ""
        number = _payload(value).get("id")
        if isinstance(number, bool) or not isinstance(number, str | int) or not 0 < len(str(number)) <= 200:
            return ""
        log.info("mailsso_batch_started", addresses=len(emails))
        await self._started(str(number))
        return str(number)

    async def _give_up_batch(self, trouble: Trouble) -> None:
        """Go on with single calls where they can help, else fail what is open."""
        if trouble.kind is Kind.PLAN:
            self._wire.gate(self._key)
        elif trouble.kind not in (Kind.GONE, Kind.REJECTED, Kind.GARBLED):
            await self._fail(self.open.copy(), trouble)

    async def _follow(self, number: str, resumed: bool) -> bool:
        """Wait for a batch and hand on its answers; False when the service does not know it."""
        patience, wait, failures = self._wire.patience, self._wire.patience.first_poll, 0
        path = f"/v1/batch/{quote(number, safe='')}"
        if not resumed:
            await self._wire.sleep(wait)
        while True:
            value = await self._wire.get(self._key, self._deadline, path, tries=1)
            if isinstance(value, dict):
                failures = 0
                payload = _payload(value)
                if payload.get("finished_at"):
                    await self._hand(self._take(payload.get("emails")))
                    return True
            elif (known := await self._unanswered(value, failures := failures + 1, resumed)) is not None:
                return known
            left = self._deadline - self._wire.clock()
            if left <= 0:
                await self._fail(self.open.copy(), LATE)
                return True
            await self._wire.sleep(min(wait, left))
            wait = min(patience.last_poll, wait * _POLL_GROWTH)

    async def _unanswered(self, trouble: Trouble, failures: int, resumed: bool) -> bool | None:
        """After a failed look: None to look again, else whether the batch was known. It is paid for, so be patient."""
        if trouble.kind in (Kind.GONE, Kind.REJECTED):
            return False if resumed or failures >= _NEW_POLLS else None
        if trouble.kind is Kind.PLAN:
            self._wire.gate(self._key)
            return True
        late = self._wire.clock() >= self._deadline
        if trouble.kind is Kind.REFUSED or late or failures >= self._wire.patience.outage:
            await self._fail(self.open.copy(), LATE if late else trouble)
            return True
        return None

    def _take(self, emails: Any) -> dict[str, ServiceAnswer]:
        """The answers of a finished batch that were asked for; others are left out, as the service does."""
        found: dict[str, ServiceAnswer] = {}
        for entry in emails if isinstance(emails, list) else []:
            if not isinstance(entry, dict) or not isinstance(entry.get("email"), str):
                continue
            answer, texts = service_answer(entry), self.open.get(_fold(entry["email"]))
            if answer and texts:
                found |= dict.fromkeys(texts, answer)
        return found

    async def _singles(self) -> None:
        """Ask one by one, a few at a time, for what is still open."""
        todo = iter(list(self.open.items()))

        async def work() -> None:
            for folded, texts in todo:
                answer = await self._single(texts[0])
                if isinstance(answer, Trouble):
                    await self._fail({folded: texts, **(dict(todo) if self._hopeless(answer) else {})}, answer)
                else:
                    self._down = 0
                    await self._hand(dict.fromkeys(texts, answer))

        try:
            async with asyncio.TaskGroup() as group:
                for _ in range(min(self._wire.patience.singles, len(self.open))):
                    group.create_task(work())
        except BaseExceptionGroup as errors:
            raise errors.exceptions[0] from None

    async def _single(self, address: str) -> ServiceAnswer | Trouble:
        value = await self._wire.get(self._key, self._deadline, "/v1/validate", email=address)
        if isinstance(value, Trouble):
            return self._wire.refuse(self._key, value) if value.kind is Kind.PLAN else value
        answer = service_answer(_payload(value))
        if answer is None and value.get("error"):
            return Trouble(Kind.REJECTED, "The service reported an error for this address.")
        return answer or Trouble(Kind.GARBLED, "The service answered in a form that is not understood.")

    def _hopeless(self, trouble: Trouble) -> bool:
        """Whether the next addresses would fare no better."""
        self._down = self._down + 1 if trouble.kind in (Kind.DOWN, Kind.GARBLED, Kind.GONE) else 0
        return trouble.kind in _GENERAL or self._down >= _DOWN_IN_A_ROW

    async def _fail(self, which: Mapping[str, list[str]], trouble: Trouble) -> None:
        answer = ServiceAnswer(error=trouble.sentence)
        if which:
            log.warning("mailsso_unanswered", addresses=len(which), reason=trouble.sentence)
            await self._hand({text: answer for texts in which.values() for text in texts})

    async def _hand(self, answers: Mapping[str, ServiceAnswer]) -> None:
        """Hand answers on, together with those that came while the caller was busy with others."""
        self._ready |= answers
        async with self._lock:
            group, self._ready = self._ready, {}
            if group:
                await self._answered(group)
                for text in group:
                    self.open.pop(_fold(text), None)


def _payload(value: Any) -> Mapping[str, Any]:
    """What is in the envelope, if there is one."""
    inner = value.get("data") if isinstance(value, dict) else None
    if isinstance(inner, dict):
        return inner
    return value if isinstance(value, dict) else {}


def _fold(address: str) -> str:
    return unicodedata.normalize("NFC", address.strip()).casefold()


class FakeMailsSo:
    """A service for tests: answers from a table (folded addresses), `default` else; batches finish at once.

    `asked` lists what was asked for, `batches` what each batch holds; a known id given as `batch` is not asked again.
    """

    def __init__(
        self,
        answers: Mapping[str, ServiceAnswer] | None = None,
        default: ServiceAnswer | None = None,
        refused: Iterable[str] = (),
    ) -> None:
        self.answers = {_fold(address): answer for address, answer in (answers or {}).items()}
        self.default = default or ServiceAnswer(Status.VALID, Reason.MAILBOX_EXISTS, score=95)
        self.refused = frozenset(refused)
        self.asked: list[str] = []
        self.batches: dict[str, list[str]] = {}
        self._calls = 0

    @property
    def calls(self) -> int:
        """HTTP requests that the real one would have made."""
        return self._calls

    async def validate(
        self, addresses: Sequence[str], key: str, *, batch: str | None, started: Started, answered: Answered
    ) -> None:
        """See `MailsSo.validate`."""
        if key in self.refused:
            self._count(1)
            await answered(dict.fromkeys(addresses, ServiceAnswer(error="The service refused the API key (HTTP 401).")))
            return
        if batch not in self.batches and len(addresses) > HANDFUL:
            batch = f"batch-{len(self.batches) + 1}"
            self.batches[batch] = list(addresses)
            self.asked += addresses
            self._count(1)
            await started(batch)
        held = [address for address in addresses if address in self.batches.get(batch or "", ())]
        if held:
            self._count(1)
            await answered({address: self.answer(address) for address in held})
        for address in [address for address in addresses if address not in held]:
            self.asked.append(address)
            self._count(1)
            await answered({address: self.answer(address)})

    def answer(self, address: str) -> ServiceAnswer:
        """What it says of an address."""
        return self.answers.get(_fold(address), self.default)

    def _count(self, number: int) -> None:
        self._calls += number
        calls.note("mailsso")

    async def close(self) -> None:
        """Nothing to let go of."""
