"""DNS messages: questions to bytes, and bytes to the few kinds of record that are of use here."""

from __future__ import annotations

import re
import socket
import struct
from dataclasses import dataclass
from enum import Enum, IntEnum

import dns.exception
import dns.name
import dns.rcode
import dns.wire

PAYLOAD = 1232
"""Bytes of UDP that we take (EDNS, RFC 6891): what passes every path without fragments."""
_PLAIN = re.compile(r"(?!.{254})[a-z0-9_-]{1,63}(\.[a-z0-9_-]{1,63})*", re.ASCII)
_OPT = b"\0" + struct.pack("!HHIH", 41, PAYLOAD, 0, 0)
_QUESTION_OWNER = 0xC00C
"""A compressed name that points at the question: what nearly every answer's first record is owned by."""


class Kind(IntEnum):
    """Record types (RFC 1035 section 3.2.2, RFC 3596)."""

    A = 1
    NS = 2
    CNAME = 5
    SOA = 6
    MX = 15
    TXT = 16
    AAAA = 28


_READ = frozenset({Kind.A, Kind.AAAA, Kind.CNAME, Kind.MX, Kind.TXT})


class Finding(Enum):
    """What an answer comes to."""

    RECORDS = "records"
    NO_DATA = "no data"
    """The name exists, without records of this kind."""
    NO_NAME = "no name"
    """NXDOMAIN."""
    ALIAS = "alias"
    """The name is another name, of which this answer says nothing."""
    FAILED = "failed"


class Unreadable(ValueError):
    """A message that is not what RFC 1035 describes."""


@dataclass(frozen=True, slots=True)
class Answer:
    """An answer to one question.

    `values` are (preference, text) pairs in the server's order; the preference is 0 except for MX; hosts are lower case without
    the last dot, the root is ".". `ttl` is in seconds, None where the server gave none. `alias` is set with ALIAS, `detail` with
    FAILED.
    """

    finding: Finding
    values: tuple[tuple[int, str], ...] = ()
    ttl: int | None = None
    alias: str = ""
    detail: str = ""


def normal(name: str) -> str:
    """The name in lower case, without a last dot, and in A-labels if it can be had so."""
    name = name.rstrip(".").lower()
    if name.isascii():
        return name
    try:
        return dns.name.from_text(name, idna_codec=dns.name.IDNA_2008_Practical).to_text(omit_final_dot=True)
    except (dns.exception.DNSException, UnicodeError):
        return name


def question(name: str, kind: Kind) -> bytes:
    """The question section for a name as `normal` gives it.

    Raises:
        ValueError: no host or domain is called so: characters beyond letters, digits, `-` and `_`, or labels out of bounds.
    """
    if not _PLAIN.fullmatch(name):
        raise ValueError("not a name of a host or domain")
    labels = name.encode("ascii").split(b".")
    return b"".join([bytes((len(label),)) + label for label in labels]) + b"\0" + struct.pack("!HH", kind, 1)


def query(number: int, question: bytes, edns: bool) -> bytes:
    """A recursive query with this id."""
    return struct.pack("!6H", number, 0x0100, 1, 0, 0, int(edns)) + question + (_OPT if edns else b"")


def answers(message: bytes, question: bytes) -> bool:
    """Whether the message, whose id is right, is a response to this very question.

    A server that could not read the query may leave the question out; then only the refusal counts (see `read`).
    """
    if len(message) < 12 or message[2] & 0xF8 != 0x80:
        return False
    count = message[4] << 8 | message[5]
    if count == 0:
        return message[3] & 0x0F not in (0, 3)
    return count == 1 and message[12 : 12 + len(question)].lower() == question.lower()


def truncated(message: bytes) -> bool:
    """Whether the whole answer has to be asked for over TCP."""
    return bool(message[2] & 0x02)


