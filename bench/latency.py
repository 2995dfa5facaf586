"""How quickly the engine reacts: pick-up of a submitted job, a cancel, and many event streams on one job.

python bench/latency.py [--jobs 200] [--streams 200]
"""

from __future__ import annotations

import argparse
import asyncio
import json
import time

import httpx
from common import Server, percentile, postbench, seconds_of


def pick_up(server: Server, jobs: int) -> None:
    """From `createdAt` to `startedAt`, one job at a time."""
    waits = []
    for number in range(jobs):
        job = server.wait(server.submit("generate-emails", count=100, seed=number))
        waits.append(1000 * seconds_of(job, "createdAt", "startedAt"))
    print(f"pick-up over {jobs} jobs: p50 {percentile(waits, 0.5):.0f} ms, p99 {percentile(waits, 0.99):.0f} ms")


def cancel(server: Server, rounds: int = 10) -> None:
    """From the cancel call until the engine has let go of the job: its CPU is idle and its health says so."""
    waits = []
    for _ in range(rounds):
        job_id = server.submit("generate-emails", count=10_000_000)
        while server.job(job_id)["status"] != "running" or not server.job(job_id)["metadata"]["processedItems"]:
            time.sleep(0.02)
        started = time.perf_counter()
        server.client.post(f"/api/jobs/{job_id}/cancel").raise_for_status()
        while busy(server):
            pass
        waits.append(1000 * (time.perf_counter() - started))
    print(f"cancel until the engine is idle, {rounds} rounds: p50 {percentile(waits, 0.5):.0f} ms, max {max(waits):.0f} ms")


def busy(server: Server) -> bool:
    """Whether the engine used more than a third of a core in the last 20 ms."""
    return server.engine.cpu_percent(0.02) > 33


async def streams(server: Server, number: int) -> None:
    """Many streams on one job: all must end with `complete`."""
    job_id = server.submit("generate-emails", count=3_000_000)
    limits = httpx.Limits(max_connections=number + 10)
    async with httpx.AsyncClient(base_url=server.url, limits=limits, timeout=120) as client:
        started = time.perf_counter()
        ends = await asyncio.gather(*(_follow(client, job_id) for _ in range(number)))
    complete = sum(end == "complete" for end in ends)
    print(f"{number} streams: {complete} ended with complete, {time.perf_counter() - started:.1f} s")


async def _follow(client: httpx.AsyncClient, job_id: str) -> str:
    last = ""
    async with client.stream("GET", f"/api/jobs/{job_id}/stream") as answer:
        async for line in answer.aiter_lines():
            if line.startswith("data:"):
                last = json.loads(line[5:])["type"]
    return last


def main() -> None:
    """Measure everything."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--jobs", type=int, default=200)
    parser.add_argument("--streams", type=int, default=200)
    options = parser.parse_args()
    with postbench() as server:
        pick_up(server, options.jobs)
        cancel(server)
        asyncio.run(streams(server, options.streams))


if __name__ == "__main__":
    main()
