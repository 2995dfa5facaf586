"""What receivers will make of a sender's domain: its SPF, DKIM and DMARC records judged, each as a finding with its remedy."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum

from engine.mail.page.domains import registrable
from engine.mail.policies_spf import Spf, SpfResult, evaluate
from engine.mail.records import Lookup, RecordOutcome


class Level(StrEnum):
    """How a finding is meant. Unknown: it could not be found out, and may be well."""

    OK = "ok"
    WARNING = "warning"
    PROBLEM = "problem"
    UNKNOWN = "unknown"


@dataclass(frozen=True, slots=True)
class Finding:
    """What was found about one thing, in a sentence; `remedy` says what to do, "" where nothing is to be done.

    What is to be written as it stands is between backticks.
    """

    name: str
    level: Level
    sentence: str
    remedy: str = ""


@dataclass(frozen=True, slots=True)
class Identity:
    """A domain that vouches for messages, by SPF or by DKIM; `passes` is None where it is not known whether that holds."""

    name: str
    domain: str
    passes: bool | None


_POLICIES = ("none", "quarantine", "reject")
_RANK = (SpfResult.PASS, SpfResult.NEUTRAL, SpfResult.SOFTFAIL, SpfResult.FAIL)
_HARSH = {"quarantine": "put into the spam folder", "reject": "refused"}


def tags(record: str) -> Mapping[str, str] | None:
    """The tags of a DKIM or DMARC record (RFC 6376 section 3.2), by lower-case name; None where it is no such list."""
    found: dict[str, str] = {}
    for part in record.split(";"):
        name, equals, value = part.partition("=")
        if not part.strip():
            continue
        name = name.strip().lower()
        if not equals or not name or name in found:
            return None
        found[name] = value.strip()
    return found


async def spf_finding(domain: str, sender: str, addresses: Sequence[str], look: Lookup) -> Finding:
    """Whether the domain of the envelope's sender lets the relay at these public addresses send (none: it is not known which)."""
    found = [await evaluate(domain, sender, ip, look) for ip in addresses or (None,)]
    for result in (SpfResult.NONE, SpfResult.PERMERROR, SpfResult.TEMPERROR):
        broken = next((spf for spf in found if spf.result is result), None)
        if broken is not None:
            return _no_spf(domain, broken, addresses)
    if not addresses:
        sentence = f"{domain} has an SPF record; whether it names the servers that send could not be told."
        return Finding("SPF", Level.UNKNOWN, sentence, "Make sure that it names the relay as the relay's operator describes.")
    worst, ip = max(zip(found, addresses, strict=True), key=lambda pair: _RANK.index(pair[0].result))
    if worst.result is SpfResult.PASS:
        return _spf_passes(domain, worst, addresses)
    sentence = f"The SPF record of {domain} does not name the relay's address {ip} (result: {worst.result})."
    remedy = f"Add `{_mechanism(ip)}` to it, or the include that the relay's operator names, if that sends from other addresses."
    return Finding("SPF", Level.WARNING, sentence, remedy)


def _spf_passes(domain: str, spf: Spf, addresses: Sequence[str]) -> Finding:
    if spf.term.lower() in ("all", "+all"):
        return Finding("SPF", Level.WARNING, f"The SPF record of {domain} lets everybody send.", "End it with `-all` or `~all`.")
    return Finding("SPF", Level.OK, f"The SPF record of {domain} names the relay ({', '.join(addresses)}).")


def _no_spf(domain: str, spf: Spf, addresses: Sequence[str]) -> Finding:
    if spf.result is SpfResult.TEMPERROR:
        sentence = f"The SPF record of {domain} could not be checked: {spf.detail}."
        return Finding("SPF", Level.UNKNOWN, sentence, "Check again later.")
    if spf.result is SpfResult.PERMERROR:
        sentence = f"The SPF record of {domain} cannot be used: {spf.detail}."
        return Finding("SPF", Level.PROBLEM, sentence, "Correct the record; as it is, receivers ignore it or refuse the mail.")
    named = " ".join(map(_mechanism, addresses)) or "include:<the relay's domain>"
    return Finding(
        "SPF", Level.PROBLEM, f"{domain} has no SPF record.", f"Publish a TXT record at {domain}: `v=spf1 {named} ~all`"
    )


def _mechanism(ip: str) -> str:
    return f"ip6:{ip}" if ":" in ip else f"ip4:{ip}"


async def dmarc_finding(domain: str, identities: Sequence[Identity], look: Lookup) -> Finding:
    """What the From domain asks receivers to do (RFC 7489), and whether one of the identities saves the messages from it."""
    own = registrable(domain)
    for place in dict.fromkeys((domain, own)):
        found = await look(f"_dmarc.{place}", "TXT")
        if found.outcome is RecordOutcome.FAILED:
            sentence = f"The DMARC record of {place} could not be looked up{f': {found.detail}' if found.detail else ''}."
            return Finding("DMARC", Level.UNKNOWN, sentence, "Check again later.")
        records = [text for text in found.values if text.replace(" ", "").startswith("v=DMARC1")]
        if len(records) > 1:
            sentence = f"{place} has {len(records)} DMARC records, so that receivers ignore all of them."
            return Finding("DMARC", Level.PROBLEM, sentence, f"Leave one TXT record at `_dmarc.{place}`.")
        if records:
            return _dmarc(domain, place, tags(records[0]) or {}, identities)
    remedy = f"Publish a TXT record at `_dmarc.{own}`: `v=DMARC1; p=none`"
    return Finding("DMARC", Level.WARNING, f"{domain} has no DMARC record; Gmail and Yahoo ask bulk senders for one.", remedy)


def _dmarc(domain: str, place: str, record: Mapping[str, str], identities: Sequence[Identity]) -> Finding:
    asked = record.get("p", "").lower()
    policy = record.get("sp", asked).lower() if place != domain else asked
    if asked not in _POLICIES or policy not in _POLICIES:
        sentence = f"The DMARC record of {place} names no policy that is known."
        return Finding("DMARC", Level.PROBLEM, sentence, f"Write `v=DMARC1; p=none` (or quarantine, reject) at `_dmarc.{place}`.")
    aligned = [identity for identity in identities if _aligned(identity, domain, record)]
    saving = next((identity for identity in aligned if identity.passes), None)
    if saving is not None:
        return Finding("DMARC", Level.OK, f"DMARC of {domain} (p={policy}) is met by {saving.name} of {saving.domain}.")
    remedy = f"Sign with a DKIM key of {registrable(domain)}, or let its SPF record name the relay and bounces go to it."
    if any(identity.passes is None for identity in aligned):
        sentence = f"{domain} has a DMARC record (p={policy}); whether messages meet it could not be told."
        return Finding("DMARC", Level.UNKNOWN, sentence, remedy)
    if policy == "none":
        sentence = f"Messages do not meet DMARC of {domain}; it asks for reports only (p=none)."
        return Finding("DMARC", Level.WARNING, sentence, remedy)
    sentence = f"Messages do not meet DMARC of {domain} (p={policy}): they will be {_HARSH[policy]}."
    return Finding("DMARC", Level.PROBLEM, sentence, remedy)


def _aligned(identity: Identity, domain: str, record: Mapping[str, str]) -> bool:
    """Whether the identity is that of the From domain: the same, or in relaxed mode of the same organisation (section 3.1)."""
    if identity.domain == domain:
        return True
    strict = record.get("adkim" if identity.name == "DKIM" else "aspf", "r").lower() == "s"
    return not strict and registrable(identity.domain) == registrable(domain)
