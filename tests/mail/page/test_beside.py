"""What stands beside an address on a page: enough to tell whose it is, and not the text of the whole page."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from engine.mail.finding import Person, person_beside
from engine.mail.page import read_page
from engine.mail.page.beside import MAX_NEAR, own_text

JANE, JOHN = "jdoe@kestrelworks.com", "tdoe@kestrelworks.com"
FILLER = "We build boats in the old yard by the harbour, and every rope tells where it was made. " * 5


def near(html: str) -> dict[str, str]:
    """The text beside each address."""
    return {sighting.email: sighting.near for sighting in read_page(html, "https://kestrelworks.com/team").sightings}


LAYOUTS = {
    "rows": f"<table><tr><td>Jane</td><td>Doe</td><td>{JANE}</td></tr><tr><td>Tom</td><td>Doe</td><td>{JOHN}</td></tr></table>",
    "addresses first": f"<table><tr><td>{JANE}</td><td>Jane Doe</td></tr><tr><td>{JOHN}</td><td>Tom Doe</td></tr></table>",
    "links": f'<ul><li>Jane Doe <a href="mailto:{JANE}">e-mail</a></li><li>Tom Doe <a href="mailto:{JOHN}">e-mail</a></li></ul>',
    "pictures": f'<p>Jane Doe <a href="mailto:{JANE}"><img src="m.png"></a></p><p>Tom Doe <a href="mailto:{JOHN}"><img></a></p>',
    "names as links": f'<a href="mailto:{JANE}">Jane <b>Doe</b></a>, <a href="mailto:{JOHN}">Tom Doe</a>',
    "cards": f"<div><h3>Jane Doe</h3><p>Sales</p><p>{JANE}</p></div><div><h3>Tom Doe</h3><p>Boss</p><p>{JOHN}</p></div>",
    "prose": f"<p>{FILLER} Ask Jane Doe ({JANE}) or Tom Doe, {JOHN}. {FILLER}</p>",
    "words": "<p>Jane Doe: jdoe [at] kestrelworks [dot] com</p><p>Tom Doe: tdoe (at) kestrelworks (dot) com</p>",
    "both": f'<p>Jane Doe <a href="mailto:{JANE}">{JANE}</a></p><p>Tom Doe <a href="mailto:{JOHN}">{JOHN}</a></p>',
}


@pytest.mark.parametrize("layout", LAYOUTS)
@pytest.mark.parametrize("around", ["", "<h1>Our team</h1>", f"<p>{FILLER}</p>"])
def test_the_name_is_beside_its_address(layout: str, around: str):
    found = near(around + LAYOUTS[layout] + around)
    assert person_beside("jdoe", found[JANE]) == Person("Jane", "Doe")
    assert person_beside("tdoe", found[JOHN]) == Person("Tom", "Doe")
    assert all(len(text) <= MAX_NEAR and "@" not in text for text in found.values())


def test_a_protected_address_has_its_name_too():
    key, address = 0x2A, JANE
    code = f"{key:02x}" + "".join(f"{ord(letter) ^ key:02x}" for letter in address)
    html = (
        f'<p>Jane Doe <a class="__cf_email__" href="/cdn-cgi/l/email-protection" data-cfemail="{code}">[email protected]</a></p>'
    )
    assert person_beside("jdoe", near(html)[JANE]) == Person("Jane", "Doe")


def test_one_entry_does_not_reach_over_the_next():
    entries = "".join(f"<li>Person{n} Name{n} <a href='mailto:p{n}@kestrelworks.com'>mail</a></li>" for n in range(9))
    found = near(f"<ul>{entries}</ul>")
    assert found["p4@kestrelworks.com"] == "Person4 Name4 mail Person5 Name5"


def test_an_office_has_nobody_beside_it_and_an_address_alone_nothing():
    assert near("<p>Jane Doe info@kestrelworks.com</p>") == {"info@kestrelworks.com": ""}
    assert near(f"<p>{JANE}</p>") == {JANE: ""}
    assert near(f"<p hidden>Jane Doe</p><script>var a = 'Ann Hill'</script><p>{JANE}</p>") == {JANE: ""}


@pytest.mark.parametrize(
    ("before", "after", "own"),
    [
        ("Jane Doe <jdoe", "a.com>", ("Jane Doe", "")),
        ("write to jane.doe", "a.com, or call", ("write to", "or call")),
        ("x@b.com Jane jd", "a.com John y@b.com", ("Jane", "John")),
        ("jd", "a.com", ("", "")),
        ("", "", ("", "")),
    ],
)
def test_what_a_text_says_besides(before: str, after: str, own: tuple[str, str]):
    assert own_text(before, after) == own


@given(
    st.lists(st.sampled_from(["<p>", "</p>", "Jane Doe ", JANE, f'<a href="mailto:{JOHN}">', "</a>", "<td>", FILLER, "@", " "]))
)
def test_it_is_bounded_whatever_the_page(parts: list[str]):
    assert all(len(text) <= MAX_NEAR and "@" not in text for text in near("".join(parts)).values())
