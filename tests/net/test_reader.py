"""The reader: documents are read elsewhere, and the worst of them costs only the process that reads it."""

from __future__ import annotations

import asyncio
import os
import signal
from contextlib import asynccontextmanager, suppress

import pytest

from engine.mail.page import read_page
from engine.net import reader as module
from engine.net.reader import FakeReader, Order, PageReader, Sitemap, Unreadable
from engine.net.reader_process import read
from tests.lab.hurrying import pass_time
from tests.net.fetching import until

URL = "https://kestrelworks.com/contact"
SMALL = Order("page", b'<title>Hi</title><a href="mailto:anne@kestrelworks.com">x</a><a href="/team">Team</a>', URL)
LARGE = Order("page", b"".join(b"<p>anne%d@kestrelworks.com <a href='/x%d'>y</a></p>" % (n, n) for n in range(80_000)), URL)
PROLOGUE = (
    "import sys; sys.path.insert(0, sys.argv[1]); from engine.net.reader_wire import *; "
    "sink = sys.stdout.buffer; send(sink, READY)"
)
"""A process that has been taken over begins so."""


@asynccontextmanager
async def reader(**settings):
    ours = PageReader(**{"workers": 1, **settings})
    try:
        yield ours
    finally:
        await ours.close()
        assert ours.processes == ()


def lives(pid: int) -> bool:
    with suppress(ProcessLookupError):
        os.kill(pid, 0)
        return True
    return False


async def test_it_reads_what_the_page_module_reads():
    async with reader() as ours:
        assert await ours.page(SMALL) == read_page(SMALL.body, URL)
        text = await ours.page(Order("text", "bob@kestrelworks.com <b".encode("utf-16"), URL, "utf-16"))
        assert [one.email for one in text.sightings] == ["bob@kestrelworks.com"] and text.links == ()
        lab = await ours.page(Order("page", b"anne@lab.test", URL, extra_tlds=("test",)))
        assert [one.email for one in lab.sightings] == ["anne@lab.test"]


async def test_it_reads_sitemaps_the_promising_pages_first():
    urls = "".join(f"<url><loc>https://kestrelworks.com/{path}</loc></url>" for path in ("a", "logo.png", "contact"))
    async with reader() as ours:
        found = await ours.sitemap(Order("sitemap", f"<urlset>{urls}</urlset>".encode(), URL))
        assert [link.url.rpartition("/")[2] for link in found.links] == ["contact", "a"] and found.children == ()
        index = await ours.sitemap(Order("sitemap", f"<sitemapindex>{urls}</sitemapindex>".encode(), URL))
        assert len(index.children) == 3 and index.links == ()


async def test_a_process_that_dies_is_replaced():
    async with reader() as ours:
        await ours.page(SMALL)
        (pid,) = ours.processes
        reading = asyncio.create_task(ours.page(LARGE))
        await asyncio.sleep(0)
        os.kill(pid, signal.SIGKILL)
        assert isinstance(await reading, Unreadable)
        assert await ours.page(SMALL) == read(SMALL)
        assert ours.processes != (pid,)


async def test_a_process_that_died_unseen_is_replaced():
    async with reader() as ours:
        await ours.page(SMALL)
        (pid,) = ours.processes
        os.kill(pid, signal.SIGKILL)
        answers = [await ours.page(SMALL) for _ in range(3)]
        assert answers[-1] == read(SMALL) and sum(isinstance(answer, Unreadable) for answer in answers) <= 1


async def test_a_page_that_takes_too_long_is_unreadable():
    async with reader(seconds=0.05) as ours:
        ours._seconds = 20.0
        await ours.page(SMALL)
        ours._seconds = 0.05
        (pid,) = ours.processes
        answer = await ours.page(LARGE)
        assert isinstance(answer, Unreadable) and "within 0.05 seconds" in answer.reason
        await until(lambda: not lives(pid))
        ours._seconds = 20.0
        assert await ours.page(SMALL) == read(SMALL)


