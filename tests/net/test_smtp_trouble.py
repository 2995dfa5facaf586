"""Our own trouble and the servers': the next exchanger is asked where that is fair, and nothing is held against the recipient."""

from __future__ import annotations

import asyncio
import errno
from collections.abc import Iterator
from typing import Any

import pytest
from structlog.testing import capture_logs

from engine.mail.evidence import Answer, Mailbox
from engine.net.guard import Guard
from engine.net.smtp import SmtpProber
from tests.lab.hurrying import hurried, pass_time
from tests.lab.running import PATIENCE
from tests.lab.smtp import LabSmtp
from tests.net.probing import address, facts, prober_for, until

HOSTS = {"mx1.test": ["127.0.3.1"], "mx2.test": ["127.0.3.2"], "both.test": ["127.0.3.1", "127.0.3.2"]}
BAD, GOOD = "127.0.3.1", "127.0.3.2"


@pytest.fixture
def mx() -> Iterator[LabSmtp]:
    with LabSmtp((BAD, GOOD)) as server:
        yield server


async def ask(mx: LabSmtp, *hosts: str, local: str = "ok", **options: Any) -> Mailbox:
    async with hurried(mx, 5.0), prober_for(mx, HOSTS, timeout=5.0, **options) as prober:
        return await prober.probe(address(f"{local}@one.test"), facts(*hosts))


BEFORE_RCPT: list[dict[str, Any]] = [
    {"answers": {"CONNECT": "!close"}},
    {"answers": {"CONNECT": "!reset"}},
    {"answers": {"CONNECT": "!silence"}},
    {"answers": {"CONNECT": "!garbage"}},
    {"answers": {"CONNECT": "!binary"}},
    {"answers": {"CONNECT": "!endless"}},
    {"answers": {"CONNECT": "!drip"}},
    {"answers": {"CONNECT": "421 4.3.2 Service not available"}},
    {"answers": {"CONNECT": "451 4.3.0 Try again later"}},
    {"answers": {"CONNECT": "554 5.7.1 No SMTP service here"}},
    {"answers": {"CONNECT": "521 5.3.2 We do not accept mail"}},
    {"answers": {"CONNECT": "250 2.0.0 What?"}},
    {"answers": {"EHLO": "421 4.3.2 Service not available"}},
    {"answers": {"EHLO": "451 4.3.0 Try again later"}},
    {"answers": {"EHLO": "!close"}},
    {"answers": {"EHLO": "!garbage"}},
    {"answers": {"EHLO": "500 5.5.1 What?", "HELO": "550 5.7.1 Your HELO name is not good enough"}},
    {"answers": {"MAIL": "451 4.1.8 Sender domain does not exist (yet)"}},
    {"answers": {"MAIL": "421 4.7.0 Too many connections"}},
    {"answers": {"MAIL": "!reset"}},
    {"answers": {"MAIL": "!silence"}},
    {"banner_delay": 60.0},
]


@pytest.mark.parametrize("trouble", BEFORE_RCPT, ids=str)
@pytest.mark.parametrize("pipelining", [True, False])
async def test_the_next_exchanger_is_asked_after_trouble_before_rcpt(
    mx: LabSmtp, trouble: dict[str, Any], pipelining: bool
) -> None:
    mx.set(BAD, pipelining=pipelining, **trouble)
    mailbox = await ask(mx, "mx1.test", "mx2.test")
    assert (mailbox.answer, mailbox.host) == (Answer.EXISTS, "mx2.test")


@pytest.mark.parametrize("trouble", BEFORE_RCPT, ids=str)
async def test_trouble_before_rcpt_is_never_about_the_recipient(mx: LabSmtp, trouble: dict[str, Any]) -> None:
    mx.set(BAD, **trouble)
    mailbox = await ask(mx, "mx1.test")
    assert mailbox.answer in (Answer.NO_CONNECTION, Answer.TIMEOUT, Answer.RATE_LIMITED, Answer.BLOCKED)
    assert mailbox.reply
    assert mailbox.host == "mx1.test"


@pytest.mark.parametrize("trouble", [trouble for trouble in BEFORE_RCPT if "MAIL" not in trouble.get("answers", {})], ids=str)
async def test_the_next_address_of_an_exchanger_is_tried(mx: LabSmtp, trouble: dict[str, Any]) -> None:
    mx.set(BAD, **trouble)
    mailbox = await ask(mx, "both.test")
    assert (mailbox.answer, mailbox.host) == (Answer.EXISTS, "both.test")


@pytest.mark.parametrize("local", ["missing", "full", "disabled", "blocked", "unclear", "later", "closing"])
async def test_after_an_answer_at_rcpt_no_other_is_asked(mx: LabSmtp, local: str) -> None:
    await ask(mx, "mx1.test", "mx2.test", local=local)
    assert mx.counts.connections[GOOD] == 0


async def test_a_refused_sender_is_our_trouble_whatever_the_words(mx: LabSmtp) -> None:
    mx.set(BAD, answers={"MAIL": "550 5.1.1 User unknown: sender does not exist"})
    mailbox = await ask(mx, "mx1.test", "mx2.test")
    assert (mailbox.answer, mailbox.code) == (Answer.BLOCKED, 550)
    assert mx.counts.connections[GOOD] == 0


