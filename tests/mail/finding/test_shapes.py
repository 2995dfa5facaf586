"""Local parts without names."""

from __future__ import annotations

import pytest

from engine.mail.finding import Pair, Person, learn, name_of

SHAPES = [
    (["j.smith", "a.doe"], "f.last"),
    (["jsmith", "mjohnson"], "flast"),
    (["jane", "peter"], "first"),
    (["smith", "miller", "schneider"], "last"),
    (["jane.smith", "peter.miller"], "first.last"),
    (["smith.jane", "miller.peter"], "last.first"),
    (["jane_smith"], "first_last"),
    (["jane-smith", "peter-miller"], "first-last"),
    (["janesmith", "petermiller"], "firstlast"),
    (["smithj", "millerp"], "lastf"),
    (["janes", "peterm", "sarahk"], "firstl"),
    (["js", "pm"], "initials"),
]


@pytest.mark.parametrize(("seen", "best"), SHAPES)
def test_shapes_tell_the_pattern(seen, best):
    learned = learn([], seen)
    assert (learned.best, learned.evidence) == (best, len(seen))


@pytest.mark.parametrize("seen", [["info"], ["team.berlin"], ["x42z"], ["a" * 60], ["müller"], ["sales.jane"], [""]])
def test_what_says_nothing(seen):
    assert learn([], seen).evidence == 0


def test_words_that_are_no_names_teach_little():
    assert learn([], ["acmeshop", "gizmo", "foobarbaz"]).best is None


def test_a_pair_seen_again_counts_once():
    pair = Pair("jdoe", Person("Jane", "Doe"))
    assert learn([pair], ["jdoe", "JDOE", "jdoe+x"]) == learn([pair])


NAMED = [
    ("jane.doe", "Jane", "Doe"),
    ("Jane.Doe", "Jane", "Doe"),
    ("john_smith7", "John", "Smith"),
    ("jean-luc.picard", "Jean-Luc", "Picard"),
    ("muller.hans", "Hans", "Muller"),
    ("thomas.martin", "Thomas", "Martin"),
    ("peter.xyzzy+tag", "Peter", "Xyzzy"),
]


@pytest.mark.parametrize(("local", "first", "last"), NAMED)
def test_names_from_local_parts(local, first, last):
    assert name_of(local) == Person(first, last)


@pytest.mark.parametrize(
    "local",
    "info jane jdoe j.doe paris.office sales.jane acme.shop web.design k.lee a.b.c team.berlin x@y 42 .. no-reply".split(),
)
def test_no_name_where_it_is_not_safe(local):
    assert name_of(local) is None
