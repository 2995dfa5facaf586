"""Addresses: one key each, the fast path agreeing with the library, and a reason for what is refused."""

from __future__ import annotations

import time
import timeit

import pytest
from email_validator import EmailNotValidError, validate_email
from hypothesis import example, given
from hypothesis import strategies as st

from engine.mail.address import MAX_MESSAGE, Address, Flaw, domain_of, folded, parse
from engine.mail.address import _plain as plain


def library(text):
    """What email-validator makes of it, None when it refuses; a name without a dot is refused by us alone."""
    try:
        found = validate_email(text, check_deliverability=False, test_environment=True, strict=True)
    except EmailNotValidError:
        return None
    return found if "." in found.ascii_domain else None


def ours(text: str) -> Address | None:
    found = parse(text)
    return found if isinstance(found, Address) else None


def address(text: str) -> Address:
    found = parse(text)
    assert isinstance(found, Address)
    return found


@pytest.mark.parametrize(
    ("text", "normalized", "key"),
    [
        ("ann@shop.test", "ann@shop.test", "ann@shop.test"),
        ("Ann.Lee@Shop.TEST", "Ann.Lee@shop.test", "ann.lee@shop.test"),
        ("INFO@Shop.test", "info@shop.test", "info@shop.test"),
        ("  ann@shop.test\n", "ann@shop.test", "ann@shop.test"),
        ("\ufeffann@shop.test\u200b", "ann@shop.test", "ann@shop.test"),
        ("\xa0ann@shop.test", "ann@shop.test", "ann@shop.test"),
        ("<ann@shop.test>", "ann@shop.test", "ann@shop.test"),
        ("Ann Lee <Ann@shop.test>", "Ann@shop.test", "ann@shop.test"),
        ('"Lee, Ann" <ann@shop.test> ', "ann@shop.test", "ann@shop.test"),
        ("mailto:ann@shop.test", "ann@shop.test", "ann@shop.test"),
        ("MAILTO:ann%2Bnews@shop.test?subject=Hi", "ann+news@shop.test", "ann+news@shop.test"),
        ("<mailto:ann@shop.test>", "ann@shop.test", "ann@shop.test"),
        ("o'hara+x@shop.co.uk", "o'hara+x@shop.co.uk", "o'hara+x@shop.co.uk"),
        ("Jörg@Bücher.de", "Jörg@bücher.de", "jörg@xn--bcher-kva.de"),
        ("ann@xn--bcher-kva.de", "ann@bücher.de", "ann@xn--bcher-kva.de"),
        ("jo\u0308rg@shop.test", "jörg@shop.test", "jörg@shop.test"),
        ("ann@" + "a" * 63 + ".test", "ann@" + "a" * 63 + ".test", "ann@" + "a" * 63 + ".test"),
        ("a" * 64 + "@shop.test", "a" * 64 + "@shop.test", "a" * 64 + "@shop.test"),
    ],
)
def test_an_address(text, normalized, key):
    found = parse(text)
    assert isinstance(found, Address)
    assert (found.normalized, found.key) == (normalized, key)
    assert found.domain == key.rpartition("@")[2]
    assert found.smtputf8 == (not found.local.isascii())


@pytest.mark.parametrize(
    "text",
    [
        "",
        "  ",
        "ann",
        "ann@",
        "@shop.test",
        "ann@localhost",
        "ann@test",
        "ann@shop",
        "ann@@shop.test",
        "ann lee@shop.test",
        "ann@shop..test",
        ".ann@shop.test",
        "ann.@shop.test",
        "an..n@shop.test",
        "ann@shop_x.test",
        "ann@-shop.test",
        "ann@shop-.test",
        "ann@shop.123",
        "ann@1.2.3.4",
        "ann@[192.0.2.1]",
        '"ann lee"@shop.test',
        "ann@ab--cd.test",
        "ann@shop.local",
        "ann@x.invalid",
        "ann@x.onion",
        "a" * 65 + "@shop.test",
        "ann@" + "a" * 64 + ".test",
        "ann@" + "a.b." * 62 + "test",
        "ann@shop.test, bob@shop.test",
        "ann@shop.test.",
        "ann\x00@shop.test",
        "ann@sh\u200bop.test",
        "ann＠shop.test",
        "\ud800@shop.test",
        "x" * 5_000,
        "<>",
        "mailto:",
    ],
)
def test_no_address(text):
    found = parse(text)
    assert isinstance(found, Flaw)
    assert found.message.endswith((".", "…"))
    assert len(found.message) <= MAX_MESSAGE
    found.message.encode()


