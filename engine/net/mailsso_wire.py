"""One HTTP call to mails.so: retried within bounds, its failures told as values, and nothing of the key in any of them."""

from __future__ import annotations

import asyncio
import hashlib
import json
import random
import time
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from enum import Enum, auto
from typing import Any

import httpx
import structlog

from engine.errors import PostbenchError
from engine.net import calls
from engine.net.http_body import retry_after
from engine.net.service import base_of, body_of
from engine.version import VERSION

REFUSED_SECONDS = 300.0
"""How long a refused key is not tried again."""
GATED_SECONDS = 600.0
"""How long a plan without batches is not asked for one again."""
_MAX_BODY = 64 << 20
_FORBIDDEN_IN_A_ROW = 3
_KEYS = 1_000
_PLAN_WORDS = (b"subscription", b"upgrade", b"plan")
_NOT_SENT = (httpx.ConnectError, httpx.ConnectTimeout, httpx.PoolTimeout)
log = structlog.get_logger()


@dataclass(frozen=True, slots=True)
class Patience:
    """Bounds, in seconds and tries.

    `timeout`: one request. `total`: all requests for one list. `first_poll`, `last_poll`: from the first to the longest wait
    between looks at a batch. `outage`: failed looks at a paid batch in a row. `tries`: of a request that failed; `busy_tries`: of
    one that was told to come later (429). `backoff`: the first wait after a failure, doubled each time up to `longest_backoff`.
    `longest_wait`: the longest Retry-After that is waited for.
    """

    timeout: float = 60.0
    total: float = 900.0
    first_poll: float = 0.2
    last_poll: float = 5.0
    outage: int = 60
    tries: int = 4
    busy_tries: int = 12
    backoff: float = 0.5
    longest_backoff: float = 20.0
    longest_wait: float = 120.0
    singles: int = 8


class Kind(Enum):
    """What sort of failure it is, for whoever decides what to do next."""

    REFUSED = auto()
    PLAN = auto()
    GONE = auto()
    REJECTED = auto()
    GARBLED = auto()
    DOWN = auto()
    BUSY = auto()
    LATE = auto()


@dataclass(frozen=True, slots=True)
class Trouble:
    """Why there is no answer; the sentence is for the analyst."""

    kind: Kind
    sentence: str


LATE = Trouble(Kind.LATE, "The service did not answer in time.")


@dataclass(frozen=True, slots=True)
class _Again:
    """A failure that may pass. `wait`: seconds the service asks for. `sent`: the request may have been acted upon."""

    trouble: Trouble
    wait: float | None = None
    sent: bool = True


@dataclass(slots=True)
class _Standing:
    """What is known of a key; times are of the monotonic clock."""

    refused: Trouble | None = None
    refused_until: float = 0.0
    gated_until: float = 0.0
    rest_until: float = 0.0
    forbidden: int = 0


