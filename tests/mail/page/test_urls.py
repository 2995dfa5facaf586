"""URLs: one spelling each, and which of them are worth reading."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from engine.mail.page import canonical_url
from engine.mail.page.urls import absolute, is_worth_reading

SPELLINGS = [
    ("HTTP://Www.Kestrel.TEST", "http://www.kestrel.test/"),
    ("https://kestrel.test:443/a", "https://kestrel.test/a"),
    ("http://kestrel.test:80", "http://kestrel.test/"),
    ("http://kestrel.test:8080/", "http://kestrel.test:8080/"),
    ("https://kestrel.test/a#part", "https://kestrel.test/a"),
    ("https://kestrel.test/a/./b/../c", "https://kestrel.test/a/c"),
    ("https://kestrel.test/../../a", "https://kestrel.test/a"),
    ("https://kestrel.test/a/..", "https://kestrel.test/"),
    ("https://kestrel.test/%7Eada/%e4", "https://kestrel.test/~ada/%E4"),
    ("https://kestrel.test/a b", "https://kestrel.test/ab"),
    ("https://kestrel.test/ü", "https://kestrel.test/%C3%BC"),
    ("https://kestrel.test/100%", "https://kestrel.test/100%25"),
    ("https://bücher.test/", "https://xn--bcher-kva.test/"),
    ("https://kestrel.test./a", "https://kestrel.test/a"),
    ("https://kestrel.test/a?utm_source=x&id=3&fbclid=y", "https://kestrel.test/a?id=3"),
    ("https://kestrel.test/a;jsessionid=ABC?x=1", "https://kestrel.test/a?x=1"),
    ("https://kestrel.test/a?", "https://kestrel.test/a"),
    ("https://kestrel.test?b=2", "https://kestrel.test/?b=2"),
    ("http://[::1]:8000/a", "http://[::1]:8000/a"),
    ("http://127.0.0.1:8000/a", "http://127.0.0.1:8000/a"),
    ("\thttps://kestrel.test/a\n", "https://kestrel.test/a"),
]


@pytest.mark.parametrize(("url", "expected"), SPELLINGS)
def test_a_url_has_one_spelling(url: str, expected: str) -> None:
    assert canonical_url(url) == expected
    assert canonical_url(expected) == expected


@pytest.mark.parametrize(
    "url",
    [
        *(
            "",
            "kestrel.test",
            "ftp://kestrel.test/",
            "mailto:a@b.c",
            "javascript:x",
            "http://",
            "http:///a",
            "http://user@kestrel.test/",
        ),
        *(
            "http://u:p@kestrel.test/",
            "http://kestrel.test:99999/",
            "http://[::1",
            "http://ex\ud800/",
            "https://kestrel.test/" + "a" * 3_000,
        ),
    ],
)
def test_what_is_no_web_page_has_none(url: str) -> None:
    assert canonical_url(url) is None


@given(st.text(max_size=60))
def test_any_text_is_a_url_or_none_and_stays_so(text: str) -> None:
    for url in (text, "https://kestrel.test/" + text, "https://" + text + "/x"):
        found = canonical_url(url)
        assert found is None or canonical_url(found) == found


@given(st.from_regex(r"/?[a-z0-9./?=&%;:#_~-]{0,40}", fullmatch=True))
def test_a_link_is_joined_as_the_standard_library_joins_it(href: str) -> None:
    from urllib.parse import urljoin

    base = "https://kestrel.test/a/b.html"
    if href and not href.startswith("#"):
        try:
            joined = urljoin(base, href)
        except ValueError:
            return
        assert absolute(href, base) == canonical_url(joined)


@pytest.mark.parametrize(
    "path",
    """/a.pdf /logo.PNG /x.css /app.js /feed/ /rss /logout /log-out /sign-off?x=1 /wp-json/x /wp-admin/ /wp-login.php /xmlrpc.php
    /cdn-cgi/l/x /post/trackback/ /calendar/2026/05 /events/list/2026-05 /2026/05/04/ /a?replytocom=3 /a?x=1&add-to-cart=9
    /a?action=logout /a?month=5 /a?sort=name /a?s=word /a/b/a/b/a/b /1/2/3/4/5/6/7/8/9/10/11/12/13/14/15/16 /a.zip /a.mp4
    /ical.ics""".split(),
)
def test_traps_and_files_are_not_worth_reading(path: str) -> None:
    assert not is_worth_reading("https://kestrel.test" + path)


@pytest.mark.parametrize(
    "path",
    """/ /contact /kontakt.html /index.php /impressum.htm /team/ada.lind /a?page=2 /index.php?option=com_contact&view=contact&id=1
    /news/2026/harbour /events /calendar /logos /blog/logging-out-loud /a.b/c /team.aspx?id=5 /humans.txt""".split(),
)
def test_pages_are_worth_reading(path: str) -> None:
    assert is_worth_reading("https://kestrel.test" + path)
