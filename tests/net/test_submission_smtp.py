"""What becomes of a letter, whatever the relay says and whenever it says it."""

from __future__ import annotations

import asyncio
import socket
from typing import Any

import pytest

from engine.net.submission import Result, Trouble
from engine.net.submission_smtp import Limits, Waits
from tests.lab.hurrying import hurried
from tests.lab.receiver import OK, Act, Receiver
from tests.lab.running import until
from tests.net.submitting import TEXT, Armed, letter, relayed, unarmed

BIG = b"Subject: big\r\n\r\n" + (b"." + b"x" * 78 + b"\r\n") * 60_000
"""Nearly 5 MB: more than any socket buffers."""


@pytest.mark.parametrize(
    ("word", "result", "code", "trouble", "hard", "armed", "taken"),
    [
        ("ok", Result.SENT, 250, Trouble.NONE, False, 1, 1),
        ("slow", Result.SENT, 250, Trouble.NONE, False, 1, 1),
        ("missing", Result.FAILED, 550, Trouble.NONE, True, 0, 0),
        ("disabled", Result.FAILED, 550, Trouble.NONE, True, 0, 0),
        ("policy", Result.FAILED, 550, Trouble.NONE, False, 0, 0),
        ("full", Result.RETRY, 452, Trouble.NONE, False, 0, 0),
        ("busy", Result.RETRY, 450, Trouble.NONE, False, 0, 0),
        ("closing", Result.RETRY, 421, Trouble.CLOSING, False, 0, 0),
        ("hangup", Result.RETRY, None, Trouble.CONNECTION, False, 0, 0),
        ("notnow", Result.RETRY, 451, Trouble.NONE, False, 0, 0),
        ("nodata", Result.FAILED, 554, Trouble.NONE, False, 0, 0),
        ("deferred", Result.RETRY, 451, Trouble.NONE, False, 1, 0),
        ("spam", Result.FAILED, 554, Trouble.NONE, False, 1, 0),
        ("gone", Result.FAILED, 550, Trouble.NONE, True, 1, 0),
        ("shutting", Result.RETRY, 421, Trouble.CLOSING, False, 1, 0),
        ("lost", Result.IN_DOUBT, None, Trouble.CONNECTION, False, 1, 0),
        ("kept", Result.IN_DOUBT, None, Trouble.CONNECTION, False, 1, 1),
        ("silent", Result.IN_DOUBT, None, Trouble.CONNECTION, False, 1, 1),
        ("mute", Result.IN_DOUBT, None, Trouble.CONNECTION, False, 1, 0),
    ],
)
@pytest.mark.parametrize("pipelining", [True, False])
async def test_each_reply_has_its_result(
    word: str, result: Result, code: int | None, trouble: Trouble, hard: bool, armed: int, taken: int, pipelining: bool
):
    with Receiver(pipelining=pipelining) as relay:
        async with hurried(relay, 10.0), relayed(relay) as transport:
            arm = Armed()
            receipt = await transport.deliver(letter(f"{word}@two.test"), arm)
            assert (receipt.result, receipt.code, receipt.trouble, receipt.hard) == (result, code, trouble, hard)
            assert (arm.count, len(relay.messages), bool(receipt.error)) == (armed, taken, result is not Result.SENT)
            after = await transport.deliver(letter("ok.after@two.test"), unarmed)
            assert (after.result, relay.accepted["ok.after@two.test"]) == (Result.SENT, 1)


