"""Provider domains: what is accepted and what is said about the rest."""

from __future__ import annotations

import pytest

from engine.mail.providers import DEFAULT_PROVIDERS, ascii_domain


@pytest.mark.parametrize(
    ("text", "domain"),
    [
        ("gmail.com", "gmail.com"),
        (" @GMail.com. ", "gmail.com"),
        ("bücher.de", "xn--bcher-kva.de"),
        ("mail.example", "mail.example"),
        ("a-b.co.uk", "a-b.co.uk"),
    ],
)
def test_valid_domains(text, domain):
    assert ascii_domain(text) == domain


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("localhost", "incomplete"),
        ("", "incomplete"),
        ("g mail.com", "not valid"),
        ("-a.com", "not valid"),
        ("a-.com", "not valid"),
        ("a..com", "not valid"),
        ("a" * 64 + ".com", "not valid"),
        ("me@gmail.com", "not valid"),
        ("a.b" * 100, "not valid"),
        ("192.168.0.1", "network address"),
        ("☃☃.de", "internationalised"),
    ],
)
def test_wrong_domains_are_explained_and_not_repeated(text, told):
    with pytest.raises(ValueError, match=told) as caught:
        ascii_domain(text)
    assert not text or text not in str(caught.value)


def test_the_default_providers_are_valid():
    assert [ascii_domain(domain) for domain, _ in DEFAULT_PROVIDERS] == [domain for domain, _ in DEFAULT_PROVIDERS]
    assert all(weight > 0 for _, weight in DEFAULT_PROVIDERS)
