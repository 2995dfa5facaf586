"""The settings: the only reader of the environment. Every field is the variable `POSTBENCH_<FIELD>`."""

from __future__ import annotations

import ipaddress
import re
from functools import cache
from pathlib import Path
from typing import Literal
from urllib.parse import urlsplit

from pydantic import Field, SecretStr, ValidationError
from pydantic_settings import BaseSettings, SettingsConfigDict

from engine.errors import ConfigError

PREFIX = "POSTBENCH_"
_PASSWORD = re.compile(r"([?&](?:password|sslpassword)=)[^&#]*", re.IGNORECASE)


class Settings(BaseSettings):
    """What can be configured, with defaults that run a complete workbench on one machine."""

    model_config = SettingsConfigDict(env_prefix=PREFIX, env_ignore_empty=True, frozen=True, hide_input_in_errors=True)

    database_url: str = Field("", description="SQLAlchemy URL; empty = a SQLite file in the data folder")
    data_dir: Path = Field(Path("data"), description="folder of the database and the key file")
    host: str = Field("127.0.0.1", description="address the web process listens on")
    port: int = Field(8501, ge=1, le=65535, description="port the web process listens on")
    engine: Literal["auto", "off"] = Field("auto", description="`auto` runs one engine as a child of the web process, `off` none")
    concurrency: int = Field(500, ge=1, le=100_000, description="network items in flight per engine")
    executor: str = Field("local", pattern=r"^(local|dask://[^\s/]+:\d+)$", description="`local` or `dask://host:port`")
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
    def hosts(self) -> list[str]:
        """Host names that requests may carry (DNS rebinding stops here)."""
        named = [host.strip() for host in self.allowed_hosts.split(",") if host.strip()]
        public = [urlsplit(self.public_url).hostname or ""] if self.public_url else []
        own = [] if self.host in ("0.0.0.0", "::") else [self.host]
        return sorted({"127.0.0.1", "localhost", "[::1]", "::1", *own, *named, *filter(None, public)})

    @property
    def loopback(self) -> bool:
        """Whether only this machine can reach the listening address."""
        if self.host == "localhost":
            return True
        try:
            return ipaddress.ip_address(self.host).is_loopback
        except ValueError:
            return False

    def shown(self) -> dict[str, str]:
        """The settings in force, by variable, with secrets and passwords in URLs masked."""
        values = {name: getattr(self, name) for name in type(self).model_fields} | {"database_url": mask_url(self.url)}
        return {PREFIX + name.upper(): "" if value is None else str(value) for name, value in values.items()}


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
