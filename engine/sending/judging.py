"""From what a transport says of an attempt to what the ledger keeps of it: sent, try again, give up, in doubt."""

from __future__ import annotations

from engine.durable.ledger import Outcome, State
from engine.net.submission import Receipt, Result, Trouble

FACTOR = 1.3
"""Each wait is so many times the one before."""
MAX_ATTEMPTS = 18
"""Tries before a deferred message is given up: about a day and a half with the first wait of 5 minutes."""


def outcome_of(receipt: Receipt, recipient: str, attempt: int, at: int, first_wait: float) -> Outcome:
    """What became of the attempt; `at` is now (ms), `first_wait` the seconds before the first retry."""
    said = {"smtp_code": receipt.code, "smtp_reply": receipt.reply or None}
    match receipt.result:
        case Result.SENT:
            return Outcome(recipient, attempt, State.SENT, at, **said)  # type: ignore[arg-type]
        case Result.IN_DOUBT:
            error = _sentence(receipt.error or "The server did not answer after the end of the message; it may have arrived")
            return Outcome(recipient, attempt, State.IN_DOUBT, at, error=error, **said)  # type: ignore[arg-type]
        case Result.FAILED if receipt.trouble is not Trouble.SENDER:  # which is no fault of this letter's: the job is held
            why = f"hard bounce: {receipt.reply or receipt.error}"[:300] if receipt.hard else ""
            error = _sentence(receipt.error or "The server refused the message")
            return Outcome(
                recipient,
                attempt,
                State.FAILED,
                at,
                error=error,
                hard=receipt.hard,
                suppress=why,
                **said,  # type: ignore[arg-type]
            )
    error = _sentence(receipt.error or "The server asked to try again later")
    if receipt.result is Result.UNSENT:
        return Outcome(recipient, attempt, State.QUEUED, at, error=error, **said)  # type: ignore[arg-type]
    if attempt >= MAX_ATTEMPTS and receipt.trouble is not Trouble.SENDER:
        gave_up = f"Given up after {attempt} tries. {error}"
        return Outcome(recipient, attempt, State.FAILED, at, error=gave_up, **said)  # type: ignore[arg-type]
    due = at + round(1000 * wait_after(attempt, first_wait))
    return Outcome(recipient, attempt, State.RETRY, at, due_at=due, error=error, **said)  # type: ignore[arg-type]


def _sentence(text: str) -> str:
    """As a person writes it."""
    text = text[:1].upper() + text[1:]
    return text if text.endswith((".", "!", "?")) else f"{text}."


def wait_after(attempt: int, first_wait: float) -> float:
    """Seconds to wait after this attempt (1 is the first): 300, 390, 507 … by default."""
    return first_wait * FACTOR ** (max(attempt, 1) - 1)
