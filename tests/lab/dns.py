"""A name server for the lab: zones as plain data, faults on demand, and a count of every question."""

from __future__ import annotations

import argparse
import asyncio
import ipaddress
import json
import socket
import struct
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal, get_args

from tests.lab.dns_wire import KINDS, NAMES, Question, decoded, encoded, message, pieces, read
from tests.lab.running import LabServer, run_until_told

Servers = tuple[tuple[str, int], ...]
Mode = Literal[
    "servfail",  # rcode 2
    "refused",  # rcode 5
    "formerr",  # rcode 1 where the question has EDNS, as by a server that never heard of it
    "silence",  # no answer, on TCP either
    "truncate",  # TC and nothing else on UDP, the whole answer on TCP
    "half",  # TC on UDP, and TCP closes without an answer
    "wrong_id",  # only an answer with another id
    "spoofed",  # first forged answers (another id; another question), then the right one
    "garbage",  # bytes that are no message
    "unfollowed",  # a CNAME without what it leads to, as from a server of another zone
    "referral",  # other servers' names instead of an answer, as from a server that does not recurse
    "broken",  # the right id and question, then a message that cannot be read
]
RCODES = {"formerr": 1, "servfail": 2, "refused": 5}
FORGED = "forged.test"
"""The mail exchanger that spoofed answers name."""
COUNT = "total.lab"
CACHED = 200_000


@dataclass(slots=True)
class Fault:
    """What goes wrong with a name: `times` counts down (None = always), `delay` is in seconds."""

    mode: Mode | None
    times: int | None
    delay: float