@pytest.mark.parametrize(
    ("verb", "reply", "result", "trouble"),
    [
        ("CONNECT", "421 4.7.0 Not now", Result.RETRY, Trouble.CLOSING),
        ("CONNECT", "554 5.7.1 Go away", Result.RETRY, Trouble.CONNECTION),
        ("CONNECT", "!close", Result.RETRY, Trouble.CONNECTION),
        ("CONNECT", "HTTP/1.1 400 Bad Request", Result.RETRY, Trouble.CONNECTION),
        ("EHLO", "450 4.7.1 Who are you", Result.RETRY, Trouble.CONNECTION),
        ("EHLO", "421 4.3.2 Closing", Result.RETRY, Trouble.CLOSING),
        ("MAIL", "451 4.3.0 Later", Result.RETRY, Trouble.NONE),
        ("MAIL", "421 4.7.0 Too much", Result.RETRY, Trouble.CLOSING),
        ("MAIL", "!reset", Result.RETRY, Trouble.CONNECTION),
        ("MAIL", "553 5.7.1 Sender address rejected: not owned by user", Result.FAILED, Trouble.SENDER),
        ("MAIL", "552 5.3.4 Message size exceeds fixed limit", Result.FAILED, Trouble.NONE),
        ("MAIL", "530 5.7.0 Must issue a STARTTLS command first", Result.RETRY, Trouble.LOGIN),
        ("MAIL", "334 what", Result.RETRY, Trouble.CONNECTION),
        ("RCPT", "554 5.7.1 <x@two.test>: Relay access denied", Result.RETRY, Trouble.LOGIN),
        ("RCPT", "530 5.7.1 Authentication required", Result.RETRY, Trouble.LOGIN),
        ("RCPT", "550 Relaying denied", Result.RETRY, Trouble.LOGIN),
        ("DATA", "!close", Result.RETRY, Trouble.CONNECTION),
        ("DOT", "354 go on", Result.IN_DOUBT, Trouble.NONE),
        ("DOT", "garbage", Result.IN_DOUBT, Trouble.CONNECTION),
        ("DOT", "!reset", Result.IN_DOUBT, Trouble.CONNECTION),
    ],
)
async def test_what_the_relay_says_to_everybody(verb: str, reply: str, result: Result, trouble: Trouble):
    with Receiver(answers={verb: reply}) as relay:
        async with relayed(relay) as transport:
            receipt = await transport.deliver(letter(), unarmed)
    assert (receipt.result, receipt.trouble, receipt.hard) == (result, trouble, False)


async def test_a_refusal_to_relay_is_about_the_recipient_once_others_were_taken():
    with Receiver() as relay:
        relay.scripts["far@three.test"] = [Act("rcpt", "554 5.7.1 <far@three.test>: Relay access denied")]
        async with relayed(relay) as transport:
            await transport.deliver(letter(), unarmed)
            receipt = await transport.deliver(letter("far@three.test"), unarmed)
    assert (receipt.result, receipt.trouble, receipt.hard) == (Result.FAILED, Trouble.NONE, False)


@pytest.mark.parametrize(("word", "result", "code"), [("dropped", Result.RETRY, None), ("early", Result.FAILED, 552)])
@pytest.mark.parametrize("data", [TEXT, BIG])
async def test_a_relay_that_does_not_hear_the_message_out_gets_no_dot(word: str, result: Result, code: int | None, data: bytes):
    with Receiver() as relay:
        async with relayed(relay) as transport:

            async def arm() -> None:
                [session] = transport._pool._lent
                await until(lambda: not session.reusable)

            receipt = await transport.deliver(letter(f"{word}@two.test", data), arm)
    assert (receipt.result, receipt.code, relay.commands["DOT"], relay.messages) == (result, code, 0, [])


async def test_a_relay_that_dies_while_it_is_armed_gets_no_dot():
    relay = Receiver().start()
    async with relayed(relay) as transport:

        async def arm() -> None:
            [session] = transport._pool._lent
            await asyncio.to_thread(relay.stop)
            await until(lambda: not session.reusable)

        receipt = await transport.deliver(letter(), arm)
    assert (receipt.result, receipt.trouble, relay.messages) == (Result.RETRY, Trouble.CONNECTION, [])


@pytest.mark.parametrize("tls", [True, False])
async def test_a_relay_that_stops_reading_gets_no_dot(tls: bool):
    with Receiver(tls=tls, size=None) as relay:
        async with relayed(relay, query="?verify=off", waits=Waits(10.0, 10.0, piece=0.3, dot=10.0)) as transport:
            arm = Armed()
            receipt = await transport.deliver(letter("deaf@two.test", BIG * 3), arm)
            assert (receipt.result, receipt.trouble, arm.count) == (Result.RETRY, Trouble.CONNECTION, 0)
            assert receipt.error == "nothing was accepted: the message was not taken in time"
            assert transport.connections == 0


async def test_a_large_message_arrives_whole():
    with Receiver() as relay:
        async with relayed(relay) as transport:
            receipt = await transport.deliver(letter(data=BIG), unarmed)
    assert receipt.result is Result.SENT
    assert relay.messages[0].data == BIG


async def test_the_dot_goes_out_at_once():
    with Receiver() as relay:
        async with relayed(relay) as transport:
            await transport.deliver(letter(), unarmed)
            [session] = transport._pool._idle
            connection: Any = session._wire._transport.get_extra_info("socket")
            assert connection.getsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY)


