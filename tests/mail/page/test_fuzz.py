"""Any bytes are a page: nothing is raised, results are bounded, and every address is one."""

from __future__ import annotations

from hypothesis import given, settings
from hypothesis import strategies as st

from engine.mail.address import Address, parse
from engine.mail.page import MAX_LINKS, MAX_SIGHTINGS, FoundAs, Page, canonical_url, read_page, read_text, registrable
from engine.mail.page.domains import is_public
from tests.lab.planted import PLANTED
from tests.lab.planted_codes import CODED
from tests.lab.traps import TRAPS

URL = "https://www.kestrelworks.com/a/page.html"
SNIPPETS = [row[1] for row in (*PLANTED, *CODED)] + [row[0] for row in TRAPS]
PIECES = """@ . com at [at] dot (dot) mailto: &#64; &amp; <b> </b> <a href=" "> <!-- --> <script> </script> <style> {display:none}
<wbr> ' " ` + ( ) [ ] atob( .join( data-cfemail=" kestrelworks.com jane \u200b ＠ \u202e \x00 \x01 \x02 \ufffd İ""".split()


def check(page: Page) -> None:
    assert len(page.sightings) <= MAX_SIGHTINGS and len(page.links) <= MAX_LINKS
    for sighting in page.sightings:
        found = parse(sighting.email)
        assert isinstance(found, Address), sighting
        assert found.normalized == sighting.email and is_public(found.domain) and sighting.found_as in set(FoundAs)
    assert len({sighting.email.lower() for sighting in page.sightings}) == len(page.sightings)
    for link in page.links:
        assert canonical_url(link.url) == link.url and "kestrelworks.com" in registrable(link.url.split("/")[2])
    assert [link.priority for link in page.links] == sorted(link.priority for link in page.links)


@given(st.binary(max_size=400), st.one_of(st.none(), st.sampled_from(["utf-8", "latin-1", "gbk", "utf-16", "shift_jis", "x"])))
def test_any_bytes(html: bytes, charset: str | None) -> None:
    check(read_page(html, URL, charset))


@given(st.text(max_size=400), st.text(max_size=40))
def test_any_text_at_any_url(html: str, url: str) -> None:
    read_page(html, url)
    read_text(html)


@settings(max_examples=300)
@given(st.lists(st.one_of(st.sampled_from(PIECES), st.sampled_from(SNIPPETS), st.text(max_size=5)), max_size=25).map("".join))
def test_pages_of_pieces(html: str) -> None:
    check(read_page(html, URL))


@settings(max_examples=300)
@given(st.sampled_from(SNIPPETS), st.integers(0, 400), st.integers(0, 40), st.sampled_from(["", *PIECES]))
def test_mutated_snippets(snippet: str, place: int, gone: int, put: str) -> None:
    check(read_page(snippet[:place] + put + snippet[place + gone :], URL))


@given(st.lists(st.sampled_from(SNIPPETS), min_size=1, max_size=6), st.sampled_from(["utf-8", "utf-16", "latin-1"]))
def test_cut_pages(snippets: list[str], name: str) -> None:
    html = "".join(snippets).encode(name, "replace")
    check(read_page(html[: len(html) * 2 // 3], URL))
