"""mails.so when things go wrong: what is tried again, what is told, and that nothing is paid for twice."""

from __future__ import annotations

import re
from collections.abc import Iterator
from email.utils import formatdate

import pytest

from engine.errors import ConfigError
from engine.net.guard import Guard, transport
from engine.net.mailsso import MailsSoClient
from engine.net.mailsso_wire import Patience
from tests.lab.hurrying import hurried
from tests.lab.mailsso import FREE, MailsSoServer
from tests.net.asking import FEW, MANY, SECONDS, WALL, Asker, Time, quick


@pytest.fixture
def server() -> Iterator[MailsSoServer]:
    with MailsSoServer() as running:
        yield running


@pytest.fixture
def time() -> Time:
    return Time()


@pytest.fixture
async def asker(server: MailsSoServer, time: Time):
    client = MailsSoClient(
        server.url, transport(Guard(allow_private=True)), clock=time.clock, now=time.now, sleep=time.sleep, patience=Patience()
    )
    yield Asker(client)
    await client.close()


@pytest.mark.parametrize("fault", ["500", "502", "503", "disconnect", "deaf", "garbage", "list", "hang", "429"])
async def test_passing_trouble_of_a_single_call_is_overcome(server, time, fault):
    asker = quick(server, time)
    server.fault("single", fault, times=3)
    async with hurried(server, SECONDS):
        await asker.ask(FEW[:1])
    assert asker.errors() == {""}
    assert server.calls["single"] == 4
    await asker.service.close()


@pytest.mark.parametrize("fault", ["500", "disconnect", "deaf", "garbage", "list", "hang", "429", "403"])
async def test_lasting_trouble_is_told_and_ends(server, time, fault):
    asker = quick(server, time)
    server.fault("single", fault, times=None)
    async with hurried(server, SECONDS):
        await asker.ask(FEW[:1])
    (error,) = asker.errors()
    assert re.fullmatch(r"The (service|connection)[^\n]{5,80}\.", error)
    assert server.calls["single"] <= Patience().busy_tries
    await asker.service.close()


@pytest.mark.parametrize("fault", ["500", "disconnect", "429"])
async def test_a_dead_service_is_not_asked_about_every_address(server, time, fault):
    asker = quick(server, time)
    server.fault("single", fault, times=None)
    await asker.ask([f"person{number}@example.test" for number in range(500)], FREE)
    assert "" not in asker.errors()
    assert server.calls["single"] < 200
    await asker.service.close()


@pytest.mark.parametrize("fault", ["500", "502", "503", "disconnect", "deaf", "garbage", "list", "hang", "429", "redirect"])
async def test_looks_at_a_paid_batch_are_patient(server, time, fault):
    asker = quick(server, time)
    server.fault("poll", fault, times=15)
    async with hurried(server, SECONDS):
        await asker.ask(MANY)
    assert asker.errors() == {""}
    assert server.calls["poll"] == 16
    assert server.charged == len(MANY)
    await asker.service.close()


async def test_a_batch_that_never_finishes_ends_in_time(asker, server, time):
    server.looks = 10**9
    before = time.at
    await asker.ask(MANY)
    assert asker.errors() == {"The service did not answer in time."}
    assert Patience().total <= time.at - before <= Patience().total + Patience().last_poll


async def test_a_batch_that_cannot_be_looked_at_is_given_up_after_a_while(asker, server, time):
    server.fault("poll", "500", times=None)
    await asker.ask(MANY)
    assert asker.errors() == {"The service is out of order (HTTP 500)."}
    assert server.calls["poll"] == Patience().outage
    assert not server.calls["single"], "what is paid for is not paid for again"


@pytest.mark.parametrize("fault", ["500", "503", "disconnect", "429"])
async def test_a_batch_that_was_not_taken_is_offered_again(asker, server, fault):
    server.fault("batch", fault, times=1)
    await asker.ask(MANY)
    assert asker.errors() == {""}
    assert dict(server.calls) == {"batch": 2, "poll": 1}


async def test_a_batch_that_may_have_been_taken_is_offered_twice_at_most(server, time):
    asker = quick(server, time)
    server.remember = False
    server.fault("batch", "deaf", times=None)
    await asker.ask(MANY)
    assert asker.errors() == {"The connection to the service failed."}
    assert server.calls["batch"] == 2
    await asker.service.close()


