"""Addresses of invented people: well formed, in the zone of nobody, different for every item."""

from __future__ import annotations

import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from engine.mail.address import Address, parse
from engine.mail.drafting import MADE_UP, address_of, initials_of, is_made_up, made_up_address
from engine.mail.drafting.addresses import name_in_letters
from engine.mail.drafting.slices import PAIRS


@pytest.mark.parametrize(
    ("first", "last", "company", "address"),
    [
        ("Ann", "Hill", "Hill & Sons Ltd.", "ann.hill@hill-sons-ltd.synthetic.example"),
        ("José María", "O'Brien-Núñez", "Café Ñandú", "josemaria.obriennunez@cafe-nandu.synthetic.example"),
        ("Дмитрий", "Иванов", "Ромашка", "dmitriy.ivanov@romashka.synthetic.example"),
        ("Bo", "Li", "!!!", "bo.li@company.synthetic.example"),
        ("Bo", "Li", "--xn--", "bo.li@xn.synthetic.example"),
    ],
)
def test_an_address_is_built_from_the_names(first, last, company, address):
    assert made_up_address(first, last, company) == address
    assert made_up_address(first, last, company, 12) == address.replace("@", "12@")


@given(st.text(min_size=1), st.text(min_size=1), st.text())
def test_every_address_is_well_formed_and_made_up(first, last, company):
    assume(name_in_letters(first) and name_in_letters(last))
    address = parse(made_up_address(first, last, company, 123_456_789))
    assert isinstance(address, Address), address
    assert is_made_up(address.key) and is_made_up(address.domain)


@pytest.mark.parametrize("text", [MADE_UP, f"a@b.{MADE_UP}", f"A@B.{MADE_UP.upper()}.", f"Ann <a@b.{MADE_UP}>", f" x@{MADE_UP} "])
def test_the_zone_is_told_whatever_stands_around(text):
    assert is_made_up(text)


@pytest.mark.parametrize(
    "text", ["", "example", "a@example", "a@notsynthetic.example", f"a@{MADE_UP}.com", f"{MADE_UP}@shop.test"]
)
def test_other_domains_are_not_made_up(text):
    assert not is_made_up(text)


def test_initials_come_once_each_before_they_come_again():
    for seed in (0, 1, 999):
        assert len({str(initials_of(item, seed)) for item in range(PAIRS)}) == PAIRS
        assert initials_of(PAIRS, seed) == initials_of(0, seed)
    assert len({str(initials_of(item, 7))[0] for item in range(5)}) > 2, "one request gets different letters"


NAMES = st.sampled_from(["Ann", "Adam", "Bea", "Ben", "Cy", "Mo", "Mia"])
SURNAMES = st.sampled_from(["Hill", "Hall", "Smith", "Sand", "Moor", "Rau"])


@given(st.lists(st.tuples(NAMES, SURNAMES, st.sampled_from(["Acme", "acme!", "Oak"])), max_size=2 * PAIRS), st.integers(0, 2**53))
def test_no_two_items_share_an_address_whoever_was_invented(people, seed):
    addresses = [address_of(item, seed, *person) for item, person in enumerate(people)]
    assert len(set(addresses)) == len(addresses)


def test_who_has_the_items_initials_needs_no_number():
    pair = initials_of(3, 42)
    assert address_of(3, 42, f"{pair.first}nna", f"{pair.last}ohr", "Acme") == (
        f"{pair.first.lower()}nna.{pair.last.lower()}ohr@acme.{MADE_UP}"
    )
    assert address_of(3 + PAIRS, 42, f"{pair.first}nna", f"{pair.last}ohr", "Acme").partition("@")[0].endswith(str(4 + PAIRS))