async def test_words_tell_more_than_silence(mx: LabSmtp) -> None:
    """Of several exchangers in trouble the one that said why is reported."""
    mx.set(BAD, answers={"CONNECT": "!close"})
    mx.set(GOOD, answers={"CONNECT": "554 5.7.1 Client host [127.0.0.1] blocked using zen.spamhaus.org"})
    mailbox = await ask(mx, "mx1.test", "mx2.test")
    assert (mailbox.answer, mailbox.host, mailbox.code) == (Answer.BLOCKED, "mx2.test", 554)


async def test_a_probe_has_a_total(mx: LabSmtp) -> None:
    """Each step in time, all of them not: the exchanger's slowness is not ours to wait for."""
    mx.set(BAD, delay=0.2, pipelining=False)
    mailbox = await ask(mx, "mx1.test", total=0.5)
    assert mailbox.answer is Answer.TIMEOUT


async def test_a_closed_port_is_no_connection(mx: LabSmtp) -> None:
    mx.stop()
    mailbox = await ask(mx, "mx1.test")
    assert (mailbox.answer, mailbox.reply) == (Answer.NO_CONNECTION, "the exchanger refused the connection")
    mx.start()


class Walled:
    """A guard behind which no connection comes about while `closed`."""

    def __init__(self, error: OSError) -> None:
        self.error, self.closed, self.tries = error, True, 0
        self._guard = Guard(allow_private=True)

    def vetted(self, ips: Any) -> list[str]:
        return self._guard.vetted(ips)

    async def connect(self, ip: str, port: int, timeout: float) -> Any:
        self.tries += 1
        if self.closed:
            raise self.error
        return await self._guard.connect(ip, port, timeout)


async def closed_port(prober: SmtpProber, count: int) -> list[Mailbox]:
    return [await prober.probe(address("ok@one.test"), facts(f"mx{number}.test")) for number in range(count)]


@pytest.mark.parametrize("error", [TimeoutError(), OSError(errno.ENETUNREACH, "unreachable"), PermissionError(errno.EPERM, "no")])
async def test_a_blocked_port_is_found_out_and_said_once(mx: LabSmtp, error: OSError) -> None:
    guard, hosts = Walled(error), {f"mx{number}.test": [GOOD] for number in range(20)}
    async with prober_for(mx, hosts, guard=guard) as prober:
        with capture_logs() as logs:
            mailboxes = await closed_port(prober, 12)
        assert prober.blocked
        assert guard.tries == 4
        assert {mailbox.answer for mailbox in mailboxes} <= {Answer.NO_CONNECTION, Answer.TIMEOUT}
        assert {mailbox.reply for mailbox in mailboxes[4:]} == {
            f"connections to port {mx.port} seem to be blocked from this machine"
        }
        assert [entry["log_level"] for entry in logs] == ["warning"]
        assert prober.backlog(facts("mx7.test")) == 0.0

        guard.closed = False
        assert (await prober.probe(address("ok@one.test"), facts("mx13.test"))).answer is Answer.NO_CONNECTION
        pass_time(11)
        assert (await prober.probe(address("ok@one.test"), facts("mx14.test"))).answer is Answer.EXISTS
        assert (await prober.probe(address("ok@one.test"), facts("mx15.test"))).answer is Answer.EXISTS


async def test_refused_connections_prove_no_blocked_port(mx: LabSmtp) -> None:
    guard, hosts = Walled(ConnectionRefusedError(errno.ECONNREFUSED, "refused")), {f"mx{n}.test": [GOOD] for n in range(9)}
    async with prober_for(mx, hosts, guard=guard) as prober:
        await closed_port(prober, 9)
        assert not prober.blocked and guard.tries == 9


async def test_private_addresses_prove_no_blocked_port(mx: LabSmtp) -> None:
    async with prober_for(mx, {f"mx{number}.test": [GOOD] for number in range(9)}, guard=Guard()) as prober:
        await closed_port(prober, 9)
        assert not prober.blocked


async def test_waiting_for_a_slow_exchanger_may_be_given_up(mx: LabSmtp) -> None:
    """A cancelled waiter leaves the connection as it was: the next question gets its own answer."""
    async with prober_for(mx, HOSTS, timeout=PATIENCE) as prober:
        await prober.probe(address("missing@one.test"), facts("mx1.test"))
        with mx.holding():
            asked = asyncio.create_task(prober.probe(address("full@one.test"), facts("mx1.test")))
            await until(lambda: mx.counts.batches == 3)  # EHLO, the first question, this one
            asked.cancel()
            queued = asyncio.create_task(prober.probe(address("disabled@one.test"), facts("mx1.test")))
            await asyncio.sleep(0)
            queued.cancel()
        mailbox = await prober.probe(address("ok@one.test"), facts("mx1.test"))
        assert mailbox.answer is Answer.EXISTS
        assert mx.counts.connections.total() == 1
        assert mx.counts.recipients["disabled@one.test"] == 0
        assert asked.cancelled() and queued.cancelled()
