"""The event stream: order, ids, pace, reconnects, and its ends."""

from __future__ import annotations

import asyncio
import time
from typing import Any

import pytest

from engine.api import hub, stream
from engine.client import parse_events
from engine.durable import control
from engine.durable.states import Status
from tests.api.kinds import PROBE, complete, take, work
from tests.lab.running import PATIENCE


def parsed(raw: str | bytes) -> list[tuple[str, dict[str, Any]]]:
    text = raw.decode() if isinstance(raw, bytes) else raw
    return list(parse_events(iter(text.split("\n"))))


class Reader:
    """One stream of the hub, read in the background as a client would."""

    def __init__(self, api, job_id: str, position: int = 0) -> None:
        self.events: list[tuple[str, dict[str, Any]]] = []
        self.times: list[float] = []
        self.comments = 0
        self.arrived = asyncio.Condition()
        self.task = asyncio.create_task(self._read(api.state.hub, job_id, position))

    async def _read(self, hub, job_id: str, position: int) -> None:
        async with hub.watch(job_id) as topic:
            async for part in stream.events(hub, topic, position):
                async with self.arrived:
                    self.comments += part.startswith(b":")
                    self.events += parsed(part)
                    self.times += [time.monotonic()] * bool(parsed(part))
                    self.arrived.notify_all()

    async def until(self, condition) -> None:
        async with asyncio.timeout(PATIENCE), self.arrived:
            await self.arrived.wait_for(lambda: condition(self))

    async def end(self) -> list[dict[str, Any]]:
        async with asyncio.timeout(PATIENCE):
            await self.task
        return [event for _, event in self.events]


async def new_job(http, batches: int = 3) -> str:
    return str((await http.post(f"/api/{PROBE.name}-job", json={"howMany": batches * 10})).json()["jobId"])


async def test_connected_progress_complete_in_this_order(http, api, bench):
    job_id = await new_job(http)
    reader = Reader(api, job_id)
    await reader.until(lambda r: len(r.events) >= 2)
    await asyncio.to_thread(work, bench, job_id, [0])
    await reader.until(lambda r: r.events[-1][1].get("progress") == 33.3)
    await asyncio.to_thread(work, bench, job_id, [1, 2], Status.COMPLETED)
    events = await reader.end()
    assert [event["type"] for event in events[:1] + events[-2:]] == ["connected", "progress", "complete"]
    assert {event["type"] for event in events[1:-1]} == {"progress"}
    assert events[0] == {"type": "connected", "jobId": job_id}
    assert set(events[-2]) == {"type", "jobId", "status", "progress", "metadata"}
    assert events[-2]["progress"] == 100 and events[-2]["metadata"]["processedItems"] == 30
    assert not {"params", "partialResults"} & set(events[-2]["metadata"])
    assert events[-1] == {"type": "complete", "jobId": job_id, "status": "completed", "errorMessage": None}
    ids = [int(number) for number, _ in reader.events]
    assert ids == sorted(set(ids)), "ids grow"


async def test_an_ended_jobs_stream_is_always_the_same(http, bench):
    job_id = await new_job(http)
    complete(bench, job_id)
    whole = await http.get(f"/api/jobs/{job_id}/stream")
    assert whole.headers["content-type"].startswith("text/event-stream")
    assert [event["type"] for _, event in parsed(whole.text)] == ["connected", "progress", "complete"]
    for last in ("0", "3", "999999", "nonsense", "-1", ""):
        again = await http.get(f"/api/jobs/{job_id}/stream", headers={"Last-Event-ID": last})
        assert again.text == whole.text, last


async def test_a_failed_job_completes_with_its_message(http, bench):
    job_id = await new_job(http)
    work(bench, job_id, [0], Status.FAILED, "The disk is full")
    last = parsed((await http.get(f"/api/jobs/{job_id}/stream")).text)[-1][1]
    assert last["status"] == "failed" and last["errorMessage"] == "The disk is full"