def test_a_flaw_knows_what_domain_was_meant():
    assert parse("ann@gmailcom") == Flaw("The part after the @-sign is not valid. It should have a period.", "gmailcom")


def test_letters_of_other_cases_are_other_mailboxes_only_in_case():
    keys = {address(text).key for text in ("straße@shop.test", "STRAßE@shop.test", "strasse@shop.test", "Strasse@shop.test")}
    assert keys == {"straße@shop.test", "strasse@shop.test"}


def test_gmail_addresses_fold_for_comparing():
    assert folded(address("A.n.n+x@googlemail.com")) == "ann@gmail.com"
    assert folded(address("Ann@gmail.com")) == "ann@gmail.com"
    assert folded(address("A.n.n+x@shop.test")) == "a.n.n+x@shop.test"


def test_the_domain_of_a_text():
    assert [domain_of(text) for text in ("ann@Shop.test", "a@b@c.test", "ann", "")] == ["shop.test", "c.test", "", ""]


atoms = st.text("abzABZ019!#$%&'*+/=?^_`{|}~-.", min_size=1, max_size=20)
labels = st.text("abxnzAZ019-_", min_size=1, max_size=12)
endings = st.sampled_from(
    ["test", "com", "TEST", "local", "localhost", "onion", "arpa", "invalid", "c", "1", "c0m", "a1", "xn--p1ai"]
)
plain_looking = st.builds(lambda a, b, c: f"{a}@{'.'.join([*b, c])}", atoms, st.lists(labels, max_size=4), endings)


@given(plain_looking)
@example("Postmaster@Shop.test")
@example("ABUSE@xn--a.test")
@example("a" * 64 + "@b.test")
def test_the_fast_path_agrees_with_the_library(text):
    expected, found = library(text), ours(text)
    assert (found is None) == (expected is None)
    if found is not None and expected is not None:
        assert found.normalized == expected.normalized
        assert found.domain == expected.ascii_domain
        assert found.local == expected.local_part
        assert found.smtputf8 == expected.smtputf8


words = st.text("abz019", min_size=1, max_size=6)
hosts = st.lists(st.lists(words, min_size=1, max_size=2).map("-".join), min_size=1, max_size=3).map(".".join)
atom = st.text("abz019!#$%&'*+/=?^_`{|}~-", min_size=1, max_size=8)
accepted = st.builds(
    lambda a, b, c: f"{'.'.join(a)}@{b}.{c}", st.lists(atom, min_size=1, max_size=3), hosts, st.sampled_from(["test", "co", "x"])
)


@given(accepted.filter(lambda text: len(text) <= 63 and plain(text) is not None))
def test_what_the_pattern_accepts_the_library_accepts(text):
    found, expected = parse(text), library(text)
    assert isinstance(found, Address)
    assert expected is not None
    assert found == Address(expected.normalized, text, expected.local_part, expected.ascii_domain, False)


@given(
    st.one_of(
        st.text(), st.text(max_size=30).map(lambda t: f"{t}@shop.test"), st.text(max_size=10).map(lambda t: f"ann@{t}.test")
    )
)
def test_every_text_is_one_or_the_other(text):
    found = parse(text)
    if isinstance(found, Address):
        again = parse(found.key)
        assert isinstance(again, Address)
        assert again.key == found.key
        assert parse(found.normalized) == found
        assert found.domain.isascii()


def test_plain_addresses_are_parsed_at_once():
    rounds = 20_000
    assert min(timeit.repeat(lambda: parse("john.smith@example.com"), number=rounds, repeat=5)) / rounds < 10e-6


def test_long_rubbish_is_refused_in_time():
    for text in (
        "a" * 1_000_000,
        "@" * 1_000,
        "a." * 500 + "@x.test",
        "a@" + "b." * 490 + "c",
        "<" * 1_000_000 + ">",
        "é" * 999 + "@x.test",
    ):
        started = time.perf_counter()
        parse(text)
        assert time.perf_counter() - started < 1
