"""DNS messages: what we read agrees with dnspython's own reading, and no bytes can break it."""

from __future__ import annotations

import struct
from contextlib import suppress

import dns.flags
import dns.message
import dns.name
import dns.rcode
import dns.rdatatype
import dns.rrset
import pytest
from hypothesis import given
from hypothesis import strategies as st

from engine.net.dns_wire import PAYLOAD, Answer, Finding, Kind, Unreadable, answers, normal, query, question, read, truncated

NAME = "some.example.test"
LABELS = st.text("abcdefghijklmnopqrstuvwxyz0123456789-_", min_size=1, max_size=20)
NAMES = st.lists(LABELS, min_size=1, max_size=5).map(".".join)
TTLS = st.integers(0, 2**31 - 1)
EXCHANGERS = st.lists(st.tuples(st.integers(0, 65535), NAMES), min_size=1, max_size=8, unique_by=lambda pair: pair[1])


def response(*records: str, kind: Kind = Kind.MX, rcode: int = 0, authority: tuple[str, ...] = ()) -> bytes:
    """What a server would send: records in presentation form, `owner ttl IN type data`."""
    asked = dns.message.make_query(NAME, dns.rdatatype.to_text(dns.rdatatype.RdataType(kind)), use_edns=0, payload=PAYLOAD)
    message = dns.message.make_response(asked, recursion_available=True)
    message.set_rcode(dns.rcode.Rcode(rcode))
    for section, lines in ((message.answer, records), (message.authority, authority)):
        for line in lines:
            owner, ttl, family, of, data = line.split(" ", 4)
            section.append(dns.rrset.from_text(owner, int(ttl), family, of, data))
    return message.to_wire()


def found(message: bytes, kind: Kind = Kind.MX) -> Answer:
    return read(message, question(NAME, kind), NAME, kind)


@given(NAMES, st.sampled_from(Kind), st.integers(0, 65535), st.booleans())
def test_a_query_is_what_dnspython_reads_it_to_be(name, kind, number, edns):
    message = dns.message.from_wire(query(number, question(name, kind), edns))
    assert (message.id, message.question[0].to_text()) == (number, f"{name}. IN {kind.name}")
    assert message.flags == dns.flags.RD
    assert message.payload == (PAYLOAD if edns else 0)


@given(EXCHANGERS, TTLS)
def test_exchangers_are_read_whole(exchangers, ttl):
    lines = [f"{NAME}. {ttl} IN MX {preference} {host}." for preference, host in exchangers]
    assert found(response(*lines)) == Answer(Finding.RECORDS, tuple(exchangers), ttl)


def test_addresses_and_texts_are_read():
    assert found(response(f"{NAME}. 60 IN A 192.0.2.1", kind=Kind.A), Kind.A).values == ((0, "192.0.2.1"),)
    assert found(response(f"{NAME}. 60 IN AAAA 2001:db8::1", kind=Kind.AAAA), Kind.AAAA).values == ((0, "2001:db8::1"),)
    assert found(response(f'{NAME}. 60 IN TXT "a b" "c"', kind=Kind.TXT), Kind.TXT).values == ((0, "a bc"),)


def test_a_chain_of_aliases_leads_to_its_end_with_the_least_ttl():
    chain = (
        f"{NAME}. 90 IN CNAME B.test.",
        "b.test. 50 IN CNAME c.test.",
        "C.test. 70 IN MX 5 mx.test.",
        "other.test. 1 IN MX 1 no.test.",
    )
    assert found(response(*chain)) == Answer(Finding.RECORDS, ((5, "mx.test"),), 50)
    assert found(response(*chain[:2])) == Answer(Finding.ALIAS, ttl=50, alias="c.test")


def test_records_that_nobody_asked_for_do_not_count():
    soa = "test. 900 IN SOA ns.test. me.test. 1 2 3 4 600"
    forged = response("other.test. 60 IN MX 1 evil.test.", f"{NAME}. 60 IN A 192.0.2.1", authority=(soa,))
    assert found(forged) == Answer(Finding.NO_DATA, ttl=600)