async def test_whoever_comes_back_misses_nothing_and_hears_nothing_twice(http, api, bench):
    job_id = await new_job(http)
    take(bench, job_id)  # so that what is worked is one commit, and one event
    first = Reader(api, job_id)
    await first.until(lambda r: len(r.events) == 2)
    seen = int(first.events[-1][0])
    first.task.cancel()
    up_to_date = Reader(api, job_id, seen)
    await up_to_date.until(lambda r: len(r.events) == 1)
    await asyncio.to_thread(work, bench, job_id, [0])
    await up_to_date.until(lambda r: len(r.events) >= 2)
    behind = Reader(api, job_id, seen)
    await behind.until(lambda r: len(r.events) == 2)
    beyond = Reader(api, job_id, 10**9)
    await beyond.until(lambda r: len(r.events) == 2)
    assert behind.events[1] == up_to_date.events[-1] == beyond.events[1]
    await asyncio.to_thread(control.cancel, bench.database, job_id)
    assert [(await reader.end())[-1]["status"] for reader in (up_to_date, behind, beyond)] == ["cancelled"] * 3


async def test_at_most_four_progress_events_a_second(http, api, bench):
    job_id = await new_job(http, batches=40)
    reader = Reader(api, job_id)
    await reader.until(lambda r: len(r.events) >= 2)
    for number in range(40):
        await asyncio.to_thread(work, bench, job_id, [number], Status.COMPLETED if number == 39 else None)
    events = await reader.end()
    assert events[-2]["metadata"]["processedItems"] == 400
    times = [moment for moment, event in zip(reader.times, events, strict=True) if event["type"] == "progress"]
    assert all(later - earlier >= 1 for earlier, later in zip(times, times[4:], strict=False)), "five within a second"


async def test_the_end_is_told_without_a_pause(http, api, bench, monkeypatch):
    monkeypatch.setattr(stream, "SPACING_SECONDS", 3600.0)
    job_id = await new_job(http)
    reader = Reader(api, job_id)
    await reader.until(lambda r: len(r.events) >= 2)
    await asyncio.to_thread(work, bench, job_id, [0])
    await asyncio.to_thread(work, bench, job_id, [1, 2], Status.COMPLETED)
    assert [event["type"] for event in await reader.end()] == ["connected", "progress", "progress", "complete"]


async def test_two_hundred_streams_cost_one_look_and_all_complete(http, api, bench, monkeypatch):
    job_id = await new_job(http)
    looks: list[int] = []

    def counted(database, seen):
        looks.append(len(seen))
        return read(database, seen)

    read = hub._read
    monkeypatch.setattr(hub, "_read", counted)
    readers = [Reader(api, job_id) for _ in range(200)]
    for reader in readers:
        await reader.until(lambda r: len(r.events) >= 2)
    assert api.state.hub.streams == 200
    before = len(looks)
    await asyncio.to_thread(complete, bench, job_id)
    for reader in readers:
        assert (await reader.end())[-1]["type"] == "complete"
    assert len(looks) - before < 40 and set(looks) <= {1}
    assert api.state.hub.streams == 0


async def test_deleting_a_job_ends_its_streams(http, api, bench):
    job_id = await new_job(http)
    reader = Reader(api, job_id)
    await reader.until(lambda r: len(r.events) >= 2)

    def vanish() -> None:
        control.cancel(bench.database, job_id)
        control.remove(bench.database, job_id)

    await asyncio.to_thread(vanish)
    events = await reader.end()
    assert events[-1]["type"] == "complete" and events[-1]["status"] == "cancelled"


async def test_a_quiet_stream_says_that_it_lives(http, api, bench, monkeypatch):
    monkeypatch.setattr(stream, "KEEPALIVE_SECONDS", 0.05)
    job_id = await new_job(http)
    reader = Reader(api, job_id)
    await reader.until(lambda r: r.comments >= 2)
    control.cancel(bench.database, job_id)
    await reader.end()


async def test_streams_end_when_the_process_is_asked_to(http, api, bench):
    job_id = await new_job(http)
    reader = Reader(api, job_id)
    await reader.until(lambda r: len(r.events) >= 2)
    api.state.hub.end_streams()
    assert (await reader.end())[-1]["type"] == "progress"


@pytest.mark.parametrize("other", ["paused", "resumed"])
async def test_a_stream_lives_through_pauses(http, api, bench, other):
    job_id = await new_job(http)
    reader = Reader(api, job_id)
    await asyncio.to_thread(control.pause, bench.database, job_id)
    await reader.until(lambda r: r.events and r.events[-1][1].get("status") == "paused")
    if other == "resumed":
        await asyncio.to_thread(control.resume, bench.database, job_id)
        await reader.until(lambda r: r.events[-1][1]["status"] == "pending")
    await asyncio.to_thread(control.cancel, bench.database, job_id)
    assert (await reader.end())[-1]["status"] == "cancelled"
