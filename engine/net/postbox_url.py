"""The postbox that a URL names: a Maildir of this machine, or a folder on an IMAP server."""

from __future__ import annotations

import ipaddress
import ssl
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from urllib.parse import SplitResult, parse_qsl, unquote, urlsplit

import httpx

from engine.errors import ConfigError
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
        try:
            return ipaddress.ip_address(self.host).is_loopback
        except ValueError:
            return self.host == "localhost"

    @property
    def shown(self) -> str:
        """As text without user and password."""
        return f"{self.folder} on {self.host}:{self.port}"

    def context(self) -> ssl.SSLContext:
        """The TLS context for its connections.

        Raises:
            ConfigError: the file of authorities cannot be read.
        """
        if self.authorities is not None:
            try:
                return ssl.create_default_context(cafile=self.authorities)
            except (OSError, ssl.SSLError) as error:
                raise ConfigError(f"{SETTING}: {self.authorities} (ca) is no readable file of certificates (PEM)") from error
        if not self.verify:
            context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
            context.check_hostname, context.verify_mode = False, ssl.CERT_NONE
            return context
        # certifi's authorities, and those that the machine's owner added to the system's.
        context = httpx.create_ssl_context(trust_env=False)
        context.load_default_certs()
        return context


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
    options = _options(parts.query)
    folder = unquote(parts.path.removeprefix("/")) or "INBOX"
    if not folder.isprintable():
        raise _wrong("the folder must not hold control characters")
    implicit = parts.scheme == "imaps"
    authorities = Path(options["ca"]) if "ca" in options else None
    verify = options.get("verify", "on") == "on"
    return Mailbox(parts.hostname, port or (IMAPS if implicit else IMAP), implicit, user, password, folder, verify, authorities)


def _wrong(reason: str) -> ConfigError:
    return ConfigError(f"{SETTING}: {reason}")


def _login(parts: SplitResult) -> tuple[str, str]:
    user, password = (unquote(text or "", errors="replace") for text in (parts.username, parts.password))
    if not user or not password or not (user + password).isprintable():
        raise _wrong("a login is written user:password@, both percent-encoded")
    return user, password


def _options(query: str) -> Mapping[str, str]:
    given = parse_qsl(query, keep_blank_values=True)
    found = dict(given)
    if len(found) != len(given) or not found.keys() <= {"verify", "ca"} or (query and not given):
        raise _wrong("only ?verify=on, ?verify=off and ?ca=/path are known; write ? as %3F in a password")
    if found.get("verify", "on") not in ("on", "off") or ("ca" in found and (not found["ca"] or found.get("verify") == "off")):
        raise _wrong("verify is on or off; ca names a file of certificates, and cannot go with verify=off")
    return found
