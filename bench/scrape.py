"""scrape-emails end to end beside Scrapy, the parsing of a large page, and the engine's memory over thousands of domains.

    PYTHONPATH=. python bench/scrape.py [--scrapy VENV/bin/python] [--sites 100] [--pages 5] [--domains 2000] [--rounds 3]

Scrapy 2.19 is no dependency: `--scrapy` names a Python that has it; without, only Postbench is measured. Both crawl the same
sites of the test lab, served from a process of its own with 50 ms before each answer, obey robots.txt, keep one connection per
host and wait 0 seconds between fetches. Postbench's seconds go from the submit over the API to `completed`, with everything on
disk; Scrapy's from its first fetch to its last answer, without the start of its interpreter. `bench/fetch.py` has the fetcher
alone.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import statistics
import subprocess
import time
from pathlib import Path
from typing import Any

import psutil
from common import PeakMemory, Server, postbench
from extract import KINDS, large
from fetch import DELAY, lab

from engine.mail.page import read_page
from engine.net.reader import Order, PageReader, Unreadable
from tests.lab.dns import DnsServer
from tests.lab.running import in_process

SPIDER = Path(__file__).with_name("scrape_spider.py")
MEGABYTE = 1_000_000


def settings(names: DnsServer) -> dict[str, str]:
    """An engine that sees the lab and waits for nobody."""
    return {
        "POSTBENCH_DNS_SERVERS": f"127.0.0.1:{names.port}",
        "POSTBENCH_ALLOW_PRIVATE_NETWORKS": "1",
        "POSTBENCH_CRAWL_DELAY": "0",
    }


def run(server: Server, domains: list[str], pages: int) -> tuple[float, dict[str, Any]]:
    """Seconds from the submit to `completed`, and the job."""
    started = time.perf_counter()
    job = server.wait(server.submit("scrape-emails", domains=domains, maxPagesPerDomain=pages))
    seconds = time.perf_counter() - started
    assert job["status"] == "completed" and job["metadata"]["successCount"] == len(domains), job["metadata"]
    return seconds, job


def spider(python: str, urls: list[str], concurrency: int, pages: int) -> float:
    """Seconds that Scrapy needs."""
    command = [python, str(SPIDER), str(concurrency), str(pages)]
    done = subprocess.run(command, input="\n".join(urls), capture_output=True, text=True, check=True)
    told = json.loads(done.stdout.splitlines()[-1])
    assert told["pages"] == len(urls) * pages, told
    return float(told["seconds"])


def rates(options: argparse.Namespace) -> None:
    """Pages per second, end to end."""
    amount, ours, theirs = options.sites * options.pages, [], []
    arguments = ["--sites", str(options.sites), "--pages", str(options.pages), "--delay", str(DELAY)]
    with DnsServer({"*.test": {"a": ["127.0.0.1"]}}) as names, in_process("tests.lab.web", *arguments) as port:
        domains = [f"s{n}.test:{port}" for n in range(options.sites)]
        with postbench(**settings(names)) as server:
            for _ in range(options.rounds + 1):
                before = lab(port)["pages"]
                ours.append(amount / run(server, domains, options.pages)[0])
                asked = lab(port)["pages"] - before
                if options.scrapy:
                    urls = [f"http://{domain}/" for domain in domains]
                    theirs.append(amount / spider(options.scrapy, urls, options.sites, options.pages))
    print(f"{options.sites} sites × {options.pages} pages, {1000 * DELAY:.0f} ms per answer: ", end="")
    print(
        f"{statistics.median(ours[1:]):,.0f} pages/s from submit to completed ({_listed(ours[1:])}; the first job {ours[0]:,.0f})"
    )
    print(f"  {asked} requests for pages and sitemaps")
    if theirs:
        middle = statistics.median(theirs[1:])
        print(f"  Scrapy {middle:,.0f} pages/s ({_listed(theirs[1:])}): ", end="")
        print(f"{statistics.median(ours[1:]) / middle:.2f} × as fast (asked ≥ 1 ×)")


def _listed(values: list[float]) -> str:
    return ", ".join(f"{value:,.0f}" for value in values)


async def _read(pages: dict[str, bytes], times: int) -> None:
    reader = PageReader(workers=1)
    await reader.page(Order("page", b"warm", "https://kestrelworks.com/"))
    for name, html in pages.items():
        here, there = [], []
        for _ in range(times):
            started = time.perf_counter()
            read_page(html, "https://kestrelworks.com/")
            here.append(time.perf_counter() - started)
            started = time.perf_counter()
            found = await reader.page(Order("page", html, "https://kestrelworks.com/"))
            there.append(time.perf_counter() - started)
            assert not isinstance(found, Unreadable)
        best, middle = 1000 * min(there), 1000 * statistics.median(there)
        print(f"  {name}: best {best:.1f} ms, median {middle:.1f} ms, of the best {best - 1000 * min(here):.2f} ms for the way")
    await reader.close()


def parsing(_options: argparse.Namespace) -> None:
    """Time of one page by the reader's processes."""
    print("reading a page (asked: 1 MB ≤ 50 ms, the way ≤ 2 ms):")
    pages = {f"1 MB of {kind}": large(kind, MEGABYTE) for kind in KINDS}
    asyncio.run(_read({"5 kB": large("shop", 5_000), "100 kB": large("shop", 100_000), **pages}, 15))


def memory(options: argparse.Namespace) -> None:
    """The engine's memory over many domains."""
    arguments = ["--sites", str(options.domains), "--pages", "3", "--size", "20000"]
    with DnsServer({"*.test": {"a": ["127.0.0.1"]}}) as names, in_process("tests.lab.web", *arguments) as port:
        domains = [f"s{n}.test:{port}" for n in range(options.domains)]
        with postbench(**settings(names)) as server:
            tenth = options.domains // 10
            sizes, peaks, children = [], [], 0.0
            started = time.perf_counter()
            for first in range(0, options.domains, tenth):
                with PeakMemory(server.engine) as watch:
                    run(server, domains[first : first + tenth], 3)
                sizes.append(server.engine.memory_info().rss / 2**20)
                peaks.append(watch.peak)
                children = max(children, *(_size(child) for child in server.engine.children()), 0.0)
            seconds = time.perf_counter() - started
            with PeakMemory(server.engine) as watch:
                run(server, domains, 3)
    print(f"{options.domains:,} domains × 3 pages of 20 kB in ten jobs, {seconds:.1f} s: MiB after each {_listed(sizes)}")
    print(f"  peaks {_listed(peaks)}; largest reader {children:.0f} MiB; all in one job: peak {watch.peak:.0f} MiB")


def _size(process: psutil.Process) -> float:
    try:
        return float(process.memory_info().rss / 2**20)
    except psutil.NoSuchProcess:
        return 0.0


def main() -> None:
    """Measure everything."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--scrapy", default="", help="a Python that has Scrapy")
    parser.add_argument("--sites", type=int, default=100)
    parser.add_argument("--pages", type=int, default=5)
    parser.add_argument("--domains", type=int, default=2_000)
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--only", choices=["rates", "parsing", "memory"])
    options = parser.parse_args()
    for part in (rates, parsing, memory):
        if options.only in (None, part.__name__):
            part(options)


if __name__ == "__main__":
    main()
