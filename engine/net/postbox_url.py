"""The postbox that a URL names: a Maildir of this machine, or a folder on an IMAP server."""

from __future__ import annotations

import ssl
from dataclasses import dataclass, field
from pathlib import Path
from urllib.parse import SplitResult, unquote, urlsplit

from engine.errors import ConfigError
from engine.net import trust
from engine.net.guard import Guard
from engine.net.postbox import MaildirPostbox, Postbox

SETTING = "POSTBENCH_BOUNCE_URL"
IMAP, IMAPS = 143, 993
"""Ports: RFC 9051 section 2.1, RFC 8314 section 7.3."""


@dataclass(frozen=True, slots=True)
class Mailbox:
    """A folder on an IMAP server; `implicit` begins with TLS (RFC 8314), else STARTTLS follows unless it is this machine."""

    host: str
    port: int
    implicit: bool
    user: str
    password: str = field(repr=False)
    folder: str = "INBOX"
    verify: bool = True
    authorities: Path | None = None

    @property
    def loopback(self) -> bool:
        """Whether it is this very machine: nobody listens in between."""
        return trust.is_loopback(self.host)

    @property
    def shown(self) -> str:
        """As text without user and password."""
        return f"{self.folder} on {self.host}:{self.port}"

    def context(self) -> ssl.SSLContext:
        """The TLS context for its connections.

        Raises:
            ConfigError: the file of authorities cannot be read.
        """
        return trust.context(SETTING, self.verify, self.authorities)


def postbox(url: str) -> Postbox:
    """The postbox at `imaps://user:password@host[:port][/FOLDER]`, `imap://…` or `maildir:/path`; percent-encoded where needed.

    Without a folder it is INBOX. `?verify=off` takes any certificate, `?ca=/path` those of authorities in that file. The host
    may be on a private network: whoever runs the server named it.

    Raises:
        ConfigError: it is no such URL; the message never holds any of it that could be the password.
    """
    text = url.strip()
    scheme, _, rest = text.partition(":")
    if scheme.lower() == "maildir":
        return MaildirPostbox(_folder(rest))
    from engine.net.postbox_imap import ImapPostbox

    mailbox = mailbox_of(text)
    return ImapPostbox(mailbox, Guard(trusted=frozenset({(mailbox.host, mailbox.port)})), mailbox.context())


def _folder(rest: str) -> Path:
    path = Path(unquote(rest.removeprefix("//")))
    if not path.is_absolute() or "\0" in str(path):
        raise _wrong("a Maildir is written maildir:/absolute/path")
    return path


def mailbox_of(url: str) -> Mailbox:
    """The folder at `imap[s]://user:password@host[:port][/FOLDER][?verify=on|off][&ca=/path]`.

    Raises:
        ConfigError: it is no such URL.
    """
    try:
        parts = urlsplit(url)
        port = parts.port
    except ValueError:
        raise _wrong("host and port cannot be read; a special character in the password is written %XX") from None
    if parts.scheme not in ("imap", "imaps"):
        raise _wrong("begin it with imaps://, imap:// or maildir:/")
    if parts.fragment or not parts.hostname or any(c.isspace() for c in parts.hostname) or port == 0:
        raise _wrong("write imaps://user:password@host/FOLDER; write / as %2F, ? as %3F and # as %23 in a password")
    user, password = _login(parts)
    verify, authorities = trust.parameters(parts.query, SETTING)
    folder = unquote(parts.path.removeprefix("/")) or "INBOX"
    if not folder.isprintable():
        raise _wrong("the folder must not hold control characters")
    implicit = parts.scheme == "imaps"
    return Mailbox(
        parts.hostname, port or (IMAPS if implicit else IMAP), implicit, user, password, folder, verify is not False, authorities
    )


def _wrong(reason: str) -> ConfigError:
    return ConfigError(f"{SETTING}: {reason}")


def _login(parts: SplitResult) -> tuple[str, str]:
    user, password = (unquote(text or "", errors="replace") for text in (parts.username, parts.password))
    if not user or not password or not (user + password).isprintable():
        raise _wrong("a login is written user:password@, both percent-encoded")
    return user, password
