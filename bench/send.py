"""send-emails end to end beside a plain aiosmtplib loop on one connection, against the same relay, in turns.

    PYTHONPATH=. python bench/send.py [--aiosmtplib VENV/bin/python] [--messages 2000] [--delay 0 0.005] [--rounds 3]

aiosmtplib is no dependency: `--aiosmtplib` names a Python that has it; without, only Postbench is measured. The relay is the
test lab's, in a process of its own, with and without a pause before each reply. Postbench's seconds go from the start of the job
to its end: every message rendered, a ledger row armed on disk before each dot and settled after it, the table committed. The
loop's go from its first message to its last reply; it writes nothing down.
"""

from __future__ import annotations

import argparse
import json
import statistics
import subprocess
from pathlib import Path
from typing import Any

from common import Server, postbench, seconds_of

from tests.lab.receiver import asked, told
from tests.lab.running import in_process

PLAIN = Path(__file__).with_name("send_plain.py")


def ours(server: Server, port: int, count: int, turn: int) -> float:
    """Seconds of a job of `count` messages."""
    recipients: list[dict[str, Any]] = [{"email": f"r{turn}.{n}@lab.test", "first_name": f"Name {n}"} for n in range(count)]
    before = sum(asked(port)["accepted"].values())
    job = server.wait(
        server.submit(
            "send-emails",
            recipients=recipients,
            subject="Hello {{ first_name }}",
            text="Dear {{ first_name }},\n\nthis is a short message.\n",
            postalAddress="1 High Street, London",
            consentBasis="customer",
            transport="smtp",
            **{"from": "Ada <ada@sender.test>"},
        )
    )
    assert job["status"] == "completed" and job["metadata"]["counts"] == {"sent": count}, job["metadata"]
    assert sum(asked(port)["accepted"].values()) - before == count
    return seconds_of(job, "startedAt", "completedAt")


def theirs(python: str, port: int, count: int) -> float:
    """Seconds of the loop."""
    done = subprocess.run([python, str(PLAIN), str(port), str(count)], capture_output=True, text=True, check=True)
    return float(json.loads(done.stdout)["seconds"])


def compare(options: argparse.Namespace, delay: float) -> None:
    """Both in turns; the medians."""
    mine, plain = [], []
    with in_process("tests.lab.receiver") as port:
        told(port, {"delay": delay})
        with postbench(POSTBENCH_SMTP_URL=f"smtp://127.0.0.1:{port}") as server:
            ours(server, port, 100, 0)
            for turn in range(1, options.rounds + 1):
                mine.append(ours(server, port, options.messages, turn))
                if options.aiosmtplib:
                    plain.append(theirs(options.aiosmtplib, port, options.messages))
    print(f"{options.messages:,} messages, {1000 * delay:.0f} ms before each reply: {_listed(mine)}", end="")
    if plain:
        ratio = statistics.median(plain) / statistics.median(mine)
        print(f"; aiosmtplib {_listed(plain)}: {ratio:.2f} × as fast (asked ≥ 1 ×)", end="")
    print()


def _listed(seconds: list[float]) -> str:
    return f"{statistics.median(seconds):.2f} s ({', '.join(f'{s:.2f}' for s in seconds)})"


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--aiosmtplib", help="a Python that has aiosmtplib")
    parser.add_argument("--messages", type=int, default=2_000)
    parser.add_argument("--delay", type=float, nargs="*", default=[0.0, 0.005])
    parser.add_argument("--rounds", type=int, default=3)
    chosen = parser.parse_args()
    for pause in chosen.delay:
        compare(chosen, pause)
