"""The frontier: each page once, the best first, and the same after it was saved."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from engine.mail.page.priorities import OTHER, UNLIKELY
from engine.scraping.frontier import PROMISING, Entry, Frontier, key, rank


def drained(frontier: Frontier) -> list[str]:
    found = []
    while (entry := frontier.next()) is not None:
        found.append(entry.url.rpartition("/")[2])
    return found


def test_promising_pages_come_before_sitemaps_and_those_before_the_rest():
    places = [rank(0), rank(OTHER - 1, True), rank(OTHER, True), rank(OTHER), rank(UNLIKELY, True), rank(UNLIKELY)]
    assert places == sorted(set(places))
    assert rank(0, True) == rank(0)
    assert rank(OTHER - 1) < PROMISING <= rank(OTHER)


@pytest.mark.parametrize(
    "url",
    ["https://a.test/x/", "http://a.test/x", "https://www.a.test/x", "https://a.test/x/index.html", "https://a.test/x/index.php"],
)
def test_spellings_of_a_page_have_one_key(url):
    assert key(url) == key("https://a.test/x")


def test_different_pages_have_different_keys():
    urls = [
        "https://a.test/",
        "https://a.test/x",
        "https://a.test/X",
        "https://a.test/x?y=1",
        "https://b.a.test/",
        "https://a.test:81/",
    ]
    assert len({key(url) for url in urls}) == len(urls)


def test_rank_then_depth_then_order():
    frontier = Frontier(10)
    for url, place, depth in (("c", 10, 1), ("d", 10, 2), ("b", 3, 4), ("a", 0, 9), ("e", 10, 2), ("c", 10, 0)):
        frontier.add(f"https://a.test/{url}", place, depth)
    assert frontier.promising and drained(frontier) == ["a", "b", "c", "d", "e"]
    frontier.add("https://a.test/a", 0, 0)
    assert frontier.next() is None and not frontier.promising


def test_a_page_that_turns_out_to_promise_more_moves_forward():
    frontier = Frontier(10)
    frontier.add("https://a.test/x", 10, 1)
    frontier.add("https://a.test/y", 10, 1)
    frontier.add("https://a.test/y", 2, 3)
    assert drained(frontier) == ["y", "x"]


adds = st.lists(st.tuples(st.integers(0, 60), st.integers(0, 12), st.integers(0, 5)), max_size=120)


@given(adds, adds, st.integers(0, 30))
def test_a_saved_frontier_goes_on_the_same(before, after, taken):
    first = Frontier(200)
    for page, place, depth in before:
        first.add(f"https://a.test/{page}", place, depth)
    for _ in range(taken):
        first.next()
    second = Frontier(200, [Entry(*entry) for entry in first.waiting()], list(first.done))
    for frontier in (first, second):
        for page, place, depth in after:
            frontier.add(f"https://a.test/{page}", place, depth)
    assert drained(first) == drained(second)


@given(adds)
def test_it_keeps_the_best(pages):
    frontier = Frontier(5)
    for page, place, depth in pages:
        frontier.add(f"https://a.test/{page}", place, depth)
    assert len(frontier.waiting()) <= 5
    if pages:
        entry = frontier.next()
        assert entry is not None and entry.rank == min(place for _, place, _ in pages)
