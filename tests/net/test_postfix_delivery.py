"""A real Postfix as the relay: messages arrive once and as they were, and what it cannot deliver comes back and is understood."""

from __future__ import annotations

from collections.abc import AsyncIterator, Iterator
from functools import partial

import pytest
from sqlalchemy import insert, select

from engine.durable import bounces, suppressions
from engine.durable.database import Database
from engine.durable.sending_tables import deliveries
from engine.durable.vault import Vault
from engine.net.guard import Guard
from engine.net.postbox_url import postbox
from engine.net.submission import Letter, Result
from engine.net.submission_smtp import Limits, SmtpTransport
from engine.net.submission_url import relay_of
from engine.sending.bouncing import Bouncing, keep
from tests.durable.store import complete
from tests.lab.postfix import Postfix
from tests.lab.running import HOST, until
from tests.net.submitting import deliver_all, unarmed

pytestmark = pytest.mark.postfix

SENDER, JANE, JORG = "bounces@sender.test", "jane@users.test", "jörg@users.test"
GONE, FULL, BLOCKED, NOWHERE = "gone@users.test", "full@users.test", "blocked@users.test", "jane@nowhere.test"
ROUTES = {FULL: "error:5.2.2 mailbox full", BLOCKED: "error:5.7.1 message refused by policy"}
RELAYING = {
    # Accepted first and bounced later, as relays do that know nothing of the mailboxes behind them.
    "smtpd_relay_restrictions": "permit_mynetworks, reject",
    "smtpd_recipient_restrictions": "",
    "smtpd_reject_unlisted_recipient": "no",
    "transport_maps": "inline:{" + ", ".join(f"{{ {address} = {route} }}" for address, route in ROUTES.items()) + "}",
    "smtputf8_enable": "yes",
}


@pytest.fixture(scope="module")
def postfix() -> Iterator[Postfix]:
    with Postfix([SENDER, JANE, JORG], ["everyone.test"], settings=RELAYING) as server:
        yield server


@pytest.fixture
async def transport(postfix: Postfix) -> AsyncIterator[SmtpTransport]:
    guard = Guard(trusted=frozenset({(HOST, postfix.port)}))
    found = SmtpTransport(relay_of(f"smtp://{HOST}:{postfix.port}"), guard, "here.test", limits=Limits(connections=4))
    yield found
    await found.close()


def letter(recipient: str, number: int = 0, body: bytes = b"Hello.\r\n") -> Letter:
    head = f"From: {SENDER}\r\nTo: {recipient}\r\nSubject: {number}\r\nMessage-ID: {message_id(recipient, number)}\r\n"
    return Letter(SENDER, recipient, head.encode() + b"\r\n" + body, not recipient.isascii(), f"job/{number}")


def message_id(recipient: str, number: int = 0) -> str:
    return f"<{recipient.encode().hex()}.{number}@sender.test>"


BODIES = [
    b"Hello.\r\n",
    b".\r\n..\r\n...dots\r\n.\r\n",
    b"\r\n\r\nblank lines around\r\n\r\n\r\n",
    b"From here it goes on\r\n\tand on \r\n",
    b"x" * 990 + b"\r\n" + "größer ✓\r\n".encode(),
    b"".join(b"line %d\r\n" % number for number in range(20_000)),
]


async def test_messages_arrive_once_and_byte_for_byte(postfix: Postfix, transport: SmtpTransport) -> None:
    letters = [letter(f"user{number}@everyone.test", number, BODIES[number % len(BODIES)]) for number in range(60)]
    receipts = await deliver_all(transport, letters)
    assert {receipt.result for receipt in receipts} == {Result.SENT}
    await until(lambda: len(postfix.messages("@everyone.test")) >= len(letters))
    arrived = [message.partition(b"\n\n") for message in postfix.messages("@everyone.test")]
    bodies = {head.partition(b"Subject: ")[2].partition(b"\n")[0]: body for head, _, body in arrived}
    assert len(arrived) == len(bodies) == len(letters)
    sent = {b"%d" % number: each.data.partition(b"\r\n\r\n")[2] for number, each in enumerate(letters)}
    assert bodies == {number: body.replace(b"\r\n", b"\n") for number, body in sent.items()}


async def test_an_international_recipient_gets_the_message(postfix: Postfix, transport: SmtpTransport) -> None:
    assert (await transport.deliver(letter(JORG), unarmed)).result is Result.SENT
    await until(lambda: len(postfix.messages(JORG)) == 1)


async def test_what_bounces_is_read_judged_and_linked(
    postfix: Postfix, transport: SmtpTransport, database: Database, vault: Vault
) -> None:
    job_id = complete(database, vault)
    recipients = [GONE, FULL, BLOCKED, NOWHERE, JANE]
    for recipient in recipients:
        await delivered(database, transport, job_id, recipient)
    await until(lambda: len(postfix.messages(SENDER)) >= len(recipients) - 1)

    box = postbox(f"maildir:{postfix.folder / 'mail' / SENDER}")
    await Bouncing(box, partial(keep, database), vault.sign).read_bounces()

    assert postfix.messages(SENDER) == [], "everything is marked as read"
    listed = suppressions.find(database, recipients)
    assert {address: (entry.source, entry.job_id) for address, entry in listed.items()} == {
        GONE: ("bounce", job_id),
        NOWHERE: ("bounce", job_id),
    }
    kept = {
        recipient: [(found.kind, found.status, found.message_id) for found in bounces.of(database, recipient)]
        for recipient in recipients
    }
    assert kept == {
        GONE: [("hard", "5.1.1", message_id(GONE))],
        FULL: [("soft", "5.2.2", message_id(FULL))],
        BLOCKED: [("soft", "5.7.1", message_id(BLOCKED))],
        NOWHERE: [("hard", "5.1.2", message_id(NOWHERE))],
        JANE: [],
    }
    with database.read() as connection:
        hard = connection.execute(select(deliveries.c.recipient).where(deliveries.c.hard)).scalars().all()
    assert sorted(hard) == sorted([GONE, NOWHERE])


async def delivered(database: Database, transport: SmtpTransport, job_id: str, recipient: str) -> None:
    """Hand a message over, and let the ledger know."""
    assert (await transport.deliver(letter(recipient), unarmed)).result is Result.SENT
    row = {"job_id": job_id, "recipient": recipient, "item": 0, "domain": recipient.rpartition("@")[2], "state": "sent"}
    more = {"message_id": message_id(recipient), "attempts": 1, "hard": False, "sent_at": 1, "updated_at": 1}
    with database.write() as connection:
        connection.execute(insert(deliveries).values(**row, **more))
