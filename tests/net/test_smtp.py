"""The prober against the lab: what each kind of mail exchanger leads to."""

from __future__ import annotations

import asyncio
import socket
from collections.abc import Callable, Iterator
from typing import Any

import pytest

from engine.errors import ConfigError
from engine.mail.address import Address, parse
from engine.mail.evidence import Answer, CatchAll, DomainFacts, DomainOutcome, Mailbox
from engine.net.dns import FakeResolver
from engine.net.guard import Guard
from engine.net.smtp import FakeProber, Prober, SmtpProber
from tests.lab.hurrying import hurried
from tests.lab.smtp import LabSmtp
from tests.net.probing import address, facts, prober_for


@pytest.fixture
def mx() -> Iterator[LabSmtp]:
    with LabSmtp() as server:
        yield server


WORDS = ("missing", "ok", "full")


async def ask(mx: LabSmtp, text: str, **options: Any) -> Mailbox:
    async with hurried(mx, 5.0), prober_for(mx, timeout=5.0, **options) as prober:
        return await prober.probe(address(text), facts("mx.one.test"))


@pytest.mark.parametrize(
    ("local", "answer", "code"),
    [
        ("ok", Answer.EXISTS, 250),
        ("missing", Answer.NOT_FOUND, 550),
        ("talkative", Answer.NOT_FOUND, 550),
        ("full", Answer.FULL, 452),
        ("overquota", Answer.FULL, 552),
        ("disabled", Answer.DISABLED, 550),
        ("blocked", Answer.BLOCKED, 550),
        ("policy", Answer.BLOCKED, 550),
        ("denied", Answer.NOT_FOUND, 550),
        ("unclear", Answer.UNCLEAR, 550),
        ("nomail", Answer.NO_MAIL, 556),
        ("later", Answer.GREYLISTED, 450),
        ("greylisted", Answer.GREYLISTED, 450),
        ("closing", Answer.RATE_LIMITED, 421),
        ("tarpit", Answer.TIMEOUT, None),
        ("drip", Answer.TIMEOUT, None),
        ("garbage", Answer.NO_CONNECTION, None),
        ("binary", Answer.NO_CONNECTION, None),
        ("endless", Answer.NO_CONNECTION, None),
        ("chatty", Answer.NO_CONNECTION, None),
        ("reset", Answer.NO_CONNECTION, None),
        ("hangup", Answer.NO_CONNECTION, None),
    ],
)
async def test_each_personality_has_its_answer(mx: LabSmtp, local: str, answer: Answer, code: int | None) -> None:
    mailbox = await ask(mx, f"{local}@one.test")
    assert (mailbox.answer, mailbox.code) == (answer, code)
    assert mailbox.host == "mx.one.test"
    assert mailbox.reply and mailbox.reply.isprintable() and len(mailbox.reply) <= 300
    assert mx.counts.recipients[f"{local}@one.test"] == 1
    assert mx.counts.forbidden == []


async def test_what_the_server_said_is_kept(mx: LabSmtp) -> None:
    mailbox = await ask(mx, "missing@one.test")
    assert mailbox.enhanced == "5.1.1"
    assert mailbox.reply == "5.1.1 <missing@one.test>: Recipient address rejected: User unknown in virtual mailbox table"
    assert mailbox.catch_all is None


async def test_we_say_who_we_are(mx: LabSmtp) -> None:
    await ask(mx, "ok@one.test", helo="probe.lab.test", sender="postmaster@lab.test")
    assert list(mx.counts.names) == ["probe.lab.test"]
    assert list(mx.counts.senders) == ["postmaster@lab.test"]


async def test_an_accepted_target_leads_to_one_question_about_a_stranger(mx: LabSmtp) -> None:
    mailbox = await ask(mx, "ok@one.test")
    assert (mailbox.answer, mailbox.catch_all) == (Answer.EXISTS, CatchAll.NO)
    assert len(mx.counts.recipients) == 2


async def test_a_domain_that_takes_everything_is_a_catch_all(mx: LabSmtp) -> None:
    mx.domains["one.test"] = "ok"
    mailbox = await ask(mx, "jane@one.test")
    assert (mailbox.answer, mailbox.catch_all) == (Answer.EXISTS, CatchAll.YES)


