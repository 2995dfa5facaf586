"""The verdict: right for every evidence, and never harsher than the evidence."""

from __future__ import annotations

from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from engine.mail.address import Flaw, parse
from engine.mail.evidence import (
    Answer,
    CatchAll,
    DomainFacts,
    DomainOutcome,
    Level,
    Mailbox,
    Reason,
    ServiceAnswer,
    Status,
)
from engine.mail.verdict import MAX_DETAIL, MAX_DOMAIN_SCORE, Evidence, verdict

ANN = parse("ann.lee@shop.test")
MAIL = DomainFacts(DomainOutcome.MAIL, ("mx1.shop.test", "mx2.shop.test"))
YAHOO = DomainFacts(DomainOutcome.MAIL, ("mta5.am0.yahoodns.net",))
OWN_TROUBLE = [
    Answer.BLOCKED,
    Answer.GREYLISTED,
    Answer.RATE_LIMITED,
    Answer.NO_CONNECTION,
    Answer.TIMEOUT,
    Answer.UNCLEAR,
    Answer.NO_SMTPUTF8,
]


def decided(address=ANN, domain=MAIL, mailbox=None, service=None):
    found = verdict(Evidence(address, domain, mailbox, service))
    return found.status.value, found.reason.value, found.level.value


def test_a_flaw_is_invalid_syntax():
    assert decided(Flaw("An email address must have an @-sign."), None) == ("invalid", "invalid_syntax", "syntax")
    found = verdict(Evidence(parse("ann@gmailcom")))
    assert (found.score, found.suggestion) == (0, "gmail.com")


@pytest.mark.parametrize(
    ("outcome", "told"),
    [
        (DomainOutcome.MAIL, ("valid", "domain_accepts_mail", "domain")),
        (DomainOutcome.NO_DOMAIN, ("invalid", "no_domain", "domain")),
        (DomainOutcome.NULL_MX, ("invalid", "null_mx", "domain")),
        (DomainOutcome.NO_HOST, ("invalid", "no_host", "domain")),
        (DomainOutcome.ERROR, ("unknown", "dns_error", "domain")),
    ],
)
def test_what_the_domain_decides(outcome, told):
    assert decided(domain=DomainFacts(outcome)) == told


@pytest.mark.parametrize(
    ("answer", "told"),
    [
        (Answer.NOT_FOUND, ("invalid", "mailbox_not_found", "mailbox")),
        (Answer.DISABLED, ("invalid", "mailbox_disabled", "mailbox")),
        (Answer.NO_MAIL, ("invalid", "null_mx", "mailbox")),
        (Answer.FULL, ("risky", "mailbox_full", "mailbox")),
        (Answer.BLOCKED, ("unknown", "blocked", "domain")),
        (Answer.GREYLISTED, ("unknown", "greylisted", "domain")),
        (Answer.RATE_LIMITED, ("unknown", "rate_limited", "domain")),
        (Answer.NO_CONNECTION, ("unknown", "no_connection", "domain")),
        (Answer.TIMEOUT, ("unknown", "timeout", "domain")),
        (Answer.NO_SMTPUTF8, ("unknown", "no_smtputf8", "domain")),
        (Answer.UNCLEAR, ("unknown", "blocked", "domain")),
    ],
)
def test_what_the_mail_server_decides(answer, told):
    assert decided(mailbox=Mailbox(answer)) == told
    assert decided(domain=YAHOO, mailbox=Mailbox(answer)) == told


@pytest.mark.parametrize(
    ("catch_all", "anywhere", "where_probes_are_resisted"),
    [
        (CatchAll.YES, ("risky", "catch_all", "mailbox"), ("unknown", "anti_probe_provider", "mailbox")),
        (CatchAll.INCONCLUSIVE, ("unknown", "catch_all_inconclusive", "mailbox"), ("unknown", "anti_probe_provider", "mailbox")),
        (None, ("unknown", "catch_all_inconclusive", "mailbox"), ("unknown", "anti_probe_provider", "mailbox")),
        (CatchAll.NO, ("valid", "mailbox_exists", "mailbox"), ("valid", "mailbox_exists", "mailbox")),
    ],
)
def test_an_accepted_recipient_counts_by_what_an_invented_one_got(catch_all, anywhere, where_probes_are_resisted):
    mailbox = Mailbox(Answer.EXISTS, catch_all)
    assert decided(mailbox=mailbox) == anywhere
    assert decided(domain=YAHOO, mailbox=mailbox) == where_probes_are_resisted


