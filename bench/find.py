"""find-emails over a lab of companies with mixed patterns: how many people are found, and how fast.

    PYTHONPATH=. python bench/find.py [--domains 40] [--people 8] [--delay 0.005] [--seed 11]

Name server, websites and mail servers are those of the test lab, on loopback. Each company shows none to six of its people on its
website; two of those who are looked for work elsewhere. A person is findable whose address is on the website, or whose company
shows two others, or uses one of the three commonest patterns. Every eighth company takes mail for any address.
"""

from __future__ import annotations

import argparse
from collections import Counter
from typing import Any

from common import Server, postbench, seconds_of

from tests.lab.bureaus import bureaus
from tests.lab.offices import Street, offices, score, street


def run(server: Server, lab: Street, service: str, title: str) -> None:
    """One job over everybody, and what came of it."""
    pages, probes = lab.web.total, lab.mx.counts.recipients.total()
    job = server.wait(server.submit("find-emails", people=lab.people(), service=service), 1800)
    assert job["status"] == "completed", job
    sought, rows = lab.sought(), rows_of(server, job["id"])
    told = score(sought, rows)
    seconds = seconds_of(job, "startedAt", "completedAt")
    pages, probes = lab.web.total - pages, lab.mx.counts.recipients.total() - probes
    print(
        f"{title}: {len(rows):,} people in {seconds:.2f} s ({len(rows) / seconds:,.0f}/s), {pages:,} fetches, {probes:,} probes"
    )
    print(f"  findable {told.findable}, right at first place {told.right}: {100 * told.share:.1f} % (asked ≥ 90 %)")
    most = f", highest confidence on catch-all {told.most_on_catch_all} (asked ≤ 60)" if service == "smtp" else ""
    print(f"  wrong valid {len(told.wrong_valid)} (asked 0){most}")
    print(f"  strangers not found {told.strangers_left} of {told.strangers}; {dict(Counter(row['status'] for row in rows))}")
    for missed in (*told.wrong_valid, *told.missed):
        print(f"    {missed}")


def rows_of(server: Server, job_id: str) -> list[dict[str, Any]]:
    """The whole table."""
    rows: list[dict[str, Any]] = server.client.get(f"/api/jobs/{job_id}/results.json").raise_for_status().json()
    return rows


def main() -> None:
    """Measure: by mail servers, again, and by DNS alone."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--domains", type=int, default=40)
    parser.add_argument("--people", type=int, default=8)
    parser.add_argument("--seed", type=int, default=0, help="other companies, whose names are of many countries")
    parser.add_argument("--delay", type=float, default=0.005)
    options = parser.parse_args()
    made = bureaus(options.domains, options.people, options.seed) if options.seed else offices(options.domains, options.people)
    with street(made, options.delay) as lab:
        with postbench(**lab.settings) as server:
            run(server, lab, "smtp", "by mail server")
            run(server, lab, "smtp", "the same list again")
        with postbench(**lab.settings) as server:
            run(server, lab, "dns", "by DNS alone, nothing known")


if __name__ == "__main__":
    main()
