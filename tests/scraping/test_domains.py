"""From entries of a list to domains: every way to write one, and what is none."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from engine.scraping import domains
from engine.scraping.domains import domain_column, wanted


@pytest.mark.parametrize(
    ("entry", "domain"),
    [
        ("example.com", "example.com"),
        (" Example.COM. ", "example.com"),
        ("www.example.com", "www.example.com"),
        ("https://example.com/contact?x=1#y", "example.com"),
        ("HTTP://Example.com:80/", "example.com"),
        ("https://example.com:443", "example.com"),
        ("http://example.com:8080/a", "example.com:8080"),
        ("example.com:8080", "example.com:8080"),
        ("example.com/about", "example.com"),
        ("//example.com", "example.com"),
        ("bücher.de", "xn--bcher-kva.de"),
        ("https://Bücher.de/", "xn--bcher-kva.de"),
        ("例え.jp", "xn--r8jz45g.jp"),
        ("ｅｘａｍｐｌｅ.com", "example.com"),
        ("192.0.2.7:8000", "192.0.2.7:8000"),
        ("[2001:db8::1]:8000", "[2001:db8::1]:8000"),
        ("http://[2001:db8::1]/", "[2001:db8::1]"),
        ("intranet:8000", "intranet:8000"),
        ("http://intranet/", "intranet"),
        ("localhost", "localhost"),
        ("anne@kestrelworks.com", "kestrelworks.com"),
    ],
)
def test_every_way_to_write_a_domain(entry, domain):
    found = wanted(entry)
    assert (found.domain, found.error) == (domain, "")
    assert wanted(found.domain).domain == domain or ":" not in domain, "its own spelling is one of them"


@pytest.mark.parametrize(
    "entry", ["", None, "Acme Inc", "acme", "ftp://example.com", "a..b", "http://", "1.2.3", 42, "x@", "-.com"]
)
def test_what_is_none_says_what_is_expected(entry):
    found = wanted(entry)
    assert "expected a domain such as example.com" in found.error
    assert found.domain == ("" if entry is None else str(entry))


def test_the_provider_of_somebodys_mailbox_is_not_somebodys_site():
    assert "provider of mailboxes" in wanted("anne@gmail.com").error
    assert not wanted("gmail.com").error


@given(st.text(max_size=80))
def test_nothing_breaks_it(text):
    found = wanted(text)
    assert found.error or found.domain.isascii()


@pytest.mark.parametrize(
    ("columns", "chosen"),
    [
        ({"name": ["Acme"], "domain": ["acme.com"]}, "domain"),
        ({"Website": ["https://acme.com"], "Notes": ["x"]}, "Website"),
        ({"Company URL": ["acme.com"], "email": ["a@acme.com"]}, "Company URL"),
        ({"Homepage": ["acme.de", None]}, "Homepage"),
        ({"a": ["Acme", "Bolt"], "b": ["acme.com", "bolt.org"]}, "b"),
        ({"a": ["Acme", "Bolt"], "b": ["http://x.test:80/", "y.test:1"]}, "b"),
        ({"domain": ["yes", "no"], "site": ["acme.com", "bolt.org"]}, "site"),
        ({"email": ["a@acme.com"], "mx": ["mx.acme.com"], "provider": ["acme.com"]}, "email"),
        ({"email": ["a@acme.com"], "source_url": ["https://acme.com/"], "domain": ["acme.com"]}, "domain"),
        ({"name": ["Anne"], "age": [3]}, None),
        ({"file": ["logo.png", "x.css"]}, None),
        ({"domain": []}, "domain"),
    ],
)
def test_the_column_of_domains_is_found(columns, chosen):
    assert domain_column(list(columns), columns) == chosen


_HOSTS = (
    "example.com Example.COM www.a-b.co.uk a_b.test x.y1 1.2.3.4 1.2.3 a..b a.b. -a.com xn--bcher-kva.de x.0xf localhost é.com"
)


@given(
    st.sampled_from(["", "", "http://", "https://", "HTTP://", "ftp://", "//", " "]),
    st.sampled_from([*_HOSTS.split(), "a" * 64 + ".com", ".".join(["a" * 60] * 5) + ".com"]),
    st.sampled_from(["", ":80", ":443", ":8080", ":0", ":08080", ":65535", ":65536", ":99999", ":"]),
    st.sampled_from(
        ["", "/", "/a/b?x=1#y", "?a=b", "/@user", "@x", "/a%20b%zz", "\\x", "/é", "/a b", "/[x]", "/:80", "/" + "p" * 300]
    ),
)
def test_the_short_way_gives_what_the_long_way_gives(scheme: str, host: str, port: str, path: str):
    entry = scheme + host + port + path
    assert wanted(entry) == domains._wanted(entry)