async def test_envelope_and_parameters_are_what_the_letter_needs():
    with Receiver() as relay:
        async with relayed(relay) as transport:
            await transport.deliver(letter("Jane.Doe@two.test", sender=""), unarmed)
            await transport.deliver(letter("müller@müller.test", "Grüße\r\n".encode(), utf8=True), unarmed)
    plain, utf8 = relay.messages
    assert (plain.sender, plain.recipient, plain.parameters) == ("", "Jane.Doe@two.test", f"SIZE={len(TEXT)}")
    assert (utf8.recipient, utf8.parameters) == ("müller@müller.test", "SIZE=9 BODY=8BITMIME SMTPUTF8")
    assert utf8.data == "Grüße\r\n".encode()


async def test_what_the_relay_cannot_take_is_not_offered_to_it():
    with Receiver(smtputf8=False, size=1000) as relay:
        async with relayed(relay) as transport:
            utf8 = await transport.deliver(letter("müller@müller.test", utf8=True), unarmed)
            big = await transport.deliver(letter(data=b"x" * 998 + b"\r\n" * 2), unarmed)
            fits = await transport.deliver(letter(data=b"x" * 998 + b"\r\n"), unarmed)
    assert [receipt.result for receipt in (utf8, big, fits)] == [Result.FAILED, Result.FAILED, Result.SENT]
    assert utf8.error == "the relay does not take international addresses (SMTPUTF8)"
    assert big.error == "the message has 1002 bytes, and the relay takes 1000 at most"
    assert relay.commands["MAIL"] == 1


@pytest.mark.parametrize(
    ("sender", "recipient", "data"),
    [
        ("a@one.test", "x@two.test>\r\nRCPT TO:<y@two.test", TEXT),
        ("a@one.test", "x@two.test> NOTIFY=NEVER", TEXT),
        ("a@one.test\n", "x@two.test", TEXT),
        ("a@one.test", "", TEXT),
        ("a@one.test", "müller@two.test", TEXT),
        ("a@one.test", "x@two.test", b"one\r\n\n.\r\nMAIL FROM:<y@two.test>\r\n"),
        ("a@one.test", "x@two.test", b"one\r.\r\n"),
    ],
)
async def test_what_would_be_read_as_commands_never_leaves(sender: str, recipient: str, data: bytes):
    with Receiver() as relay:
        async with relayed(relay) as transport:
            arm = Armed()
            receipt = await transport.deliver(letter(recipient, data, sender), arm)
    assert (receipt.result, arm.count, relay.opened) == (Result.FAILED, 0, 0)
    assert receipt.error


async def test_a_relay_that_answers_354_without_a_recipient_gets_no_dot():
    with Receiver(lax=True) as relay:
        async with relayed(relay, limits=Limits(connections=1)) as transport:
            results = [
                (await transport.deliver(letter(f"{name}@two.test"), unarmed)).result for name in ("missing", "missing", "ok")
            ]
    assert results == [Result.FAILED, Result.FAILED, Result.SENT]
    assert (relay.commands["DOT"], relay.opened, relay.commands["DATA"]) == (1, 2, 2)


async def test_an_old_server_without_ehlo_will_do():
    with Receiver(ehlo=False) as relay:
        async with relayed(relay) as transport:
            receipt = await transport.deliver(letter(), unarmed)
    assert (receipt.result, relay.messages[0].parameters, relay.names) == (Result.SENT, "", {"here.test": 1})


async def test_cancelled_after_the_dot_the_connection_is_dropped():
    with Receiver() as relay:
        async with relayed(relay) as transport:
            task = asyncio.create_task(transport.deliver(letter("silent@two.test"), unarmed))
            await until(lambda: len(relay.messages) == 1)
            task.cancel()
            with pytest.raises(asyncio.CancelledError):
                await task
            assert transport.connections == 0
            assert (await transport.deliver(letter(), unarmed)).result is Result.SENT


async def test_a_script_changes_with_each_try():
    with Receiver() as relay:
        relay.scripts["jane@two.test"] = [Act("rcpt", "450 4.7.1 Greylisted"), Act("dot", "451 4.3.0 Later"), OK]
        async with relayed(relay) as transport:
            results = [(await transport.deliver(letter("jane@two.test"), unarmed)).result for _ in range(4)]
    assert results == [Result.RETRY, Result.RETRY, Result.SENT, Result.SENT]