NEGATIVE = [
    pytest.param(3, ("test. 900 IN SOA ns.test. me.test. 1 2 3 4 600",), Answer(Finding.NO_NAME, ttl=600), id="NXDOMAIN"),
    pytest.param(3, ("test. 300 IN SOA ns.test. me.test. 1 2 3 4 600",), Answer(Finding.NO_NAME, ttl=300), id="the less of two"),
    pytest.param(3, (), Answer(Finding.NO_NAME), id="NXDOMAIN without SOA"),
    pytest.param(0, (), Answer(Finding.NO_DATA), id="nothing at all"),
    pytest.param(2, (), Answer(Finding.FAILED, detail="SERVFAIL"), id="SERVFAIL"),
    pytest.param(5, (), Answer(Finding.FAILED, detail="REFUSED"), id="REFUSED"),
    pytest.param(11, (), Answer(Finding.FAILED, detail="DSOTYPENI"), id="any other"),
]


@pytest.mark.parametrize(("rcode", "authority", "answer"), NEGATIVE)
def test_what_is_not_there_is_told_from_what_was_not_said(rcode, authority, answer):
    assert found(response(rcode=rcode, authority=authority)) == answer


def test_a_referral_is_no_answer():
    referred = found(response(authority=("test. 900 IN NS ns.elsewhere.test.",)))
    assert referred.finding == Finding.FAILED


@given(st.data())
def test_no_bytes_break_the_reader(data):
    whole = response(
        f"{NAME}. 90 IN CNAME b.test.", f"b.test. 90 IN MX 5 mx.{NAME}.", authority=("test. 9 IN SOA a.b. c.d. 1 2 3 4 5",)
    )
    bad = bytearray(whole)
    for _ in range(data.draw(st.integers(1, 6))):
        bad[data.draw(st.integers(12, len(bad) - 1))] = data.draw(st.integers(0, 255))
    message = bytes(bad[: data.draw(st.integers(12, len(bad)))])
    for kind in Kind:
        with suppress(Unreadable):
            assert isinstance(found(message, kind), Answer)


@given(st.binary(max_size=80))
def test_what_is_no_answer_is_told_from_one(noise):
    asked = question(NAME, Kind.MX)
    assert not answers(noise, asked) or noise[12:].startswith(asked) or noise[4:6] == b"\0\0"


def test_only_an_answer_to_this_very_question_is_one():
    asked, whole = question(NAME, Kind.MX), response()
    assert answers(whole, asked)
    assert answers(whole[:12] + whole[12:].upper(), asked), "names have no case"
    assert not answers(whole, question(NAME, Kind.A))
    assert not answers(whole, question("other.test", Kind.MX))
    assert not answers(query(1, asked, False), asked), "a query is no answer"
    assert not answers(whole[:11], asked)
    empty = struct.pack("!6H", 1, 0x8180, 0, 0, 0, 0)
    assert not answers(empty, asked)
    assert answers(empty[:3] + b"\x81" + empty[4:], asked), "FORMERR may come without the question"
    assert truncated(whole[:2] + b"\x83" + whole[3:]) and not truncated(whole)


def test_names_are_normal_in_lower_case_and_a_labels():
    assert normal("Example.TEST.") == "example.test"
    assert normal("B\u00fccher.test") == "xn--bcher-kva.test"
    assert normal("\u2603\u200b..test") == "\u2603\u200b..test"


@pytest.mark.parametrize("name", ["", "a..b", "-" * 64, "a b", "\u00fc.test", ".".join(["x" * 50] * 5), "a\\.b", "a\n"])
def test_no_question_is_made_of_what_is_no_name(name):
    with pytest.raises(ValueError, match="not a name"):
        question(name, Kind.A)
