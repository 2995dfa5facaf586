"""Who may come in: the API token, Streamlit's OIDC login, and the signed browser session that links pages and downloads.

A page that has let its visitor in mints a short-lived ticket; the browser trades it at `POST /api/session` for a cookie that
`/api` accepts, so that plain download links work without a secret in any URL.
"""

from __future__ import annotations

import hmac
import time
import tomllib
from pathlib import Path

from engine.durable.vault import Vault
from engine.errors import ConfigError, UnsafeBind
from engine.settings import Settings

COOKIE = "postbench_session"
TICKET_SECONDS = 60
SESSION_SECONDS = 7 * 86_400


def login_configured() -> bool:
    """Whether Streamlit's OIDC login is set up: a section `[auth]` in a secrets.toml that Streamlit reads."""
    files = [Path.cwd() / ".streamlit/secrets.toml", Path.home() / ".streamlit/secrets.toml"]
    return any("auth" in _toml(file) for file in files if file.exists())


def required(settings: Settings) -> bool:
    """Whether visitors have to prove themselves."""
    return settings.api_token is not None or login_configured()


def check_bind(settings: Settings) -> None:
    """Refuse to be reachable from other machines without a lock on the door.

    Raises:
        UnsafeBind: the address is not loopback and neither a token nor a login is configured.
    """
    if not settings.loopback and not required(settings):
        raise UnsafeBind(
            f"POSTBENCH_HOST={settings.host} can be reached from other machines: "
            "set POSTBENCH_API_TOKEN, or configure a login ([auth] in .streamlit/secrets.toml)"
        )


def token_matches(settings: Settings, given: str) -> bool:
    """Whether `given` is the API token; constant time."""
    if settings.api_token is None:
        return False
    return hmac.compare_digest(settings.api_token.get_secret_value().encode(), given.encode())


def mint(vault: Vault, purpose: str, seconds: int) -> str:
    """A signed pass for `purpose` (`ticket` or `session`) that ends after so many seconds."""
    expires = str(int(time.time()) + seconds)
    return f"{expires}.{vault.sign(purpose, expires)}"


def honoured(vault: Vault, purpose: str, given: str) -> bool:
    """Whether `given` is a pass of ours for `purpose` that has not ended."""
    expires, _, signature = given.partition(".")
    if not hmac.compare_digest(vault.sign(purpose, expires).encode(), signature.encode()):
        return False
    return expires.isdecimal() and int(expires) > time.time()


def _toml(file: Path) -> dict[str, object]:
    try:
        return tomllib.loads(file.read_text())
    except (OSError, ValueError) as error:
        raise ConfigError(f"{file} cannot be read as TOML: {error}") from None