@pytest.mark.parametrize("others", ["later", "blocked", "policy", "unclear", "tarpit", "hangup", "closing", "full"])
async def test_whatever_else_is_said_of_the_stranger_is_inconclusive(mx: LabSmtp, others: str) -> None:
    mx.domains["one.test"] = others
    mailbox = await ask(mx, "ok@one.test")
    assert (mailbox.answer, mailbox.catch_all) == (Answer.EXISTS, CatchAll.INCONCLUSIVE)


async def test_greylisting_passes(mx: LabSmtp) -> None:
    async with prober_for(mx) as prober:
        first = await prober.probe(address("greylisted@one.test"), facts("mx.one.test"))
        second = await prober.probe(address("greylisted@one.test"), facts("mx.one.test"))
    assert (first.answer, second.answer) == (Answer.GREYLISTED, Answer.EXISTS)


@pytest.mark.parametrize("pipelining", [True, False])
@pytest.mark.parametrize("ehlo", [True, False])
async def test_old_servers_are_asked_too(mx: LabSmtp, pipelining: bool, ehlo: bool) -> None:
    mx.set("127.0.0.1", pipelining=pipelining, ehlo=ehlo)
    async with prober_for(mx) as prober:
        answers = [(await prober.probe(address(f"{word}@one.test"), facts("mx.one.test"))).answer for word in WORDS]
    assert answers == [Answer.NOT_FOUND, Answer.EXISTS, Answer.FULL]
    counts = mx.counts
    assert counts.connections.total() == 1
    assert counts.commands["HELO"] == (0 if ehlo else 1)
    assert counts.commands["QUIT"] == 1 and counts.unfinished == 0


async def test_with_pipelining_a_question_is_one_piece(mx: LabSmtp) -> None:
    async with prober_for(mx) as prober:
        for number in range(10):
            await prober.probe(address(f"missing{number}@one.test"), facts("mx.one.test"))
    assert mx.counts.commands["RCPT"] == mx.counts.commands["MAIL"] == 10
    assert mx.counts.commands["RSET"] == 9
    assert mx.counts.batches == 12  # EHLO, ten questions, QUIT


@pytest.mark.parametrize(
    ("starttls", "secured", "connections"), [("ok", 1, 1), ("refused", 0, 1), ("broken", 0, 2), ("silent", 0, 2)]
)
async def test_tls_is_used_where_it_works(mx: LabSmtp, starttls: str, secured: int, connections: int) -> None:
    mx.set("127.0.0.1", starttls=starttls)
    async with hurried(mx, 5.0), prober_for(mx, timeout=5.0) as prober:
        for word in ("missing", "ok"):
            mailbox = await prober.probe(address(f"{word}@one.test"), facts("mx.one.test"))
    assert mailbox.answer is Answer.EXISTS
    assert mx.counts.secured == secured
    assert mx.counts.connections.total() == connections
    assert mx.counts.commands["QUIT"] == 1


@pytest.mark.parametrize(("offered", "answer"), [(True, Answer.EXISTS), (False, Answer.NO_SMTPUTF8)])
async def test_smtputf8_is_asked_for_where_it_is_needed(mx: LabSmtp, offered: bool, answer: Answer) -> None:
    mx.set("127.0.0.1", smtputf8=offered)
    mx.recipients["jürgen@one.test"] = "ok"
    mailbox = await ask(mx, "jürgen@one.test")
    assert mailbox.answer is answer
    assert mx.counts.recipients["jürgen@one.test"] == offered


async def test_a_plain_address_needs_no_smtputf8(mx: LabSmtp) -> None:
    mx.set("127.0.0.1", smtputf8=False)
    assert (await ask(mx, "ok@one.test")).answer is Answer.EXISTS


@pytest.mark.parametrize("others", ["ok", "missing"])
async def test_a_server_that_accepts_all_and_one_that_does_not(mx: LabSmtp, others: str) -> None:
    """Yahoo's way: 250 to everything. The prober reports it as it is; the verdict knows the provider."""
    mx.set("127.0.0.1", others=others)
    mailbox = await ask(mx, "jane@one.test")
    assert mailbox.catch_all is (CatchAll.YES if others == "ok" else None)