class Wire:
    """Calls to one base URL. `clock`, `now` (wall clock, for HTTP dates) and `sleep` can be replaced by tests."""

    def __init__(
        self,
        url: str,
        transport: httpx.AsyncBaseTransport | None,
        patience: Patience,
        clock: Callable[[], float] = time.monotonic,
        now: Callable[[], float] = time.time,
        sleep: Callable[[float], Awaitable[None]] = asyncio.sleep,
    ) -> None:
        self._base = base_of(url, "POSTBENCH_MAILSSO_URL", "https://host or https://host/path").removesuffix("/v1")
        self._transport = transport or httpx.AsyncHTTPTransport(trust_env=False)
        self.patience, self.clock, self._now, self.sleep = patience, clock, now, sleep
        self.calls = 0
        self._standings: dict[bytes, _Standing] = {}

    async def close(self) -> None:
        """Let go of the connections."""
        await self._transport.aclose()

    def gated(self, key: str) -> bool:
        """Whether this key's plan is known to have no batches."""
        return self._standing(key).gated_until > self.clock()

    def gate(self, key: str) -> None:
        """Remember that this key's plan has no batches."""
        log.info("mailsso_without_batches", seconds=GATED_SECONDS)
        self._standing(key).gated_until = self.clock() + GATED_SECONDS

    def refuse(self, key: str, trouble: Trouble) -> Trouble:
        """Remember that this key is refused."""
        standing = self._standing(key)
        standing.refused = Trouble(Kind.REFUSED, trouble.sentence)
        standing.refused_until = self.clock() + REFUSED_SECONDS
        log.warning("mailsso_key_refused", reason=trouble.sentence, seconds=REFUSED_SECONDS)
        return standing.refused

    async def get(self, key: str, deadline: float, path: str, tries: int = 0, **params: str) -> Any:
        """The JSON value at a path, or the Trouble. `deadline` is of the clock; `tries` replaces both bounds of the patience."""
        return await self._call(key, deadline, tries, httpx.Request("GET", self._base + path, params=params or None))

    async def post(self, key: str, deadline: float, path: str, body: Any) -> Any:
        """Post JSON; the JSON value of the answer, or the Trouble."""
        return await self._call(key, deadline, 0, httpx.Request("POST", self._base + path, json=body))

    async def _call(self, key: str, deadline: float, tries: int, request: httpx.Request) -> Any:
        if not key or not all("!" <= char <= "~" for char in key):
            return Trouble(Kind.REFUSED, "There is no API key." if not key else "The API key holds characters that no key has.")
        request.headers.update({"x-mails-api-key": key, "accept": "application/json", "accept-encoding": "gzip, deflate"})
        request.headers["user-agent"] = f"postbench/{VERSION}"
        failed, busy = 0, 0
        while True:
            if (trouble := await self._pause(key, deadline)) is not None:
                return trouble
            outcome = await self._once(key, deadline, request)
            if not isinstance(outcome, _Again):
                return outcome
            failed, busy = failed + (outcome.trouble.kind is not Kind.BUSY), busy + (outcome.trouble.kind is Kind.BUSY)
            if failed >= self._bound(tries, request.method, outcome) or busy >= (tries or self.patience.busy_tries):
                return outcome.trouble
            await self._step_back(key, deadline, outcome, failed + busy)

    def _bound(self, tries: int, method: str, outcome: _Again) -> int:
        """A batch that may have been taken is offered only once more: it could be paid for twice."""
        most = tries or self.patience.tries
        return min(2, most) if method == "POST" and outcome.sent else most

    async def _pause(self, key: str, deadline: float) -> Trouble | None:
        """Wait until this key may call again; a Trouble when it may not soon enough."""
        standing, now = self._standing(key), self.clock()
        if standing.refused and standing.refused_until > now:
            return standing.refused
        rest = standing.rest_until - now
        if rest > self.patience.longest_wait:
            return Trouble(Kind.BUSY, f"The service asks to come back in {_span(rest)}.")
        if now + max(rest, 0.0) >= deadline:
            return LATE
        if rest > 0:
            await self.sleep(rest)
        return None

    async def _step_back(self, key: str, deadline: float, outcome: _Again, failures: int) -> None:
        """Wait before the next try; all calls of a key that was told to come later wait together."""
        patience = self.patience
        growing = min(patience.longest_backoff, patience.backoff * 2 ** (failures - 1))
        wait = growing * (1 + random.random() / 4) if outcome.wait is None else outcome.wait
        if outcome.wait is not None or outcome.trouble.kind is Kind.BUSY:
            standing = self._standing(key)
            standing.rest_until = max(standing.rest_until, self.clock() + wait)
        else:
            await self.sleep(max(0.0, min(wait, deadline - self.clock())))

    async def _once(self, key: str, deadline: float, request: httpx.Request) -> Any:
        """One request: the JSON value, a Trouble, or what may pass."""
        self.calls += 1
        calls.note("mailsso")
        limit = max(0.001, min(self.patience.timeout, deadline - self.clock()))
        request.extensions = {"timeout": httpx.Timeout(limit).as_dict()}
        try:
            async with asyncio.timeout(limit):
                response = await self._transport.handle_async_request(request)
                try:
                    body = await body_of(response, _MAX_BODY)
                finally:
                    await response.aclose()
        except (TimeoutError, httpx.TimeoutException) as error:
            return _Again(Trouble(Kind.DOWN, LATE.sentence), sent=not isinstance(error, _NOT_SENT))
        except (httpx.HTTPError, OSError) as error:
            trouble = Trouble(Kind.DOWN, "The connection to the service failed.")
            return _Again(trouble, sent=not isinstance(error, _NOT_SENT))
        except PostbenchError as error:
            return Trouble(Kind.DOWN, f"The service is out of reach: {error}.")
        return self._read_status(key, response, body, request.method)

    def _read_status(self, key: str, response: httpx.Response, body: bytes | None, method: str) -> Any:
        status, standing = response.status_code, self._standing(key)
        standing.forbidden = standing.forbidden + 1 if status == 403 else 0
        if 200 <= status < 300:
            return _json(body, method)
        if status in (401, 402, 403):
            return self._denied(key, status, body or b"")
        if status in (408, 425, 429) or status >= 500:
            kind = Kind.BUSY if status == 429 else Kind.DOWN
            what = "is being asked too often" if status == 429 else "is out of order"
            header = response.headers.get("retry-after", "") if status in (429, 503) else ""
            wait = retry_after(header, response.headers.get("date", ""), self._now())
            return _Again(Trouble(kind, f"The service {what} (HTTP {status})."), wait, status not in (429, 503))
        if status in (404, 410):
            return Trouble(Kind.GONE, f"The service does not know what was asked for (HTTP {status}).")
        if 300 <= status < 400:
            return Trouble(Kind.DOWN, f"The service answered with a redirect, which is not followed (HTTP {status}).")
        return Trouble(Kind.REJECTED, f"The service did not take the address (HTTP {status}).")

    def _denied(self, key: str, status: int, body: bytes) -> Trouble:
        """A key that is wrong, a plan that is too small, no credits, or a fence that dislikes this one request."""
        if any(word in body[:4096].lower() for word in _PLAN_WORDS):
            return Trouble(Kind.PLAN, f"The service asks for another subscription (HTTP {status}).")
        if status == 403 and self._standing(key).forbidden < _FORBIDDEN_IN_A_ROW:
            return Trouble(Kind.REJECTED, "The service forbids this request (HTTP 403).")
        sentences = {
            401: "refused the API key",
            402: "has no credits left for this API key",
            403: "forbids requests with this API key",
        }
        return self.refuse(key, Trouble(Kind.REFUSED, f"The service {sentences[status]} (HTTP {status})."))

    def _standing(self, key: str) -> _Standing:
        digest = hashlib.sha256(key.encode(errors="replace")).digest()
        if digest not in self._standings and len(self._standings) >= _KEYS:
            self._standings.pop(next(iter(self._standings)))
        return self._standings.setdefault(digest, _Standing())


def _json(body: bytes | None, method: str) -> Any:
    """The value. A body that is no JSON is some proxy's: worth another try, unless that would pay for a batch again."""
    trouble = Trouble(Kind.GARBLED, "The service answered in a form that is not understood.")
    try:
        value = json.loads(body) if body is not None else None
    except (ValueError, RecursionError):
        value = None
    if isinstance(value, dict):
        return value
    return trouble if method == "POST" or body is None else _Again(trouble)


def _span(seconds: float) -> str:
    return f"{round(seconds / 60)} minutes" if seconds >= 90 else f"{round(seconds)} seconds"
