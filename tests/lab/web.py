"""A web server for the lab: virtual hosts as plain data, everything that goes wrong on the web, and a record of every request."""

from __future__ import annotations

import argparse
import asyncio
import json
import ssl
import tempfile
import time
from collections import Counter
from collections.abc import Callable, Iterable, Mapping
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from tests.lab.certificates import self_signed
from tests.lab.running import LabServer, run_until_told
from tests.lab.web_pages import Page, as_json, from_json, generated, wrong

Site = Mapping[str, Page | str | bytes]
STATISTICS = "lab"
"""The host whose every path answers with the counters, as JSON."""
RECORDED = 100_000


@dataclass(frozen=True, slots=True)
class Request:
    """A request as it came: host without port, path with query, seconds of `time.monotonic`, its connection's number."""

    host: str
    path: str
    at: float
    connection: int
    headers: Mapping[str, str]


class WebServer(LabServer):
    """HTTP/1.1 with keep-alive on one port of 127.0.0.1, for any number of hosts; to be used from any thread.

        with WebServer({"a.test": {"/": "<h1>Hello</h1>", "/robots.txt": text("User-agent: *\\nDisallow: /secret")}}) as web:
            web.add("b.test", {"/": redirect("http://a.test:{port}/"), "/slow": Page("x" * 99, fault="drip", delay=1)})
            web.forbid("a.test", "/secret")          # a request for what begins so is a violation
            web.delay = 0.05                         # seconds before every answer
            fetch(web.url("a.test", "/"), resolve=loopback)
            assert web.asked("a.test", "/") == 1 and web.peak["a.test"] == 1 and not web.violations

    A page may be its body alone. A host that is not known has no pages (404); robots.txt is 404 where a site has none. Violations
    are cookies, requests for what is forbidden, requests sooner after the last than `pace` says, and two connections of one host
    at a time. `tls=True` speaks TLS with a certificate of its own for 127.0.0.1, localhost and the names directly below lab.test;
    `trusting()` is a client's context that accepts it.

    In a process of its own: `python -m tests.lab.web [--sites 100 --pages 5 | --json FILE] [--delay SECONDS] [--tls] [--port N]`
    writes its port and serves until its standard input ends; the generated sites are s0.test, s1.test … The host `lab` answers
    with the counters.
    """

    def __init__(
        self, sites: Mapping[str, Site] | None = None, *, delay: float = 0.0, port: int = 0, tls: bool = False, pace: float = 0.0
    ) -> None:
        super().__init__()
        self.port = port
        self.delay, self.pace = delay, pace
        self.counts: Counter[tuple[str, str]] = Counter()
        self.requests: list[Request] = []
        self.violations: list[str] = []
        self.peak: Counter[str] = Counter()
        """The most connections that each host had open at once."""
        self.accepted = 0
        """Connections so far."""
        self.busiest = 0
        """The most requests that were being answered at once."""
        self._sites: dict[str, dict[str, Page]] = {}
        self._forbidden: dict[str, tuple[str, ...]] = {}
        self._open: dict[str, dict[int, asyncio.StreamReader]] = {}
        self._last: dict[str, float] = {}
        self._busy = 0
        self._pem = self_signed("*.lab.test") if tls else b""
        for host, site in (sites or {}).items():
            self.add(host, site)

    def url(self, host: str, path: str = "/") -> str:
        """The URL of a page here."""
        return f"{'https' if self._pem else 'http'}://{host}:{self.port}{path}"

    def add(self, host: str, site: Site) -> None:
        """Set all pages of a host, in place of those it had."""
        pages = {path: page if isinstance(page, Page) else Page(page) for path, page in site.items()}
        with self.lock:
            self._sites[host] = pages

    def forbid(self, host: str, *prefixes: str) -> None:
        """Requests of this host for paths that begin so are violations from now on."""
        with self.lock:
            self._forbidden[host] = prefixes

    def asked(self, host: str, path: str | None = None) -> int:
        """Requests so far for this page, or for all pages of the host."""
        with self.lock:
            return sum(n for (name, page), n in self.counts.items() if name == host and path in (None, page))

    @property
    def total(self) -> int:
        """Requests so far."""
        with self.lock:
            return self.counts.total()

    def order(self, host: str) -> list[str]:
        """The paths asked for at a host, in order."""
        with self.lock:
            return [request.path for request in self.requests if request.host == host]

    def forget(self) -> None:
        """All counters to zero."""
        with self.lock:
            for counters in (self.counts, self.requests, self.violations, self.peak, self._last):
                counters.clear()
            self.accepted = self.busiest = 0

    def trusting(self) -> ssl.SSLContext:
        """A client's TLS context that accepts this server's certificate and no other."""
        return ssl.create_default_context(cadata=self._pem[self._pem.index(b"-----BEGIN CERT") :].decode())

    async def open(self) -> None:
        """Listen."""
        context = None
        if self._pem:
            context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
            with tempfile.TemporaryDirectory() as folder:
                path = Path(folder) / "server.pem"
                path.write_bytes(self._pem)
                context.load_cert_chain(path)
        await self.listen(self._talk, self.port, context)

    async def _talk(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        with self.lock:
            self.accepted += 1
            number = self.accepted
        hosts: set[str] = set()
        try:
            while (request := await self._read(reader, number)) is not None:
                hosts.add(request.host)
                self._enter(request, reader)
                try:
                    if not await self._answer(request, reader, writer):
                        break
                finally:
                    self._busy -= 1
        finally:
            with self.lock:
                for host in hosts:
                    self._open.get(host, {}).pop(number, None)

    async def _read(self, reader: asyncio.StreamReader, number: int) -> Request | None:
        """The next request of a connection; None when there is none, or what comes is not HTTP."""
        with suppress(asyncio.IncompleteReadError, asyncio.LimitOverrunError, UnicodeError, ValueError):
            start = await reader.readexactly(1)
            if not start.isalpha():  # TLS, for one
                return None
            first, *lines = (start + await reader.readuntil(b"\r\n\r\n")).decode("latin-1")[:-4].split("\r\n")
            _, path, _ = first.split(" ")
            headers = {name.strip().lower(): value.strip() for name, _, value in (line.partition(":") for line in lines)}
            host = headers.get("host", "").rpartition(":")[0] or headers.get("host", "")
            return Request(host, path, time.monotonic(), number, headers)
        return None

    def _enter(self, request: Request, reader: asyncio.StreamReader) -> None:
        """Record a request and what is wrong with it."""
        with self.lock:
            self._busy += 1
            self.busiest = max(self.busiest, self._busy)
            if request.host == STATISTICS:
                return
            self.counts[request.host, request.path] += 1
            if len(self.requests) < RECORDED:
                self.requests.append(request)
            there = self._open.setdefault(request.host, {})
            there[request.connection] = reader
            # One that the client has closed is not open, whether or not its answer has noticed.
            together = sum(1 for other in there.values() if not other.at_eof() and other.exception() is None)
            self.peak[request.host] = max(self.peak[request.host], together)
            self.violations.extend(self._faults(request, together))
            self._last[request.host] = request.at

    def _faults(self, request: Request, together: int) -> Iterable[str]:
        where = f"{request.host}{request.path}"
        if "cookie" in request.headers:
            yield f"{where}: a cookie"
        if request.path.startswith(self._forbidden.get(request.host, ("\n",))):
            yield f"{where}: forbidden"
        if together > 1:
            yield f"{where}: {together} connections at once"
        if request.at - self._last.get(request.host, float("-inf")) < self.pace:
            yield f"{where}: too soon after the last request"

    async def _answer(self, request: Request, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> bool:
        """Answer; whether the connection may be used again."""
        if request.host == STATISTICS:
            page = as_json(self.statistics())
        else:
            page = self._sites.get(request.host, {}).get(request.path, Page("<h1>Not found</h1>", 404))
        await self.answering.wait()
        if seconds := self.delay + (0.0 if page.fault else page.delay):
            await asyncio.sleep(seconds)
        if page.fault in ("silence", "drip"):
            self.stall()
        if page.fault:
            return await wrong(page, self.port, reader, writer)
        data = page.encoded(self.port)
        if page.chunked:
            writer.write(page.head(self.port, None) + b"%x\r\n%b\r\n0\r\n\r\n" % (len(data), data))
        else:
            writer.write(page.head(self.port, len(data)) + data)
        await writer.drain()
        return request.headers.get("connection", "").lower() != "close"

    def statistics(self) -> dict[str, Any]:
        """The counters as plain data."""
        with self.lock:
            return {
                "requests": self.counts.total(),
                "pages": sum(n for (_, path), n in self.counts.items() if path != "/robots.txt"),
                "connections": self.accepted,
                "busiest": self.busiest,
                "peak": max(self.peak.values(), default=0),
                "violations": self.violations[:20],
            }


async def loopback(host: str) -> list[str]:
    """Where the lab's hosts are: every name below `.test` and `localhost` is this machine.

    Raises:
        OSError: another name.
    """
    if host == "localhost" or host.endswith(".test"):
        return ["127.0.0.1"]
    raise OSError(f"the lab knows no {host}")


def main(serve: Callable[[LabServer], Any] = run_until_told) -> None:
    """`python -m tests.lab.web`."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--sites", type=int, default=0, help="generated sites s0.test, s1.test …")
    parser.add_argument("--pages", type=int, default=5, help="pages of each")
    parser.add_argument("--size", type=int, default=2_000, help="bytes of a page, about")
    parser.add_argument("--json", type=Path, help="host to path to body, or to an object of Page's fields")
    parser.add_argument("--delay", type=float, default=0.0, help="seconds before every answer")
    parser.add_argument("--tls", action="store_true")
    parser.add_argument("--port", type=int, default=0)
    chosen = parser.parse_args()
    server = WebServer(delay=chosen.delay, port=chosen.port, tls=chosen.tls)
    for host, site in from_json(json.loads(chosen.json.read_text(encoding="utf-8")) if chosen.json else {}).items():
        server.add(host, site)
    for n in range(chosen.sites):
        server.add(f"s{n}.test", generated(f"s{n}.test", chosen.pages, chosen.size))
    asyncio.run(serve(server))


if __name__ == "__main__":
    main()