async def test_a_private_address_is_not_connected(mx: LabSmtp) -> None:
    mailbox = await ask(mx, "ok@one.test", guard=Guard())
    assert (mailbox.answer, mailbox.reply) == (Answer.NO_CONNECTION, "the exchanger's address is private")
    assert mx.counts.connections.total() == 0


async def test_a_domain_without_exchangers_has_an_answer(mx: LabSmtp) -> None:
    async with prober_for(mx) as prober:
        nowhere = await prober.probe(address("ok@one.test"), DomainFacts(DomainOutcome.NO_HOST))
        nameless = await prober.probe(address("ok@one.test"), facts("mx.nowhere.test"))
    assert (nowhere.answer, nowhere.reply) == (Answer.NO_CONNECTION, "the domain has no mail exchanger")
    assert (nameless.answer, nameless.reply) == (Answer.NO_CONNECTION, "the exchanger has no address")


async def test_no_command_can_be_smuggled_in(mx: LabSmtp) -> None:
    async with prober_for(mx) as prober:
        for local in ("a>\r\nDATA\r\n<b", "a b", "a>b"):
            crooked = Address("x@one.test", "x@one.test", local, "one.test", False)
            assert (await prober.probe(crooked, facts("mx.one.test"))).answer is Answer.UNCLEAR
    assert mx.counts.connections.total() == 0


@pytest.mark.parametrize("identity", [{"helo": ""}, {"helo": "a b"}, {"sender": "a@b>\r\nDATA"}])
def test_an_identity_that_cannot_be_said_is_refused(identity: dict[str, Any]) -> None:
    with pytest.raises(ConfigError):
        SmtpProber(FakeResolver({}), Guard(), **{"helo": "mx.test", "sender": "a@mx.test", **identity})


async def test_an_empty_sender_is_allowed(mx: LabSmtp) -> None:
    assert (await ask(mx, "missing@one.test", sender="")).answer is Answer.NOT_FOUND
    assert list(mx.counts.senders) == [""]


def test_one_prober_serves_one_event_loop_after_another(mx: LabSmtp) -> None:
    prober = prober_for(mx).prober

    async def once(close: bool) -> Mailbox:
        try:
            return await prober.probe(address("missing@one.test"), facts("mx.one.test"))
        finally:
            if close:
                await prober.close()

    assert [asyncio.run(once(True)).answer for _ in range(2)] == [Answer.NOT_FOUND] * 2
    assert prober.probes == 2


async def test_small_writes_are_not_held_back(mx: LabSmtp, monkeypatch: pytest.MonkeyPatch) -> None:
    sockets: list[Any] = []
    connect = Guard.connect

    async def spied(self: Guard, *args: Any, **options: Any) -> Any:
        reader, writer = await connect(self, *args, **options)
        sockets.append(writer.get_extra_info("socket").getsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY))
        return reader, writer

    monkeypatch.setattr(Guard, "connect", spied)
    await ask(mx, "missing@one.test")
    assert sockets and all(sockets)


async def test_the_fake_answers_from_its_table() -> None:
    known = Mailbox(Answer.FULL, None, "mx.one.test", 452)
    fake: Prober = FakeProber({"full@one.test": known}, backlogs={"slow.test": 7.0})
    assert await fake.probe(address("Full@one.test"), facts("mx.one.test")) == known
    assert (await fake.probe(address("jane@one.test"), facts("mx.one.test"))).catch_all is CatchAll.NO
    assert (fake.backlog(facts("mx.one.test")), fake.backlog(facts("slow.test"))) == (0.0, 7.0)
    assert fake.probes == 2
    script: Callable[[Address], Mailbox] = lambda one: Mailbox(Answer.TIMEOUT, host=one.domain)  # noqa: E731
    assert (await FakeProber(script).probe(address("a@b.test"), facts())).host == "b.test"


def test_the_addresses_of_these_tests_are_addresses() -> None:
    assert all(isinstance(parse(text), Address) for text in ("ok@one.test", "jürgen@one.test"))
