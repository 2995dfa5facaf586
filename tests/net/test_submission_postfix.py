"""Letters handed to a real Postfix arrive as they were written, over connections that are used again."""

from __future__ import annotations

from collections.abc import AsyncIterator, Iterator

import pytest

from engine.net.guard import Guard
from engine.net.submission import Result, Trouble
from engine.net.submission_smtp import Limits, SmtpTransport
from engine.net.submission_url import relay_of
from tests.lab.postfix import Postfix
from tests.lab.running import until
from tests.net.submitting import TEXT, deliver_all, letter, unarmed

pytestmark = pytest.mark.postfix

USERS = ["jane@users.test", "full@users.test"]


@pytest.fixture(scope="module")
def postfix() -> Iterator[Postfix]:
    with Postfix(USERS, ["everyone.test"], {"full@users.test": "452 4.2.2 mailbox full"}) as server:
        yield server


@pytest.fixture
async def transport(postfix: Postfix) -> AsyncIterator[SmtpTransport]:
    found = SmtpTransport(
        relay_of(f"smtp://127.0.0.1:{postfix.port}"),
        Guard(trusted=frozenset({("127.0.0.1", postfix.port)})),
        "here.test",
        limits=Limits(connections=3),
    )
    yield found
    await found.close()


async def test_it_takes_and_delivers(postfix: Postfix, transport: SmtpTransport):
    receipts = await deliver_all(transport, [letter("jane@users.test")] * 12)
    assert {(receipt.result, receipt.code) for receipt in receipts} == {(Result.SENT, 250)}
    assert transport.connections <= 3
    await until(lambda: len(postfix.messages("jane@users.test")) == 12)
    body = TEXT.partition(b"\r\n\r\n")[2].replace(b"\r\n", b"\n")
    assert all(message.endswith(body) for message in postfix.messages("jane@users.test"))


async def test_its_refusals_are_understood_and_cost_no_connection(transport: SmtpTransport):
    missing = await transport.deliver(letter("nobody@users.test"), unarmed)
    full = await transport.deliver(letter("full@users.test"), unarmed)
    again = await transport.deliver(letter("x@everyone.test"), unarmed)
    assert [(receipt.result, receipt.hard) for receipt in (missing, full, again)] == [
        (Result.FAILED, True),
        (Result.RETRY, False),
        (Result.SENT, False),
    ]
    assert transport.connections == 1


async def test_a_relay_that_does_not_relay_for_us_is_no_fault_of_the_list(postfix: Postfix):
    transport = SmtpTransport(
        relay_of(f"smtp://127.0.0.1:{postfix.port}"), Guard(trusted=frozenset({("127.0.0.1", postfix.port)})), "here.test"
    )
    receipt = await transport.deliver(letter("x@elsewhere.test"), unarmed)
    await transport.close()
    assert (receipt.result, receipt.trouble) == (Result.RETRY, Trouble.LOGIN), receipt
