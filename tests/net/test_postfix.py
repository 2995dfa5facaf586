"""The prober and a real Postfix: what the lab imitates is what a mail server does."""

from __future__ import annotations

import asyncio
import smtplib
from collections.abc import AsyncIterator, Iterator
from email.message import EmailMessage

import pytest

from engine.mail.evidence import Answer, CatchAll, Mailbox
from engine.net.smtp import SmtpProber
from tests.lab.postfix import Postfix
from tests.lab.running import PATIENCE
from tests.net.probing import address, facts, prober_for

pytestmark = pytest.mark.postfix

USERS = ["jane@users.test", "full@users.test"]
MX = facts("mx.one.test")


@pytest.fixture(scope="module")
def postfix() -> Iterator[Postfix]:
    with Postfix(USERS, ["everyone.test"], {"full@users.test": "452 4.2.2 mailbox full"}) as server:
        yield server


@pytest.fixture
async def prober(postfix: Postfix) -> AsyncIterator[SmtpProber]:
    async with prober_for(postfix.port) as found:
        yield found


async def test_a_user_exists_and_the_domain_is_no_catch_all(prober: SmtpProber) -> None:
    mailbox = await prober.probe(address("jane@users.test"), MX)
    assert (mailbox.answer, mailbox.catch_all, mailbox.code) == (Answer.EXISTS, CatchAll.NO, 250)


async def test_an_unknown_user_is_not_found(prober: SmtpProber) -> None:
    mailbox = await prober.probe(address("nobody@users.test"), MX)
    assert (mailbox.answer, mailbox.code, mailbox.enhanced) == (Answer.NOT_FOUND, 550, "5.1.1")


async def test_a_user_over_quota_is_full(prober: SmtpProber) -> None:
    assert (await prober.probe(address("full@users.test"), MX)).answer is Answer.FULL


async def test_a_domain_for_everyone_is_a_catch_all(prober: SmtpProber) -> None:
    mailbox = await prober.probe(address("whoever@everyone.test"), MX)
    assert (mailbox.answer, mailbox.catch_all) == (Answer.EXISTS, CatchAll.YES)


async def test_an_unknown_domain_is_not_taken_for_a_missing_user(prober: SmtpProber) -> None:
    assert (await prober.probe(address("jane@elsewhere.test"), MX)).answer is not Answer.NOT_FOUND


async def test_one_connection_over_tls_serves_many_recipients(postfix: Postfix, prober: SmtpProber) -> None:
    before = len(postfix.log())
    for number in range(10):
        assert (await prober.probe(address(f"whoever{number}@everyone.test"), MX)).answer is Answer.EXISTS
    await prober.close()
    [ended] = [line for line in await lines(postfix, before, "disconnect from") if "rcpt=" in line]
    assert "ehlo=2 starttls=1 mail=11 rcpt=11 rset=10 quit=1" in ended


async def test_more_unknown_users_than_one_session_bears(postfix: Postfix, prober: SmtpProber) -> None:
    """Postfix hangs up with 421 after 20 errors (`smtpd_hard_error_limit`); that is about the session, not about us."""
    asked = [prober.probe(address(f"nobody{number}@users.test"), MX) for number in range(100)]
    mailboxes: list[Mailbox] = await asyncio.gather(*asked)
    assert {mailbox.answer for mailbox in mailboxes} == {Answer.NOT_FOUND}


async def test_it_delivers_and_bounces(postfix: Postfix) -> None:
    """For later work: the fixture is a whole mail server, and no mail leaves it."""
    message = EmailMessage()
    message["Subject"] = "Hello"
    message.set_content("Hello.")
    with smtplib.SMTP("127.0.0.1", postfix.port) as client:
        client.send_message(message, "sender@users.test", ["jane@users.test"])
    await lines(postfix, 0, "delivered to maildir")
    [delivered] = postfix.messages("jane@users.test")
    assert b"Subject: Hello" in delivered


async def lines(postfix: Postfix, before: int, text: str) -> list[str]:
    """The lines of the log since that place that have the text; waits for the first."""
    async with asyncio.timeout(PATIENCE):
        while True:
            found = [line for line in postfix.log()[before:].splitlines() if text in line]
            if found:
                return found
            await asyncio.sleep(0.02)
