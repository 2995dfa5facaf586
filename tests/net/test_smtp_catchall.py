"""A domain is asked once whether it takes everything, and the answer is remembered as long as it is worth."""

from __future__ import annotations

import asyncio
import re
from collections.abc import Iterator

import pytest

from engine.mail.address import Address, parse
from engine.mail.evidence import Answer, CatchAll
from engine.net import smtp_catchall
from engine.net.smtp_catchall import CatchAlls, random_local_part
from tests.lab.hurrying import pass_time
from tests.lab.smtp import LabSmtp
from tests.net.probing import address, facts, prober_for, until

MX = facts("mx.one.test")


@pytest.fixture
def mx() -> Iterator[LabSmtp]:
    with LabSmtp() as server:
        yield server


def strangers(mx: LabSmtp) -> list[str]:
    return [asked for asked in mx.counts.recipients if not re.match(r"ok|missing", asked)]


async def test_many_addresses_of_a_domain_ask_once(mx: LabSmtp) -> None:
    async with prober_for(mx) as prober:
        asked = [prober.probe(address(f"ok{number}@one.test"), MX) for number in range(30)]
        assert {mailbox.catch_all for mailbox in await asyncio.gather(*asked)} == {CatchAll.NO}
        assert len(strangers(mx)) == 1
        assert prober.probes == 31

        pass_time(3590)
        await prober.probe(address("ok@one.test"), MX)
        assert len(strangers(mx)) == 1
        pass_time(20)
        await prober.probe(address("ok@one.test"), MX)
        assert len(strangers(mx)) == 2


async def test_a_target_that_is_not_found_answers_for_its_domain(mx: LabSmtp) -> None:
    async with prober_for(mx) as prober:
        await prober.probe(address("missing@one.test"), MX)
        assert (await prober.probe(address("ok@one.test"), MX)).catch_all is CatchAll.NO
        assert strangers(mx) == []


@pytest.mark.parametrize("word", ["full", "disabled", "policy", "later"])
async def test_another_refusal_answers_nothing(mx: LabSmtp, word: str) -> None:
    mx.domains["one.test"] = "ok"
    async with prober_for(mx) as prober:
        await prober.probe(address(f"{word}@one.test"), MX)
        assert (await prober.probe(address("ok@one.test"), MX)).catch_all is CatchAll.YES


async def test_after_doubt_the_same_stranger_is_asked_about_again(mx: LabSmtp) -> None:
    """A greylisting server then knows the pair of sender and recipient."""
    mx.domains["one.test"] = "greylisted"
    async with prober_for(mx) as prober:
        assert (await prober.probe(address("ok@one.test"), MX)).catch_all is CatchAll.INCONCLUSIVE
        assert (await prober.probe(address("ok@one.test"), MX)).catch_all is CatchAll.INCONCLUSIVE
        pass_time(31)
        assert (await prober.probe(address("ok@one.test"), MX)).catch_all is CatchAll.YES
        assert len(strangers(mx)) == 1
        assert prober.probes == 5


async def test_who_stops_waiting_stops_nobody_else(mx: LabSmtp) -> None:
    mx.set("127.0.0.1", delay=0.05)
    async with prober_for(mx) as prober:
        first = asyncio.create_task(prober.probe(address("ok@one.test"), MX))
        second = asyncio.create_task(prober.probe(address("ok2@one.test"), MX))
        await until(lambda: bool(strangers(mx)))
        first.cancel()
        assert (await second).catch_all is CatchAll.NO


async def test_the_memory_is_bounded(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(smtp_catchall, "MAX_DOMAINS", 10)
    known = CatchAlls(lambda steps: asyncio.get_running_loop().create_task(steps))

    async def ask(_: str) -> Answer:
        return Answer.NOT_FOUND

    for number in range(100):
        assert await known.of(f"d{number}.test", ask) is CatchAll.NO
    assert len(known._known) == 10


def test_strangers_look_like_people_and_are_never_the_same() -> None:
    made = {random_local_part() for _ in range(5_000)}
    assert len(made) == 5_000
    assert all(re.fullmatch(r"[a-z]{6}\.[a-z]{10}[0-9]{4}", local) for local in made)
    assert all(isinstance(parse(f"{local}@one.test"), Address) for local in list(made)[:50])
