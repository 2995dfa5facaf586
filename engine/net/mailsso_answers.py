"""What mails.so says of an address, in our words: never trusted to have the shape it should."""

from __future__ import annotations

import math
import re
from collections.abc import Iterable, Mapping
from typing import Any

from engine.mail.evidence import Reason, ServiceAnswer, Status

RESULTS = {"deliverable": Status.VALID, "undeliverable": Status.INVALID, "risky": Status.RISKY}
"""Every other `result` is unknown."""
_INVALID: tuple[tuple[str, Reason], ...] = (
    (r"format|syntax|malformed", Reason.INVALID_SYNTAX),
    (r"null_?mx", Reason.NULL_MX),
    (r"\bmx|_mx|no_?host", Reason.NO_HOST),
    (r"domain|nxdomain", Reason.NO_DOMAIN),
    (r"disabled|inactive|suspended|deactivated", Reason.MAILBOX_DISABLED),
)
_RISKY: tuple[tuple[str, Reason], ...] = (
    (r"catch_?all|accept_?all", Reason.CATCH_ALL),
    (r"full|quota", Reason.MAILBOX_FULL),
    (r"disposable|temporary_?mail", Reason.DISPOSABLE),
    (r"role|generic", Reason.ROLE),
)
_UNKNOWN: tuple[tuple[str, Reason], ...] = (
    (r"time_?d?_?out", Reason.TIMEOUT),
    (r"connect|unavailable|invalid_?smtp", Reason.NO_CONNECTION),
    (r"gr[ea]y_?list", Reason.GREYLISTED),
    (r"rate|too_?many|throttl", Reason.RATE_LIMITED),
    (r"block|spam|blacklist|deny|denied", Reason.BLOCKED),
    (r"dns|servfail", Reason.DNS_ERROR),
)
_FLAGS = (("isv_format", Reason.INVALID_SYNTAX), ("isv_domain", Reason.NO_DOMAIN), ("isv_mx", Reason.NO_HOST))
_BOOLEANS = {"true": True, "1": True, "yes": True, "false": False, "0": False, "no": False}
_LONGEST = 253


def service_answer(data: Mapping[str, Any]) -> ServiceAnswer | None:
    """The answer in an object of `/v1/validate` or of a batch's `emails`; None when it says nothing.

    A domain that takes everything (`isv_nocatchall` false) is risky whatever `result` says, unless the address was found
    wrong before any mailbox was asked (format, domain or MX).
    """
    result = data.get("result")
    if not isinstance(result, str) or not result.strip():
        return None
    status = RESULTS.get(result.strip().casefold(), Status.UNKNOWN)
    no_catch_all, no_role = _flag(data, "isv_nocatchall"), _flag(data, "isv_nogeneric")
    catch_all = None if no_catch_all is None else not no_catch_all
    role = None if no_role is None else not no_role
    disposable = _flag(data, "is_disposable")
    broken = next((reason for name, reason in _FLAGS if _flag(data, name) is False), None)
    if status is Status.INVALID and broken:
        catch_all = None
    if catch_all:
        status, reason = Status.RISKY, Reason.CATCH_ALL
    else:
        reason = _reason(status, _text(data, "reason").casefold(), broken, role, disposable)
        status = Status.RISKY if reason is Reason.MAILBOX_FULL else status
    return ServiceAnswer(
        status=status,
        reason=reason,
        score=_score(data.get("score")),
        role=role,
        free=_flag(data, "is_free"),
        disposable=disposable,
        catch_all=catch_all,
        mx=_text(data, "mx_record").rstrip(".").lower(),
        provider=_text(data, "provider"),
        suggestion=_text(data, "did_you_mean"),
    )


def _reason(status: Status, said: str, broken: Reason | None, role: bool | None, disposable: bool | None) -> Reason:
    """Our reason for the service's, an open set of words such as `accepted_email` or `invalid_domain`."""
    match status:
        case Status.VALID:
            return Reason.MAILBOX_EXISTS
        case Status.INVALID:
            full = _first([_RISKY[1]], said)
            return full or broken or _first(_INVALID, said) or Reason.MAILBOX_NOT_FOUND
        case Status.RISKY:
            flagged = Reason.DISPOSABLE if disposable else Reason.ROLE if role else None
            return _first(_RISKY, said) or flagged or Reason.MAILBOX_EXISTS
        case _:
            return _first(_UNKNOWN, said) or Reason.SERVICE_ERROR


def _first(table: Iterable[tuple[str, Reason]], said: str) -> Reason | None:
    return next((reason for pattern, reason in table if re.search(pattern, said)), None)


def _flag(data: Mapping[str, Any], name: str) -> bool | None:
    value = data.get(name)
    if isinstance(value, bool) or value is None:
        return value
    if isinstance(value, int | str):
        return _BOOLEANS.get(str(value).strip().casefold())
    return None


def _score(value: Any) -> int | None:
    """0 to 100, whatever was sent; None for what is no number."""
    if isinstance(value, bool) or not isinstance(value, int | float | str):
        return None
    try:
        number = float(value)
    except (ValueError, OverflowError):
        return None
    return round(min(100.0, max(0.0, number))) if math.isfinite(number) else None


def _text(data: Mapping[str, Any], name: str) -> str:
    """A short printable text, "" for anything else; of a list its first entry."""
    value = data.get(name)
    if isinstance(value, list) and value:
        value = value[0]
    if not isinstance(value, str):
        return ""
    text = value.strip()
    return text if len(text) <= _LONGEST and text.isprintable() else ""
