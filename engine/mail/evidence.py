"""What is found out about an address, as plain values: the doors record it, `engine.mail.verdict` decides from it."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from typing import Any


class Status(StrEnum):
    """The verdict. Unknown is not invalid."""

    VALID = "valid"
    RISKY = "risky"
    INVALID = "invalid"
    UNKNOWN = "unknown"


class Level(StrEnum):
    """How far an address was checked; each level includes those before it."""

    SYNTAX = "syntax"
    DOMAIN = "domain"
    MAILBOX = "mailbox"

    @property
    def rank(self) -> int:
        """0 for syntax, 1 for domain, 2 for mailbox."""
        return list(Level).index(self)


class Reason(StrEnum):
    """Why the verdict is what it is; a closed set."""

    INVALID_SYNTAX = "invalid_syntax"
    NO_DOMAIN = "no_domain"
    NULL_MX = "null_mx"
    NO_HOST = "no_host"
    DNS_ERROR = "dns_error"
    DOMAIN_ACCEPTS_MAIL = "domain_accepts_mail"
    MAILBOX_EXISTS = "mailbox_exists"
    MAILBOX_NOT_FOUND = "mailbox_not_found"
    MAILBOX_FULL = "mailbox_full"
    MAILBOX_DISABLED = "mailbox_disabled"
    CATCH_ALL = "catch_all"
    CATCH_ALL_INCONCLUSIVE = "catch_all_inconclusive"
    DISPOSABLE = "disposable"
    ROLE = "role"
    BLOCKED = "blocked"
    GREYLISTED = "greylisted"
    RATE_LIMITED = "rate_limited"
    NO_CONNECTION = "no_connection"
    TIMEOUT = "timeout"
    NO_SMTPUTF8 = "no_smtputf8"
    ANTI_PROBE_PROVIDER = "anti_probe_provider"
    SERVICE_ERROR = "service_error"


class DomainOutcome(StrEnum):
    """What the DNS says about a domain's mail."""

    MAIL = "mail"
    """It has mail exchangers, or an address of its own (RFC 5321 section 5.1)."""
    NO_DOMAIN = "no_domain"
    """NXDOMAIN."""
    NULL_MX = "null_mx"
    """The single record `0 .` (RFC 7505)."""
    NO_HOST = "no_host"
    """The name exists but has neither MX nor A nor AAAA."""
    ERROR = "error"
    """No answer that counts: SERVFAIL, REFUSED or time-out, after retries."""


@dataclass(frozen=True, slots=True)
class DomainFacts:
    """A domain's mail exchangers, by preference; with `implicit` the only host is the domain itself. `detail` is a sentence."""

    outcome: DomainOutcome
    hosts: tuple[str, ...] = ()
    implicit: bool = False
    detail: str = ""


class CatchAll(StrEnum):
    """Whether a domain takes mail for any local part."""

    YES = "yes"
    NO = "no"
    INCONCLUSIVE = "inconclusive"


class Answer(StrEnum):
    """What a mail server's reply, or the want of one, means for the recipient."""

    EXISTS = "exists"
    NOT_FOUND = "not_found"
    FULL = "full"
    DISABLED = "disabled"
    NO_MAIL = "no_mail"
    """The domain takes no mail at all (556, null MX by reply)."""
    BLOCKED = "blocked"
    """About us: our address, our reputation, a policy."""
    GREYLISTED = "greylisted"
    """A passing refusal at RCPT: worth another try later."""
    RATE_LIMITED = "rate_limited"
    """421, too many connections, our own cap: not now."""
    NO_CONNECTION = "no_connection"
    TIMEOUT = "timeout"
    NO_SMTPUTF8 = "no_smtputf8"
    UNCLEAR = "unclear"
    """A refusal that says nothing we know."""


@dataclass(frozen=True, slots=True)
class Mailbox:
    """What the mail exchanger said. `catch_all` is None when it was not asked (the target was not accepted).

    `reply` is the server's text, at most 300 printable characters; `code` the three digits, `enhanced` the code of RFC 3463.
    """

    answer: Answer
    catch_all: CatchAll | None = None
    host: str = ""
    code: int | None = None
    enhanced: str = ""
    reply: str = ""


@dataclass(frozen=True, slots=True)
class ServiceAnswer:
    """What an outside verification service said of an address, in our words; None where it said nothing.

    `error` is a sentence when there is no answer; then nothing else counts.
    """

    status: Status = Status.UNKNOWN
    reason: Reason = Reason.SERVICE_ERROR
    score: int | None = None
    role: bool | None = None
    free: bool | None = None
    disposable: bool | None = None
    catch_all: bool | None = None
    mx: str = ""
    provider: str = ""
    suggestion: str = ""
    error: str = ""


@dataclass(frozen=True, slots=True)
class Verdict:
    """The decision about one address. `score` is 0 to 100; `catch_all` is None when not known; `detail` is a short sentence."""

    status: Status
    reason: Reason
    level: Level
    score: int
    catch_all: bool | None = None
    mx: str = ""
    provider: str = ""
    suggestion: str = ""
    detail: str = ""

    @property
    def final(self) -> bool:
        """Whether it need not be asked again: everything but unknown."""
        return self.status != Status.UNKNOWN

    def data(self) -> dict[str, Any]:
        """What is stored beside status, reason, level and score; empty values are left out."""
        kept = {
            "catchAll": self.catch_all,
            "mx": self.mx,
            "provider": self.provider,
            "suggestion": self.suggestion,
            "detail": self.detail,
        }
        return {name: value for name, value in kept.items() if value not in (None, "")}