async def test_a_page_that_takes_too_much_memory_is_unreadable():
    pytest.importorskip("resource")
    async with reader(memory=64 << 20) as ours:
        assert await ours.page(SMALL) == read(SMALL)
        answer = await ours.page(LARGE)
        assert isinstance(answer, Unreadable) and "too much" in answer.reason
        assert await ours.page(SMALL) == read(SMALL)


async def test_a_process_that_cannot_start_makes_pages_unreadable(monkeypatch):
    monkeypatch.setattr(module, "_BEGIN", "raise SystemExit(1)")
    async with reader() as ours:
        assert isinstance(await ours.page(SMALL), Unreadable)


@pytest.mark.parametrize("answer", ['b"nonsense"', 'b"[1]"', "b'{\"title\":1}'"])
async def test_an_answer_of_another_shape_is_none(monkeypatch, answer):
    monkeypatch.setattr(module, "_BEGIN", f"{PROLOGUE}; received(sys.stdin.buffer); send(sink, {answer})")
    async with reader() as ours:
        found = await ours.page(SMALL)
        assert isinstance(found, Unreadable) and "no answer" in found.reason


async def test_an_answer_without_end_is_none(monkeypatch):
    end = "sink.write(LENGTHS.pack(2**32 - 1, 0)); sink.flush(); sys.stdin.read()"
    monkeypatch.setattr(module, "_BEGIN", f"{PROLOGUE}; {end}")
    async with reader() as ours:
        assert isinstance(await ours.page(SMALL), Unreadable)


async def test_there_are_no_more_processes_than_workers_and_idle_ones_end():
    async with reader(workers=2, idle=60.0) as ours:
        assert ours.processes == ()
        await asyncio.gather(*(ours.page(SMALL) for _ in range(20)))
        pids = ours.processes
        assert 1 <= len(pids) <= 2
        pass_time(61.0)
        await until(lambda: not any(map(lives, pids)))
        assert ours.processes == ()
        assert await ours.page(SMALL) == read(SMALL)


async def test_a_reading_that_nobody_waits_for_harms_no_other():
    async with reader() as ours:
        await ours.page(SMALL)
        reading = asyncio.create_task(ours.page(LARGE))
        await asyncio.sleep(0)
        reading.cancel()
        with pytest.raises(asyncio.CancelledError):
            await reading
        assert await ours.page(SMALL) == read(SMALL)


async def test_closing_ends_what_is_under_way():
    ours = PageReader(workers=1)
    await ours.page(SMALL)
    pids = ours.processes
    reading = asyncio.create_task(ours.page(LARGE))
    await asyncio.sleep(0)
    await ours.close()
    assert isinstance(await reading, Unreadable)
    assert not any(map(lives, pids))
    assert await ours.page(SMALL) == read(SMALL), "it may be used again"
    await ours.close()


async def test_much_that_waits_holds_up_who_wants_to_fetch_more(monkeypatch):
    monkeypatch.setattr(module, "ROOM", 100)
    async with reader() as ours:
        await ours.room()
        reading = asyncio.create_task(ours.page(LARGE))
        await asyncio.sleep(0)
        waiting = asyncio.create_task(ours.room())
        done, _ = await asyncio.wait({waiting, reading}, return_when=asyncio.FIRST_COMPLETED)
        assert reading in done or waiting not in done
        await asyncio.gather(waiting, reading)


async def test_a_process_reads_so_many_documents_and_no_more(monkeypatch):
    monkeypatch.setattr(module, "DOCUMENTS", 2)
    pids = set()
    async with reader() as ours:
        for _ in range(5):
            assert await ours.page(SMALL) == read(SMALL)
            pids.update(ours.processes)
        assert len(pids) == 3


async def test_the_fake_reads_here():
    fake = FakeReader(frozenset({"https://bad.test/"}))
    assert await fake.page(SMALL) == read(SMALL)
    assert isinstance(await fake.page(Order("page", b"", "https://bad.test/")), Unreadable)
    assert await fake.sitemap(Order("sitemap", b"", URL)) == Sitemap()
