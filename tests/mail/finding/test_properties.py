"""What holds for any name and any address."""

from __future__ import annotations

import math

from hypothesis import example, given
from hypothesis import strategies as st

from engine.mail.address import Address, parse
from engine.mail.finding import Pair, Person, candidates, learn, match_people, name_of, person_beside
from engine.mail.lists import is_role
from tests.mail.finding.folk import FOLK, STYLES, built

texts = st.text(max_size=30) | st.text("abcJDÄÖßøłéи김王 -.'’,(\"", max_size=25)
people = st.builds(Person, texts, texts)
pairs = st.builds(Pair, texts, people)
everyday = st.sampled_from([entry for entry in FOLK if entry[1].isalpha() and entry[2].isalpha()])


@given(people, st.lists(pairs, max_size=4), st.lists(texts, max_size=4), st.integers(-1, 40))
@example(Person("'", "-"), [], [], 12)
@example(Person("Ana", "de la Vallée-Poussin van der Berg"), [Pair("ana.d", Person("Ana", "Diaz"))], [], 1_000)
@example(Person("a" * 200, "b" * 200), [], [], 12)
@example(Person("\ud800", "x\udfff"), [Pair("\ud800", Person("\ud800", ""))], ["\ud800"], 12)
@example(Person("-" * 50 + "a", "a-" * 60), [], [], 12)
@example(Person("a b c d e f g h i", "a-b-c-d-e-f-g-h d-e-f x'y'z"), [], [], 12)
def test_candidates_of_anything(person, known, seen, limit):
    learned = learn(known, seen)
    assert math.isclose(math.fsum(learned.weights.values()), 1)
    assert min(learned.weights.values()) > 0
    found = candidates(person, learned, limit)
    assert found == candidates(person, learned, limit)
    assert len(found) <= max(limit, 0)
    assert len({candidate.local for candidate in found}) == len(found)
    assert [c.prior for c in found] == sorted((c.prior for c in found), reverse=True)
    assert math.fsum(c.prior for c in found) <= 1 + 1e-9
    for candidate in found:
        address = parse(f"{candidate.local}@example.com")
        assert isinstance(address, Address)
        assert address.local == candidate.local == candidate.local.lower()
        assert candidate.local.isascii()
        assert not is_role(candidate.local)
    assert found == candidates(person, learned, 1_000)[: max(limit, 0)]


@given(texts, texts, people)
def test_nothing_raises(local, text, person):
    name_of(local)
    person_beside(local, text)
    match_people([person], [local, text])
    assert learn([Pair(local, person)]).explain().endswith(".")


@given(st.sampled_from(STYLES), st.lists(everyday, min_size=2, max_size=5, unique=True), everyday)
def test_round_trip(pattern, teachers, asked):
    """Learned from two or more pairs of one pattern, the pattern puts everybody's address first."""
    learned = learn([Pair(built(pattern, first, last), person) for person, first, last in teachers])
    assert learned.best == pattern
    person, first, last = asked
    found = candidates(person, learned)
    assert (found[0].local, found[0].pattern) == (built(pattern, first, last), pattern)


@given(st.sampled_from(STYLES), st.lists(everyday, min_size=3, max_size=6, unique=True))
def test_every_further_pair_makes_it_surer(pattern, teachers):
    known = [Pair(built(pattern, first, last), person) for person, first, last in teachers]
    weights = [learn(known[:count]).weights[pattern] for count in range(len(known) + 1)]
    assert weights == sorted(weights)
