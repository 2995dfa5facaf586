"""Learning a domain's pattern from known addresses: a Dirichlet prior over patterns, and counts."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from math import fsum

from engine.mail.finding.habits import Habit
from engine.mail.finding.letters import plain
from engine.mail.finding.model import OTHER, Learned, Pair
from engine.mail.finding.patterns import PATTERNS, PRIOR
from engine.mail.finding.rendering import Rendering, untaught
from engine.mail.finding.shapes import bare, likelihoods, unnumbered
from engine.mail.lists import is_role

PRIOR_WORTH = 1.2
"""Known addresses that the prior over patterns is worth: little, as most domains have one pattern."""
PRIOR_OTHER = 0.06
"""The prior's share of people whose address follows no pattern."""
_PAIR_OTHER = 1e-4
"""The probability that an address outside all patterns is just this one."""
_NAMELESS = 0.7
"""What an address without a name counts, against 1 for a pair."""
_ROUNDS = 60
_STEADY = 1e-7
_LEADS = 0.75
"""Known addresses that a pattern must explain before it is called the best."""


@dataclass(frozen=True, slots=True)
class _Clue:
    """One known address: how likely it is under each pattern, what it counts, and the habits it would show under each."""

    likelihood: Mapping[str, float]
    worth: float
    habits: Mapping[str, Mapping[Habit, float]]


def learn(pairs: Iterable[Pair], locals_seen: Iterable[str] = (), prior: Mapping[str, float] = PRIOR) -> Learned:
    """What known addresses of one domain say of its pattern, in any order with the same result.

    Offices (`info`, `sales`) are left out; the caller leaves out domains of free providers. `locals_seen` are addresses without
    a name; those that are among the pairs count once. An address that several patterns explain is shared among them in proportion
    to how likely they are by all the others: expectation maximisation of a mixture whose weights have a Dirichlet prior
    (Dempster, Laird and Rubin 1977). `prior`: shares of the patterns that add up to 1, such as `PRIOR` or `TINY_PRIOR`.
    """
    named = {(bare(pair.local), pair.person): pair for pair in pairs if pair.local.strip() and not is_role(bare(pair.local))}
    clues = [_of_pair(named[key]) for key in sorted(named, key=lambda key: (key[0], key[1].first, key[1].last))]
    taken = {local for local, _ in named}
    clues += [clue for local in sorted({bare(local) for local in locals_seen} - taken) if (clue := _of_shape(local))]
    start = {name: prior.get(name, 0.0) * (1 - PRIOR_OTHER) for name in PATTERNS} | {OTHER: PRIOR_OTHER}
    return _learned(clues, start)


def _of_pair(pair: Pair) -> _Clue:
    """What a pair says; where no pattern leads from the name to the address (an initial, a pet name), what its shape says."""
    found = _matching(pair)
    return _of_renderings(found) if found else _of_shape(bare(pair.local)) or _Clue({OTHER: 1.0}, 1.0, {})


def _of_renderings(renderings: Iterable[Rendering]) -> _Clue:
    found: dict[str, float] = {OTHER: _PAIR_OTHER}
    habits: dict[str, dict[Habit, float]] = {}
    for rendering in renderings:
        found[rendering.pattern] = found.get(rendering.pattern, 0.0) + rendering.chance
        shown = habits.setdefault(rendering.pattern, {})
        for habit in rendering.habits:
            shown[habit] = shown.get(habit, 0.0) + rendering.chance
    # A repeated choice (two words with an umlaut) shows its habit once.
    shares = {name: {habit: min(chance / found[name], 1.0) for habit, chance in shown.items()} for name, shown in habits.items()}
    return _Clue(found, 1.0, shares)


def _matching(pair: Pair) -> list[Rendering]:
    """The renderings that give a pair's local part: as it stands, else without a number, else in plain letters."""
    local = bare(pair.local)
    every = untaught(pair.person)
    for text in dict.fromkeys((local, unnumbered(local), ".".join(map(plain, local.split("."))))):
        if found := [rendering for rendering in every if rendering.local == text]:
            return found
    return []


def _of_shape(local: str) -> _Clue | None:
    found = dict(likelihoods(local))
    return _Clue(found, _NAMELESS, {}) if found else None


def _learned(clues: list[_Clue], start: Mapping[str, float]) -> Learned:
    weights = dict(start)
    counts: dict[str, float] = dict.fromkeys(start, 0.0)
    total = PRIOR_WORTH + fsum(clue.worth for clue in clues)
    for _ in range(_ROUNDS if clues else 0):
        counts, worth = dict.fromkeys(start, 0.0), dict.fromkeys(start, 0.0)
        for clue in clues:
            for name, share in _shared(clue, weights).items():
                counts[name] += share
                worth[name] += clue.worth * share
        before, weights = weights, {name: (PRIOR_WORTH * start[name] + worth[name]) / total for name in start}
        if max(abs(weights[name] - before[name]) for name in start) < _STEADY:
            break
    best = max(PATTERNS, key=lambda name: (counts[name], weights[name]))
    leads = counts[best] >= _LEADS and counts[best] > counts[OTHER]
    shown = {name: count for name, count in counts.items() if count > 0.005}
    return Learned(weights, shown, len(clues), best if leads else None, _habits(clues, weights))


def _habits(clues: Iterable[_Clue], weights: Mapping[str, float]) -> dict[Habit, float]:
    found: dict[Habit, float] = {}
    for clue in clues:
        for name, share in _shared(clue, weights).items():
            for habit, part in clue.habits.get(name, {}).items():
                found[habit] = found.get(habit, 0.0) + share * part
    return found


def _shared(clue: _Clue, weights: Mapping[str, float]) -> dict[str, float]:
    """One address among the patterns that explain it; the shares add up to 1."""
    parts = {name: weights[name] * likelihood for name, likelihood in clue.likelihood.items()}
    total = sum(parts.values())
    return {name: part / total for name, part in parts.items()}