class DnsServer(LabServer):
    """UDP and TCP on one port of 127.0.0.1; zones, faults, the delay and the counters may be used from any thread while it runs.

        with DnsServer({"example.test": {"mx": [(10, "mx1.example.test")], "a": ["127.0.0.2"]}}) as dns:
            dns.add("null.test", mx=[(0, ".")])               # null MX
            dns.add("empty.test")                             # it exists, and has nothing: NODATA
            dns.add("www.test", cname="example.test")         # followed within the zones
            dns.add("*.many.test", mx=[(10, "mx.many.test")]) # every name below many.test
            dns.fault("bad.test", "servfail", times=1)        # then as the zone says; unknown names are NXDOMAIN
            dns.delay = 0.02                                  # seconds before every answer
            with dns.holding(): ...                           # answers wait for the end of the block
            ...
            assert dns.asked("example.test", "MX") == 1 and dns.total == 1

    In a process of its own, for benchmarks: `python -m tests.lab.dns --zones FILE.json [--port N] [--delay SECONDS]` writes its
    port and serves until its standard input ends; `running.in_process` does that. A TXT question for `total.lab` is answered
    with the number of other questions so far. `negative_ttl` (seconds) goes into the SOA records of negative answers.
    """

    def __init__(
        self, zones: Mapping[str, Mapping[str, Any]] | None = None, *, delay: float = 0.0, port: int = 0, negative_ttl: int = 60
    ) -> None:
        super().__init__()
        self.port = port
        self.delay = delay
        self.negative_ttl = negative_ttl
        self.counts: Counter[tuple[str, str]] = Counter()
        self.tcp = 0
        self._records: dict[tuple[str, int], tuple[int, list[bytes]]] = {}
        self._names: set[str] = set()
        self._faults: dict[tuple[str, str], Fault] = {}
        self._ready: dict[bytes, tuple[bytes, tuple[str, str]]] = {}
        self._held: list[Callable[[], None]] | None = None
        self._socket: socket.socket | None = None
        for name, records in (zones or {}).items():
            self.add(name, **records)

    @property
    def servers(self) -> Servers:
        """What a resolver is given to ask only this server."""
        return ((self.host, self.port),)

    @property
    def total(self) -> int:
        """Questions so far, UDP and TCP."""
        with self.lock:
            return self.counts.total()

    def asked(self, name: str, kind: str | None = None) -> int:
        """Questions so far for this name (of this kind, or of any)."""
        with self.lock:
            return sum(n for (asked, of), n in self.counts.items() if asked == name and kind in (None, of))

    def forget(self) -> None:
        """All counters to zero."""
        with self.lock:
            self.counts.clear()
            self.tcp = 0

    def add(
        self,
        name: str,
        *,
        mx: Iterable[tuple[int, str]] = (),
        a: Iterable[str] = (),
        aaaa: Iterable[str] = (),
        txt: Iterable[str] = (),
        cname: str = "",
        ttl: int = 300,
        fault: Mode | None = None,
    ) -> None:
        """Set all records of a name, replacing those it had.

        Names are ASCII; `*.` in front means every name below. MX hosts and CNAME targets are absolute, "." is the root.
        """
        data = {
            "MX": [struct.pack("!H", preference) + encoded(host) for preference, host in mx],
            "A": [ipaddress.IPv4Address(ip).packed for ip in a],
            "AAAA": [ipaddress.IPv6Address(ip).packed for ip in aaaa],
            "TXT": [b"".join(bytes([len(part)]) + part for part in pieces(text.encode())) for text in txt],
            "CNAME": [encoded(cname)] if cname else [],
        }
        name = name.lower()
        with self.lock:
            for kind, values in data.items():
                self._records.pop((name, KINDS[kind]), None)
                if values:
                    self._records[name, KINDS[kind]] = (ttl, values)
            labels = name.split(".")
            self._names.update(".".join(labels[first:]) for first in range(len(labels)))
            self._ready.clear()
        if fault:
            self.fault(name, fault)

    def remove(self, name: str) -> None:
        """The name and all it has are gone: NXDOMAIN."""
        self.add(name)
        with self.lock:
            self._names.discard(name.lower())

    def fault(self, name: str, mode: Mode | None, kind: str = "", *, times: int | None = None, delay: float = 0.0) -> None:
        """From now on questions for the name (of this kind, or of any) go wrong so.

        With `times` only the first few do. `delay` is in seconds; a mode of None does nothing but delay.
        """
        assert mode is None or mode in get_args(Mode), mode
        with self.lock:
            self._faults[name.lower(), kind] = Fault(mode, times, delay)
            self._ready.clear()

    def heal(self, name: str) -> None:
        """The name has no faults any more."""
        with self.lock:
            for key in [key for key in self._faults if key[0] == name.lower()]:
                del self._faults[key]

    @contextmanager
    def holding(self) -> Iterator[None]:
        """Within the block questions over UDP are counted but get no answer; at its end they get it."""
        with self.lock:
            self._held = []
        try:
            yield
        finally:
            with self.lock:
                held, self._held = self._held, None
            for send in held or []:
                send()

    async def open(self) -> None:
        """Listen on one port for both; a free one when none was asked for."""
        for left in reversed(range(20)):
            sock = listening(self.host, self.port)
            try:
                await self.listen(self._talk, sock.getsockname()[1])
                break
            except OSError:  # somebody else has this port for TCP
                sock.close()
                if self.port or not left:
                    raise
        self._socket = sock
        asyncio.get_running_loop().add_reader(sock.fileno(), self._readable, sock)

    async def shut(self) -> None:
        """Stop listening."""
        if self._socket is not None:
            asyncio.get_running_loop().remove_reader(self._socket.fileno())
            self._socket.close()
            self._socket = None
        await super().shut()

    def _readable(self, sock: socket.socket) -> None:
        for _ in range(64):
            try:
                query, peer = sock.recvfrom(4096)
            except (BlockingIOError, ConnectionError):
                return
            ready = self._ready.get(query[2:])
            if ready is not None:  # asked before, and nothing goes wrong with it
                with self.lock:
                    self.counts[ready[1]] += 1
                self._later(self.delay, sock, [query[:2] + ready[0]], peer)
                continue
            with suppress(ValueError, IndexError, struct.error):
                delay, answers = self._decide(query, over_tcp=False)
                self._later(delay, sock, answers, peer)

    def _later(self, delay: float, sock: socket.socket, answers: Sequence[bytes], peer: Any) -> None:
        if not answers:
            self.stall()

        def send() -> None:
            with self.lock:
                if self._held is not None:
                    self._held.append(send)
                    return
            with suppress(OSError):  # closed meanwhile
                for answer in answers:
                    sock.sendto(answer, peer)

        if delay:
            asyncio.get_running_loop().call_later(delay, send)
        else:
            send()

    async def _talk(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        while True:
            length = int.from_bytes(await reader.readexactly(2), "big")
            if length > 4096:  # who speaks another protocol is heard out, and gets no answer
                self.stall()
            query = await reader.readexactly(length)
            with self.lock:
                self.tcp += 1
            delay, answers = self._decide(query, over_tcp=True)
            await asyncio.sleep(delay)
            if not answers:
                return
            for answer in answers:
                writer.write(len(answer).to_bytes(2, "big") + answer)

    def _decide(self, query: bytes, over_tcp: bool) -> tuple[float, list[bytes]]:
        """Seconds to wait and what to send then; counts the question."""
        question = read(query)
        kind = NAMES.get(question.kind, str(question.kind))
        with self.lock:
            if question.name == COUNT:
                return 0.0, [
                    message(question, 0, [(16, 0, bytes([len(text)]) + text) for text in [str(self.counts.total()).encode()]])
                ]
            self.counts[question.name, kind] += 1
            fault = self._fault(question.name, kind)
            if fault is not None and fault.times is not None:
                fault.times -= 1
                fault = fault if fault.times >= 0 else None
            right = self._answer(question, follow=fault is None or fault.mode != "unfollowed")
            if fault is None and len(self._ready) < CACHED and not over_tcp and len(right) <= 1232:
                self._ready[query[2:]] = (right[2:], (question.name, kind))
        if fault is None:
            fault = Fault("truncate" if len(right) > 1232 else None, None, 0.0)
        return self.delay + fault.delay, spoil(fault.mode, question, right, over_tcp)

    def _answer(self, question: Question, follow: bool) -> bytes:
        name, records, seen = question.name, [], set()
        while (found := self._find(name, 5)) and question.kind != 5 and name not in seen:
            seen.add(name)
            records.append((5, found[0], found[1][0]))
            name = decoded(found[1][0])
            if not follow:
                return message(question, 0, records)
        found = self._find(name, question.kind)
        if found is None:
            exists = name in self._names or self._wild(name) is not None
            return message(question, 0 if exists else 3, records, soa=self.negative_ttl)
        return message(question, 0, records + [(question.kind, found[0], value) for value in found[1]])

    def _fault(self, name: str, kind: str) -> Fault | None:
        """What goes wrong with a name, or with the wildcard that it comes from."""
        wild = None if name in self._names else self._wild(name)
        keys = [(name, kind), (name, ""), (wild or name, kind), (wild or name, "")]
        return next((self._faults[key] for key in keys if key in self._faults), None)

    def _find(self, name: str, kind: int) -> tuple[int, list[bytes]] | None:
        """The TTL and the values of a name, by itself or by a wildcard above it."""
        found = self._records.get((name, kind))
        if found is None and name not in self._names and (wild := self._wild(name)):
            found = self._records.get((wild, kind))
        return found

    def _wild(self, name: str) -> str | None:
        while "." in name:
            name = name.partition(".")[2]
            if f"*.{name}" in self._names:
                return f"*.{name}"
        return None


def listening(host: str, port: int) -> socket.socket:
    """A UDP socket with as much room for waiting questions as the system gives."""
    sock = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
    for option in (socket.SO_RCVBUF, 33):  # 33 is SO_RCVBUFFORCE on Linux, for the privileged
        with suppress(OSError):
            sock.setsockopt(socket.SOL_SOCKET, option, 8 << 20)
    sock.setblocking(False)
    try:
        sock.bind((host, port))
    except OSError:
        sock.close()
        raise
    return sock


def spoil(mode: Mode | None, question: Question, right: bytes, over_tcp: bool) -> list[bytes]:
    """What is sent instead of the right answer, in this order."""
    if mode in RCODES and (mode != "formerr" or question.edns):
        return [message(question, RCODES[mode])]
    if mode == "silence" or (mode == "half" and over_tcp):
        return []
    if mode in ("truncate", "half") and not over_tcp:
        return [message(question, 0, flags=0x8780)]
    if mode == "referral":
        return [message(question, 0, [(2, 300, encoded("ns.elsewhere.test"))], section=1, flags=0x8180)]
    other = Question(bytes(byte ^ 0xFF for byte in question.id), question.name, question.kind, question.raw, question.edns)
    forged = [(15, 300, b"\x00\x01" + encoded(FORGED))]
    if mode == "wrong_id":
        return [message(other, 0, forged)]
    if mode == "spoofed":
        elsewhere = Question(question.id, FORGED, 15, encoded(FORGED) + struct.pack("!HH", 15, 1), True)
        return [message(other, 0, forged), message(elsewhere, 0, forged), question.id + right[2:6] + b"\0" * 6, right]
    if mode == "garbage":
        return [b"\x00\x01garbage", b"", b"\xff" * 40]
    if mode == "broken":
        return [message(question, 0, [(15, 300, b"\x00\x0a\xc0\xff")])]
    return [right]


def main(serve: Callable[[LabServer], Any] = run_until_told) -> None:
    """`python -m tests.lab.dns`."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--zones", type=Path, help="JSON: a name to its mx, a, aaaa, txt, cname, ttl, fault")
    parser.add_argument("--port", type=int, default=0)
    parser.add_argument("--delay", type=float, default=0.0, help="seconds before every answer")
    chosen = parser.parse_args()
    zones = json.loads(chosen.zones.read_text(encoding="utf-8")) if chosen.zones else {}
    asyncio.run(serve(DnsServer(zones, delay=chosen.delay, port=chosen.port)))


if __name__ == "__main__":
    main()
