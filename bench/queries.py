"""The reads behind lists, counts and claims with many jobs in the database.

PYTHONPATH=. python bench/queries.py [--jobs 100000] [--rounds 7]
"""

from __future__ import annotations

import argparse
import random
import statistics
import tempfile
import time
from collections.abc import Callable
from typing import Any

from sqlalchemy import insert

from engine.durable import lease, queries
from engine.durable.database import Database
from engine.durable.ids import new_id
from engine.durable.migrate import open_database
from engine.durable.queries import Filter
from engine.durable.tables import Job, jobs

STATES = {"completed": 90.0, "failed": 5.0, "cancelled": 4.9, "pending": 0.1}


def made(number: int, status: str) -> dict[str, Any]:
    """A job row with parameters, tallies and a curve as long as real ones."""
    params = {"count": number, "providers": [{"domain": "gmail.com"}], "country": ["US"], "pattern": "{firstname}.{lastname}"}
    ended, failed = status != "pending", status == "failed"
    return Job(
        id=new_id(),
        type=random.choice(["generate-emails", "verify-emails"]),
        status=status,
        params=params,
        created_at=10**12 + number * 1000,
        updated_at=1,
        started_at=1,
        completed_at=2 if ended else None,
        error_message="broken" if failed else None,
        history=[[n, n] for n in range(60)],
        tallies={"age": {str(n): n for n in range(30)}},
    ).model_dump()


def fill(database: Database, count: int) -> None:
    """So many jobs, most of them ended."""
    states = random.choices(list(STATES), list(STATES.values()), k=count)
    with database.write() as connection:
        connection.execute(insert(jobs), [made(number, status) for number, status in enumerate(states)])


def timed(name: str, rounds: int, call: Callable[[], object]) -> None:
    """Print the median of several calls."""
    times = []
    for _ in range(rounds):
        started = time.perf_counter()
        call()
        times.append(1000 * (time.perf_counter() - started))
    print(f"{name:34} {statistics.median(times):7.1f} ms")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--jobs", type=int, default=100_000)
    parser.add_argument("--rounds", type=int, default=7)
    options = parser.parse_args()
    with tempfile.TemporaryDirectory(prefix="postbench-bench-") as folder:
        database = open_database(f"sqlite:///{folder}/postbench.db")
        fill(database, options.jobs)
        cursor = queries.listed(database).cursor
        calls: dict[str, Callable[[], object]] = {
            "a page of the list": lambda: queries.listed(database),
            "the next page": lambda: queries.listed(database, cursor=cursor),
            "the failed ones": lambda: queries.listed(database, Filter(status="failed")),
            "one type and state": lambda: queries.listed(database, Filter(type="verify-emails", status="cancelled")),
            "text search, a rare word": lambda: queries.listed(database, Filter(q="12345")),
            "text search, nothing found": lambda: queries.listed(database, Filter(q="nothing")),
            "counts by status": lambda: queries.stats(database),
            "counts by status, one type": lambda: queries.stats(database, Filter(type="verify-emails")),
            "look for something to claim": lambda: lease.claim(database, "bench", ["none"], 10),
            "look for something to rescue": lambda: lease.rescue(database, lambda _: False),
        }
        for name, call in calls.items():
            timed(name, options.rounds, call)
        database.close()


if __name__ == "__main__":
    main()
