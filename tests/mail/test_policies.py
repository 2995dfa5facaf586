"""SPF, DKIM and DMARC: what is published, what is missing, and what could not be found out."""

from __future__ import annotations

import asyncio
import ipaddress
from base64 import b64encode
from collections import Counter
from collections.abc import Mapping, Sequence
from functools import cache

import pytest
from cryptography.hazmat.primitives.asymmetric.ec import SECP256R1, generate_private_key
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.asymmetric.rsa import generate_private_key as generate_rsa
from cryptography.hazmat.primitives.serialization import BestAvailableEncryption, Encoding, NoEncryption, PrivateFormat
from hypothesis import given
from hypothesis import strategies as st

from engine.mail.policies import Identity, Level, dmarc_finding, spf_finding, tags
from engine.mail.policies_dkim import PublicKey, dkim_finding, public_key
from engine.mail.policies_spf import MAX_LOOKUPS, SpfResult, evaluate
from engine.mail.records import RecordKind, RecordOutcome, Records

Zone = Mapping[str, Mapping[str, Sequence[str]]]
IP, SIX = "192.0.2.10", "2001:db8::10"
PASS, FAIL, SOFTFAIL, NEUTRAL = SpfResult.PASS, SpfResult.FAIL, SpfResult.SOFTFAIL, SpfResult.NEUTRAL
NONE, PERMERROR, TEMPERROR = SpfResult.NONE, SpfResult.PERMERROR, SpfResult.TEMPERROR


class Names:
    """A DNS of these names; those in `down` do not answer."""

    def __init__(self, zone: Zone, down: Sequence[str] = ()) -> None:
        self.zone, self.down = zone, down
        self.asked: Counter[tuple[str, str]] = Counter()

    async def __call__(self, name: str, kind: RecordKind) -> Records:
        self.asked[name, kind] += 1
        if name in self.down:
            return Records(RecordOutcome.FAILED, detail="SERVFAIL")
        if name not in self.zone:
            return Records(RecordOutcome.NO_NAME)
        values = tuple(self.zone[name].get(kind, ()))
        return Records(RecordOutcome.FOUND if values else RecordOutcome.NO_DATA, values)


WORLD: Zone = {
    "a.test": {"A": [IP], "AAAA": [SIX]},
    "mx.test": {"A": ["192.0.2.77"]},
    "mail.test": {"MX": ["mx.test", "a.test"]},
    "net.test": {"A": ["192.0.2.129"]},
    "passes.test": {"TXT": [f"v=spf1 ip4:{IP} -all"]},
    "fails.test": {"TXT": ["v=spf1 -all"]},
    "bad.test": {"TXT": ["v=spf1 ip4:nonsense -all"]},
    "empty.test": {"TXT": ["hello"]},
    "10.2.0.192.spf.sender.test": {"A": ["127.0.0.2"]},
    "ann.sender.test": {"A": ["127.0.0.2"]},
}


async def spf(record: str | Sequence[str], ip: str | None = IP, **more: Mapping[str, Sequence[str]]):
    records = [record] if isinstance(record, str) else record
    own = {"sender.test": {"TXT": records, "A": [IP], "MX": ["a.test"]}}
    zone = {**WORLD, **own, **{name.replace("_", "."): kinds for name, kinds in more.items()}}
    return await evaluate("sender.test", "ann@sender.test", ip, Names(zone, down=["down.test"]))


