"""Which executor the settings ask for, and the doors that batches get."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from engine.durable.executor import Executor, LocalExecutor
from engine.durable.migrate import open_database
from engine.durable.verdict_cache import StoredVerdicts
from engine.net.dns import DnsResolver
from engine.net.guard import Guard, transport
from engine.net.mailsso import MailsSoClient
from engine.net.smtp import SmtpProber
from engine.settings import Settings, settings
from engine.verifying.verifier import Limits, Verifier


def doors() -> Mapping[str, Any]:
    """The doors to the outside by name; a job type takes the ones it needs. They open at first use, in any process."""
    return {"verifier": _verifier(settings())}


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


def make_executor(setting: str) -> Executor:
    """The executor for `POSTBENCH_EXECUTOR`."""
    if setting == "local":
        return LocalExecutor(doors())
    from engine.durable.dask_executor import DaskExecutor

    return DaskExecutor.connect(setting.removeprefix("dask://"), doors)
