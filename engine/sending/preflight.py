"""The pre-flight of a sender's domain: what receivers will make of its messages, before the first one is sent."""

from __future__ import annotations

import asyncio
import ipaddress
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Protocol
from urllib.parse import urlsplit

from engine.mail.address import Address
from engine.mail.evidence import DomainFacts, DomainOutcome
from engine.mail.lists import domain_flags
from engine.mail.page.domains import registrable
from engine.mail.policies import Finding, Identity, Level, dmarc_finding, spf_finding
from engine.mail.policies_dkim import PublicKey, dkim_finding
from engine.mail.records import RecordKind, Records
from engine.net.guard import is_public


class Asks(Protocol):
    """What is needed of a resolver (`engine.net.dns`)."""

    async def mail(self, domain: str) -> DomainFacts:
        """Where the domain's mail goes."""

    async def addresses(self, host: str) -> tuple[str, ...]:
        """The host's addresses."""

    async def records(self, name: str, kind: RecordKind) -> Records:
        """The name's records of a kind."""


@dataclass(frozen=True, slots=True)
class Signing:
    """Who signs: the domain ("" for that of each sender), the selector, the public half of the key."""

    key: PublicKey
    selector: str
    domain: str = ""


@dataclass(frozen=True, slots=True)
class Setup:
    """How this server sends: the relay's host ("" for none), who signs (None for nobody), where bounces go, the base of links.

    `envelope` is the address that bounces go to, in ASCII; "" for that of each sender.
    """

    relay: str = ""
    signing: Signing | None = None
    envelope: str = ""
    base_url: str = ""


async def preflight(sender: Address, setup: Setup, resolver: Asks) -> list[Finding]:
    """What is to be known before `sender` writes to many: SPF, DKIM, DMARC, whether answers arrive, and links that work.

    Never raises for what the DNS says or does not say; what could not be found out is `unknown`, never missing.
    """
    envelope = setup.envelope or sender.key
    bounces_to = envelope.rpartition("@")[2]
    spf, dkim, *mail = await asyncio.gather(
        _spf(bounces_to, envelope, setup, resolver),
        _dkim(sender, setup, resolver),
        *(_mail(domain, resolver) for domain in dict.fromkeys((sender.domain, bounces_to))),
    )
    identities = [Identity("SPF", bounces_to, _passes(spf))]
    if setup.signing is not None:
        identities.append(Identity("DKIM", setup.signing.domain or sender.domain, _passes(dkim)))
    dmarc = await dmarc_finding(sender.domain, identities, resolver.records)
    return [*_provider(sender, setup), spf, dkim, dmarc, *mail, unsubscribe_finding(setup.base_url)]


def _passes(finding: Finding) -> bool | None:
    """Whether a domain vouches; a warning of SPF says that it does not, one of DKIM is about a key that fits."""
    if finding.level is Level.UNKNOWN:
        return None
    return finding.level is Level.OK or (finding.name == "DKIM" and finding.level is Level.WARNING)


async def _spf(domain: str, envelope: str, setup: Setup, resolver: Asks) -> Finding:
    found = await resolver.addresses(setup.relay) if setup.relay and not _is_ip(setup.relay) else (setup.relay,)
    return await spf_finding(domain, envelope, [ip for ip in found if is_public(ip)], resolver.records)


async def _dkim(sender: Address, setup: Setup, resolver: Asks) -> Finding:
    if setup.signing is None:
        sentence = "Messages are not signed here; Gmail and Yahoo refuse unsigned bulk mail, unless the relay signs it."
        return Finding("DKIM", Level.WARNING, sentence, "Make a DKIM key and name its file in `POSTBENCH_DKIM_KEY_FILE`.")
    signing = setup.signing
    return await dkim_finding(signing.selector, signing.domain or sender.domain, signing.key, resolver.records)


async def _mail(domain: str, resolver: Asks) -> Finding:
    """Whether answers and bounces arrive."""
    facts = await resolver.mail(domain)
    if facts.outcome is DomainOutcome.MAIL:
        return Finding("Answers", Level.OK, f"{domain} takes mail, so that answers and bounces arrive.")
    if facts.outcome is DomainOutcome.ERROR:
        sentence = f"Whether {domain} takes mail could not be found out: {facts.detail or 'no answer'}."
        return Finding("Answers", Level.UNKNOWN, sentence, "Check again later.")
    sentence = f"{domain} takes no mail ({facts.detail or facts.outcome}): answers and bounces are lost, receivers mistrust it."
    return Finding("Answers", Level.PROBLEM, sentence, f"Give {domain} an MX record, or write from another domain.")


def _provider(sender: Address, setup: Setup) -> Sequence[Finding]:
    """A free mailbox provider lets only its own servers send for its domain."""
    own = setup.relay != "" and registrable(setup.relay) == registrable(sender.domain)
    if own or not domain_flags(sender.domain).free:
        return ()
    sentence = f"{sender.domain} is a free mailbox provider: only its own servers may send for it, so that DMARC fails."
    return (Finding("Provider", Level.PROBLEM, sentence, "Write from a domain of your own."),)


def unsubscribe_finding(base_url: str) -> Finding:
    """Whether recipients can unsubscribe by the links in messages; in one click only with https (RFC 8058 section 3.1)."""
    remedy = "Set `POSTBENCH_PUBLIC_URL` to the https address under which this server is reached from everywhere."
    parts = urlsplit(base_url)
    host = (parts.hostname or "").rstrip(".")
    if _is_ip(host) and not is_public(host):
        return Finding("Unsubscribe", Level.PROBLEM, f"Unsubscribe links lead to {host}, which nobody else can reach.", remedy)
    if "." not in host and ":" not in host:
        sentence = f"Unsubscribe links lead to {host or 'nowhere'}, which nobody else can reach."
        return Finding("Unsubscribe", Level.PROBLEM, sentence, remedy)
    if parts.scheme != "https":
        sentence = f"Unsubscribe links lead to {host} without https, so that mail programs offer no one-click unsubscribe."
        return Finding("Unsubscribe", Level.PROBLEM, sentence, remedy)
    return Finding("Unsubscribe", Level.OK, f"Unsubscribe links lead to {host}, with https.")


def _is_ip(text: str) -> bool:
    try:
        ipaddress.ip_address(text)
    except ValueError:
        return False
    return True
