"""The relay that messages are handed to, read from a URL: where it is, who we are there, and which certificates count."""

from __future__ import annotations

import ipaddress
import re
import ssl
from dataclasses import dataclass, field
from pathlib import Path
from urllib.parse import SplitResult, unquote, urlsplit

import idna

from engine.errors import ConfigError
from engine.net import trust

SETTING = "POSTBENCH_SMTP_URL"
RELAYING, SUBMISSION, SUBMISSIONS = 25, 587, 465
"""Ports: RFC 5321 section 4.5.4.2, RFC 6409 section 3.1, RFC 8314 section 7.3."""
_NAME = re.compile(r"(?!-)[a-z0-9_-]{1,63}(?:\.[a-z0-9_-]{1,63})*\.?")


@dataclass(frozen=True, slots=True)
class Relay:
    """A mail server that takes our messages, by name and port; `implicit` begins with TLS (RFC 8314), else STARTTLS follows.

    `user` is "" where there is no login. `verify` is None where the URL says nothing; `authorities` is a file of certificates
    (PEM) that count instead of the system's.
    """

    host: str
    port: int
    implicit: bool = False
    user: str = ""
    password: str = field(default="", repr=False)
    verify: bool | None = None
    authorities: Path | None = None

    @property
    def loopback(self) -> bool:
        """Whether it is this very machine: nobody listens in between."""
        return trust.is_loopback(self.host)

    @property
    def needs_tls(self) -> bool:
        """Whether nothing may be said in clear: a password that others could hear, or certificates asked for."""
        return (bool(self.user) and not self.loopback) or self.authorities is not None or bool(self.verify)

    @property
    def verifies(self) -> bool:
        """Whether its certificate must be good. By default it must, except for STARTTLS with this very machine."""
        if self.verify is not None or self.authorities is not None:
            return self.verify is not False
        return self.implicit or not self.loopback

    @property
    def shown(self) -> str:
        """As a URL without the password."""
        host = f"[{self.host}]" if ":" in self.host else self.host
        return f"{'smtps' if self.implicit else 'smtp'}://{f'{self.user}@' if self.user else ''}{host}:{self.port}"

    def context(self) -> ssl.SSLContext:
        """The TLS context for its connections.

        Raises:
            ConfigError: the file of authorities cannot be read.
        """
        return trust.context(SETTING, self.verifies, self.authorities)


def relay_of(url: str) -> Relay:
    """The relay at `smtp[s]://[user:password@]host[:port][?verify=on|off][&ca=/path]`; user and password are percent-encoded.

    Ports when none is named: 465 for smtps, else 587 with a user and 25 without one.

    Raises:
        ConfigError: it is no such URL; the message never holds any of it that could be the password.
    """
    try:
        parts = urlsplit(url.strip())
        port = parts.port
    except ValueError:
        raise _wrong("host and port cannot be read; a special character in the password is written %XX") from None
    if parts.scheme not in ("smtp", "smtps"):
        raise _wrong("begin it with smtp:// or smtps://")
    if parts.fragment or parts.path not in ("", "/") or url.strip().endswith("#"):
        raise _wrong("nothing but ?verify= and ?ca= may follow the host; write / as %2F, ? as %3F and # as %23 in a password")
    if port == 0:
        raise _wrong("the port must be from 1 to 65535")
    user, password = _login(parts)
    verify, authorities = trust.parameters(parts.query, SETTING)
    implicit = parts.scheme == "smtps"
    usual = SUBMISSIONS if implicit else SUBMISSION if user else RELAYING
    return Relay(_host(parts.hostname or ""), port or usual, implicit, user, password, verify, authorities)


def _wrong(reason: str) -> ConfigError:
    return ConfigError(f"{SETTING}: {reason}")


def _host(text: str) -> str:
    """A host as it is looked up: an address, or a name in ASCII."""
    try:
        return str(ipaddress.ip_address(text))
    except ValueError:
        pass
    try:
        name = text if text.isascii() else idna.encode(text, uts46=True).decode()
    except idna.IDNAError:
        name = ""
    if not _NAME.fullmatch(name):
        raise _wrong("a host such as mail.example.com is missing or misspelt")
    return name


def _login(parts: SplitResult) -> tuple[str, str]:
    if parts.username is None and parts.password is None:
        return "", ""
    if not parts.username or not parts.password:
        raise _wrong("a login is written user:password@, both percent-encoded")
    try:
        user, password = unquote(parts.username, errors="strict"), unquote(parts.password, errors="strict")
    except UnicodeDecodeError:
        raise _wrong("user or password is not UTF-8 once its %XX are decoded") from None
    if any(ord(char) < 32 or ord(char) == 127 for char in user + password):
        raise _wrong("user and password must not hold control characters")
    return user, password