def read(message: bytes, question: bytes, name: str, kind: Kind) -> Answer:
    """What a response to this question (see `answers`) comes to.

    Raises:
        Unreadable: the message is broken.
    """
    flags, _, count, authorities = struct.unpack_from("!4H", message, 2)
    rcode = flags & 0x0F
    if rcode not in (dns.rcode.NOERROR, dns.rcode.NXDOMAIN):
        return Answer(Finding.FAILED, detail=dns.rcode.to_text(dns.rcode.Rcode(rcode)))
    try:
        parser = dns.wire.Parser(message, 12 + len(question))
        values, ttl, last, followed = _follow(_records(parser, count, name), name, kind)
        if values:
            return Answer(Finding.RECORDS, values, ttl)
        negative, referral = _authority(parser, authorities)
    except (dns.exception.DNSException, struct.error, IndexError) as error:
        raise Unreadable("an unreadable answer") from error
    if rcode == dns.rcode.NXDOMAIN:
        return Answer(Finding.NO_NAME, ttl=negative)
    if followed and negative is None:
        return Answer(Finding.ALIAS, ttl=ttl, alias=last)
    if referral and negative is None:
        return Answer(Finding.FAILED, detail="a referral: this server resolves nothing for us")
    return Answer(Finding.NO_DATA, ttl=negative)


Records = dict[tuple[str, int], list[tuple[int, int, str]]]
"""From (owner, type) to (TTL, preference, text)."""


def _records(parser: dns.wire.Parser, count: int, name: str) -> Records:
    """The next `count` records of the message, of the kinds we know."""
    found: Records = {}
    for _ in range(count):
        if parser.remaining() > 1 and struct.unpack_from("!H", parser.wire, parser.current)[0] == _QUESTION_OWNER:
            parser.seek(parser.current + 2)
            owner = name
        else:
            owner = _host(parser)
        kind, family, ttl, size = parser.get_struct("!HHIH")
        end = parser.current + size
        if family == 1 and kind in _READ:
            value = _value(parser, kind, size)
            if parser.current != end:
                raise dns.exception.FormError
            found.setdefault((owner, kind), []).append((min(ttl, 1 << 31), *value))
        parser.seek(end)
    return found


def _follow(records: Records, name: str, kind: Kind) -> tuple[tuple[tuple[int, str], ...], int | None, str, bool]:
    """The values, the least TTL on the way, the name where the chain of CNAMEs ends, and whether there was a chain."""
    ttls: list[int] = []
    last, seen = name, {name}
    while alias := records.get((last, Kind.CNAME)):
        ttls.append(alias[0][0])
        last = alias[0][2]
        if last in seen:
            raise dns.exception.FormError  # a loop
        seen.add(last)
    held = records.get((last, kind), [])
    ttls += [ttl for ttl, _, _ in held]
    return tuple((preference, text) for _, preference, text in held), min(ttls, default=None), last, last != name


def _authority(parser: dns.wire.Parser, count: int) -> tuple[int | None, bool]:
    """The TTL of a negative answer (RFC 2308 section 5), and whether the section names other servers."""
    negative, referral = None, False
    for _ in range(count):
        parser.get_name(None, True)
        kind, _, ttl, size = parser.get_struct("!HHIH")
        data = parser.get_bytes(size)
        if kind == Kind.SOA and size >= 4:
            negative = min(ttl, int.from_bytes(data[-4:], "big"))
        referral = referral or kind == Kind.NS
    return negative, referral


def _host(parser: dns.wire.Parser) -> str:
    return parser.get_name(None, True).to_text(omit_final_dot=True).lower()


def _value(parser: dns.wire.Parser, kind: int, size: int) -> tuple[int, str]:
    """The data of a record of a kind in `_READ`: a preference (0 but for MX) and a text."""
    if kind == Kind.MX:
        return parser.get_uint16(), _host(parser)
    if kind == Kind.CNAME:
        return 0, _host(parser)
    if kind == Kind.A:
        return 0, socket.inet_ntop(socket.AF_INET, parser.get_bytes(4))
    if kind == Kind.AAAA:
        return 0, socket.inet_ntop(socket.AF_INET6, parser.get_bytes(16))
    end, parts = parser.current + size, []
    while parser.current < end:
        parts.append(parser.get_bytes(parser.get_uint8()))
    return 0, b"".join(parts).decode("utf-8", "replace")