RECORDS = [
    (f"v=spf1 ip4:{IP} -all", PASS),
    ("v=spf1 ip4:192.0.2.0/24 -all", PASS),
    ("v=spf1 ip4:198.51.100.0/24 -all", FAIL),
    ("V=SPF1 IP4:192.0.2.10 -ALL", PASS),
    ("v=spf1", NEUTRAL),
    ("v=spf1 ~all", SOFTFAIL),
    ("v=spf1 ?all", NEUTRAL),
    ("v=spf1 all", PASS),
    ("v=spf1 a -all", PASS),
    ("v=spf1 a:a.test -all", PASS),
    ("v=spf1 a:net.test/25 -all", FAIL),
    ("v=spf1 a:net.test/24 -all", PASS),
    ("v=spf1 a:net.test/24//64 -all", PASS),
    ("v=spf1 mx -all", PASS),
    ("v=spf1 mx:mail.test -all", PASS),
    ("v=spf1 -a ~all", FAIL),
    ("v=spf1 include:passes.test -all", PASS),
    ("v=spf1 ?include:passes.test -all", NEUTRAL),
    ("v=spf1 include:fails.test ~all", SOFTFAIL),
    ("v=spf1 include:empty.test -all", PERMERROR),
    ("v=spf1 include:nowhere.test -all", PERMERROR),
    ("v=spf1 include:bad.test -all", PERMERROR),
    ("v=spf1 include:down.test -all", TEMPERROR),
    ("v=spf1 a:down.test -all", TEMPERROR),
    ("v=spf1 redirect=passes.test", PASS),
    ("v=spf1 redirect=empty.test", PERMERROR),
    ("v=spf1 redirect=passes.test -all", FAIL),
    ("v=spf1 redirect=passes.test redirect=passes.test", PERMERROR),
    ("v=spf1 exists:%{ir}.spf.%{d} -all", PASS),
    ("v=spf1 exists:%{l}.%{o} -all", PASS),
    ("v=spf1 exists:%{L1r-}.%{d2} -all", PASS),
    ("v=spf1 exists:other.%{d} -all", FAIL),
    ("v=spf1 exists:%{x}.test -all", PERMERROR),
    ("v=spf1 exists:50%.test -all", PERMERROR),
    ("v=spf1 ptr -all", FAIL),
    ("v=spf1 unknown=thing exp=why.test -all", FAIL),
    ("v=spf1 nonsense -all", PERMERROR),
    ("v=spf1 ip4:192.0.2.10/33 -all", PERMERROR),
    ("v=spf1 ip4 -all", PERMERROR),
    ("v=spf1 ip6:192.0.2.10 -all", PERMERROR),
    ("v=spf1 a/33 -all", PERMERROR),
    ("v=spf1 include -all", PERMERROR),
    ("v=spf1 all:x", PERMERROR),
    ("v=spf1 a -all nonsense:", PERMERROR),
    ("v=spf10 -all", NONE),
    ("hello", NONE),
]


@pytest.mark.parametrize(("record", "result"), RECORDS)
async def test_a_record_is_evaluated_as_the_rfc_says(record: str, result: SpfResult) -> None:
    found = await spf(record)
    assert found.result is result, found
    assert bool(found.detail) == (result in (PERMERROR, TEMPERROR))


async def test_other_texts_count_for_nothing_and_two_records_are_an_error() -> None:
    assert (await spf(["google-site-verification=x", "v=spf1 -all"])).result is FAIL
    assert (await spf(["v=spf1 -all", "v=spf1 a -all"])).result is PERMERROR


@pytest.mark.parametrize("record", [f"v=spf1 ip6:{SIX} -all", "v=spf1 a:a.test -all", "v=spf1 mx:mail.test//64 -all"])
async def test_addresses_of_version_6_are_evaluated_too(record: str) -> None:
    assert (await spf(record, SIX)).result is PASS
    assert (await spf(record, "2001:db8:1::1")).result is FAIL


async def test_the_term_that_decides_is_told() -> None:
    assert (await spf("v=spf1 a:net.test +a ~all")).term == "+a"
    assert (await spf("v=spf1 redirect=fails.test")).term == "-all"


@pytest.mark.parametrize(("count", "result"), [(MAX_LOOKUPS, FAIL), (MAX_LOOKUPS + 1, PERMERROR)])
async def test_more_than_ten_lookups_are_an_error(count: int, result: SpfResult) -> None:
    found = await spf(f"v=spf1 {' '.join(['a:net.test'] * count)} -all")
    assert (found.result, found.lookups) == (result, count)


async def test_a_record_that_includes_itself_ends() -> None:
    assert (await spf("v=spf1 include:sender.test -all")).result is PERMERROR
    assert (await spf("v=spf1 redirect=sender.test")).result is PERMERROR


async def test_too_many_lookups_that_find_nothing_are_an_error() -> None:
    assert (await spf("v=spf1 a:n1.test a:n2.test -all")).result is FAIL
    assert (await spf("v=spf1 a:n1.test a:n2.test a:n3.test -all")).result is PERMERROR


async def test_too_many_exchangers_are_an_error() -> None:
    many = {"MX": [f"mx{number}.test" for number in range(11)]}
    assert (await spf("v=spf1 mx:many.test -all", many_test=many)).result is PERMERROR


async def test_without_an_address_every_include_is_followed() -> None:
    found = await spf("v=spf1 include:passes.test include:fails.test a -all", None)
    assert found.lookups == 3
    assert (await spf("v=spf1 include:passes.test include:bad.test -all", None)).result is PERMERROR


@given(st.text(st.characters(codec="utf-8"), max_size=80), st.sampled_from([IP, SIX, None]))
def test_no_record_makes_the_evaluation_fail(text: str, ip: str | None) -> None:
    found = asyncio.run(spf(f"v=spf1 {text}", ip))
    assert found.result in SpfResult


