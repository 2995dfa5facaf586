"""A stand-in for mails.so: scripted verdicts, plans and keys, faults on demand, and a count of every call and every charge."""

from __future__ import annotations

import argparse
import asyncio
import json
import time
from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any, Literal
from urllib.parse import parse_qs, unquote, urlsplit

from tests.lab.running import LabServer, run_until_told

Fault = Literal[
    "429",  # told to come later, with `retry_after` if that is set
    "500",
    "502",
    "503",
    "403",
    "redirect",  # to `redirect_to`
    "disconnect",  # nothing is done, the connection is dropped
    "deaf",  # done and charged, then the connection is dropped
    "hang",  # nothing is done and nothing comes
    "garbage",  # done and charged, then a body that is no JSON
    "list",  # done and charged, then JSON of another shape
    "large",  # a body without end
]
GOOD, FREE, BAD = "good-key", "free-key", "bad-key"
Route = Literal["single", "batch", "poll"]
Done = tuple[int, Any]


@dataclass(slots=True)
class Batch:
    """A batch that was paid for: what is in it, who owns it, and when it is finished (monotonic seconds; `looks` left first)."""

    key: str
    emails: list[str]
    finished: float
    looks: int


@dataclass(slots=True)
class Script:
    """What goes wrong next on a route, and how often (None = always)."""

    fault: Fault
    times: int | None


@dataclass(slots=True)
class Request:
    """A request as it came."""

    method: str
    path: str
    query: dict[str, str]
    headers: dict[str, str]
    body: bytes = field(repr=False, default=b"")


