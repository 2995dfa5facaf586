"""The settings: the only reader of the environment. Every field is the variable `POSTBENCH_<FIELD>`."""

from __future__ import annotations

import ipaddress
import re
import socket
from functools import cache
from pathlib import Path
from typing import Literal
from urllib.parse import urlsplit

from pydantic import Field, SecretStr, ValidationError, field_validator
from pydantic_settings import BaseSettings, SettingsConfigDict

from engine.errors import ConfigError

PREFIX = "POSTBENCH_"
MAX_WAIT = 7 * 24 * 3600
"""Seconds; the longest wait between two tries."""
_PASSWORD = re.compile(r"([?&](?:password|sslpassword)=)[^&#]*", re.IGNORECASE)


class Settings(BaseSettings):
    """What can be configured, with defaults that run a complete workbench on one machine."""

    model_config = SettingsConfigDict(env_prefix=PREFIX, env_ignore_empty=True, frozen=True, hide_input_in_errors=True)

    database_url: str = Field("", description="SQLAlchemy URL; empty = a SQLite file in the data folder")
    data_dir: Path = Field(Path("data"), description="folder of the database and the key file")
    host: str = Field("127.0.0.1", description="address the web process listens on")
    port: int = Field(8501, ge=1, le=65535, description="port the web process listens on")
    engine: Literal["auto", "off"] = Field("auto", description="`auto` runs one engine as a child of the web process, `off` none")
    concurrency: int = Field(1000, ge=1, le=100_000, description="network items in flight per engine")
    executor: str = Field("local", pattern=r"^(local|dask://[^\s/]+:\d+)$", description="`local` or `dask://host:port`")
    dns_servers: str = Field("", description="name servers as `ip:port,ip:port`; empty = the system's")
    smtp_probe_port: int = Field(25, ge=1, le=65535, description="port for mailbox probes")
    probe_timeout: float = Field(10.0, gt=0, le=300, description="seconds for one step of a mailbox probe")
    probe_rate: float = Field(5.0, gt=0, le=100_000, description="mailbox probes per second and MX host")
    probe_cap: int = Field(200, ge=0, le=100_000, description="mailbox probes of synthetic addresses per domain and job")
    probe_retry_seconds: str = Field("300,1200,3600", description="waits after a greylisting answer, in seconds; then unknown")
    helo_name: str = Field("", description="name that probes give in HELO; empty = the host name")
    probe_from: str = Field("", description="sender that probes give; empty = `postmaster@` that name")
    allow_private_networks: bool = Field(False, description="`1` lets fetches and probes reach private addresses, on any port")
    crawl_delay: float = Field(1.0, ge=0, le=300, description="seconds between fetches of one host where robots.txt names none")
    mailsso_url: str = Field("https://api.mails.so", description="base of the mails.so API")
    mailsso_api_key: SecretStr | None = Field(None, description="key of the mails.so API, where a job brings none")
    smtp_url: SecretStr | None = Field(
        None, description="relay for sending, `smtp[s]://user:pass@host:port`; empty = the outbox only"
    )
    send_retry_seconds: float = Field(
        300.0,
        gt=0,
        le=MAX_WAIT,
        description="wait before the first retry of a deferred message; each further one 1.3 times as long",
    )
    bounce_address: str = Field("", description="envelope sender of messages, where bounces go; empty = the sender of each job")
    bounce_url: SecretStr | None = Field(
        None, description="where bounces are read: `imaps://user:pass@host/INBOX` or `maildir:/path`; empty = nowhere"
    )
    bounce_seconds: float = Field(60.0, ge=1, le=MAX_WAIT, description="seconds between two looks for bounces")
    dkim_key_file: Path | None = Field(None, description="private key (PEM) that signs messages; empty = unsigned")
    dkim_selector: str = Field("postbench", description="selector under which the DNS has the public key")
    dkim_domain: str = Field("", description="signing domain; empty = that of each job's sender")
    ai_url: str = Field("", description="base of an OpenAI-compatible API, such as `https://api.openai.com/v1`")
    ai_api_key: SecretStr | None = Field(None, description="key of that API, where a job brings none")
    ai_model: str = Field("", description="model, where a job names none")
    anthropic_url: str = Field("https://api.anthropic.com", description="base of the Anthropic API")
    anthropic_api_key: SecretStr | None = Field(None, description="key of the Anthropic API, where a job brings none")
    ai_model_file: Path | None = Field(None, description="GGUF weights of the provider `local` (extra `local`)")
    public_url: str = Field("", description="base of shared links; empty = the listening address")
    allowed_hosts: str = Field("", description="further host names the pages and the API answer to, comma-separated")
    api_token: SecretStr | None = Field(None, description="when set, `/api` and the pages need it")
    secret_key: SecretStr | None = Field(None, description="encrypts stored keys, signs browser sessions; empty = a 0600 file")
    retention_days: int = Field(30, ge=0, le=36_500, description="ended jobs older than this are pruned; 0 keeps them for ever")

    @property
    def url(self) -> str:
        """The database URL in force; PostgreSQL always through psycopg 3."""
        if not self.database_url:
            return f"sqlite:///{self.data_dir.resolve() / 'postbench.db'}"
        scheme, _, rest = self.database_url.partition("://")
        return f"postgresql+psycopg://{rest}" if scheme in ("postgres", "postgresql") else self.database_url

    @property
    def base_url(self) -> str:
        """Where a browser reaches the pages, without a trailing slash."""
        host = f"[{self.host}]" if ":" in self.host else self.host
        return (self.public_url or f"http://{host}:{self.port}").rstrip("/")

    @property
    def outbox(self) -> Path:
        """The folder of messages that are not to leave this machine."""
        return self.data_dir / "outbox"

    @property
    def hosts(self) -> list[str]:
        """Host names that requests may carry (DNS rebinding stops here)."""
        named = [host.strip() for host in self.allowed_hosts.split(",") if host.strip()]
        public = [urlsplit(self.public_url).hostname or ""] if self.public_url else []
        own = [] if self.host in ("0.0.0.0", "::") else [self.host]
        return sorted({"127.0.0.1", "localhost", "[::1]", "::1", *own, *named, *filter(None, public)})

    @property
    def name_servers(self) -> tuple[tuple[str, int], ...]:
        """The configured name servers; empty for the system's."""
        return tuple(_server(part.strip()) for part in self.dns_servers.split(",") if part.strip())

    @property
    def probe_waits(self) -> tuple[float, ...]:
        """Seconds to wait after the first, second … greylisting answer."""
        return tuple(float(part) for part in self.probe_retry_seconds.split(",") if part.strip())

    @property
    def probe_name(self) -> str:
        """What probes say in HELO."""
        return self.helo_name or socket.getfqdn()

    @property
    def probe_sender(self) -> str:
        """What probes say in MAIL FROM."""
        return self.probe_from or f"postmaster@{self.probe_name}"

    @field_validator("dns_servers")
    @classmethod
    def _servers(cls, text: str) -> str:
        for part in filter(None, (part.strip() for part in text.split(","))):
            _server(part)
        return text

    @field_validator("probe_retry_seconds")
    @classmethod
    def _waits(cls, text: str) -> str:
        try:
            waits = [float(part) for part in text.split(",") if part.strip()]
        except ValueError:
            waits = [-1.0]
        if not all(0 <= wait <= MAX_WAIT for wait in waits):
            raise ValueError(f"write seconds separated by commas, each from 0 to {MAX_WAIT}, such as 300,1200,3600")
        return text

    @property
    def loopback(self) -> bool:
        """Whether only this machine can reach the listening address."""
        if self.host == "localhost":
            return True
        try:
            return ipaddress.ip_address(self.host).is_loopback
        except ValueError:
            return False

    @property
    def unset(self) -> frozenset[str]:
        """The names of the settings that have no value."""
        return frozenset(name for name in type(self).model_fields if getattr(self, name) in (None, ""))

    def shown(self) -> dict[str, str]:
        """The settings in force, by variable, with secrets and passwords in URLs masked."""
        values = {name: getattr(self, name) for name in type(self).model_fields} | {"database_url": mask_url(self.url)}
        return {PREFIX + name.upper(): "" if value is None else str(value) for name, value in values.items()}


def _server(text: str) -> tuple[str, int]:
    """`ip`, `ip:port` or `[ip6]:port`."""
    host, _, port = text.rpartition(":") if text.count(":") == 1 or "]:" in text else (text, "", "53")
    host = host.strip("[]")
    try:
        ipaddress.ip_address(host)
        number = int(port)
    except ValueError:
        number = 0
    if not 1 <= number <= 65535:
        raise ValueError("write addresses such as 9.9.9.9:53,[2620:fe::fe]:53")
    return host, number


def mask_url(url: str) -> str:
    """A URL without the password it may carry."""
    url = _PASSWORD.sub(r"\1***", url)
    password = urlsplit(url).password
    return url.replace(f":{password}@", ":***@", 1) if password else url


@cache
def settings() -> Settings:
    """The settings of this process, read once.

    Raises:
        ConfigError: a variable has a wrong value; the message names the variable, not the value.
    """
    try:
        return Settings()
    except ValidationError as error:
        lines = [f"{PREFIX}{str(e['loc'][0]).upper()}: {e['msg']}" for e in error.errors(include_input=False)]
        raise ConfigError("Wrong settings. " + "; ".join(lines)) from None