@given(st.ip_addresses(v=4), st.integers(0, 32), st.ip_addresses(v=4))
def test_networks_hold_what_they_hold(base: ipaddress.IPv4Address, length: int, ip: ipaddress.IPv4Address) -> None:
    found = asyncio.run(spf(f"v=spf1 ip4:{base}/{length} -all", str(ip)))
    assert found.result is (PASS if ip in ipaddress.ip_network((base, length), strict=False) else FAIL)


class TestSpfFinding:
    @pytest.mark.parametrize(
        ("record", "addresses", "level"),
        [
            (f"v=spf1 ip4:{IP} -all", [IP], Level.OK),
            (f"v=spf1 ip4:{IP} -all", [IP, SIX], Level.WARNING),
            ("v=spf1 -all", [IP], Level.WARNING),
            ("v=spf1 ~all", [IP], Level.WARNING),
            ("v=spf1 +all", [IP], Level.WARNING),
            ("v=spf1 -all", [], Level.UNKNOWN),
            ("v=spf1 nonsense -all", [IP], Level.PROBLEM),
            ("v=spf1 nonsense -all", [], Level.PROBLEM),
            ("v=spf1 include:down.test -all", [IP], Level.UNKNOWN),
            ("hello", [IP], Level.PROBLEM),
        ],
    )
    async def test_a_finding_has_a_level_and_a_remedy(self, record: str, addresses: list[str], level: Level) -> None:
        names = Names({"sender.test": {"TXT": [record]}}, down=["down.test"])
        found = await spf_finding("sender.test", "ann@sender.test", addresses, names)
        assert (found.name, found.level) == ("SPF", level), found
        assert bool(found.remedy) == (level is not Level.OK)

    async def test_a_failed_lookup_is_never_a_missing_record(self) -> None:
        found = await spf_finding("sender.test", "ann@sender.test", [IP], Names({}, down=["sender.test"]))
        assert found.level is Level.UNKNOWN

    async def test_the_remedy_names_the_record_to_publish(self) -> None:
        found = await spf_finding("sender.test", "ann@sender.test", [IP, SIX], Names({}))
        assert found.remedy.endswith(f"v=spf1 ip4:{IP} ip6:{SIX} ~all`")


@cache
def rsa(bits: int = 2048) -> bytes:
    return generate_rsa(65537, bits).private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())


@cache
def ed25519() -> bytes:
    return Ed25519PrivateKey.generate().private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())


class TestDkim:
    NAME = "s1._domainkey.sender.test"

    async def judged(self, *texts: str, key: PublicKey | None = None, down: Sequence[str] = ()):
        zone = {self.NAME: {"TXT": texts}} if texts else {}
        found = await dkim_finding("s1", "sender.test", key or public_key(rsa()), Names(zone, down))
        assert bool(found.remedy) == (found.level is not Level.OK)
        return found

    @pytest.mark.parametrize("pem", [rsa, ed25519])
    async def test_the_key_that_signs_is_found(self, pem) -> None:
        key = public_key(pem())
        assert (await self.judged(key.record, key=key)).level is Level.OK
        loose = f" v = DKIM1 ; k={key.kind}; h=sha1:sha256; s=email; n=note; p={key.text[:20]} {key.text[20:]} ;"
        assert (await self.judged(loose, key=key)).level is Level.OK
        if key.kind == "rsa":
            assert (await self.judged(f"p={key.text}", key=key)).level is Level.OK

    async def test_a_missing_key_is_a_problem_and_its_remedy_the_record(self) -> None:
        found = await self.judged()
        assert found.level is Level.PROBLEM
        assert found.remedy.endswith(f"`{public_key(rsa()).record}`")

    async def test_a_failed_lookup_is_unknown(self) -> None:
        assert (await self.judged(down=[self.NAME])).level is Level.UNKNOWN

    @pytest.mark.parametrize(
        "text",
        [
            "v=DKIM1; p=",
            "v=DKIM1; p=%%%",
            f"v=DKIM1; p={b64encode(b'another key').decode()}",
            "v=DKIM2; p={own}",
            "v=DKIM1; k=ed25519; p={own}",
            "v=DKIM1; h=sha1; p={own}",
            "v=DKIM1; s=other; p={own}",
            "v=DKIM1; p={own}; p={own}",
            "v=spf1 -all",
            "",
        ],
    )
    async def test_a_key_that_does_not_fit_is_a_problem(self, text: str) -> None:
        assert (await self.judged(text.replace("{own}", public_key(rsa()).text) or " ")).level is Level.PROBLEM

    async def test_two_keys_are_a_problem(self) -> None:
        own = public_key(rsa()).record
        assert (await self.judged(own, own)).level is Level.PROBLEM

    async def test_a_test_key_and_a_short_key_are_warnings(self) -> None:
        own, short = public_key(rsa()), public_key(rsa(1024))
        assert (await self.judged(f"{own.record}; t=y:s")).level is Level.WARNING
        assert (await self.judged(short.record, key=short)).level is Level.WARNING

    def test_keys_that_cannot_sign_are_refused(self) -> None:
        other = generate_private_key(SECP256R1()).private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())
        locked = Ed25519PrivateKey.generate().private_bytes(Encoding.PEM, PrivateFormat.PKCS8, BestAvailableEncryption(b"x"))
        for pem in (other, locked, b"", b"nonsense"):
            with pytest.raises(ValueError):
                public_key(pem)


