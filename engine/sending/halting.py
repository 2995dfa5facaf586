"""When a sending job is held until somebody has looked: a login that is refused, a relay that turns us away, a rotten list."""

from __future__ import annotations

from engine.durable.ledger import Outcome, Standing, State
from engine.net.submission import Receipt, Trouble

CLOSINGS = 5
"""So many times in a row 421, with nothing sent in between."""
MIN_TRIED = 50
MAX_HARD = 0.05
"""Share of mailboxes that do not exist, of at least `MIN_TRIED` tried, from which on a list is not fit to be written to."""

_REMEDIES = {
    Trouble.LOGIN: ("The relay refused the login", "Set POSTBENCH_SMTP_URL right and start the engines again"),
    Trouble.SENDER: (
        "The relay refuses the sender's address",
        "Have the relay accept it, or send from another one with a new job",
    ),
    Trouble.TLS: ("The relay's connection cannot be trusted", "Mend its TLS or POSTBENCH_SMTP_URL and start the engines again"),
}
"""What waiting does not mend."""


class Halt:
    """Watches the outcomes of a job under one lease. `reason` is why it is held, "" while it may go on."""

    def __init__(self) -> None:
        self.reason = ""
        self._closings = 0

    def heard(self, receipt: Receipt, outcome: Outcome) -> bool:
        """Take an outcome in; whether the job's standing is to be looked at, too."""
        said = f"{receipt.code} {receipt.reply}" if receipt.code else receipt.error
        if outcome.state is State.SENT:
            self._closings = 0
        elif receipt.trouble in _REMEDIES:
            problem, remedy = _REMEDIES[receipt.trouble]
            self.reason = f"{problem} ({said}). {remedy}, then resume."
        elif receipt.trouble is Trouble.CLOSING:
            self._closings += 1
            if self._closings >= CLOSINGS:
                self.reason = (
                    f"The relay turned us away {self._closings} times in a row ({said}). Wait or lower the rate, then resume."
                )
        return outcome.hard

    def weigh(self, standing: Standing) -> None:
        """Look at how the job's messages have fared."""
        tried = standing.sent + standing.failed
        if tried >= MIN_TRIED and standing.hard > MAX_HARD * tried:
            found = f"{standing.hard:,} of {tried:,} mailboxes do not exist, more than {MAX_HARD:.0%}"
            self.reason = f"{found}. Verify the list and send to the valid ones; or resume if you are sure of it."