class MailsSoServer(LabServer):
    """The API of mails.so on 127.0.0.1; everything may be read and set from any thread while it runs.

        with MailsSoServer({"ann@example.test": {"result": "undeliverable", "reason": "rejected_email"}}) as service:
            client = MailsSoClient(service.url, None)
            service.fault("poll", "500", times=2)     # on single, batch (its creation) or poll
            service.finish_after = 0.5                # seconds a batch takes; or `looks`: how many polls find it unfinished
            service.recent |= {"bob@example.test"}    # validated recently: a batch leaves it out
            ...
            assert service.calls["single"] == 3 and not service.charged_twice

    Keys: `GOOD` has everything, `FREE` no batches, all others are refused. An address is charged when a batch takes it or when a
    single call validates it; one that was charged before is left out of later batches (`remember`) and charged again by a
    single call. `python -m tests.lab.mailsso` runs it in a process of its own, with `--delay` and `--finish-after`; there
    `GET /lab` answers with the counters.
    """

    def __init__(self, verdicts: Mapping[str, Mapping[str, Any]] | None = None) -> None:
        super().__init__()
        self.verdicts = {address.casefold(): dict(verdict) for address, verdict in (verdicts or {}).items()}
        self.keys = {GOOD: True, FREE: False}
        self.delay = 0.0
        self.finish_after = 0.0
        self.looks = 0
        self.remember = True
        self.recent: set[str] = set()
        self.retry_after = ""
        self.redirect_to = "/elsewhere"
        self.envelope = False
        self.extra: list[Any] = []
        self.calls: Counter[str] = Counter()
        self.charges: Counter[str] = Counter()
        self.seen_keys: set[str] = set()
        self.batches: dict[str, Batch] = {}
        self.most = 0
        self._busy = 0
        self._scripts: dict[str, list[Script]] = {}
        self._released = asyncio.Event()

    @property
    def url(self) -> str:
        """The base URL."""
        return f"http://{self.host}:{self.port}"

    @property
    def total(self) -> int:
        """Requests so far."""
        with self.lock:
            return self.calls.total()

    @property
    def charged(self) -> int:
        """Addresses charged so far, repeats included."""
        with self.lock:
            return self.charges.total()

    @property
    def charged_twice(self) -> list[str]:
        """Addresses charged more than once."""
        with self.lock:
            return sorted(address for address, number in self.charges.items() if number > 1)

    def fault(self, route: Route, fault: Fault, times: int | None = 1) -> None:
        """Let the next `times` requests on a route (None = all) go wrong; several are used up in their order."""
        with self.lock:
            self._scripts.setdefault(route, []).append(Script(fault, times))

    def heal(self) -> None:
        """Forget all faults, and let go of who hangs."""
        with self.lock:
            self._scripts.clear()
        if self._loop is not None:
            self._loop.call_soon_threadsafe(self._released.set)

    def forget(self, batches: Iterable[str] | None = None) -> None:
        """Lose batches, all by default: asking for one is a 404."""
        with self.lock:
            for number in list(self.batches if batches is None else batches):
                del self.batches[number]

    async def open(self) -> None:
        """Listen."""
        await self.listen(self._talk)

    async def _talk(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        while (request := await _read(reader)) is not None:
            if not await self._answer(request, writer):
                return

    async def _answer(self, request: Request, writer: asyncio.StreamWriter) -> bool:
        """Answer one request; False when the connection is to be dropped."""
        route = _route(request)
        with self.lock:
            self.calls[route] += 1
            self._busy += 1
            self.most = max(self.most, self._busy)
            fault = self._next_fault(route)
        try:
            if self.delay:
                await asyncio.sleep(self.delay)
            if fault == "hang":
                self.stall()
                await self._released.wait()
            if fault in ("disconnect", "hang"):
                return False
            if fault == "large":
                return await _flood(writer)
            status, value = self._refusal(fault) or self._do(route, request)
            if fault == "deaf":
                return False
            body = b"<html>not JSON" if fault == "garbage" else json.dumps([value] if fault == "list" else value).encode()
            writer.write(_response(status, body, self._headers(fault)))
            await writer.drain()
            return True
        finally:
            with self.lock:
                self._busy -= 1

    def _next_fault(self, route: str) -> Fault | None:
        scripts = self._scripts.get(route, [])
        if not scripts:
            return None
        first = scripts[0]
        if first.times is not None:
            first.times -= 1
            if first.times <= 0:
                scripts.pop(0)
        return first.fault

    def _headers(self, fault: Fault | None) -> dict[str, str]:
        if fault in ("429", "503") and self.retry_after:
            return {"retry-after": self.retry_after}
        return {"location": self.redirect_to} if fault == "redirect" else {}

    def _refusal(self, fault: Fault | None) -> Done | None:
        if fault == "redirect":
            return 302, {}
        return (int(fault), {"error": "no"}) if fault and fault.isdigit() else None

    def _do(self, route: str, request: Request) -> Done:
        key = request.headers.get("x-mails-api-key", "")
        with self.lock:
            if route == "lab":
                twice = [address for address, number in self.charges.items() if number > 1]
                return 200, {"calls": dict(self.calls), "charged": self.charges.total(), "charged_twice": twice}
            self.seen_keys.add(key)
            if key not in self.keys:
                return 401, {"data": None, "error": "Unauthorized"}
            match route:
                case "single":
                    return self._single(request.query.get("email", ""))
                case "batch" if not self.keys[key]:
                    return 401, {"error": "Paid subscription required to use this endpoint"}
                case "batch":
                    return self._create(key, request.body)
                case "poll":
                    return self._look(key, unquote(request.path.rpartition("/")[2]))
        return 404, {"error": "Not found"}

    def _single(self, email: str) -> Done:
        if not email:
            return 400, {"data": None, "error": "email is required"}
        self._charge(email)
        return 200, {"data": self.verdict(email), "error": None}

    def _create(self, key: str, body: bytes) -> Done:
        try:
            emails = json.loads(body)["emails"]
        except (ValueError, KeyError, TypeError):
            return 400, {"error": "emails is required"}
        if not isinstance(emails, list) or len(emails) > 50_000:
            return 413, {"error": "too many"}
        taken = [email for email in emails if email.casefold() not in self.recent]
        for email in taken:
            self._charge(email)
        number = f"b-{len(self.batches) + 1}-{self.calls['batch']}"
        self.batches[number] = Batch(key, taken, time.monotonic() + self.finish_after, self.looks)
        return self._shown({"id": number, "size": len(taken), "finished_at": None, "name": None, "deleted_at": None})

    def _look(self, key: str, number: str) -> Done:
        batch = self.batches.get(number)
        if batch is None or batch.key != key:
            return 404, {"error": "Not found"}
        shown = {"id": number, "size": len(batch.emails), "finished_at": None}
        if batch.looks > 0 or time.monotonic() < batch.finished:
            batch.looks -= 1
            return self._shown(shown)
        emails = [*map(self.verdict, batch.emails), *self.extra]
        return self._shown({**shown, "finished_at": "2026-01-01T00:00:00.000Z", "emails": emails})

    def _shown(self, batch: dict[str, Any]) -> Done:
        return 200, {"data": batch, "error": None} if self.envelope else batch

    def _charge(self, email: str) -> None:
        self.charges[email.casefold()] += 1
        if self.remember:
            self.recent.add(email.casefold())

    def verdict(self, email: str) -> dict[str, Any]:
        """What it says of an address: deliverable, unless scripted otherwise."""
        username, _, domain = email.partition("@")
        usual = {
            "id": "0", "email": email, "username": username, "domain": domain, "mx_record": f"mx.{domain}", "score": 95,
            "isv_format": True, "isv_domain": True, "isv_mx": True, "isv_noblock": True, "isv_nocatchall": True,
            "isv_nogeneric": True, "is_free": False, "result": "deliverable", "reason": "accepted_email",
        }  # fmt: skip
        return usual | self.verdicts.get(email.casefold(), {})


def _route(request: Request) -> str:
    if request.path.endswith("/v1/validate") and request.method == "GET":
        return "single"
    if request.path.endswith("/v1/batch") and request.method == "POST":
        return "batch"
    if "/v1/batch/" in request.path and request.method == "GET":
        return "poll"
    return "lab" if request.path == "/lab" else "other"


async def _read(reader: asyncio.StreamReader) -> Request | None:
    """The next request on a connection; None when there is none."""
    try:
        head = (await reader.readuntil(b"\r\n\r\n")).decode("latin-1")
    except asyncio.IncompleteReadError:
        return None
    first, *lines = head.rstrip("\r\n").split("\r\n")
    method, target, _ = first.split(" ")
    headers = {name.strip().lower(): value.strip() for name, _, value in (line.partition(":") for line in lines)}
    body = await reader.readexactly(int(headers.get("content-length", "0")))
    parts = urlsplit(target)
    return Request(method, parts.path, {name: values[0] for name, values in parse_qs(parts.query).items()}, headers, body)


def _response(status: int, body: bytes, headers: Mapping[str, str]) -> bytes:
    lines = {"content-type": "application/json", "content-length": str(len(body)), **headers}
    head = "".join(f"{name}: {value}\r\n" for name, value in lines.items())
    return f"HTTP/1.1 {status} X\r\n{head}\r\n".encode("latin-1") + body


async def _flood(writer: asyncio.StreamWriter) -> bool:
    writer.write(b"HTTP/1.1 200 X\r\ncontent-type: application/json\r\ntransfer-encoding: chunked\r\n\r\n")
    part = b"100000\r\n" + b" " * (1 << 20) + b"\r\n"
    while not writer.is_closing():
        writer.write(part)
        await writer.drain()
    return False


def main() -> None:
    """Serve until standard input ends; see `MailsSoServer`."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--delay", type=float, default=0.0)
    parser.add_argument("--finish-after", type=float, default=0.0)
    arguments = parser.parse_args()
    server = MailsSoServer()
    server.delay, server.finish_after = arguments.delay, arguments.finish_after
    asyncio.run(run_until_told(server))


if __name__ == "__main__":
    main()