SPF, DKIM = Identity("SPF", "sender.test", True), Identity("DKIM", "sender.test", True)


class TestDmarc:
    async def judged(
        self, record: str | Sequence[str] | None, *identities: Identity, domain: str = "sender.test", place: str = ""
    ):
        texts = [record] if isinstance(record, str) else record or ()
        found = await dmarc_finding(domain, identities, Names({f"_dmarc.{place or domain}": {"TXT": texts}}))
        assert found.name == "DMARC"
        assert bool(found.remedy) == (found.level is not Level.OK)
        return found.level

    @pytest.mark.parametrize("policy", ["none", "quarantine", "reject"])
    async def test_one_aligned_identity_is_enough(self, policy: str) -> None:
        record = f"v=DMARC1; p={policy}"
        assert await self.judged(record, SPF) is Level.OK
        assert await self.judged(record, Identity("SPF", "sender.test", False), DKIM) is Level.OK

    @pytest.mark.parametrize(
        ("policy", "level"), [("none", Level.WARNING), ("quarantine", Level.PROBLEM), ("reject", Level.PROBLEM)]
    )
    async def test_what_happens_without_one_depends_on_the_policy(self, policy: str, level: Level) -> None:
        record = f"v=DMARC1; p={policy}"
        assert await self.judged(record) is level
        assert await self.judged(record, Identity("SPF", "sender.test", False)) is level
        assert await self.judged(record, Identity("DKIM", "relay.test", True)) is level

    async def test_what_is_not_known_is_no_problem(self) -> None:
        assert await self.judged("v=DMARC1; p=reject", Identity("SPF", "sender.test", None)) is Level.UNKNOWN
        assert await self.judged("v=DMARC1; p=reject", Identity("SPF", "relay.test", None)) is Level.PROBLEM

    @pytest.mark.parametrize(
        ("record", "level"),
        [
            ("v=DMARC1; p=reject", Level.OK),
            ("v=DMARC1; p=reject; adkim=s", Level.PROBLEM),
            ("v=DMARC1; p=reject; aspf=s", Level.OK),
        ],
    )
    async def test_a_subdomain_is_aligned_unless_the_record_is_strict(self, record: str, level: Level) -> None:
        assert await self.judged(record, Identity("DKIM", "mail.sender.test", True)) is level

    async def test_a_subdomain_takes_the_policy_of_its_organisation(self) -> None:
        ours: dict[str, str] = {"domain": "news.sender.test", "place": "sender.test"}
        assert await self.judged("v=DMARC1; p=reject", **ours) is Level.PROBLEM
        assert await self.judged("v=DMARC1; p=reject; sp=none", **ours) is Level.WARNING
        assert await self.judged("v=DMARC1; p=none; sp=reject") is Level.WARNING

    @pytest.mark.parametrize(
        "record", [["v=DMARC1; p=none"] * 2, "v=DMARC1", "v=DMARC1; p=perhaps", "v=DMARC1; p=none; p=reject"]
    )
    async def test_a_record_that_cannot_be_used_is_a_problem(self, record) -> None:
        assert await self.judged(record, SPF) is Level.PROBLEM

    @pytest.mark.parametrize("record", [None, "hello", "v=spf1 -all"])
    async def test_no_record_is_a_warning(self, record) -> None:
        assert await self.judged(record, SPF) is Level.WARNING

    @pytest.mark.parametrize("down", ["_dmarc.news.sender.test", "_dmarc.sender.test"])
    async def test_a_failed_lookup_is_unknown(self, down: str) -> None:
        assert (await dmarc_finding("news.sender.test", [SPF], Names({}, [down]))).level is Level.UNKNOWN


@given(st.text(max_size=100))
def test_tags_are_read_or_refused(text: str) -> None:
    found = tags(text)
    assert found is None or all(name and name == name.strip().lower() for name in found)
