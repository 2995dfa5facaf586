"""The ways a person's names may be written in an address, each with its probability and the habits it shows."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass

from engine.mail.finding import habits
from engine.mail.finding.habits import Choice, Habit
from engine.mail.finding.letters import Way, ways
from engine.mail.finding.parts import Parts, Surname
from engine.mail.finding.patterns import Piece
from engine.mail.finding.words import BINDING, SHORT_FORMS

GAP = "\0"
"""Stands in a spelling for the separator of the pattern, whatever that is."""
_MOST = 16
"""Spellings of one piece that are kept, the likeliest."""


@dataclass(frozen=True, slots=True)
class Spelling:
    """One way to write a piece of a name, or several: its text (may hold `GAP`), how likely it is, and the habits it shows."""

    text: str
    chance: float
    habits: tuple[Habit, ...] = ()

    def then(self, other: Spelling, between: str = "") -> Spelling:
        """The two, one after the other."""
        return Spelling(self.text + between + other.text, self.chance * other.chance, self.habits + other.habits)


Spelled = Mapping[Piece, Sequence[Spelling]]
"""The spellings of each piece of a name; the chances of each piece add up to at most 1."""


def spelled(name: Parts, seen: Mapping[Habit, float]) -> list[tuple[Spelling, Spelled]]:
    """For each way to write a name's letters, its chance (a spelling without text) and the pieces so written.

    `seen` counts the habits of the domain. Pieces the name does not have are missing.
    """
    words = [*name.given, *name.middle, name.nickname]
    words += [word for surname in name.surnames for word in (*surname.particles, surname.word)]
    found: list[tuple[Spelling, Spelled]] = []
    for way in ways(" ".join(words)):
        speller = _Speller(way, seen)
        pieces = {
            Piece.FIRST: speller.first(name),
            Piece.F: speller.first_initials(name),
            Piece.LAST: speller.last(name.surnames),
            Piece.L: speller.last_initials(name.surnames),
        }
        found.append((speller.chance, {piece: options for piece, options in pieces.items() if options}))
    return found


class _Speller:
    """Spells a name's pieces in one way of writing letters."""

    def __init__(self, way: Way, seen: Mapping[Habit, float]) -> None:
        self._way, self._seen = way, seen
        self.chance = Spelling("", 1.0)
        if way.choice is not None:
            options = list(way.base or habits.BASE[way.choice])
            chance = habits.chances(way.choice, options, seen, way.base)[way.option]
            self.chance = Spelling("", chance, (Habit(way.choice, way.option),))

    def first(self, name: Parts) -> list[Spelling]:
        if _is_initial(name.given):
            # An initial is not the name; several may stand for it (J.D.).
            initials = "".join(map(self._way.spell, (*name.given, *name.middle)))
            return [Spelling(initials, 1.0)] if len(initials) > 1 else []
        given = [self._word(word, Choice.GIVEN_HYPHEN) for word in name.given]
        whole = self._several([options for options in given if options], Choice.GIVEN_WORDS)
        forms, chance = self._short_forms(name)
        usual = Spelling("", 1 - chance, (Habit(Choice.NICKNAME, habits.FORMAL),) if forms else ())
        formal = [usual.then(spelling) for spelling in self._with_middle(whole, name.middle)]
        return _merged([*formal, *forms])

    def _with_middle(self, whole: list[Spelling], middle: Sequence[str]) -> list[Spelling]:
        initials = "".join(map(self._way.spell, middle))
        if not initials or not whole:
            return whole
        forms = {habits.DROPPED: "", habits.SEPARATED: GAP + initials, habits.JOINED: initials}
        return [a.then(b) for a in whole for b in self._chosen(Choice.MIDDLE, forms)]

    def _short_forms(self, name: Parts) -> tuple[list[Spelling], float]:
        """Short forms of the first name, and their chance in all; one given with the name is likelier than a usual one."""
        spell = self._way.spell
        given = spell(name.nickname.partition(" ")[0])
        forms = (given,) if given else SHORT_FORMS.get(spell(name.given[0]) if name.given else "", ())
        if not forms:
            return [], 0.0
        base = {habits.FORMAL: 0.7, habits.SHORT: 0.3} if given else None
        chance = habits.chances(Choice.NICKNAME, (habits.FORMAL, habits.SHORT), self._seen, base)[habits.SHORT]
        total = sum(1 / place for place in range(1, len(forms) + 1))
        habit = (Habit(Choice.NICKNAME, habits.SHORT),)
        return [Spelling(form, chance / total / place, habit) for place, form in enumerate(forms, start=1)], chance

    def first_initials(self, name: Parts) -> list[Spelling]:
        words = [part for word in (*name.given, *name.middle) for part in self._way.spell(word).split("-") if part]
        return self._initials([word[0] for word in words])

    def last(self, surnames: Sequence[Surname]) -> list[Spelling]:
        return _merged(self._several([options for name in surnames if (options := self._surname(name))], Choice.SURNAME_WORDS))

    def _surname(self, surname: Surname) -> list[Spelling]:
        words = self._word(surname.word, Choice.SURNAME_HYPHEN)
        particles = [text for particle in surname.particles if (text := self._way.spell(particle.replace("'", "")))]
        if not particles or not words:
            return words
        forms = {
            habits.JOINED: "".join(particles),
            habits.HYPHEN: "-".join(particles) + "-",
            habits.SEPARATED: GAP.join(particles) + GAP,
        }
        if not BINDING.issuperset(particles):
            forms |= {habits.DROPPED: "", habits.ABBREVIATED: "".join(text[0] for text in particles)}
        return [a.then(b) for a in self._chosen(Choice.PARTICLE, forms) for b in words]

    def last_initials(self, surnames: Sequence[Surname]) -> list[Spelling]:
        if not surnames:
            return []
        letters = [part[0] for name in surnames for part in self._way.spell(name.word).split("-") if part]
        own = self._initials(letters)
        particle = next((text for p in surnames[0].particles if (text := self._way.spell(p))), "")
        if not particle or not own:
            return own
        joined, dropped = self._chosen(Choice.PARTICLE, {habits.JOINED: particle[0], habits.DROPPED: ""})
        return _merged([joined, *(dropped.then(letter) for letter in own)])

    def _initials(self, letters: Sequence[str]) -> list[Spelling]:
        if len(letters) < 2:
            return [Spelling(letter, 1.0) for letter in letters]
        return self._chosen(Choice.INITIALS, {habits.ONE: letters[0], habits.EACH: "".join(letters)})

    def _word(self, word: str, choice: Choice) -> list[Spelling]:
        """The spellings of one word, with an apostrophe or hyphens perhaps."""
        pieces = [self._apostrophe(piece) for piece in word.split("-")]
        return self._several([options for options in pieces if options], choice)

    def _apostrophe(self, word: str) -> list[Spelling]:
        bare = self._way.spell(word.replace("'", ""))
        halves = [self._way.spell(half) for half in word.split("'")]
        if not bare or not all(halves) or len(halves) < 2:
            return [Spelling(bare, 1.0)] if bare else []
        return self._chosen(Choice.APOSTROPHE, {habits.DROPPED: bare, habits.KEPT: "'".join(halves)})

    def _several(self, words: Sequence[Sequence[Spelling]], choice: Choice) -> list[Spelling]:
        """Words as one: joined in one way or another, or reduced to the first or last."""
        if len(words) < 2:
            return list(words[0]) if words else []
        chances = habits.chances(choice, list(habits.BASE[choice]), self._seen)
        found = []
        for option, chance in chances.items():
            start = Spelling("", chance, (Habit(choice, option),))
            found += [start.then(spelling) for spelling in _put_together(words, option)]
        return _merged(found)

    def _chosen(self, choice: Choice, forms: Mapping[str, str]) -> list[Spelling]:
        chances = habits.chances(choice, list(forms), self._seen)
        return [Spelling(text, chances[option], (Habit(choice, option),)) for option, text in forms.items()]


