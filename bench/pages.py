"""What the pages cost: first paint of each, and the web process's CPU while many pages follow a running job.

    python bench/pages.py [--pages 20] [--seconds 30] [--rounds 5] [--jobs 0]

`--jobs 100000` first fills the list with so many ended jobs, to see `/jobs` and `/` on a large installation.
"""

from __future__ import annotations

import argparse
import asyncio
import shutil
import statistics
import threading
import time
from typing import Any

from common import Server, postbench
from playwright.sync_api import Browser, sync_playwright
from sqlalchemy import insert
from visitors import Crowd

from engine.durable import engines, lease
from engine.durable.chunks import encode
from engine.durable.commit import Finished, Part, commit
from engine.durable.contract import Batch, Plan
from engine.durable.ids import new_id
from engine.durable.submit import Request, submit
from engine.durable.tables import Job, jobs
from engine.durable.totals import Totals
from engine.settings import Settings
from engine.workbench import Workbench

ARGS = ["--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run", "--disable-background-networking", "--disable-sync"]
FIRST_PAINT = "performance.getEntriesByName('first-contentful-paint')[0]?.startTime"


class SlowEngine(threading.Thread):
    """Takes the job and commits one batch a second, like an engine with slow items."""

    def __init__(self, bench: Workbench) -> None:
        super().__init__(daemon=True)
        self._bench, self._halt = bench, threading.Event()
        self._engine = engines.register(bench.database, "bench")

    def run(self) -> None:
        job = lease.claim(self._bench.database, self._engine, list(self._bench.types), 1)[0]
        job_type = self._bench.types[job.type]
        params = job_type.params.model_validate(job.params)
        totals, plan, tools = Totals.of(job), Plan(job.total_items, job.batch_size), None
        for number in range(plan.batches):
            batch: Any = job_type.process(Batch(number, *plan.span(number), plan.items), params, tools)  # type: ignore[arg-type]
            done: Any = asyncio.run(batch)
            totals = totals.plus([done]).paced(int(time.time() * 1000), 1.0)
            chunk = Finished(number, done.rows.num_rows, encode(done.rows))
            commit(self._bench.database, [Part(job.id, job.type, job.lease, self._engine, totals, [chunk], items=chunk.rows)])
            lease.heartbeat(self._bench.database, self._engine, 1)
            if self._halt.wait(1.0):
                return

    def stop(self) -> None:
        self._halt.set()
        self.join()


def fill(bench: Workbench, count: int) -> None:
    """So many ended jobs."""
    template = Job(id="", type="generate-emails", status="completed", params={"count": 10, "country": ["US"]}).model_dump()
    now = int(time.time() * 1000)
    rows = [
        {
            **template,
            "id": new_id(),
            "created_at": now - n * 500,
            "updated_at": now,
            "started_at": now,
            "completed_at": now,
            "compacted": True,
        }
        for n in range(count)
    ]
    if rows:
        with bench.database.write() as connection:
            connection.execute(insert(jobs), rows)


def first_paint(browser: Browser, url: str, ready: str, rounds: int) -> None:
    """A browser that has never been here: first pixels, and when the page says something."""
    paints, readies = [], []
    for _ in range(rounds):
        context = browser.new_context()
        page = context.new_page()
        started = time.perf_counter()
        page.goto(url)
        page.wait_for_selector(ready)
        readies.append(time.perf_counter() - started)
        paints.append(page.evaluate(FIRST_PAINT) / 1000)
        context.close()
    where = "/" + url.partition("//")[2].partition("/")[2]
    paint, content = statistics.median(paints), statistics.median(readies)
    print(f"{where[:31]:32} first paint {paint:.2f} s, content {content:.2f} s (medians of {rounds})", flush=True)


def live(server: Server, url: str, pages: int, seconds: float) -> None:
    """The web process's CPU with so many pages open on a running job."""
    with Crowd(url, pages) as crowd:
        time.sleep(5)
        before, asked = server.web.cpu_times(), crowd.refreshes
        time.sleep(seconds)
        after, answered = server.web.cpu_times(), crowd.refreshes - asked
    used = (after.user + after.system - before.user - before.system) / seconds
    memory = server.web.memory_info().rss / 2**20
    each = 1000 * used * seconds / max(1, answered)
    pace = f"{answered / seconds:.0f} refreshes a second of {each:.1f} ms"
    print(f"{pages} live pages: {100 * used:.1f} % of a core, {pace}, RSS {memory:.0f} MiB")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--pages", type=int, default=20)
    parser.add_argument("--seconds", type=float, default=30)
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--jobs", type=int, default=0)
    options = parser.parse_args()
    with postbench() as server, sync_playwright() as playwright:
        server.engine.suspend()  # the slow one below works in its place
        bench = Workbench.open(Settings(data_dir=server.folder))
        browser = playwright.chromium.launch(executable_path=shutil.which("chromium"), args=ARGS)
        fill(bench, options.jobs)
        request = Request(bench.types["generate-emails"], {"count": 10_000_000})
        url = f"{server.url}/generate-emails?job_id={submit(bench.database, bench.vault, request).job_id}"
        slow = SlowEngine(bench)
        slow.start()
        pages = [(server.url + "/", ".pb-tiles"), (server.url + "/jobs", "canvas"), (server.url + "/generate-emails", "input")]
        for address, ready in [*pages, (url, ".pb-tiles")] if options.rounds else []:
            first_paint(browser, address, ready, options.rounds)
        live(server, url, options.pages, options.seconds)
        slow.stop()
        server.engine.resume()
        browser.close()
        bench.database.close()


if __name__ == "__main__":
    main()
