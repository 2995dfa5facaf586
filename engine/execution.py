"""Which executor the settings ask for, and the doors that batches get."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from engine.durable.executor import Executor, LocalExecutor
from engine.durable.migrate import open_database
from engine.durable.site_cache import StoredSites
from engine.durable.verdict_cache import StoredVerdicts
from engine.net.dns import DnsResolver
from engine.net.guard import Guard, Resolve, system_addresses, transport
from engine.net.http import WebFetcher, user_agent
from engine.net.mailsso import MailsSoClient
from engine.net.reader import PageReader
from engine.net.smtp import SmtpProber
from engine.scraping.crawl import SiteCrawler
from engine.settings import Settings, settings
from engine.verifying.verifier import Limits, Verifier

MOST_HOSTS = 200
"""Websites that are asked at once: each is a connection and a document in memory."""


def doors() -> Mapping[str, Any]:
    """The doors to the outside by name; a job type takes the ones it needs. They open at first use, in any process."""
    configured = settings()
    return {
        "verifier": _verifier(configured),
        "crawler": _crawler(configured),
        "sites": StoredSites(lambda: open_database(configured.url)),
    }


def _verifier(configured: Settings) -> Verifier:
    guard = Guard(allow_private=configured.allow_private_networks)
    resolver = DnsResolver(configured.name_servers)
    prober = SmtpProber(
        resolver,
        guard,
        port=configured.smtp_probe_port,
        helo=configured.probe_name,
        sender=configured.probe_sender,
        timeout=configured.probe_timeout,
        rate=configured.probe_rate,
    )
    return Verifier(
        cache=StoredVerdicts(lambda: open_database(configured.url)),
        resolver=resolver,
        prober=prober,
        service=MailsSoClient(configured.mailsso_url, transport(guard)),
        limits=Limits(configured.concurrency, configured.probe_waits, configured.probe_cap),
    )


def _crawler(configured: Settings) -> SiteCrawler:
    resolver = DnsResolver(configured.name_servers)
    fetcher = WebFetcher(
        Guard(allow_private=configured.allow_private_networks),
        _addresses(resolver, alone=bool(configured.name_servers)),
        user_agent=user_agent(configured.base_url),
        delay=configured.crawl_delay,
        concurrency=min(configured.concurrency, MOST_HOSTS),
    )
    return SiteCrawler(fetcher, PageReader(), resolver)


def _addresses(resolver: DnsResolver, alone: bool) -> Resolve:
    """Finds the addresses of hosts by DNS; where that has none and is not `alone`, as the system does, with its hosts file."""

    async def resolve(host: str) -> Sequence[str]:
        return await resolver.addresses(host) or (() if alone else await system_addresses(host))

    return resolve


def make_executor(setting: str) -> Executor:
    """The executor for `POSTBENCH_EXECUTOR`."""
    if setting == "local":
        return LocalExecutor(doors())
    from engine.durable.dask_executor import DaskExecutor

    return DaskExecutor.connect(setting.removeprefix("dask://"), doors)
