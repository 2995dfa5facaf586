"""One exchanger's lane: connections are few and reused, the rate holds, the breaker opens and closes, memory is bounded."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator

import pytest

from engine.mail.evidence import Answer, CatchAll, Mailbox
from engine.net import smtp
from engine.net.smtp import SmtpProber
from engine.net.smtp_lane import MISSES, STRIKES
from tests.lab.hurrying import pass_time
from tests.lab.smtp import LabSmtp
from tests.net.probing import address, facts, prober_for, until

MX = facts("mx.one.test")


@pytest.fixture
def mx() -> Iterator[LabSmtp]:
    with LabSmtp() as server:
        yield server


async def ask_all(prober: SmtpProber, *texts: str) -> list[Mailbox]:
    return await asyncio.gather(*(prober.probe(address(text), MX) for text in texts))


async def test_many_recipients_share_two_connections(mx: LabSmtp) -> None:
    async with prober_for(mx) as prober:
        mailboxes = await ask_all(prober, *(f"missing{number}@d{number}.test" for number in range(100)))
        assert {mailbox.answer for mailbox in mailboxes} == {Answer.NOT_FOUND}
        assert mx.counts.connections.total() <= 2
        assert prober.probes == 100
    assert mx.counts.unfinished == 0
    assert mx.counts.recipients.total() == 100


async def test_every_answer_belongs_to_its_question(mx: LabSmtp) -> None:
    words = {"missing": Answer.NOT_FOUND, "full": Answer.FULL, "disabled": Answer.DISABLED, "later": Answer.GREYLISTED}
    texts = [f"{word}{number}@one.test" for number in range(40) for word in words]
    async with prober_for(mx) as prober:
        mailboxes = await ask_all(prober, *texts)
    assert [mailbox.answer for mailbox in mailboxes] == [*words.values()] * 40


async def test_a_connection_is_left_after_its_share_of_recipients(mx: LabSmtp) -> None:
    async with prober_for(mx, per_connection=10, per_host_connections=1) as prober:
        await ask_all(prober, *(f"missing{number}@one.test" for number in range(30)))
        assert mx.counts.connections.total() == 3
    assert mx.counts.commands["QUIT"] == 3


async def test_domains_with_one_exchanger_share_its_lane(mx: LabSmtp) -> None:
    async with prober_for(mx) as prober:
        for name in ("MX.one.test", "mx.one.test.", "mx.one.test"):
            await prober.probe(address("missing@two.test"), facts(name))
    assert mx.counts.connections.total() == 1


async def test_an_unused_connection_is_left_politely(mx: LabSmtp) -> None:
    async with prober_for(mx, idle=0.05) as prober:
        await ask_all(prober, "missing@one.test")
        await until(lambda: mx.counts.commands["QUIT"] == 1 and mx.counts.open.total() == 0)
        await ask_all(prober, "missing@one.test")
        assert mx.counts.connections.total() == 2


@pytest.mark.parametrize("words", [b"", b"421 4.4.2 mx.lab.test Error: timeout exceeded\r\n"])
async def test_a_connection_closed_while_unused_is_replaced(mx: LabSmtp, words: bytes) -> None:
    async with prober_for(mx) as prober:
        await ask_all(prober, "missing@one.test")
        mx.call(hang_up(mx, words))
        [mailbox] = await ask_all(prober, "missing2@one.test")
        assert mailbox.answer is Answer.NOT_FOUND
        assert mx.counts.connections.total() == 2


async def hang_up(mx: LabSmtp, words: bytes) -> None:
    for writer in list(mx._talks.values()):
        writer.write(words)
        writer.close()


async def test_a_session_that_has_had_enough_is_renewed_and_left_earlier_from_then_on(mx: LabSmtp) -> None:
    mx.set("127.0.0.1", session_errors=20)
    async with prober_for(mx, per_host_connections=1) as prober:
        mailboxes = await ask_all(prober, *(f"missing{number}@one.test" for number in range(100)))
    assert {mailbox.answer for mailbox in mailboxes} == {Answer.NOT_FOUND}
    assert mx.counts.connections.total() == 6
    assert mx.counts.unfinished == 1


async def test_the_rate_holds(mx: LabSmtp) -> None:
    loop = asyncio.get_running_loop()
    async with prober_for(mx, rate=100, burst=5) as prober:
        started = loop.time()
        await ask_all(prober, *(f"missing{number}@one.test" for number in range(25)))
        assert loop.time() - started >= 0.19


async def test_the_backlog_counts_the_queue(mx: LabSmtp) -> None:
    async with prober_for(mx, rate=0.02, burst=2) as prober:
        assert prober.backlog(MX) == 0.0
        waiting = [asyncio.create_task(prober.probe(address(f"missing{number}@one.test"), MX)) for number in range(4)]
        await asyncio.sleep(0)
        assert prober.backlog(MX) == pytest.approx(150.0, abs=12.5)
        assert prober.backlog(facts("mx.two.test", "mx.one.test")) == 0.0
        await until(lambda: mx.counts.recipients.total() == 2)
        assert 50.0 < prober.backlog(MX) <= 150.0
    closed = await asyncio.gather(*waiting)
    assert [mailbox.answer for mailbox in closed[2:]] == [Answer.NO_CONNECTION] * 2


@pytest.mark.parametrize(
    ("trouble", "answer"),
    [
        ("closing", Answer.RATE_LIMITED),
        ("blocked", Answer.BLOCKED),
    ],
)
async def test_the_breaker_opens_and_lets_one_through_later(mx: LabSmtp, trouble: str, answer: Answer) -> None:
    async with prober_for(mx) as prober:
        first, second = [(await ask_all(prober, text))[0] for text in (f"{trouble}@one.test", "ok@one.test")]
        assert first.answer is second.answer is answer
        assert second.reply == first.reply
        assert mx.counts.recipients["ok@one.test"] == 0
        assert prober.backlog(MX) == 0.0  # there is an answer at once

        pass_time(61)
        mx.recipients["ok@one.test"] = trouble
        texts = [f"{word}@one.test" for word in ("ok", "missing", "full")]
        assert {mailbox.answer for mailbox in await ask_all(prober, *texts)} == {answer}
        assert (mx.counts.recipients["missing@one.test"], mx.counts.recipients["ok@one.test"]) == (0, 1)

        pass_time(61)
        assert {mailbox.answer for mailbox in await ask_all(prober, *texts)} == {answer}
        assert mx.counts.recipients["ok@one.test"] == 1

        pass_time(60)
        del mx.recipients["ok@one.test"]
        answers = [mailbox.answer for mailbox in await ask_all(prober, *texts)]
        assert answers == [Answer.EXISTS, Answer.NOT_FOUND, Answer.FULL]
        assert prober.backlog(MX) == 0.0


async def test_what_waits_when_the_breaker_opens_is_answered_at_once(mx: LabSmtp) -> None:
    mx.set("127.0.0.1", quota=10)
    async with prober_for(mx, per_host_connections=1) as prober:
        mailboxes = await ask_all(prober, *(f"missing{number}@one.test" for number in range(50)))
    answers = [mailbox.answer for mailbox in mailboxes]
    assert answers == [Answer.NOT_FOUND] * 10 + [Answer.RATE_LIMITED] * 40
    assert mx.counts.recipients.total() == 11


async def test_a_breaker_opened_before_rcpt_leads_to_the_next_exchanger(mx: LabSmtp) -> None:
    with LabSmtp(("127.0.0.2",), mx.port) as other:
        mx.set("127.0.0.1", answers={"CONNECT": "421 4.3.2 Too busy"})
        hosts = {"mx.one.test": ["127.0.0.1"], "mx.two.test": ["127.0.0.2"]}
        async with prober_for(mx, hosts) as prober:
            both = facts("mx.one.test", "mx.two.test")
            for _ in range(3):
                assert (await prober.probe(address("missing@one.test"), both)).answer is Answer.NOT_FOUND
                assert prober.backlog(both) == 0.0
        assert (mx.counts.connections.total(), other.counts.connections.total()) == (1, 1)


async def test_a_refusal_by_policy_may_be_about_the_recipient(mx: LabSmtp) -> None:
    """Such words, three times in a row, are about us after all."""
    async with prober_for(mx) as prober:
        for number in range(2 * STRIKES):
            if number % STRIKES == STRIKES - 1:
                await ask_all(prober, f"missing{number}@one.test")
            else:
                await ask_all(prober, f"policy{number}@one.test")
        for number in range(STRIKES):
            await ask_all(prober, f"policy@d{number}.test")
        asked = mx.counts.recipients.total()
        assert (await ask_all(prober, "ok@one.test"))[0].answer is Answer.BLOCKED
        assert mx.counts.recipients.total() == asked


async def test_an_exchanger_out_of_order_is_left_alone_for_a_while(mx: LabSmtp) -> None:
    async with prober_for(mx, per_host_connections=1) as prober:
        mailboxes = await ask_all(prober, *(f"reset{number}@one.test" for number in range(40)))
        assert {mailbox.answer for mailbox in mailboxes} == {Answer.NO_CONNECTION}
        assert mx.counts.recipients.total() <= 2 * MISSES
        assert prober.backlog(MX) == 0.0  # there is an answer at once
        pass_time(20)
        assert (await ask_all(prober, "missing@one.test"))[0].answer is Answer.NOT_FOUND


async def test_a_dead_exchanger_is_tried_once_for_a_whole_list(mx: LabSmtp) -> None:
    mx.set("127.0.0.1", answers={"CONNECT": "!silence"})
    async with prober_for(mx, timeout=0.2) as prober:
        mailboxes = await ask_all(prober, *(f"ok{number}@one.test" for number in range(200)))
    assert {mailbox.answer for mailbox in mailboxes} == {Answer.TIMEOUT}
    assert mx.counts.connections.total() <= 2 * MISSES


async def test_connections_to_all_exchangers_together_are_bounded(mx: LabSmtp) -> None:
    hosts = {f"mx{number}.test": ["127.0.0.1"] for number in range(60)}
    async with prober_for(mx, hosts, connections=5) as prober:
        asked = [prober.probe(address(f"missing{number}@d{number}.test"), facts(host)) for number, host in enumerate(hosts)]
        assert {mailbox.answer for mailbox in await asyncio.gather(*asked)} == {Answer.NOT_FOUND}
        assert mx.counts.most.total() <= 5
    assert mx.counts.unfinished == 0


async def test_unused_lanes_are_forgotten(mx: LabSmtp, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(smtp, "CROWD", 10)
    hosts = {f"mx{number}.test": ["127.0.0.1"] for number in range(60)}
    async with prober_for(mx, hosts, idle=0.01) as prober:
        for number, host in enumerate(hosts):
            await prober.probe(address(f"missing@d{number}.test"), facts(host))
            await until(lambda: mx.counts.open.total() == 0)
            pass_time(2)
        assert len(prober._lanes) <= 11


async def test_closing_says_goodbye_and_answers_those_who_wait(mx: LabSmtp) -> None:
    mx.set("127.0.0.1", delay=1.0)  # to two answers of this kind, none comes before the end
    async with prober_for(mx) as prober:
        asked = [asyncio.create_task(prober.probe(address(f"ok{number}@one.test"), MX)) for number in range(20)]
        await until(lambda: mx.counts.commands["EHLO"] > 0)
        await prober.close()
        assert {mailbox.answer for mailbox in await asyncio.gather(*asked)} == {Answer.NO_CONNECTION}
        await until(lambda: mx.counts.open.total() == 0)
        mx.set("127.0.0.1", delay=0.0)
        [mailbox] = await ask_all(prober, "ok@one.test")
        assert mailbox.catch_all is CatchAll.NO
