"""The decision about an address, from what was found out about it."""

from __future__ import annotations

from dataclasses import dataclass, replace

from engine.mail.address import Address, Flaw
from engine.mail.evidence import (
    Answer,
    CatchAll,
    DomainFacts,
    DomainOutcome,
    Level,
    Mailbox,
    Reason,
    ServiceAnswer,
    Status,
    Verdict,
)
from engine.mail.exchangers import provider_of, resists_probes
from engine.mail.lists import domain_flags, is_role
from engine.mail.suggest import suggestion

MAX_DETAIL = 160
"""Characters of a verdict's detail."""

MAX_DOMAIN_SCORE = 70
"""The most that a verdict of level domain scores."""


@dataclass(frozen=True, slots=True)
class Evidence:
    """What is known of one address: what it is, what the DNS says, what its mail server or an outside service says."""

    address: Address | Flaw
    domain: DomainFacts | None = None
    mailbox: Mailbox | None = None
    service: ServiceAnswer | None = None


@dataclass(frozen=True, slots=True)
class _Finding:
    """A verdict but for what is looked up: lists, provider and hint."""

    status: Status
    reason: Reason
    level: Level
    score: int
    detail: str
    catch_all: bool | None = None


def _invalid(reason: Reason, score: int, detail: str) -> _Finding:
    return _Finding(Status.INVALID, reason, Level.DOMAIN, score, detail)


_DOMAINS = {
    DomainOutcome.NO_DOMAIN: _invalid(Reason.NO_DOMAIN, 0, "The domain does not exist."),
    DomainOutcome.NULL_MX: _invalid(Reason.NULL_MX, 0, "The domain says that it takes no mail (null MX)."),
    DomainOutcome.NO_HOST: _invalid(Reason.NO_HOST, 0, "The domain exists, but has no mail server."),
    DomainOutcome.ERROR: _Finding(
        Status.UNKNOWN, Reason.DNS_ERROR, Level.DOMAIN, 20, "The domain could not be looked up; this says nothing of the address."
    ),
}


_UNASKED = _Finding(Status.UNKNOWN, Reason.DNS_ERROR, Level.SYNTAX, 20, "Only the syntax was checked.")
_MAIL = _Finding(
    Status.VALID,
    Reason.DOMAIN_ACCEPTS_MAIL,
    Level.DOMAIN,
    MAX_DOMAIN_SCORE,
    "The domain takes mail; whether the mailbox exists was not asked.",
)
_IMPLICIT = replace(_MAIL, score=60, detail="The domain has no MX record, but a host of its own name that may take mail.")


def _mailbox(status: Status, reason: Reason, score: int, detail: str) -> _Finding:
    return _Finding(status, reason, Level.MAILBOX, score, detail)


def _ours(reason: Reason, score: int, detail: str) -> _Finding:
    """Our own trouble: what is known stops at the domain."""
    return _Finding(Status.UNKNOWN, reason, Level.DOMAIN, score, detail)


_ANSWERS = {
    # A refused recipient rules catch-all out.
    Answer.NOT_FOUND: replace(
        _mailbox(Status.INVALID, Reason.MAILBOX_NOT_FOUND, 2, "The mail server says there is no such mailbox"), catch_all=False
    ),
    Answer.DISABLED: _mailbox(Status.INVALID, Reason.MAILBOX_DISABLED, 5, "The mail server says the mailbox is switched off"),
    Answer.NO_MAIL: _mailbox(Status.INVALID, Reason.NULL_MX, 1, "The mail server says the domain takes no mail"),
    Answer.FULL: _mailbox(Status.RISKY, Reason.MAILBOX_FULL, 35, "The mailbox exists but is full"),
    Answer.BLOCKED: _ours(Reason.BLOCKED, 40, "The mail server refuses to answer us; this says nothing of the mailbox"),
    Answer.GREYLISTED: _ours(Reason.GREYLISTED, 45, "The mail server puts us off; this says nothing of the mailbox"),
    Answer.RATE_LIMITED: _ours(Reason.RATE_LIMITED, 40, "The mail server limits how often we may ask"),
    Answer.NO_CONNECTION: _ours(Reason.NO_CONNECTION, 30, "No connection to the mail server; this says nothing of the mailbox"),
    Answer.TIMEOUT: _ours(Reason.TIMEOUT, 30, "The mail server did not answer in time; this says nothing of the mailbox"),
    Answer.NO_SMTPUTF8: _ours(Reason.NO_SMTPUTF8, 30, "The mail server does not take addresses beyond ASCII (SMTPUTF8)"),
    # Of the closed set of reasons, a refusal without a known meaning comes closest to a block.
    Answer.UNCLEAR: _ours(Reason.BLOCKED, 35, "The mail server refuses without saying anything clear of the mailbox"),
}
_EXISTS = _mailbox(Status.VALID, Reason.MAILBOX_EXISTS, 95, "The mail server takes this address, and refuses an invented one")
_CATCH_ALL = replace(
    _mailbox(Status.RISKY, Reason.CATCH_ALL, 45, "The domain takes mail for any address, so this one may not exist"),
    catch_all=True,
)
_INCONCLUSIVE = _mailbox(
    Status.UNKNOWN, Reason.CATCH_ALL_INCONCLUSIVE, 50, "The mail server takes this address, but perhaps any other too"
)
_UNPROVEN = _mailbox(
    Status.UNKNOWN, Reason.ANTI_PROBE_PROVIDER, 50, "This provider takes any address when asked, so its yes proves nothing"
)
_WILL_NOT_SAY = replace(_INCONCLUSIVE, level=Level.DOMAIN, detail="The mail server will not say whether the mailbox exists")
_LISTED = {
    Reason.DISPOSABLE: (30, "The domain gives out throw-away mailboxes."),
    Reason.ROLE: (55, "The address is an office's or a machine's rather than a person's."),
}
_BANDS = {Status.INVALID: (0, 9), Status.UNKNOWN: (10, 59), Status.RISKY: (30, 59), Status.VALID: (80, 100)}
_SERVICE_SCORES = {Status.INVALID: 3, Status.UNKNOWN: 40, Status.RISKY: 45, Status.VALID: 92}


