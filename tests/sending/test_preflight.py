"""The pre-flight of a sender's domain, against the fake resolver and the lab's name server."""

from __future__ import annotations

from typing import Any

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat

from engine.mail.address import Address, parse
from engine.mail.evidence import DomainFacts, DomainOutcome
from engine.mail.policies import Finding, Level
from engine.mail.policies_dkim import public_key
from engine.net.dns import DnsResolver, FakeResolver
from engine.sending.preflight import Setup, Signing, preflight, unsubscribe_finding
from tests.lab.dns import DnsServer

KEY = public_key(Ed25519PrivateKey.generate().private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption()))
RELAY = "93.184.215.14"
GOOD: dict[str, list[str]] = {
    "sender.test": [f"v=spf1 ip4:{RELAY} -all"],
    "postbench._domainkey.sender.test": [KEY.record],
    "_dmarc.sender.test": ["v=DMARC1; p=reject"],
}
SETUP = Setup("relay.test", Signing(KEY, "postbench"), "", "https://mail.example.com")


def address(text: str) -> Address:
    found = parse(text)
    assert isinstance(found, Address)
    return found


ANN = address("ann@sender.test")


def fake(**more: Any) -> FakeResolver:
    mail = {"sender.test": ["mx.sender.test"], "gmail.com": ["mx.gmail.test"]}
    return FakeResolver(**{"mail": mail, "addresses": {"relay.test": [RELAY]}, "txt": GOOD, **more})


async def levels(sender: Address, setup: Setup, resolver: Any) -> dict[str, Level]:
    found: list[Finding] = await preflight(sender, setup, resolver)
    assert all(finding.remedy for finding in found if finding.level is not Level.OK)
    return {finding.name: finding.level for finding in found}


async def test_where_everything_is_well_nothing_is_to_be_done() -> None:
    found = await levels(ANN, SETUP, fake())
    assert found == dict.fromkeys(["SPF", "DKIM", "DMARC", "Answers", "Unsubscribe"], Level.OK)


async def test_a_bare_domain_has_problems_with_remedies() -> None:
    found = await levels(ANN, SETUP, fake(txt={}, mail={}))
    assert found == {
        "SPF": Level.PROBLEM,
        "DKIM": Level.PROBLEM,
        "DMARC": Level.WARNING,
        "Answers": Level.PROBLEM,
        "Unsubscribe": Level.OK,
    }


async def test_without_a_key_and_a_relay_the_rest_is_still_judged() -> None:
    found = await levels(ANN, Setup(base_url="https://mail.example.com"), fake())
    assert (found["SPF"], found["DKIM"], found["DMARC"]) == (Level.UNKNOWN, Level.WARNING, Level.UNKNOWN)


@pytest.mark.parametrize("relay", ["127.0.0.1", "10.0.0.1", "inside.test", "nowhere.test"])
async def test_a_relay_inside_sends_from_an_address_that_is_not_known(relay: str) -> None:
    setup = Setup(relay, Signing(KEY, "postbench"), "", "https://mail.example.com")
    found = await levels(ANN, setup, fake(addresses={"inside.test": ["192.168.1.1"]}))
    assert (found["SPF"], found["DMARC"]) == (Level.UNKNOWN, Level.OK)


async def test_a_relay_is_named_by_its_address_as_well() -> None:
    assert (await levels(ANN, Setup(RELAY), fake()))["SPF"] is Level.OK


async def test_bounces_that_go_elsewhere_are_judged_there() -> None:
    setup = Setup("relay.test", None, "bounces@bounces.test", "https://mail.example.com")
    txt = {**GOOD, "bounces.test": [f"v=spf1 ip4:{RELAY} -all"]}
    found = await preflight(ANN, setup, fake(txt=txt))
    assert [finding.level for finding in found if finding.name == "Answers"] == [Level.OK, Level.PROBLEM]
    named = {finding.name: finding for finding in found}
    assert named["SPF"].level is Level.OK
    assert named["DMARC"].level is Level.PROBLEM, "SPF of another organisation does not count for the sender"


async def test_the_signing_domain_may_be_another() -> None:
    txt = {**GOOD, "postbench._domainkey.other.test": [KEY.record], "sender.test": ["v=spf1 -all"]}
    setup = Setup("relay.test", Signing(KEY, "postbench", "other.test"), "", "https://mail.example.com")
    found = await levels(ANN, setup, fake(txt=txt))
    assert (found["SPF"], found["DKIM"], found["DMARC"]) == (Level.WARNING, Level.OK, Level.PROBLEM)


async def test_a_free_provider_sends_only_by_its_own_servers() -> None:
    sender = address("ann@gmail.com")
    assert (await levels(sender, SETUP, fake()))["Provider"] is Level.PROBLEM
    assert "Provider" not in await levels(sender, Setup("smtp.gmail.com"), fake())


async def test_a_resolver_that_does_not_answer_makes_everything_unknown() -> None:
    down = {name: DomainFacts(DomainOutcome.ERROR, detail="SERVFAIL") for name in ("sender.test", *GOOD)}
    found = await levels(ANN, SETUP, fake(mail=down, txt={}))
    assert {found[name] for name in ("SPF", "DKIM", "DMARC", "Answers")} == {Level.UNKNOWN}


async def test_over_the_wire_a_failed_lookup_is_unknown_and_a_missing_record_is_missing() -> None:
    with DnsServer({"sender.test": {"mx": [(10, "mx.sender.test")]}}) as names:
        resolver = DnsResolver(names.servers)
        found = await levels(ANN, SETUP, resolver)
        assert (found["SPF"], found["DKIM"], found["Answers"]) == (Level.PROBLEM, Level.PROBLEM, Level.OK)
        await resolver.close()
        for name in ("sender.test", "postbench._domainkey.sender.test", "_dmarc.sender.test"):
            names.fault(name, "servfail")
        resolver = DnsResolver(names.servers)
        found = await levels(ANN, SETUP, resolver)
        assert {found[name] for name in ("SPF", "DKIM", "DMARC", "Answers")} == {Level.UNKNOWN}
        await resolver.close()


@pytest.mark.parametrize(
    ("url", "level"),
    [
        ("https://mail.example.com", Level.OK),
        ("https://mail.example.com:8443/base", Level.OK),
        ("http://mail.example.com", Level.PROBLEM),
        ("http://127.0.0.1:8501", Level.PROBLEM),
        ("https://127.0.0.1", Level.PROBLEM),
        ("https://[::1]:8501", Level.PROBLEM),
        ("https://192.168.1.4", Level.PROBLEM),
        ("https://localhost", Level.PROBLEM),
        ("http://0.0.0.0:8501", Level.PROBLEM),
        ("https://93.184.215.14", Level.OK),
        ("", Level.PROBLEM),
    ],
)
def test_unsubscribe_links_must_work_for_others(url: str, level: Level) -> None:
    found = unsubscribe_finding(url)
    assert (found.level, bool(found.remedy)) == (level, level is not Level.OK)
