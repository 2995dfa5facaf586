"""verify-emails end to end: domains by DNS beside email-validator, mailboxes by SMTP, and a second run of a known list.

    PYTHONPATH=. python bench/verify.py [--addresses 20000] [--domains 2000] [--sample 500] [--probes 5000] [--rows 200000]

Name server and mail servers are those of the test lab, on loopback, with a delay before each answer. What email-validator takes
one by one is measured on a sample and scaled up, as the whole would take minutes; its 50 threads check the whole list.
"""

from __future__ import annotations

import argparse
import statistics
import time
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import dns.resolver
from common import Server, postbench, seconds_of
from email_validator import validate_email

from tests.lab.dns import DnsServer
from tests.lab.smtp import LabSmtp

DNS_DELAY, SMTP_DELAY = 0.020, 0.005


def run(server: Server, emails: Sequence[str], service: str) -> tuple[float, dict[str, Any]]:
    """Seconds from the submit to `completed`, and the job."""
    started = time.perf_counter()
    job = server.wait(server.submit("verify-emails", emails=list(emails), service=service))
    seconds = time.perf_counter() - started
    assert job["status"] == "completed" and job["metadata"]["processedItems"] == len(emails), job
    return seconds, job


def peer(port: int) -> Any:
    """email-validator's own check against the lab's name server."""
    resolver = dns.resolver.Resolver(configure=False)
    resolver.nameservers, resolver.port, resolver.lifetime = ["127.0.0.1"], port, 15.0

    def check(email: str) -> None:
        validate_email(email, dns_resolver=resolver)

    return check


def domains(options: argparse.Namespace) -> None:
    """The service dns."""
    zones = {f"d{n}.lab.example": {"mx": [[10, f"mx{n % 100}.lab.example"]]} for n in range(options.domains)}
    emails = [f"person{n}@d{n % options.domains}.lab.example" for n in range(options.addresses)]
    with DnsServer(zones, delay=DNS_DELAY) as lab, postbench(POSTBENCH_DNS_SERVERS=f"127.0.0.1:{lab.port}") as server:
        run(server, ["warm@up.example"], "dns")
        asked = lab.total
        ours, job = run(server, emails, "dns")
        assert job["metadata"]["counts"] == {"valid": len(emails)}, job["metadata"]["counts"]
        print(f"dns: {len(emails):,} addresses over {options.domains:,} domains: {ours:.2f} s, {lab.total - asked:,} questions")
        again, job = run(server, emails, "dns")
        print(f"  the same list again: {again:.2f} s, {lab.total - asked - options.domains} more questions")
        check, sample = peer(lab.port), emails[:: max(1, len(emails) // options.sample)]
        started = time.perf_counter()
        for email in sample:
            check(email)
        single = (time.perf_counter() - started) / len(sample) * len(emails)
        started = time.perf_counter()
        with ThreadPoolExecutor(50) as pool:
            list(pool.map(check, emails))
        threads = time.perf_counter() - started
    print(
        f"  email-validator one by one {single:.0f} s (scaled from {len(sample)}): {single / ours:.0f} × as fast (asked ≥ 40 ×)"
    )
    print(f"  email-validator in 50 threads {threads:.1f} s: {threads / ours:.1f} × as fast (asked ≥ 2 ×)")


def mailboxes(options: argparse.Namespace) -> None:
    """The service smtp."""
    hosts = 50
    zones: dict[str, Any] = {}
    for n in range(hosts):
        zones[f"m{n}.lab.example"] = {"mx": [[10, f"mx{n}.lab.example"]]}
        zones[f"mx{n}.lab.example"] = {"a": ["127.0.0.1"]}
    emails = [f"ok.{n}@m{n % hosts}.lab.example" for n in range(options.probes)]
    with DnsServer(zones) as names, LabSmtp(delay=SMTP_DELAY) as lab:
        settings = {
            "POSTBENCH_DNS_SERVERS": f"127.0.0.1:{names.port}",
            "POSTBENCH_SMTP_PROBE_PORT": str(lab.port),
            "POSTBENCH_ALLOW_PRIVATE_NETWORKS": "1",
            "POSTBENCH_PROBE_RATE": "100000",
        }
        with postbench(**settings) as server:
            run(server, ["warm@up.example"], "smtp")
            _, job = run(server, emails, "smtp")
    seconds = seconds_of(job, "startedAt", "completedAt")
    probes, connections = lab.counts.recipients.total(), lab.counts.connections.total()
    per_hundred = 100 * connections / probes
    print(f"smtp: {len(emails):,} addresses over {hosts} hosts: {seconds:.2f} s, {probes:,} probes: ", end="")
    print(f"{len(emails) / seconds:,.0f} addresses a second (asked ≥ 1,500), {per_hundred:.1f} connections per 100 (asked ≤ 3)")


def known(options: argparse.Namespace) -> None:
    """A list that is known."""
    zones = {f"d{n}.lab.example": {"mx": [[10, "mx.lab.example"]]} for n in range(options.domains)}
    emails = [f"person{n}@d{n % options.domains}.lab.example" for n in range(options.rows)]
    with DnsServer(zones) as lab, postbench(POSTBENCH_DNS_SERVERS=f"127.0.0.1:{lab.port}") as server:
        first, _ = run(server, emails, "dns")
        asked, rates = lab.total, []
        for _ in range(3):
            _, job = run(server, emails, "dns")
            rates.append(len(emails) / seconds_of(job, "startedAt", "completedAt"))
        assert lab.total == asked, "a known list asked again"
    print(
        f"known list of {len(emails):,}: first run {first:.2f} s, again {statistics.median(rates):,.0f} rows/s (asked ≥ 50,000)"
    )


def main() -> None:
    """Measure everything."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--addresses", type=int, default=20_000)
    parser.add_argument("--domains", type=int, default=2_000)
    parser.add_argument("--sample", type=int, default=500)
    parser.add_argument("--probes", type=int, default=5_000)
    parser.add_argument("--rows", type=int, default=200_000)
    parser.add_argument("--only", choices=["domains", "mailboxes", "known"])
    options = parser.parse_args()
    for part in (domains, mailboxes, known):
        if options.only in (None, part.__name__):
            part(options)


if __name__ == "__main__":
    main()