def verdict(evidence: Evidence) -> Verdict:
    """What the evidence amounts to. Total and pure: every evidence has a verdict, and the same one always.

    Own trouble (a block, a time-out, greylisting, the DNS failing) is `unknown` at level domain, never `invalid`. A service's
    answer stands above our own, but not above a domain that takes no mail.
    """
    address = evidence.address
    if isinstance(address, Flaw):
        hint = suggestion(address.domain) if address.domain else ""
        return Verdict(Status.INVALID, Reason.INVALID_SYNTAX, Level.SYNTAX, 0, suggestion=hint, detail=_cut(address.message))
    mx, provider = _exchanger(evidence)
    finding = _listed(_found(evidence, provider), address, evidence.service)
    return Verdict(
        finding.status,
        finding.reason,
        finding.level,
        finding.score,
        finding.catch_all,
        mx,
        provider,
        suggestion(address.domain),
        _cut(finding.detail),
    )


def _exchanger(evidence: Evidence) -> tuple[str, str]:
    """The mail exchanger that was asked or would be, and who runs it."""
    facts, mailbox, service = evidence.domain, evidence.mailbox, evidence.service
    hosts = facts.hosts if facts is not None else ()
    said = service if service is not None and not service.error else ServiceAnswer()
    mx = (mailbox.host if mailbox is not None else "") or (hosts[0] if hosts else "") or said.mx
    return mx, provider_of((mx, *hosts)) or said.provider


def _found(evidence: Evidence, provider: str) -> _Finding:
    facts, mailbox, service = evidence.domain, evidence.mailbox, evidence.service
    if facts is not None and facts.outcome not in (DomainOutcome.MAIL, DomainOutcome.ERROR):
        return _explained(_DOMAINS[facts.outcome], facts.detail)
    if service is not None:
        return _from_service(service, facts)
    if facts is not None and facts.outcome == DomainOutcome.ERROR:
        return _explained(_DOMAINS[DomainOutcome.ERROR], facts.detail)
    if mailbox is not None:
        return _from_mailbox(mailbox, provider)
    return _from_domain(facts)


def _explained(finding: _Finding, detail: str) -> _Finding:
    return replace(finding, detail=f"{finding.detail[:-1]}: {detail}") if detail else finding


def _from_domain(facts: DomainFacts | None) -> _Finding:
    if facts is None:
        return _UNASKED
    return _IMPLICIT if facts.implicit else _MAIL


def _from_mailbox(mailbox: Mailbox, provider: str) -> _Finding:
    if mailbox.answer == Answer.EXISTS:
        finding = _accepted(mailbox.catch_all, provider)
    elif mailbox.answer == Answer.UNCLEAR and mailbox.code == 252:
        finding = _WILL_NOT_SAY
    else:
        finding = _ANSWERS[mailbox.answer]
    reply = _reply(mailbox)
    return replace(finding, detail=f"{finding.detail}: {reply}" if reply else f"{finding.detail}.")


def _accepted(catch_all: CatchAll | None, provider: str) -> _Finding:
    """A provider that resists probes convinces only by refusing an invented address."""
    if catch_all == CatchAll.NO:
        return replace(_EXISTS, catch_all=False)
    if resists_probes(provider):
        return _UNPROVEN
    return _CATCH_ALL if catch_all == CatchAll.YES else _INCONCLUSIVE


def _reply(mailbox: Mailbox) -> str:
    """The server's words with the code before them."""
    code = str(mailbox.code) if mailbox.code is not None else ""
    text = mailbox.reply.strip()
    if mailbox.enhanced and mailbox.enhanced not in text:
        text = f"{mailbox.enhanced} {text}"
    return text if text.startswith(code) else f"{code} {text}".strip()


def _from_service(service: ServiceAnswer, facts: DomainFacts | None) -> _Finding:
    if service.error:
        level = Level.SYNTAX if facts is None else Level.DOMAIN
        return _Finding(Status.UNKNOWN, Reason.SERVICE_ERROR, level, 20, f"The service gave no answer: {service.error}")
    if service.catch_all:
        status, reason = Status.RISKY, Reason.CATCH_ALL
    else:
        status, reason = service.status, service.reason
    low, high = _BANDS[status]
    score = _SERVICE_SCORES[status] if service.score is None else min(max(service.score, low), high)
    detail = f"The verification service says: {status.value}, {reason.value.replace('_', ' ')}."
    return _Finding(status, reason, Level.MAILBOX, score, detail, service.catch_all)


def _listed(finding: _Finding, address: Address, service: ServiceAnswer | None) -> _Finding:
    """A valid address that is disposable or a role's is risky, whoever says so."""
    if finding.status != Status.VALID:
        return finding
    if domain_flags(address.domain).disposable or (service is not None and service.disposable):
        reason = Reason.DISPOSABLE
    elif is_role(address.local) or (service is not None and service.role):
        reason = Reason.ROLE
    else:
        return finding
    score, detail = _LISTED[reason]
    return replace(finding, status=Status.RISKY, reason=reason, score=score, detail=f"{detail} {finding.detail}")


def _cut(text: str) -> str:
    if len(text) <= MAX_DETAIL and text.isprintable():
        return text
    line = " ".join(text.split())
    return line if len(line) <= MAX_DETAIL else line[: MAX_DETAIL - 1] + "…"
