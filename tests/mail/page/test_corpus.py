"""The lab's planted pages: everything that stands there is found as it stands there, and no trap is walked into."""

from __future__ import annotations

import pytest

from engine.mail.page import read_page
from tests.lab.pages import Planted, corpus, page_of
from tests.lab.planted import PLANTED
from tests.lab.planted_codes import CODED
from tests.lab.traps import TRAPS
from tests.lab.unseen import UNSEEN, UNSEEN_TRAPS

PAGES = corpus()
URL = "https://site.test/page.html"


def found_on(page: Planted) -> set[str]:
    return {sighting.email for sighting in read_page(page.html, URL).sightings}


@pytest.mark.parametrize("page", [page for page in PAGES if page.expected], ids=lambda page: page.name)
def test_planted_addresses_are_found_and_nothing_else(page: Planted) -> None:
    assert found_on(page) == page.expected


@pytest.mark.parametrize("page", [page for page in PAGES if page.technique], ids=lambda page: page.name)
def test_the_technique_is_named(page: Planted) -> None:
    assert {sighting.found_as for sighting in read_page(page.html, URL).sightings} == {page.technique}


@pytest.mark.parametrize("page", [page for page in PAGES if not page.expected], ids=lambda page: page.name)
def test_traps_give_nothing(page: Planted) -> None:
    assert found_on(page) == set()


def test_the_corpus_is_large_and_always_the_same() -> None:
    assert len(PLANTED) + len(CODED) >= 150
    assert len(TRAPS) >= 120
    assert len({row[0] for row in (*PLANTED, *CODED)}) >= 13, "every technique has its pages"
    assert corpus() == PAGES


def test_precision_and_recall() -> None:
    found = [(found_on(page), page.expected) for page in PAGES]
    hits = sum(len(some & expected) for some, expected in found)
    assert hits / sum(len(some) for some, _ in found) >= 0.98
    assert hits / sum(len(expected) for _, expected in found) >= 0.98


def test_precision_and_recall_over_what_others_wrote() -> None:
    rows = [*((html, set(emails.split())) for html, emails in UNSEEN), *((html, set[str]()) for html in UNSEEN_TRAPS)]
    found = [({sighting.email for sighting in read_page(page_of(html), URL).sightings}, expected) for html, expected in rows]
    wrong = [(html, some ^ expected) for (html, _), (some, expected) in zip(rows, found, strict=True) if some != expected]
    hits = sum(len(some & expected) for some, expected in found)
    assert hits / sum(len(some) for some, _ in found) >= 0.98, wrong
    assert hits / sum(len(expected) for _, expected in found) >= 0.98, wrong
    assert sum(len(expected) for _, expected in found) >= 60 and len(UNSEEN_TRAPS) >= 40
