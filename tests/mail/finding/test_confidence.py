"""How sure: the order of evidence, the cap on catch-all domains, and the sentence."""

from __future__ import annotations

from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from engine.mail.evidence import Level, Status
from engine.mail.finding import CATCH_ALL_MOST, Support, confidence, explain, learn
from tests.mail.finding.folk import taught

LEARNED = learn(taught("flast", 4))
PATTERN = Support(pattern="flast", prior=0.7, learned=LEARNED)
PRIOR = Support(pattern="first.last", prior=0.4)


def verified(support: Support) -> Support:
    return replace(support, status=Status.VALID, level=Level.MAILBOX, catch_all=False)


VERIFIED = verified(PRIOR)
BOTH = verified(PATTERN)
SEEN = Support(pages=1)

supports = st.builds(
    Support,
    pages=st.integers(0, 5),
    named=st.booleans(),
    status=st.none() | st.sampled_from(Status),
    level=st.none() | st.sampled_from(Level),
    catch_all=st.none() | st.booleans(),
    pattern=st.sampled_from(["", "flast", "first.last"]),
    prior=st.floats(0, 1),
    learned=st.none() | st.just(LEARNED),
)


def test_the_order_of_evidence():
    scores = [confidence(support) for support in (PRIOR, PATTERN, VERIFIED, BOTH, SEEN)]
    assert scores == sorted(set(scores))
    assert scores[-1] >= 95
    assert scores[-2] < 95


@given(supports)
def test_bounds(support):
    score = confidence(support)
    assert 0 <= score <= 100
    if support.catch_all:
        assert score <= CATCH_ALL_MOST == 60
    if support.status is Status.INVALID:
        assert score <= 3
    if not support.pages and not support.verified:
        assert score <= CATCH_ALL_MOST
    if score >= 95:
        assert support.pages


@given(supports, st.floats(0, 1))
def test_more_prior_never_lowers(support, prior):
    low, high = sorted([support.prior, prior])
    assert confidence(replace(support, prior=low)) <= confidence(replace(support, prior=high))


@given(supports)
def test_a_page_never_lowers(support):
    assert confidence(support) <= confidence(replace(support, pages=support.pages + 1, named=True))


@given(supports)
def test_one_plain_sentence(support):
    text = explain(support)
    assert text[0].isupper()
    assert text.endswith(".")
    assert "\n" not in text
    assert len(text) < 200


def test_a_domain_that_takes_mail_proves_nothing_about_the_mailbox():
    reachable = replace(PATTERN, status=Status.VALID, level=Level.DOMAIN)
    assert confidence(reachable) == confidence(PATTERN)
    assert confidence(replace(PATTERN, status=Status.UNKNOWN)) == confidence(PATTERN)


SENTENCES = [
    (SEEN, "Seen on a page of the domain; not verified."),
    (verified(replace(SEEN, pages=3)), "Seen on 3 pages of the domain; the mail server takes it and refuses an invented one."),
    (BOTH, "Built as flast, like all 4 known addresses of this domain; the mail server takes it and refuses an invented one."),
    (PRIOR, "Built as first.last, from what is common elsewhere; not verified."),
    (
        replace(PATTERN, status=Status.RISKY, level=Level.MAILBOX, catch_all=True),
        "Built as flast, like all 4 known addresses of this domain; "
        "the domain takes mail for any address, so nothing confirms it.",
    ),
    (
        replace(PATTERN, pattern="first", status=Status.INVALID, level=Level.MAILBOX),
        "Built as first, which no known address of this domain shows; but it does not work.",
    ),
]


@pytest.mark.parametrize(("support", "sentence"), SENTENCES)
def test_sentences(support, sentence):
    assert explain(support) == sentence
