"""Links: of the same site, each once, the most promising first."""

from __future__ import annotations

from html import escape

import pytest
from hypothesis import given
from hypothesis import strategies as st

from engine.mail.page import Link, read_page
from engine.mail.page.priorities import CONTACT, IMPRINT, LEGAL, OTHER, PEOPLE, PRESS, UNLIKELY, priority_of

URL = "https://www.kestrelworks.com/de/index.html"

SHAPES = """/item-# /item-#?page=# /item-#?sid=# /item-#?a=#&utm_id=# /item-## #.html ../#/# /p#.mp3 /p.mp# /f.#z /d/#/#/#/#/#
/calendar/202#/0#
/#/#/# /kontakt# /team/# https://www.kestrelworks.com/n/# https://www.kestrelworks.com?# https://other.com/#
//m.kestrelworks.com/# http://#m.kestrelworks.com/
mailto:a#@kestrelworks.com javascript:f(#) ?q=# ?n=# /%2# /ä/# /a.#/b""".split()


def links(html: str, url: str = URL) -> tuple[Link, ...]:
    return read_page(html, url).links


def urls(html: str, url: str = URL) -> list[str]:
    return [link.url for link in links(html, url)]


@pytest.mark.parametrize(
    ("path", "text", "priority"),
    [
        ("contact", "", CONTACT),
        ("kontakt.html", "", CONTACT),
        ("de/kontakt/", "", CONTACT),
        ("contact-us", "", CONTACT),
        ("nous-contacter", "", CONTACT),
        ("x?id=5", "Contact us", CONTACT),
        ("p/17", "Контакты", CONTACT),
        ("p/17", "お問い合わせ", CONTACT),
        ("p/17", "联系我们", CONTACT),
        ("p/17", "Nous contacter", CONTACT),
        ("impressum", "", IMPRINT),
        ("legal-notice", "", IMPRINT),
        ("mentions-legales", "", IMPRINT),
        ("über-uns", "", PEOPLE),
        ("about/", "", PEOPLE),
        ("our-team", "", PEOPLE),
        ("p/9", "Über uns", PEOPLE),
        ("chi-siamo", "", PEOPLE),
        ("presse", "", PRESS),
        ("privacy-policy", "", LEGAL),
        ("products", "", UNLIKELY),
        ("rope/17", "Rope", OTHER),
        ("", "Home", OTHER),
        ("contact/form/thanks", "", CONTACT + 2),
        ("contactless-payment-terminals-for-boats-and-ferries", "", OTHER),
    ],
)
def test_promising_words_come_first(path: str, text: str, priority: int) -> None:
    assert priority_of(path, text) == priority


def test_links_are_sorted_by_promise_and_then_as_on_the_page() -> None:
    html = '<a href="/b">b</a><a href="/team">t</a><a href="/a">a</a><a href="/kontakt">k</a>'
    assert [link.url.rpartition("/")[2] for link in links(html)] == ["kontakt", "team", "b", "a"]
    assert links(html)[0] == Link("https://www.kestrelworks.com/kontakt", CONTACT, "k")


def test_only_pages_of_the_same_registrable_domain() -> None:
    own = "https://shop.kestrelworks.com/a //kestrelworks.com/b"
    other = "https://kestrelworks.com.evil.net/ https://other.com/ ftp://kestrelworks.com/ mailto:x@kestrelworks.com tel:+47"
    none = "javascript:void(0) #top /logo.png /logout data:text/html,x"
    html = "".join(f'<a href="{href}">x</a>' for href in f"{own} {other} {none}".split())
    assert urls(html) == ["https://shop.kestrelworks.com/a", "https://kestrelworks.com/b"]


def test_sites_of_a_shared_suffix_are_not_one_site() -> None:
    assert urls('<a href="https://bo.github.io/">x</a><a href="/y">y</a>', "https://ada.github.io/") == [
        "https://ada.github.io/y"
    ]


def test_a_page_is_named_once_and_never_itself() -> None:
    html = (
        '<a href="/a">x</a><a href="/a#b">y</a><a href="../a?utm_source=z">z</a><a href="index.html">self</a><a href="">self</a>'
    )
    assert urls(html) == ["https://www.kestrelworks.com/a"]


def test_the_base_is_heeded() -> None:
    html = '<head><base href="/deep/er/"></head><a href="x">x</a>'
    assert urls(html) == ["https://www.kestrelworks.com/deep/er/x"]


def test_frames_are_pages_too() -> None:
    assert urls('<frameset><frame src="menu.html"></frameset>') == ["https://www.kestrelworks.com/de/menu.html"]
    assert urls('<iframe src="/form"></iframe>') == ["https://www.kestrelworks.com/form"]


@pytest.mark.parametrize("content", ["0; url=/start.html", "5;URL='/start.html'", '0, url="/start.html"', " 0 ; /start.html "])
def test_where_a_page_sends_its_readers_is_a_link(content: str) -> None:
    html = f"<head><meta http-equiv='Refresh' content='{escape(content)}'></head>"
    assert urls(html) == ["https://www.kestrelworks.com/start.html"]


@pytest.mark.parametrize("content", ["300", "0;url=", "x", "0;url=https://other.com/", "0;url=javascript:go()", ""])
def test_a_page_that_comes_again_leads_nowhere(content: str) -> None:
    assert urls(f'<meta http-equiv="refresh" content="{content}">') == []


def test_a_picture_links_by_its_label() -> None:
    assert links('<a href="/x"><img src="i.png" alt="Kontakt"></a>')[0] == Link(
        "https://www.kestrelworks.com/x", CONTACT, "Kontakt"
    )


def test_hidden_links_are_traps() -> None:
    assert urls('<a style="display:none" href="/trap">x</a><div style="display:none"><a href="/trap2">y</a></div>') == []


def test_hosts_with_ports_and_addresses_are_sites_of_their_own() -> None:
    assert urls('<a href="/x">x</a><a href="http://127.0.0.1:9/y">y</a>', "http://127.0.0.1:8000/") == [
        "http://127.0.0.1:8000/x",
        "http://127.0.0.1:9/y",
    ]


@given(
    st.lists(
        st.tuples(st.sampled_from(SHAPES), st.integers(0, 12), st.sampled_from(["Item #", "Kontakt #", "", "Team"])), max_size=12
    )
)
def test_a_link_among_others_of_its_series_is_judged_as_one_alone(rows: list[tuple[str, int, str]]) -> None:
    pages = [f'<a href="{shape.replace("#", str(n))}">{text.replace("#", str(n))}</a>' for shape, n, text in rows]
    best: dict[str, Link] = {}
    for page in {page.partition(">")[0]: page for page in reversed(pages)}.values():
        for link in links(page):
            best[link.url] = min(link, best.get(link.url, link), key=lambda each: each.priority)
    assert {link.url: link.priority for link in links("".join(pages))} == {link.url: link.priority for link in best.values()}


def test_a_line_break_in_a_link_does_not_shift_the_others() -> None:
    html = '<a href="/a\n1">x</a><a href="/b2">x</a><a href="https://www.kestrelworks.com\n/c3">x</a>'
    assert urls(html) == [f"https://www.kestrelworks.com/{page}" for page in ("a1", "b2", "c3")]


def test_files_whose_suffix_has_a_digit_are_files_also_in_a_series() -> None:
    assert urls('<a href="/x1.mp0">x</a><a href="/x1.mp3">x</a><a href="/x2.mp4">x</a>') == [
        "https://www.kestrelworks.com/x1.mp0"
    ]
