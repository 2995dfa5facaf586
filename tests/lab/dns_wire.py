"""DNS messages as the lab's name server reads and writes them."""

from __future__ import annotations

import struct
from collections.abc import Sequence
from dataclasses import dataclass

KINDS = {"A": 1, "NS": 2, "CNAME": 5, "SOA": 6, "MX": 15, "TXT": 16, "AAAA": 28}
NAMES = {number: kind for kind, number in KINDS.items()}


@dataclass(frozen=True, slots=True)
class Question:
    """A question as it came: `raw` is its section, `edns` whether an OPT record was there."""

    id: bytes
    name: str
    kind: int
    raw: bytes
    edns: bool


def message(
    question: Question,
    rcode: int,
    records: Sequence[tuple[int, int, bytes]] = (),
    *,
    soa: int = 0,
    section: int = 0,
    flags: int = 0x8580,
) -> bytes:
    """An answer to the question, in the section answer (0) or authority (1).

    Records are (type, TTL, data), owned by the question's name or by the CNAME before them. `soa` is the TTL of a negative
    answer, in seconds.
    """
    parts, owner = [], b"\xc0\x0c"
    for kind, ttl, data in records:
        parts.append(owner + struct.pack("!HHIH", kind, 1, ttl, len(data)) + data)
        owner = data if kind == KINDS["CNAME"] else owner
    counts = [0, len(parts)] if section else [len(parts), 0]
    if soa:
        data = encoded("ns.lab") + encoded("hostmaster.lab") + struct.pack("!5I", 1, 3600, 600, 86400, soa)
        zone = encoded(question.name.rpartition(".")[2])
        parts.append(zone + struct.pack("!HHIH", KINDS["SOA"], 1, soa, len(data)) + data)
        counts[1] += 1
    extra = b"\0" + struct.pack("!HHIH", 41, 1232, 0, 0) if question.edns else b""
    header = struct.pack("!HHHHH", flags | rcode, 1, *counts, 1 if extra else 0)
    return question.id + header + question.raw + b"".join(parts) + extra


def read(query: bytes) -> Question:
    """The question of a query.

    Raises:
        ValueError, IndexError, struct.error: it is no query of one question.
    """
    if struct.unpack_from("!H", query, 4)[0] != 1:
        raise ValueError("not one question")
    end = 12
    while query[end]:
        end += query[end] + 1
    kind, _ = struct.unpack_from("!HH", query, end + 1)
    edns = struct.unpack_from("!H", query, 10)[0] > 0
    return Question(query[:2], decoded(query[12 : end + 1]), kind, query[12 : end + 5], edns)


def encoded(name: str) -> bytes:
    """A name as uncompressed labels."""
    return b"".join(bytes([len(label)]) + label for label in name.encode().rstrip(b".").split(b".") if label) + b"\0"


def decoded(wire: bytes) -> str:
    """The lower-case text of uncompressed labels."""
    labels, at = [], 0
    while wire[at]:
        labels.append(wire[at + 1 : at + 1 + wire[at]])
        at += wire[at] + 1
    return b".".join(labels).decode("latin-1").lower()


def pieces(text: bytes) -> list[bytes]:
    """Strings of at most 255 bytes."""
    return [text[at : at + 255] for at in range(0, len(text), 255)] or [b""]
