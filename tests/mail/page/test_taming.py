"""Markup that is nested too deep becomes shallow, and all other markup stays as it is."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from engine.mail.page import read_page
from engine.mail.page.taming import MAX_DEPTH, tamed

DEEP = [
    "<div>",
    "<b>",
    "<ul><li>",
    "<div></p>",
    "<i></div>",
    "<a><b><i><u>",
    "<div><object></div></object>",
    "<span class='x'>",
    "<DIV>",
    "<x-y>",
]


def depth(html: str) -> int:
    """Of the open elements that tags without end tags would leave."""
    deepest = level = 0
    for piece in html.split("<")[1:]:
        level += -1 if piece.startswith("/") else 1
        deepest = max(deepest, level)
    return deepest


@pytest.mark.parametrize("tags", DEEP)
def test_deep_markup_becomes_shallow_and_keeps_its_addresses(tags: str) -> None:
    html = "<p>ada@kestrelworks.com</p>" + tags * 20_000 + "<p>bo@kestrelworks.com</p>"
    assert depth(tamed(html).replace("<li>", "")) <= MAX_DEPTH + 2
    found = {sighting.email for sighting in read_page(html, "https://kestrelworks.com/").sightings}
    assert found == {"ada@kestrelworks.com", "bo@kestrelworks.com"}


def test_a_large_ordinary_page_is_left_alone() -> None:
    row = '<tr><td class="a"><p>One<br>two</td><td><a href="/x"><img src="y.png"></a></td></tr><li>x<option>y'
    html = "<table>" + row * 5_000 + "</table>"
    assert tamed(html) is html


def test_scripts_and_comments_are_not_counted_as_markup() -> None:
    html = "<script>" + "'<div>';" * 20_000 + "</script><p>ada@kestrelworks.com</p><!--" + "<div>" * 20_000 + "-->"
    assert read_page(html, "https://kestrelworks.com/").sightings[0].email == "ada@kestrelworks.com"


@given(st.text(alphabet="<>/!-ab \"'=", max_size=200))
def test_any_markup_can_be_tamed(text: str) -> None:
    tamed(text)
    tamed("<div>" * 7_000 + text)
