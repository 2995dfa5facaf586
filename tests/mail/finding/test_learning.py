"""Learning a domain's pattern: what leads, what is shared, what is left out."""

from __future__ import annotations

import math
from itertools import permutations

import pytest

from engine.mail.finding import OTHER, PATTERNS, PRIOR, TINY_PRIOR, Pair, Person, candidates, learn
from engine.mail.finding.habits import BASE
from tests.mail.finding.folk import STYLES, taught

JANE, BOB, ANA = Person("Jane", "Doe"), Person("Bob", "Roe"), Person("Ana", "Lima")


def test_priors_add_up_to_one():
    assert math.isclose(sum(PRIOR.values()), 1)
    assert math.isclose(sum(TINY_PRIOR.values()), 1)
    assert max(PRIOR, key=PRIOR.__getitem__) == "first.last"
    assert max(TINY_PRIOR, key=TINY_PRIOR.__getitem__) == "first"
    assert all(math.isclose(sum(options.values()), 1) for options in BASE.values())


def test_nothing_known_is_the_prior():
    learned = learn([])
    assert (learned.evidence, learned.best) == (0, None)
    assert learned.weights["flast"] / learned.weights["first"] == pytest.approx(PRIOR["flast"] / PRIOR["first"])
    assert learned.explain() == "No address of a person is known at this domain."


@pytest.mark.parametrize("pattern", STYLES)
def test_two_consistent_pairs_lead_clearly(pattern):
    learned = learn(taught(pattern, 2))
    second = sorted(learned.weights.values())[-2]
    assert learned.best == pattern
    assert learned.weights[pattern] > 0.6
    assert learned.weights[pattern] > 3 * second
    assert learned.explain() == f"{pattern} fits all 2 known addresses of this domain."


def test_the_posterior_is_that_of_a_dirichlet_where_nothing_is_shared():
    learned = learn([Pair("jdoe", JANE), Pair("broe", BOB)])
    share, worth = PRIOR["flast"] * 0.94, 1.2
    assert learned.weights["flast"] == pytest.approx((worth * share + 2) / (worth + 2), rel=1e-3)
    assert math.isclose(math.fsum(learned.weights.values()), 1)
    assert set(learned.weights) == {*PATTERNS, OTHER}


def test_mixed_patterns_keep_both():
    learned = learn(
        [Pair("jane.doe", JANE), Pair("bob.roe", BOB), Pair("alima", ANA), Pair("phansen", Person("Peter", "Hansen"))]
    )
    assert learned.weights["first.last"] > 0.3
    assert learned.weights["flast"] > 0.3
    assert learned.explain() == "first.last fits 2 of 4 known addresses of this domain; flast occurs too."
    assert {candidate.local for candidate in candidates(Person("Max", "Weber"), learned)[:2]} == {"max.weber", "mweber"}


def test_an_address_of_several_patterns_is_shared():
    """Of Lee Lee, `lee` may be a first name or a surname; the other addresses decide."""
    alone = learn([Pair("alal", Person("Al", "Al"))])
    assert alone.counts["firstlast"] > alone.counts["lastfirst"] > 0.02
    assert alone.counts["firstlast"] + alone.counts["lastfirst"] == pytest.approx(1, abs=0.01)
    twin = Person("Lee", "Lee")
    shared = learn([Pair("lee", twin)])
    assert shared.counts["first"] > shared.counts["last"] > 0.05
    assert shared.counts["first"] / shared.counts["last"] == pytest.approx(PRIOR["first"] / PRIOR["last"], rel=1e-3)
    settled = learn([Pair("lee", twin), Pair("doe", JANE), Pair("roe", BOB)])
    assert settled.counts["last"] > 2.9
    assert settled.best == "last"


def test_order_and_repetition_do_not_matter():
    pairs = [*taught("flast", 2), Pair("jane.doe", JANE), Pair("bob", BOB)]
    results = [learn(order) for order in permutations(pairs)]
    assert all(result == results[0] for result in results)
    assert learn([*pairs, *pairs]) == results[0]


@pytest.mark.parametrize("office", ["info", "Sales", "no-reply", "kontakt", "info+x"])
def test_offices_are_left_out(office):
    assert learn([Pair(office, JANE)], [office]).evidence == 0


@pytest.mark.parametrize("local", ["Jane.Doe", "jane.doe+news", "jane.doe2", "JANE.DOE7", " jane.doe "])
def test_case_tags_and_numbers_are_ignored(local):
    assert learn([Pair(local, JANE)]).counts["first.last"] == pytest.approx(1, abs=0.01)


def test_what_no_pattern_explains_counts_against_all():
    learned = learn([Pair("xy12q", JANE), Pair("zz9", BOB), Pair("u0815", ANA)])
    assert learned.best is None
    assert learned.weights[OTHER] > 0.6
    assert learned.explain() == "3 known addresses at this domain show no clear pattern."
    assert learn([Pair("xy12q", JANE)]).explain() == "1 known address at this domain shows no clear pattern."


def test_a_pair_with_an_initial_says_what_its_shape_says():
    assert learn([Pair("jane.roe", Person("J.", "Roe"))]).best == "first.last"


def test_pairs_with_other_letters_count():
    assert learn([Pair("jürgen.müller", Person("Jürgen", "Müller"))]).best == "first.last"


HABITS = [
    ([("juergen.ott", "Jürgen", "Ott"), ("joerg.hahn", "Jörg", "Hahn")], ("Günther", "Öhler"), "guenther.oehler"),
    ([("jurgen.ott", "Jürgen", "Ott"), ("jorg.hahn", "Jörg", "Hahn")], ("Günther", "Öhler"), "gunther.ohler"),
    ([("jan.berg", "Jan", "van der Berg"), ("ann.dijk", "Ann", "van Dijk")], ("Tom", "de Boer"), "tom.boer"),
    ([("jan.van.der.berg", "Jan", "van der Berg"), ("ann.van.dijk", "Ann", "van Dijk")], ("Tom", "de Boer"), "tom.de.boer"),
    ([("jlpicard", "Jean-Luc", "Picard"), ("mcroux", "Marie-Claire", "Roux")], ("Anne-Lise", "Petit"), "alpetit"),
    ([("jeanluc.picard", "Jean-Luc", "Picard"), ("annelise.roux", "Anne-Lise", "Roux")], ("Marc-Guy", "Petit"), "marcguy.petit"),
    ([("ana.lopez", "Ana", "Ruiz López"), ("eva.gil", "Eva", "Mora Gil")], ("Luis", "Vega Sanz"), "luis.sanz"),
    ([("bob.smith", "Robert", "Smith"), ("bill.jones", "William", "Jones")], ("Thomas", "Reed"), "tom.reed"),
    ([("jqpublic", "John Q.", "Public"), ("amroe", "Ann M.", "Roe")], ("Tim B.", "Reed"), "tbreed"),
    ([("natalia.iudina", "Наталья", "Юдина"), ("iulia.iurova", "Юлия", "Юрова")], ("Юрий", "Яковлев"), "iurii.iakovlev"),
]


@pytest.mark.parametrize(("known", "asked", "wanted"), HABITS, ids=lambda value: value if isinstance(value, str) else "")
def test_habits_of_spelling_are_learned(known, asked, wanted):
    learned = learn([Pair(local, Person(first, last)) for local, first, last in known])
    assert candidates(Person(*asked), learned)[0].local == wanted


def test_a_tiny_organisation_starts_with_first_names():
    assert candidates(JANE, learn([], prior=TINY_PRIOR))[0].local == "jane"