def test_a_server_that_will_not_verify_leaves_it_open():
    assert decided(mailbox=Mailbox(Answer.UNCLEAR, code=252)) == ("unknown", "catch_all_inconclusive", "domain")


@pytest.mark.parametrize("mailbox", [None, Mailbox(Answer.EXISTS, CatchAll.NO)])
@pytest.mark.parametrize(
    ("text", "reason"),
    [
        ("ann@mailinator.com", "disposable"),
        ("info@shop.test", "role"),
        ("Sales+x@shop.test", "role"),
        ("info@mailinator.com", "disposable"),
    ],
)
def test_disposable_and_role_addresses_are_risky(text, reason, mailbox):
    status, why, level = decided(parse(text), mailbox=mailbox)
    assert (status, why) == ("risky", reason)
    assert level == ("domain" if mailbox is None else "mailbox")


def test_lists_change_nothing_else():
    info = parse("info@shop.test")
    assert decided(info, mailbox=Mailbox(Answer.NOT_FOUND))[1] == "mailbox_not_found"
    assert decided(info, mailbox=Mailbox(Answer.EXISTS, CatchAll.YES))[1] == "catch_all"
    assert decided(info, mailbox=Mailbox(Answer.TIMEOUT))[1] == "timeout"


def test_the_detail_is_for_a_reader():
    reply = Mailbox(Answer.NOT_FOUND, None, "mx2.shop.test", 550, "5.1.1", "5.1.1 user unknown")
    found = verdict(Evidence(ANN, MAIL, reply))
    assert found.detail == "The mail server says there is no such mailbox: 550 5.1.1 user unknown"
    assert (found.mx, found.catch_all) == ("mx2.shop.test", False)
    assert verdict(Evidence(ANN, YAHOO)).provider == "yahoo"
    assert verdict(Evidence(ANN, DomainFacts(DomainOutcome.ERROR, detail="SERVFAIL"))).detail.endswith(": SERVFAIL")
    assert verdict(Evidence(ANN, MAIL, Mailbox(Answer.NOT_FOUND, reply="no" * 300))).detail.endswith("…")


def test_a_hint_is_a_hint():
    found = verdict(Evidence(parse("ann@gmial.com"), DomainFacts(DomainOutcome.NO_DOMAIN)))
    assert found.suggestion == "gmail.com"
    assert verdict(Evidence(parse("ann@gmail.com"), MAIL)).suggestion == ""


class TestService:
    def told(self, **answer):
        return decided(domain=None, service=ServiceAnswer(**answer))

    def test_its_word_is_taken(self):
        for status, reason in ((Status.VALID, Reason.MAILBOX_EXISTS), (Status.INVALID, Reason.MAILBOX_NOT_FOUND)):
            assert self.told(status=status, reason=reason) == (status.value, reason.value, "mailbox")

    def test_a_catch_all_is_always_risky(self):
        for status in Status:
            assert self.told(status=status, reason=Reason.MAILBOX_EXISTS, catch_all=True) == ("risky", "catch_all", "mailbox")

    def test_its_flags_count_like_ours(self):
        valid = ServiceAnswer(Status.VALID, Reason.MAILBOX_EXISTS, role=False)
        assert decided(service=valid)[:2] == ("valid", "mailbox_exists")
        assert decided(service=replace(valid, role=True))[:2] == ("risky", "role")
        assert decided(service=replace(valid, role=True, disposable=True))[:2] == ("risky", "disposable")
        assert decided(parse("info@shop.test"), service=valid)[:2] == ("risky", "role")

    def test_without_an_answer_nothing_is_known(self):
        assert self.told(status=Status.INVALID, catch_all=True, error="The key was refused.") == (
            "unknown",
            "service_error",
            "syntax",
        )
        failed = ServiceAnswer(error="The key was refused.")
        assert decided(service=failed) == ("unknown", "service_error", "domain")

    def test_it_can_not_give_a_mailbox_to_a_domain_without_mail(self):
        valid = ServiceAnswer(Status.VALID, Reason.MAILBOX_EXISTS)
        assert decided(domain=DomainFacts(DomainOutcome.NO_DOMAIN), service=valid)[1] == "no_domain"
        assert decided(domain=DomainFacts(DomainOutcome.ERROR), service=valid)[1] == "mailbox_exists"

    def test_its_score_stays_within_the_status(self):
        for status in Status:
            for score in (0, 50, 100, 1_000, -1):
                assert 0 <= verdict(Evidence(ANN, service=ServiceAnswer(status, Reason.ROLE, score=score))).score <= 100


