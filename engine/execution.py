"""Which executor the settings ask for, and the doors that batches get."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from functools import lru_cache
from typing import Any

import httpx

from engine.durable.executor import Executor, LocalExecutor
from engine.durable.files import StoredFiles
from engine.durable.migrate import open_database
from engine.durable.site_cache import StoredSites
from engine.durable.spending import StoredSpending
from engine.durable.stored_ledger import StoredLedger
from engine.durable.vault import Vault
from engine.durable.verdict_cache import StoredVerdicts
from engine.errors import ConfigError
from engine.mail.address import Address, parse
from engine.mail.policies import Finding
from engine.mail.policies_dkim import public_key
from engine.net.dns import DnsResolver
from engine.net.guard import Guard, Resolve, system_addresses, transport
from engine.net.http import WebFetcher, user_agent
from engine.net.llm import Llm, Llms
from engine.net.llm_local import LocalLlm
from engine.net.llm_services import AnthropicLlm, OpenAiLlm
from engine.net.mailsso import MailsSoClient
from engine.net.outbox import Outbox
from engine.net.postbox_url import postbox
from engine.net.reader import PageReader
from engine.net.service import base_of
from engine.net.smtp import SmtpProber
from engine.net.submission import Transport
from engine.net.submission_smtp import SmtpTransport
from engine.net.submission_url import relay_of
from engine.scraping.crawl import SiteCrawler
from engine.sending.parcels import Route
from engine.sending.preflight import Setup, Signing, preflight
from engine.sending.sender import Sender
from engine.sending.stationery import Dkim, Stationery
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
        "llm": _llms(configured),
        "spending": StoredSpending(lambda: open_database(configured.url)),
        "sender": _sender(configured),
        "stationery": _stationery(configured),
    }


def check_settings(configured: Settings) -> None:
    """Look at the settings of the doors before anything starts, so that whoever starts it hears what is wrong.

    Raises:
        ConfigError: one cannot be used; the message names it and holds no password.
    """
    if configured.smtp_url is not None:
        relay_of(configured.smtp_url.get_secret_value()).context()
    if configured.bounce_url is not None:
        postbox(configured.bounce_url.get_secret_value())
    if configured.bounce_address and not isinstance(parse(configured.bounce_address), Address):
        raise ConfigError("POSTBENCH_BOUNCE_ADDRESS is no address; expected one such as bounces@example.com")
    _dkim(configured)
    _llms(configured)


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


def _sender(configured: Settings) -> Sender:
    routes: dict[Route, Transport] = {Route.OUTBOX: Outbox(configured.outbox)}
    if configured.smtp_url is not None:
        relay = relay_of(configured.smtp_url.get_secret_value())
        guard = Guard(configured.allow_private_networks, trusted=frozenset({(relay.host, relay.port)}))
        routes[Route.SMTP] = SmtpTransport(relay, guard, configured.probe_name)
    return Sender(StoredLedger(lambda: open_database(configured.url)), routes, configured.send_retry_seconds)


def _stationery(configured: Settings) -> Stationery:
    key = configured.secret_key.get_secret_value() if configured.secret_key else None
    vault = Vault.open(key, configured.data_dir)
    files = StoredFiles(lambda: open_database(configured.url))
    return Stationery(vault.sign, configured.base_url, files, _dkim(configured), configured.bounce_address)


def _dkim(configured: Settings) -> Dkim:
    """Who signs for a sender's domain.

    Raises:
        ConfigError: the key cannot be read or used.
    """
    path = configured.dkim_key_file
    if path is None:
        return lambda domain: None
    from engine.mail.message.signing import KeyFlaw, Signer

    try:
        key = path.read_bytes()
        Signer.of(key, configured.dkim_selector, configured.dkim_domain or "example.com")
    except OSError as error:
        raise ConfigError(f"POSTBENCH_DKIM_KEY_FILE cannot be read: {error.strerror}") from None
    except KeyFlaw as flaw:
        raise ConfigError(f"POSTBENCH_DKIM_KEY_FILE: {flaw}") from None
    return lru_cache(maxsize=64)(lambda domain: Signer.of(key, configured.dkim_selector, configured.dkim_domain or domain))


async def check_sender(configured: Settings, sender: Address) -> list[Finding]:
    """The pre-flight of a sender, as this server would send: what receivers will make of its domain (see `preflight`).

    Raises:
        ConfigError: the relay's URL or the DKIM key is wrong.
    """
    resolver = DnsResolver(configured.name_servers)
    try:
        return await preflight(sender, _setup(configured), resolver)
    finally:
        await resolver.close()


def _setup(configured: Settings) -> Setup:
    relay = relay_of(configured.smtp_url.get_secret_value()).host if configured.smtp_url else ""
    signing = None
    if configured.dkim_key_file is not None:
        _dkim(configured)
        key = public_key(configured.dkim_key_file.read_bytes())
        signing = Signing(key, configured.dkim_selector.lower(), configured.dkim_domain.lower())
    bounces = parse(configured.bounce_address)
    return Setup(relay, signing, bounces.key if isinstance(bounces, Address) else "", configured.base_url)


def _llms(configured: Settings) -> Llms:
    """The services that the settings name; wherever their bases are, they may be reached."""
    named = {"POSTBENCH_AI_URL": configured.ai_url, "POSTBENCH_ANTHROPIC_URL": configured.anthropic_url}
    bases = [httpx.URL(base_of(url, setting)) for setting, url in named.items() if url]
    trusted = {(base.host, base.port or (80 if base.scheme == "http" else 443)) for base in bases}
    guard = Guard(allow_private=configured.allow_private_networks, trusted=frozenset(trusted))
    services: dict[str, Llm] = {"local": LocalLlm(configured.ai_model_file)}
    if configured.ai_url:
        services["openai"] = OpenAiLlm(configured.ai_url, transport(guard))
    if configured.anthropic_url:
        services["anthropic"] = AnthropicLlm(configured.anthropic_url, transport(guard))
    return Llms(services)


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