def _is_initial(given: Sequence[str]) -> bool:
    return len(given) == 1 and len(given[0]) == 1 and given[0] != given[0].lower()


def _put_together(words: Sequence[Sequence[Spelling]], option: str) -> Iterator[Spelling]:
    if option in (habits.FIRST, habits.LAST):
        yield from words[0 if option == habits.FIRST else -1]
        return
    between = {habits.JOINED: "", habits.HYPHEN: "-", habits.SEPARATED: GAP}[option]
    whole: Iterable[Spelling] = words[0]
    for word in words[1:]:
        whole = _merged([a.then(b, between) for a in whole for b in word])
    yield from whole


def _merged(spellings: Iterable[Spelling]) -> list[Spelling]:
    """The likeliest; of those that read the same, the likeliest with the chances of all."""
    best: dict[str, Spelling] = {}
    total: dict[str, float] = {}
    for spelling in spellings:
        total[spelling.text] = total.get(spelling.text, 0.0) + spelling.chance
        if spelling.text not in best or spelling.chance > best[spelling.text].chance:
            best[spelling.text] = spelling
    merged = [Spelling(text, total[text], spelling.habits) for text, spelling in best.items()]
    return sorted(merged, key=lambda spelling: (-spelling.chance, spelling.text))[:_MOST]
