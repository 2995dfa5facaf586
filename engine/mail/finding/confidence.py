"""How sure an address is a person's, from all evidence, and the sentence that says why."""

from __future__ import annotations

from dataclasses import dataclass

from engine.mail.evidence import Level, Status
from engine.mail.finding.model import Learned, fitting

CATCH_ALL_MOST = 60
"""The most for a domain that takes mail for any local part: there no verification tells one address from another."""
SEEN_LEAST = 95
"""The least for an address that stands on a page."""
SEEN_OTHERWISE = 80
"""For an address on a page that shows no more than part of the name and stands beside another or none."""


@dataclass(frozen=True, slots=True)
class Support:
    """What speaks for an address being a person's.

    `pages`: pages of the domain it was seen on; `named`: the person's name stands beside it there, or its local part spells
    the name; `status` and `level`: the verifier's verdict, None when not asked; `catch_all`: None when not known; `pattern`:
    the candidate's pattern, "" where nothing was guessed; `prior`: its probability before verification, as in `Candidate`;
    `learned`: what is known of the domain.
    """

    pages: int = 0
    named: bool = True
    status: Status | None = None
    level: Level | None = None
    catch_all: bool | None = None
    pattern: str = ""
    prior: float = 0.0
    learned: Learned | None = None

    @property
    def verified(self) -> bool:
        """Whether the mailbox itself is known to exist."""
        return self.status is Status.VALID and self.level is Level.MAILBOX and not self.catch_all

    @property
    def taught(self) -> float:
        """How firmly known addresses of the domain point to the pattern, from 0 to 1; 0 where they do not."""
        if self.learned is None or self.learned.counts.get(self.pattern, 0.0) < 0.5:
            return 0.0
        return min(max(self.learned.weights.get(self.pattern, 0.0), 0.0), 1.0)


def confidence(support: Support) -> int:
    """A whole number from 0 to 100; an estimate for ranking rather than a measured probability.

    Seen on a page as this person's 95 to 99; verified and fitting the domain's pattern 82 to 94; seen, but not as this person's,
    80; verified only 62 to 78; fitting the pattern only 32 to 58; neither 5 to 28. A refused address has 3 (0 where the domain
    takes no mail). On a catch-all domain at most 60, whatever else is known. It grows with the pages, the pattern's weight and
    the prior.
    """
    if support.status is Status.INVALID:
        return 3 if support.level is Level.MAILBOX else 0
    score = _score(support)
    return min(score, CATCH_ALL_MOST) if support.catch_all else score


def _score(support: Support) -> int:
    prior = min(max(support.prior, 0.0), 1.0)
    if support.pages > 0 and support.named:
        return SEEN_LEAST + min(support.pages - 1, 2) + (2 if support.verified else 0)
    if support.verified:
        return 82 + round(12 * support.taught) if support.taught else 62 + round(16 * prior)
    if support.pages > 0:
        return SEEN_OTHERWISE
    if support.taught:
        return 32 + round(26 * support.taught)
    return 5 + round(23 * prior)


def explain(support: Support) -> str:
    """One plain sentence for the table: where the address comes from, and what its verification says."""
    return f"{_origin(support)}; {_verdict(support)}."


def _origin(support: Support) -> str:
    if support.pages > 0:
        seen = "Seen on a page of the domain" if support.pages == 1 else f"Seen on {support.pages} pages of the domain"
        return seen if support.named else f"{seen}, though not beside this name"
    if support.taught and support.learned is not None:
        if support.pattern == support.learned.best:
            return f"Built as {support.pattern}, like {fitting(support.learned)}"
        return f"Built as {support.pattern}, which occurs at this domain"
    if support.learned is not None and support.learned.evidence:
        return f"Built as {support.pattern or 'usual'}, which no known address of this domain shows"
    return f"Built as {support.pattern or 'usual'}, from what is common elsewhere"


def _verdict(support: Support) -> str:
    if support.status is Status.INVALID:
        return "but it does not work" if support.level is Level.MAILBOX else "but the domain takes no mail"
    if support.catch_all:
        return "the domain takes mail for any address, so nothing confirms it"
    if support.verified:
        return "the mail server takes it and refuses an invented one"
    if support.status is Status.RISKY:
        return "it may work, with a risk"
    if support.status is Status.VALID:
        return "the domain takes mail, but the mailbox was not checked"
    return "it could not be verified" if support.status is Status.UNKNOWN else "not verified"
