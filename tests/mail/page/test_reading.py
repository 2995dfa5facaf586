"""A page as a whole: what it says of itself, each address once, and bounds."""

from __future__ import annotations

import pytest

from engine.mail.page import MAX_LINKS, MAX_SIGHTINGS, FoundAs, read_page, read_text

URL = "https://www.kestrelworks.com/team/"
LAB = frozenset({"test"})


def emails(html: str | bytes, **options: object) -> dict[str, str]:
    return {sighting.email: sighting.found_as for sighting in read_page(html, URL, **options).sightings}  # type: ignore[arg-type]


def test_an_address_comes_once_by_its_strongest_technique() -> None:
    html = """<p>ada@kestrelworks.com, Ada [at] kestrelworks [dot] com</p><script>x="ADA@kestrelworks.com"</script>
    <a href="mailto:ada@kestrelworks.com">x</a>"""
    assert emails(html) == {"ada@kestrelworks.com": "mailto"}


@pytest.mark.parametrize(
    ("html", "technique"),
    [
        ('<script type="application/ld+json">{"email":"a.b@kestrelworks.com"}</script>a.b@kestrelworks.com', "json-ld"),
        ('<p itemprop="email">a.b@kestrelworks.com</p>', "microdata"),
        ('<p title="a.b@kestrelworks.com">a.b@kestrelworks.com</p>', "text"),
        ('<p title="a.b@kestrelworks.com">a.b [at] kestrelworks.com</p>', "attribute"),
    ],
)
def test_stronger_techniques_go_first(html: str, technique: str) -> None:
    assert emails(html) == {"a.b@kestrelworks.com": technique}


def test_a_package_is_no_address_but_a_package_manager_has_one() -> None:
    assert emails("<p>Ask npm support: security@npmjs.com</p><p>yarn add it, or wool@yarn.com</p>") == {
        "security@npmjs.com": "text",
        "wool@yarn.com": "text",
    }
    assert emails('npm i <a href="mailto:hello@stable.dev">x</a>') == {"hello@stable.dev": "mailto"}


def test_what_is_left_of_an_escape_is_no_part_of_an_address() -> None:
    assert set(emails("<p>u003einfo@kestrelworks.com u0022ada@kestrelworks.com u003@kestrelworks.com</p>")) == {
        "info@kestrelworks.com",
        "ada@kestrelworks.com",
        "u003@kestrelworks.com",
    }


def test_what_rot13_makes_of_an_address_is_none() -> None:
    """Both are domains that exist: kestrel.se and xrfgery.fr."""
    for name in ("data-rot13", "data-rot", "data-email-rot13", "data-enc-email"):
        assert emails(f'<a {name}="vasb@xrfgery.fr">x</a>') == {"info@kestrel.se": "rot13"}
    assert emails('<a data-rot13-email="info@kestrelworks.com">x</a>') == {"info@kestrelworks.com": "attribute"}


def test_found_as_is_a_closed_set_of_plain_words() -> None:
    assert {"mailto", "text", "json-ld", "cfemail", "obfuscated"} <= set(FoundAs)
    assert type(read_page("x@kestrelworks.com", URL).sightings[0].found_as) is str


def test_role_and_free_are_told() -> None:
    sightings = {sighting.email: sighting for sighting in read_page("info@kestrelworks.com ada.lind@gmail.com", URL).sightings}
    assert (sightings["info@kestrelworks.com"].role, sightings["info@kestrelworks.com"].free) == (True, False)
    assert (sightings["ada.lind@gmail.com"].role, sightings["ada.lind@gmail.com"].free) == (False, True)


def test_a_lab_may_have_top_levels_of_its_own() -> None:
    html = '<p>ada@kestrel.test</p><p>bo [at] kestrel [dot] test</p><a data-user="cy" data-domain="kestrel.test">x</a>'
    assert emails(html) == {}
    assert emails(html, extra_tlds=LAB) == {
        "ada@kestrel.test": "text",
        "bo@kestrel.test": "obfuscated",
        "cy@kestrel.test": "attribute",
    }
    assert [sighting.email for sighting in read_text("ada@kestrel.test", extra_tlds=LAB)] == ["ada@kestrel.test"]


def test_what_a_page_says_of_itself() -> None:
    html = """<html lang="de-AT"><head><title> Our \n team </title><meta name="Robots" content="index, NoFollow">
    <link rel="canonical" href="/people?utm_source=x#top"></head><body>x</body></html>"""
    page = read_page(html, URL)
    assert (page.title, page.language, page.nofollow) == ("Our team", "de-AT", True)
    assert page.canonical == "https://www.kestrelworks.com/people"


def test_a_page_without_anything_still_has_its_url() -> None:
    for html in (b"", "", b"\x00", "<!doctype html>", b"\xff\xfe\xfa"):
        page = read_page(html, URL)
        assert (page.sightings, page.links, page.canonical, page.nofollow, page.language) == ((), (), URL, False, "")


def test_a_canonical_link_to_another_host_is_not_believed() -> None:
    html = '<head><link rel="canonical" href="https://evil.test/"></head>'
    assert read_page(html, URL).canonical == URL


def test_without_a_title_the_first_heading_stands_in() -> None:
    assert read_page("<h1>Team &amp; friends</h1>", URL).title == "Team & friends"


def test_a_url_that_is_none_raises_nothing() -> None:
    for url in ("", "no url", "http://[", "mailto:x@y.z", "https://\ud800/"):
        assert read_page("<a href='/x'>ada@kestrelworks.com</a>", url).sightings[0].email == "ada@kestrelworks.com"


def test_results_are_bounded() -> None:
    many = "".join(f'<p>n{n}@kestrelworks.com</p><a href="/n{n}">x</a>' for n in range(7_000))
    page = read_page(many, URL)
    assert len(page.sightings) == MAX_SIGHTINGS
    assert len(page.links) == MAX_LINKS


def test_plain_text_is_read_without_markup() -> None:
    text = "Contact: mailto:security@kestrelworks.com\nada [at] kestrelworks [dot] com\nlogo@2x.png\n<b>cy</b>@kestrel.com"
    assert {(sighting.email, sighting.found_as) for sighting in read_text(text)} == {
        ("security@kestrelworks.com", "text"),
        ("ada@kestrelworks.com", "obfuscated"),
    }


def test_surrogates_and_control_characters_do_no_harm() -> None:
    assert emails("\ud800 ada@kestrelworks.com \x00\x01\x02 bo@kestrelworks.com") == {
        "ada@kestrelworks.com": "text",
        "bo@kestrelworks.com": "text",
    }


def test_hidden_dialogs_are_read_and_hidden_decoys_are_not() -> None:
    html = """<div class="modal" style="display:none">ada@kestrelworks.com</div>
    <div style="display:none">bo@kestrelworks.com</div><span hidden>cy@kestrelworks.com</span>"""
    assert set(emails(html)) == {"ada@kestrelworks.com"}
