"""URLs: where to begin, what is one host, and what is no URL."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from engine.net.http import start_urls
from engine.net.http_urls import BadUrl, target


@pytest.mark.parametrize(
    ("text", "urls"),
    [
        ("example.com", ["https://example.com/", "http://example.com/"]),
        ("  Example.COM.  ", ["https://example.com/", "http://example.com/"]),
        ("example.com/about?x=1#top", ["https://example.com/about?x=1", "http://example.com/about?x=1"]),
        ("//example.com", ["https://example.com/", "http://example.com/"]),
        ("localhost:8080", ["https://localhost:8080/", "http://localhost:8080/"]),
        ("a.test:8080/x", ["https://a.test:8080/x", "http://a.test:8080/x"]),
        ("example.com:443", ["https://example.com/"]),
        ("example.com:80", ["http://example.com/"]),
        ("http://example.com", ["http://example.com/"]),
        ("HTTPS://example.com/x y", ["https://example.com/x%20y"]),
        ("bücher.example", ["https://xn--bcher-kva.example/", "http://xn--bcher-kva.example/"]),
        ("BÜCHER。example:8080", ["https://xn--bcher-kva.example:8080/", "http://xn--bcher-kva.example:8080/"]),
        ("faß.example", ["https://xn--fa-hia.example/", "http://xn--fa-hia.example/"]),
        ("xn--bcher-kva.example", ["https://xn--bcher-kva.example/", "http://xn--bcher-kva.example/"]),
        ("http://пример.example/страница", ["http://xn--e1afmkfd.example/%D1%81%D1%82%D1%80%D0%B0%D0%BD%D0%B8%D1%86%D0%B0"]),
        ("192.0.2.1", ["https://192.0.2.1/", "http://192.0.2.1/"]),
        ("[::1]:8080", ["https://[::1]:8080/", "http://[::1]:8080/"]),
        ("::1", ["https://[::1]/", "http://[::1]/"]),
        ("", []),
        ("mailto:someone@example.com", []),
        ("someone@example.com", []),
        ("ftp://example.com", []),
        ("javascript:alert(1)", []),
        ("two words", []),
        ("-", []),
        ("127.1", []),
        ("http://", []),
        ("example.com:99999", []),
        ("a" * 300, []),
    ],
)
def test_where_to_begin(text: str, urls: list[str]) -> None:
    assert start_urls(text) == urls


def test_a_host_is_one_by_http_and_https_and_others_by_their_ports() -> None:
    assert target("http://a.test/x").place == target("https://A.test:443/").place == "a.test"
    assert target("http://a.test:8080/").place == "a.test:8080"
    assert target("http://a.test:80/").origin == "http://a.test"
    assert target("https://[2606:2800::1]:8443/").origin == "https://[2606:2800::1]:8443"


def test_links_are_resolved_where_they_were_found() -> None:
    base = target("https://a.test/one/two?q=1")
    assert target("../three#x", base).url == "https://a.test/three"
    assert target("//b.test", base).url == "https://b.test/"
    assert target("?q=2", base).url == "https://a.test/one/two?q=2"


@given(st.text(max_size=80))
def test_any_text_is_a_url_or_is_not(text: str) -> None:
    for url in start_urls(text):
        assert target(url).url == url and url.isascii()
    for tried in (text, f"http://{text}", f"http://a.test/{text}"):
        try:
            assert target(target(tried).url).url == target(tried).url
        except BadUrl as error:
            assert str(error)
