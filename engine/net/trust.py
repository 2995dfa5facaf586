"""Whose certificates count for a server that the settings name: the usual authorities, those in a file, or anybody's."""

from __future__ import annotations

import ipaddress
import ssl
from pathlib import Path
from urllib.parse import parse_qsl

import httpx

from engine.errors import ConfigError

_SWITCH = {"on": True, "off": False}


def is_loopback(host: str) -> bool:
    """Whether a host is this very machine: nobody listens in between."""
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return host.rstrip(".") == "localhost"


def parameters(query: str, setting: str) -> tuple[bool | None, Path | None]:
    """`verify` (None where it says nothing) and `ca` of a URL's query.

    Raises:
        ConfigError: it says something else; what stands there may be the rest of a password and is not repeated.
    """
    given = parse_qsl(query, keep_blank_values=True)
    found = dict(given)
    if len(found) != len(given) or not found.keys() <= {"verify", "ca"} or (query and not given):
        raise ConfigError(f"{setting}: only ?verify=on, ?verify=off and ?ca=/path are known; write ? as %3F in a password")
    verify, ca = found.get("verify"), found.get("ca")
    if verify is not None and verify not in _SWITCH:
        raise ConfigError(f"{setting}: verify is on or off")
    if ca is not None and (not ca or verify == "off"):
        raise ConfigError(f"{setting}: ca names a file of certificates, and cannot go with verify=off")
    return None if verify is None else _SWITCH[verify], None if ca is None else Path(ca)


def context(setting: str, verifies: bool, authorities: Path | None) -> ssl.SSLContext:
    """The TLS context for connections to the server.

    Raises:
        ConfigError: the file of authorities cannot be read.
    """
    if authorities is not None:
        try:
            return ssl.create_default_context(cafile=authorities)
        except (OSError, ssl.SSLError) as error:
            raise ConfigError(f"{setting}: {authorities} (ca) is no readable file of certificates (PEM)") from error
    if not verifies:
        lax = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
        lax.check_hostname, lax.verify_mode = False, ssl.CERT_NONE
        return lax
    # certifi's authorities, and those that the machine's owner added to the system's.
    usual = httpx.create_ssl_context(trust_env=False)
    usual.load_default_certs()
    return usual
