"""generate-emails end to end, beside mimesis making as many unique addresses in memory.

    python bench/generate.py [--rows 1000000] [--large 10000000] [--rounds 3]

Prints, for each figure, what was measured and the ratio. Postbench: from the submit to `completed`, every row committed to
disk with its person. mimesis: `Person.email(unique=True)` until there are as many, nothing stored.
"""

from __future__ import annotations

import argparse
import statistics
import subprocess
import sys
import time

from common import PeakMemory, Server, postbench, seconds_of

PARAMS = {
    "providers": ["gmail.com", "outlook.com"],
    "country": "US",
    "ageRange": "18-65",
    "gender": "any",
    "pattern": "{firstname}.{lastname}",
}
PEER = """
import sys, time
from mimesis import Person
from mimesis.locales import Locale
person, rows = Person(Locale.EN), int(sys.argv[1])
started = time.perf_counter()
made = {person.email(domains=["gmail.com", "outlook.com"], unique=True) for _ in range(rows)}
print(len(made), time.perf_counter() - started)
"""


def peer(rows: int) -> float:
    """Seconds mimesis takes, in a process of its own."""
    output = subprocess.run([sys.executable, "-c", PEER, str(rows)], capture_output=True, text=True, check=True).stdout
    made, seconds = output.split()
    assert int(made) == rows, f"mimesis made {made} distinct addresses"
    return float(seconds)


def ours(server: Server, rows: int) -> float:
    """Seconds from the submit to `completed`."""
    started = time.perf_counter()
    job = server.wait(server.submit("generate-emails", count=rows, **PARAMS))
    seconds = time.perf_counter() - started
    assert job["status"] == "completed" and job["metadata"]["processedItems"] == rows, job
    print(f"  {rows:>10,} rows: {seconds:6.2f} s by our clock, {seconds_of(job, 'createdAt', 'completedAt'):6.2f} s by the job's")
    return seconds


def download(server: Server, rows: int) -> None:
    """The CSV of the last job: speed, and how much the web process grows."""
    job = server.client.get("/api/jobs/list", params={"limit": 1}).json()["jobs"][0]
    with PeakMemory(server.web) as memory:
        started, size, lines = time.perf_counter(), 0, 0
        with server.client.stream("GET", f"/api/jobs/{job['id']}/results.csv") as answer:
            for piece in answer.iter_bytes():
                size += len(piece)
                lines += piece.count(b"\n")
        seconds = time.perf_counter() - started
    assert lines == rows + 1, f"{lines} lines"
    grown = f"web memory {memory.before:.0f} → {memory.peak:.0f} MiB"
    print(f"CSV of {rows:,} rows: {size / 2**20:.0f} MiB in {seconds:.2f} s; {grown}")


def main() -> None:
    """Measure everything."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rows", type=int, default=1_000_000)
    parser.add_argument("--large", type=int, default=10_000_000)
    parser.add_argument("--rounds", type=int, default=3)
    options = parser.parse_args()
    with postbench() as server:
        ours(server, 10_000)
        theirs, mine = [], []
        for _ in range(options.rounds):
            theirs.append(peer(options.rows))
            mine.append(ours(server, options.rows))
        ratio = statistics.median(theirs) / statistics.median(mine)
        print(f"mimesis {statistics.median(theirs):.2f} s, Postbench {statistics.median(mine):.2f} s: {ratio:.2f} × as fast")
        download(server, options.rows)
        with PeakMemory(server.engine) as memory:
            large = ours(server, options.large)
        per_row = (large / options.large) / (statistics.median(mine) / options.rows)
        print(f"cost per row at {options.large:,}: {per_row:.2f} × that at {options.rows:,}; engine peak {memory.peak:.0f} MiB")


if __name__ == "__main__":
    main()
