"""Every kind of mail and name server of the lab, through the real doors: the right verdict, our own trouble never invalid."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Iterator
from datetime import UTC, datetime
from typing import Any

import pyarrow as pa
import pytest
import pytest_asyncio

from engine.durable.contract import Batch, Done, JobRef, Snooze
from engine.durable.schema import bare
from engine.durable.verdict_cache import FakeVerdicts
from engine.jobs.verify_emails import Params, process
from engine.net.dns import DnsResolver
from engine.net.guard import Guard
from engine.net.smtp import SmtpProber
from engine.verifying.ask import Service
from engine.verifying.verifier import Limits, Verifier
from tests.lab.dns import DnsServer
from tests.lab.smtp import LabSmtp
from tests.verifying.world import Clock, Paid, Tools

VERDICTS = {
    "ok": "valid mailbox_exists",
    "busy": "valid mailbox_exists",
    "greylisted": "valid mailbox_exists",
    "missing": "invalid mailbox_not_found",
    "talkative": "invalid mailbox_not_found",
    "denied": "invalid mailbox_not_found",
    "disabled": "invalid mailbox_disabled",
    "nomail": "invalid null_mx",
    "full": "risky mailbox_full",
    "overquota": "risky mailbox_full",
    "blocked": "unknown blocked",
    "policy": "unknown blocked",
    "unclear": "unknown blocked",
    "later": "unknown greylisted",
    "closing": "unknown rate_limited",
    "tarpit": "unknown timeout",
    "drip": "unknown timeout",
    "garbage": "unknown no_connection",
    "binary": "unknown no_connection",
    "endless": "unknown no_connection",
    "chatty": "unknown no_connection",
    "reset": "unknown no_connection",
    "hangup": "unknown no_connection",
}
HOSTS = {word: f"127.0.3.{number}" for number, word in enumerate(VERDICTS, 1)}
OTHERS = {
    "anyone@all.test": "risky catch_all",
    "info@plain.test": "risky role",
    "ok@mailinator.com": "risky disposable",
    "grün@plain.test": "unknown no_smtputf8",
    "ann@banner.test": "unknown rate_limited",
    "ann@sender.test": "unknown blocked",
    "ann@nobody-listens.test": "unknown no_connection",
    "ok@implicit.test": "valid mailbox_exists",
    "ok@second.test": "valid mailbox_exists",
    "ann@nowhere.test": "invalid no_domain",
    "ann@null.test": "invalid null_mx",
    "ann@hostless.test": "invalid no_host",
    "ann@servfail.test": "unknown dns_error",
    "ann@silent.test": "unknown dns_error",
    "ann@refused.test": "unknown dns_error",
    "no address": "invalid invalid_syntax",
}
PLAIN, BANNER, SENDER, ALL = "127.0.4.1", "127.0.4.2", "127.0.4.3", "127.0.4.4"


@pytest.fixture
def names() -> Iterator[DnsServer]:
    zones: dict[str, Any] = {f"{word}.test": {"mx": [[10, f"mx.{word}.test"]]} for word in VERDICTS}
    zones |= {f"mx.{word}.test": {"a": [address]} for word, address in HOSTS.items()}
    for name, address in {"plain": PLAIN, "banner": BANNER, "sender": SENDER, "all": ALL, "nobody-listens": "127.0.4.9"}.items():
        zones[f"{name}.test"] = {"mx": [[10, f"mx.{name}.test"]]}
        zones[f"mx.{name}.test"] = {"a": [address]}
    zones |= {
        "mailinator.com": {"mx": [[10, "mx.plain.test"]]},
        "implicit.test": {"a": [PLAIN]},
        "second.test": {"mx": [[10, "mx.nobody-listens.test"], [20, "mx.plain.test"]]},
        "null.test": {"mx": [[0, "."]]},
        "hostless.test": {"txt": ["nothing else"]},
        **{f"{mode}.test": {"fault": mode} for mode in ("servfail", "refused")},
        "silent.test": {"fault": "silence"},
    }
    with DnsServer(zones) as server:
        yield server


@pytest.fixture
def mx() -> Iterator[LabSmtp]:
    with LabSmtp([*HOSTS.values(), PLAIN, BANNER, SENDER, ALL]) as server:
        server.set(PLAIN, smtputf8=False)
        server.recipients |= {"info@plain.test": "ok"}
        server.set(BANNER, answers={"CONNECT": "421 4.3.2 Too many connections"})
        server.set(SENDER, answers={"MAIL": "550 5.7.1 You may not send to us"})
        server.set(ALL, others="ok")
        yield server


@pytest_asyncio.fixture
async def verifier(names: DnsServer, mx: LabSmtp) -> AsyncIterator[Verifier]:
    resolver = DnsResolver(names.servers, timeout=2.0, tries=2)
    identity: dict[str, Any] = {"helo": "probe.test", "sender": "postmaster@probe.test"}
    prober = SmtpProber(resolver, Guard(allow_private=True), port=mx.port, timeout=4.0, rate=1000, **identity)
    made = Verifier(FakeVerdicts(), resolver, prober, Paid(), Limits(waits=(0.05, 0.05)))
    yield made
    await made.close()


class Now(Clock):
    """The real clock: waits are short here."""

    def __call__(self) -> datetime:
        return datetime.now(UTC)


async def verdicts(verifier: Verifier, emails: list[str]) -> dict[str, str]:
    """status and reason by address, through as many naps as the batch takes."""
    rows, tools, state = bare(pa.table({"email": emails})), Tools(verifier, Now()), None
    params = Params(column="email", service=Service.SMTP)
    async with asyncio.timeout(60):
        while True:
            outcome = await process(Batch(0, 0, len(emails), len(emails), rows, state, JobRef("job", tools.now())), params, tools)
            if isinstance(outcome, Done):
                break
            assert isinstance(outcome, Snooze)
            state = outcome.state
            await asyncio.sleep(max(0.0, (outcome.until - tools.now()).total_seconds()))
    told = outcome.rows.select(["email", "status", "reason"]).to_pylist()
    return {row["email"]: f"{row['status']} {row['reason']}" for row in told}


async def test_every_personality_gets_its_verdict_and_reason(verifier: Verifier, mx: LabSmtp):
    told = await verdicts(verifier, [f"{word}@{word}.test" for word in VERDICTS])
    assert told == {f"{word}@{word}.test": verdict for word, verdict in VERDICTS.items()}
    assert mx.counts.forbidden == [] and set(mx.counts.senders) == {"postmaster@probe.test"}


async def test_so_does_every_kind_of_domain(verifier: Verifier):
    assert await verdicts(verifier, list(OTHERS)) == OTHERS


async def test_an_exchanger_with_a_private_address_is_not_probed_and_not_invalid(names: DnsServer, mx: LabSmtp):
    resolver = DnsResolver(names.servers)
    prober = SmtpProber(resolver, Guard(allow_private=False), port=mx.port, helo="probe.test", sender="")
    closed = Verifier(FakeVerdicts(), resolver, prober, Paid(), Limits())
    assert await verdicts(closed, ["ok@ok.test"]) == {"ok@ok.test": "unknown no_connection"}
    assert mx.counts.connections.total() == 0
    await closed.close()