texts = st.text(max_size=40)
locals_ = st.sampled_from(["ann.lee", "info", "sales+x", "jörg"])
domains = st.sampled_from(["shop.test", "gmail.com", "gmial.com", "mailinator.com", "duck.com", "bücher.de", "acme.con"])
addresses = st.one_of(
    st.builds(lambda a, b: parse(f"{a}@{b}"), locals_, domains), st.builds(parse, texts), st.builds(Flaw, texts, texts)
)
hosts = st.sampled_from(["mx.shop.test", "mta5.am0.yahoodns.net", "mx1.mimecast.com", ""])
facts = st.builds(DomainFacts, st.sampled_from(DomainOutcome), st.lists(hosts, max_size=3).map(tuple), st.booleans(), texts)
mailboxes = st.builds(
    Mailbox,
    st.sampled_from(Answer),
    st.none() | st.sampled_from(CatchAll),
    hosts,
    st.none() | st.integers(0, 999),
    st.sampled_from(["", "5.1.1"]),
    st.text(max_size=300),
)
maybe = st.none() | st.booleans()
scores = st.none() | st.integers(-10, 1_000)
errors = st.sampled_from(["", "The service did not answer."])
services = st.builds(
    ServiceAnswer,
    st.sampled_from(Status),
    st.sampled_from(Reason),
    scores,
    maybe,
    maybe,
    maybe,
    maybe,
    texts,
    texts,
    texts,
    errors,
)
evidences = st.builds(Evidence, addresses, st.none() | facts, st.none() | mailboxes, st.none() | services)
RANK = {Status.INVALID: (0, 9), Status.RISKY: (30, 59), Status.VALID: (60, 100), Status.UNKNOWN: (10, 59)}


@given(evidences)
def test_every_evidence_has_one_verdict(evidence):
    found = verdict(evidence)
    assert found == verdict(evidence)
    low, high = RANK[found.status]
    assert low <= found.score <= high
    assert found.level != Level.DOMAIN or found.score <= MAX_DOMAIN_SCORE
    assert len(found.detail) <= MAX_DETAIL
    assert "\n" not in found.detail
    assert found.final == (found.status != Status.UNKNOWN)


@given(
    addresses.filter(lambda a: not isinstance(a, Flaw)), facts, st.builds(Mailbox, st.sampled_from(OWN_TROUBLE), st.none(), hosts)
)
def test_our_own_trouble_is_never_invalid(address, domain, mailbox):
    found = verdict(Evidence(address, domain, mailbox))
    if domain.outcome in (DomainOutcome.MAIL, DomainOutcome.ERROR):
        assert (found.status, found.level) == (Status.UNKNOWN, Level.DOMAIN)


@given(addresses.filter(lambda a: not isinstance(a, Flaw)), st.none() | mailboxes)
def test_a_failing_dns_is_never_invalid(address, mailbox):
    assert verdict(Evidence(address, DomainFacts(DomainOutcome.ERROR), mailbox)).status == Status.UNKNOWN
    assert (
        verdict(Evidence(address, DomainFacts(DomainOutcome.ERROR), mailbox, ServiceAnswer(error="no"))).status == Status.UNKNOWN
    )


@given(evidences)
def test_only_an_accepted_recipient_is_called_unproven(evidence):
    if verdict(evidence).reason == Reason.ANTI_PROBE_PROVIDER and evidence.service is None:
        assert evidence.mailbox is not None
        assert evidence.mailbox.answer == Answer.EXISTS
