"""The fetcher beside Scrapy: pages per second over many slow hosts, each asked politely, and memory over thousands of hosts.

    PYTHONPATH=. python bench/fetch.py --scrapy VENV/bin/python [--sites 100] [--pages 5] [--hosts 2000] [--rounds 3]

Scrapy 2.19 is no dependency: `--scrapy` names a Python that has it; without, only the fetcher is measured. Both get the same list
of URLs, obey robots.txt, keep one connection per host, wait 0 seconds between fetches and parse nothing; the server is the test
lab's, in a process of its own, with 50 ms before each answer. Seconds count from the first fetch to the last answer, the start of
the interpreter not counted. Rounds alternate between the two.
"""

from __future__ import annotations

import argparse
import asyncio
import gc
import json
import statistics
import subprocess
import time
from pathlib import Path

import httpx
import psutil

from engine.net.guard import Guard
from engine.net.http import Outcome, WebFetcher, user_agent
from tests.lab.running import in_process
from tests.lab.web import loopback

DELAY = 0.050
SPIDER = Path(__file__).with_name("fetch_spider.py")


def lab(port: int) -> dict[str, int]:
    """What the server has counted."""
    answer: dict[str, int] = httpx.get(f"http://127.0.0.1:{port}/", headers={"Host": "lab"}, trust_env=False).json()
    return answer


def urls(port: int, sites: int, pages: int) -> list[str]:
    """Site by site within each round, as a crawl would meet them."""
    return [f"http://s{n}.test:{port}/{f'p{page}' if page else ''}" for page in range(pages) for n in range(sites)]


def fetcher(concurrency: int) -> WebFetcher:
    """Ours, without delay."""
    agent = user_agent("https://postbench.example")
    return WebFetcher(Guard(allow_private=True), loopback, user_agent=agent, delay=0.0, concurrency=concurrency)


async def crawl(addresses: list[str], concurrency: int) -> float:
    """Seconds for all of them."""
    ours = fetcher(concurrency)
    await ours.robots("")  # what is made once for all
    started = time.perf_counter()
    found = await asyncio.gather(*(ours.fetch(url) for url in addresses))
    seconds = time.perf_counter() - started
    await ours.close()
    assert all(page.outcome == Outcome.OK for page in found), [page for page in found if page.outcome != Outcome.OK][:3]
    return seconds


def spider(python: str, addresses: list[str], concurrency: int) -> float:
    """Seconds that Scrapy needs for all of them."""
    command = [python, str(SPIDER), str(concurrency)]
    done = subprocess.run(command, input="\n".join(addresses), capture_output=True, text=True, check=True)
    told = json.loads(done.stdout.splitlines()[-1])
    assert told["pages"] == len(addresses), told
    return float(told["seconds"])


def rates(options: argparse.Namespace) -> None:
    """Pages per second."""
    ours, theirs = [], []
    amount = options.sites * options.pages
    with in_process("tests.lab.web", "--sites", str(options.sites), "--pages", str(options.pages), "--delay", str(DELAY)) as port:
        addresses = urls(port, options.sites, options.pages)
        for _ in range(options.rounds):
            ours.append(amount / asyncio.run(crawl(addresses, options.concurrency)))
            if options.scrapy:
                theirs.append(amount / spider(options.scrapy, addresses, options.concurrency))
        print(f"{options.sites} sites × {options.pages} pages, {1000 * DELAY:.0f} ms per answer: ", end="")
        print(f"{statistics.median(ours):,.0f} pages/s")
        print(f"  each round: {', '.join(f'{rate:,.0f}' for rate in ours)}")
        if theirs:
            middle = statistics.median(theirs)
            print(f"  Scrapy: {middle:,.0f} pages/s ({', '.join(f'{rate:,.0f}' for rate in theirs)}): ", end="")
            print(f"{statistics.median(ours) / middle:.1f} × as fast (asked ≥ 1 ×)")
        print(f"  the server saw {lab(port)}")


async def many(port: int, hosts: int, pages: int, concurrency: int) -> list[float]:
    """MiB resident after each tenth of the hosts."""
    ours, me, sizes = fetcher(concurrency), psutil.Process(), []
    step = max(hosts // 10, 1)
    for first in range(0, hosts, step):
        wave = [
            f"http://s{n}.test:{port}/{f'p{page}' if page else ''}" for n in range(first, first + step) for page in range(pages)
        ]
        await asyncio.gather(*(ours.fetch(url) for url in wave))
        del wave
        gc.collect()
        sizes.append(me.memory_info().rss / 2**20)
    await ours.close()
    return sizes


def memory(options: argparse.Namespace) -> None:
    """Memory over many hosts."""
    with in_process("tests.lab.web", "--sites", str(options.hosts), "--pages", "2", "--size", "20000") as port:
        started = time.perf_counter()
        sizes = asyncio.run(many(port, options.hosts, 2, options.concurrency))
        seconds = time.perf_counter() - started
        print(f"{options.hosts:,} hosts × 2 pages of 20 kB in {seconds:.1f} s: {', '.join(f'{size:.0f}' for size in sizes)} MiB")
        print(f"  the server saw {lab(port)}")


def main() -> None:
    """Measure both."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--scrapy", default="", help="a Python that has Scrapy")
    parser.add_argument("--sites", type=int, default=100)
    parser.add_argument("--pages", type=int, default=5)
    parser.add_argument("--hosts", type=int, default=2_000)
    parser.add_argument("--concurrency", type=int, default=100)
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--only", choices=["rates", "memory"])
    options = parser.parse_args()
    for part in (rates, memory):
        if options.only in (None, part.__name__):
            part(options)


if __name__ == "__main__":
    main()