@pytest.mark.parametrize("fault", ["garbage", "list"])
async def test_a_batch_without_a_readable_id_is_not_bought_again(asker, server, fault):
    server.fault("batch", fault)
    await asker.ask(MANY)
    assert asker.errors() == {""}
    assert dict(server.calls) == {"batch": 1, "single": 20}


@pytest.mark.parametrize("emails", [None, "no list", {}, [], [{"email": MANY[0]}, {"email": None}, 4]])
async def test_a_finished_batch_of_another_shape_is_filled_in(asker, server, monkeypatch, emails):
    monkeypatch.setattr(server, "_look", lambda key, number: (200, {"id": number, "finished_at": "x", "emails": emails}))
    await asker.ask(MANY)
    assert asker.errors() == {""}
    assert server.calls["single"] == 20


async def test_retry_after_in_seconds_is_honoured_by_all_calls_of_the_key(asker, server, time):
    server.retry_after = "30"
    server.fault("single", "429")
    await asker.ask(FEW)
    assert asker.errors() == {""}
    assert 30 <= sum(time.slept) <= 90
    assert all(29 <= seconds <= 30 for seconds in time.slept)


async def test_retry_after_as_a_date_is_honoured(asker, server, time):
    server.retry_after = formatdate(WALL + 45, usegmt=True)
    server.fault("single", "429")
    await asker.ask(FEW[:1])
    assert asker.errors() == {""}
    assert time.slept == [pytest.approx(45, abs=1)]


@pytest.mark.parametrize("said", ["86400", formatdate(WALL + 86400, usegmt=True)])
async def test_a_long_retry_after_is_told_instead_of_waited_for(asker, server, time, said):
    server.retry_after = said
    server.fault("single", "429")
    for _ in range(20):
        await asker.ask(FEW[:1])
    assert asker.errors() == {"The service asks to come back in 1440 minutes."}
    assert time.slept == []
    assert server.calls["single"] == 1


@pytest.mark.parametrize("said", ["soon", "-5", "", "Wed, 99 Foo 2026", "9" * 400])
async def test_a_strange_retry_after_does_no_harm(asker, server, time, said):
    server.retry_after = said
    server.fault("single", "429", times=2)
    await asker.ask(FEW[:1])
    assert server.calls["single"] in (1, 3)


async def test_redirects_are_not_followed(asker, server):
    with MailsSoServer() as elsewhere:
        server.redirect_to = f"{elsewhere.url}/v1/validate?email=x"
        server.fault("single", "redirect", times=None)
        await asker.ask(FEW)
        assert elsewhere.total == 0
    assert asker.errors() == {"The service answered with a redirect, which is not followed (HTTP 302)."}


async def test_one_forbidden_request_is_an_address_and_three_are_the_key(asker, server):
    server.fault("single", "403")
    await asker.ask(FEW[:1])
    assert asker.errors() == {"The service forbids this request (HTTP 403)."}
    await asker.ask(FEW[1:2])
    assert asker.errors() == {""}
    server.fault("single", "403", times=None)
    await asker.ask(MANY, FREE)
    before = server.total
    await asker.ask(MANY, FREE)
    assert server.total == before


async def test_a_body_without_end_is_cut_off(server, time):
    asker = quick(server, time)
    server.fault("single", "large")
    await asker.ask(FEW[:1])
    assert asker.errors() == {"The service answered in a form that is not understood."}
    await asker.service.close()


async def test_nobody_there_is_told(time):
    with MailsSoServer() as gone:
        url = gone.url
    asker = Asker(MailsSoClient(url, None, clock=time.clock, sleep=time.sleep))
    await asker.ask(MANY)
    assert asker.errors() == {"The connection to the service failed."}
    await asker.service.close()


async def test_a_private_address_is_refused_by_the_guard(server):
    asker = Asker(MailsSoClient(server.url, transport(Guard())))
    await asker.ask(MANY)
    (error,) = asker.errors()
    assert "not a public address" in error or "no public address" in error
    assert server.total == 0
    await asker.service.close()


@pytest.mark.parametrize(
    "url", ["", "api.mails.so", "ftp://x.test", "https://", "https://x.test/?a=b", "https://[::1", "http://x:y:z"]
)
def test_a_base_that_is_no_url_is_refused(url):
    with pytest.raises(ConfigError, match="POSTBENCH_MAILSSO_URL"):
        MailsSoClient(url, None)
