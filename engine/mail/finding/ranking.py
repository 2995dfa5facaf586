"""A person's candidate local parts, the likeliest first."""

from __future__ import annotations

from engine.mail.address import Flaw, parse
from engine.mail.finding.habits import BASE, Habit
from engine.mail.finding.learning import learn
from engine.mail.finding.model import Candidate, Learned, Person, fitting, known
from engine.mail.finding.rendering import Rendering, renderings
from engine.mail.lists import is_role

_DEFAULT = learn(())


def candidates(person: Person, learned: Learned | None, limit: int = 12) -> list[Candidate]:
    """A person's local parts, distinct and ranked by probability, at most `limit`; none for a name without usable letters.

    Each is a well-formed local part in a to z, digits and . _ - ' (RFC 5322 section 3.2.3). Offices' names are left out. Without
    anything learned the prior over patterns decides.
    """
    source = learned or _DEFAULT
    best: dict[str, tuple[float, Rendering]] = {}
    total: dict[str, float] = {}
    for rendering in renderings(person, source.habits):
        chance = source.weights[rendering.pattern] * rendering.chance
        total[rendering.local] = total.get(rendering.local, 0.0) + chance
        if rendering.local not in best or chance > best[rendering.local][0]:
            best[rendering.local] = (chance, rendering)
    ranked = sorted(total, key=lambda local: (-total[local], local))
    usable = (local for local in ranked if _usable(local))
    return [
        Candidate(local, best[local][1].pattern, min(total[local], 1.0), _why(best[local][1], source))
        for local, _ in zip(usable, range(max(limit, 0)), strict=False)
    ]


def _usable(local: str) -> bool:
    lettered = any(letter.isalpha() for letter in local)
    return lettered and not is_role(local) and not isinstance(parse(f"{local}@example.com"), Flaw)


def _why(rendering: Rendering, learned: Learned) -> str:
    """Where the pattern comes from, and how the name is spelled where that is not the first thing to think of."""
    reason = _source(rendering.pattern, learned)
    spelled = "; ".join(dict.fromkeys(f"{habit.choice} {habit.option}" for habit in rendering.habits if _notable(habit)))
    return f"{reason}; {spelled}" if spelled else reason


def _source(pattern: str, learned: Learned) -> str:
    if learned.evidence == 0:
        return f"{pattern}, from what is common elsewhere"
    if pattern == learned.best:
        return f"{pattern}, like {fitting(learned)}"
    count = learned.counts.get(pattern, 0.0)
    if count >= 0.5:
        return f"{pattern}, like {max(round(count), 1)} of {known(learned.evidence)}"
    return f"{pattern}, which no known address of this domain shows"


def _notable(habit: Habit) -> bool:
    options = BASE[habit.choice]
    return options[habit.option] < max(options.values())
