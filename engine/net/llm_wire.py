"""One HTTP call to a service of language models: its failures told as values, and nothing of the key in any of them."""

from __future__ import annotations

import asyncio
import json
import re
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

import httpx

from engine.errors import PostbenchError
from engine.net import calls
from engine.net.http_body import retry_after
from engine.net.llm import Kind, Trouble
from engine.net.service import base_of, body_of
from engine.version import VERSION

MAX_BODY = 4 << 20
KEY_CHARS = 8
"""Shorter keys are stand-ins such as `none`, and words that an answer may hold."""
SAID_CHARS = 200
"""Of a service's own words that a row shows."""
_NO_CREDIT = ("insufficient_quota", "billing", "credit balance", "exceeded your current quota", "out of credits")
_NO_MODEL = re.compile(r"\b(?:not a valid|unknown|no such) model\b|\bmodel\b.{0,80}?\b(?:not found|(?:does|do) not exist)")
_LATE = Trouble(Kind.DOWN, "The AI service did not answer in time.")


@dataclass(frozen=True, slots=True)
class Refusal:
    """A status 400 or 422: what the service said of the request, whole, for telling what it does not take."""

    said: str
    trouble: Trouble


class Wire:
    """Posts JSON to one base URL, whose setting is `setting`. `timeout`: seconds for a whole answer; `now`: the wall clock.

    Raises:
        ConfigError: the URL is not the base of an HTTP service.
    """

    def __init__(
        self,
        url: str,
        setting: str,
        transport: httpx.AsyncBaseTransport,
        timeout: float,
        now: Callable[[], float] = time.time,
    ) -> None:
        self.base, self.setting = base_of(url, setting), setting
        self._transport, self._timeout, self._now = transport, timeout, now

    async def post(self, path: str, body: Any, headers: Mapping[str, str], key: str) -> dict[str, Any] | Trouble | Refusal:
        """The JSON object of the answer, a Refusal of the request as it is, or the Trouble."""
        if key and not all("!" <= char <= "~" for char in key):
            return Trouble(Kind.DENIED, "The API key holds characters that no key has.", asked=False)
        request = httpx.Request(
            "POST", f"{self.base}{path}", json=body, headers={**headers, "user-agent": f"postbench/{VERSION}"}
        )
        request.headers["accept"], request.headers["accept-encoding"] = "application/json", "gzip, deflate"
        request.extensions = {"timeout": httpx.Timeout(self._timeout, connect=min(15.0, self._timeout)).as_dict()}
        calls.note("llm")
        try:
            async with asyncio.timeout(self._timeout):
                response = await self._transport.handle_async_request(request)
                try:
                    content = await body_of(response, MAX_BODY)
                finally:
                    await response.aclose()
        except (TimeoutError, httpx.TimeoutException):
            return _LATE
        except (httpx.HTTPError, OSError):
            return Trouble(Kind.DOWN, "The connection to the AI service failed.")
        except PostbenchError as error:
            return Trouble(Kind.DENIED, f"The AI service ({self.setting}) is out of reach: {error}.")
        return self._judged(response, content, key)

    async def close(self) -> None:
        """Let go of the connections."""
        await self._transport.aclose()

    def _judged(self, response: httpx.Response, content: bytes | None, key: str) -> dict[str, Any] | Trouble | Refusal:
        status = response.status_code
        value = _json(_without(content, key))
        if 200 <= status < 300:
            return value if value is not None else Trouble(Kind.DOWN, "The AI service answered in a form that is not understood.")
        said = _said(value, key)
        if status in (400, 422):
            if sentence := self._hopeless(said.lower(), status):
                return Trouble(Kind.DENIED, sentence)
            sentence = f"The AI service did not take the request (HTTP {status}): {said[:SAID_CHARS] or 'no reason given'}"
            return Refusal(said, Trouble(Kind.REJECTED, sentence))
        if status in (401, 402, 403, 404, 405, 410) or 300 <= status < 400:
            return Trouble(Kind.DENIED, self._denied(status))
        if status == 429 and any(words in said.lower() for words in _NO_CREDIT):
            return Trouble(Kind.DENIED, _no_credit(status))
        if status in (408, 409, 425, 429) or status >= 500:
            header = response.headers.get("retry-after", "")
            wait = retry_after(header, response.headers.get("date", ""), self._now()) if header else None
            kind = Kind.BUSY if status == 429 or (status in (503, 529) and wait is not None) else Kind.DOWN
            what = "is being asked too often" if status == 429 else "is out of order"
            return Trouble(kind, f"The AI service {what} (HTTP {status}).", wait)
        what = "finds the request too large" if status == 413 else "did not take the request"
        return Trouble(Kind.REJECTED, f"The AI service {what} (HTTP {status}).")

    def _hopeless(self, said: str, status: int) -> str:
        """Why no other question would be answered either, where a service says that of this one; "" where it does not."""
        if "credit balance" in said:
            return _no_credit(status)
        return self._denied(status) if _NO_MODEL.search(said) and "schema" not in said else ""

    def _denied(self, status: int) -> str:
        """Why, and what helps. The service's own words are left out: some repeat parts of the key."""
        key = "If the key is right now, resume; else run this again with another key, or change the server's."
        reasons = {
            401: f"The AI service refused the API key (HTTP 401). {key}",
            402: "The AI service wants to be paid first (HTTP 402). Top up the account, then resume.",
            403: f"The AI service forbids this to the API key (HTTP 403). {key}",
        }
        other = f"The AI service does not know the model, or {self.setting} is not its base (HTTP {status}). Check both."
        return reasons.get(status, other)


def _no_credit(status: int) -> str:
    return f"The AI service has no credit left for this API key (HTTP {status}). Top it up, then resume."


def _without(content: bytes | None, key: str) -> bytes | None:
    """An answer in which the key does not stand, should the service repeat it: rows go to others."""
    if content is None or len(key) < KEY_CHARS:
        return content
    return content.replace(json.dumps(key)[1:-1].encode(), b"***")


def _json(content: bytes | None) -> dict[str, Any] | None:
    try:
        value = json.loads(content) if content is not None else None
    except (ValueError, RecursionError):
        return None
    return value if isinstance(value, dict) else None


def _said(value: Mapping[str, Any] | None, key: str) -> str:
    """The service's own words about an error, on one line, without the key."""
    error = (value or {}).get("error") or (value or {}).get("message") or (value or {}).get("detail") or ""
    text = json.dumps(error) if not isinstance(error, str | Mapping) else error
    if isinstance(text, Mapping):
        parts = [text.get(name) for name in ("message", "code", "type", "param")]
        text = " ".join(str(part) for part in dict.fromkeys(parts) if part)
    line = " ".join(text.split()).encode(errors="replace").decode()[:2_000]
    return line.replace(key, "***") if key else line
