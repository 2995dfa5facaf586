"""How soon work goes on after a kill -9 of the engine: from the kill to the next committed progress, restart included.

python bench/recovery.py [--kills 5]
"""

from __future__ import annotations

import argparse
import time

import psutil
from common import Server, postbench


def processed(server: Server, job_id: str) -> int:
    """Items committed so far."""
    return int(server.job(job_id)["metadata"]["processedItems"])


def kill(server: Server, job_id: str) -> float:
    """Kill the engine at work; seconds until more is committed than there was right after the kill."""
    [pid] = [engine["pid"] for engine in server.client.get("/api/health").json()["engines"] if engine["alive"]]
    psutil.Process(pid).kill()
    started, before = time.perf_counter(), processed(server, job_id)
    while processed(server, job_id) <= before:
        time.sleep(0.02)
    return time.perf_counter() - started


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--kills", type=int, default=5)
    options = parser.parse_args()
    with postbench() as server:
        job_id = server.submit("generate-emails", count=10_000_000, seed=1)
        waits = []
        for _ in range(options.kills):
            seen = processed(server, job_id)
            while processed(server, job_id) <= seen:
                time.sleep(0.02)
            time.sleep(0.5)
            waits.append(kill(server, job_id))
        job = server.wait(job_id)
        assert (job["status"], job["metadata"]["processedItems"]) == ("completed", 10_000_000), job["status"]
        print("progress again after", ", ".join(f"{wait:.1f}" for wait in waits), "s; then completed with every row")


if __name__ == "__main__":
    main()
