"""URLs of the web: which of them may be fetched, how one is written, and where the pages of a host begin."""

from __future__ import annotations

import re
from dataclasses import dataclass

import httpx
import idna

from engine.net.guard import is_address

LONGEST = 2_048
"""Characters of a URL; longer ones are traps or data, not pages."""
DEFAULT_PORTS = {"http": 80, "https": 443}
_LABEL = re.compile(r"[a-z0-9_]([a-z0-9_-]{0,61}[a-z0-9_])?")
_NUMBER = re.compile(r"\d+|0x[0-9a-f]*")
_SCHEME = re.compile(r"([a-z][a-z0-9+.-]*):(?!\d+(?:[/?#]|$))", re.IGNORECASE)
"""A scheme, and not the host of `host:port`."""


class BadUrl(ValueError):
    """This is not a URL that may be fetched; the message is a sentence that says why."""


@dataclass(frozen=True, slots=True)
class Target:
    """A URL that may be fetched: absolute, http or https, ASCII, without userinfo and fragment."""

    url: str
    scheme: str
    host: str
    port: int

    @property
    def origin(self) -> str:
        """Scheme, host and port (RFC 6454), as a URL without path: what a robots.txt speaks for."""
        return f"{self.scheme}://{_authority(self.host, self.port, DEFAULT_PORTS[self.scheme])}"

    @property
    def place(self) -> str:
        """What is treated as one host. Its http and https are; servers on ports of their own are others."""
        return _authority(self.host, self.port, self.port if self.port in DEFAULT_PORTS.values() else None)


def target(url: str, base: Target | None = None) -> Target:
    """What the URL points to; `base` is where a relative one was found.

    Raises:
        BadUrl: it is malformed, too long, of another scheme, names a user, or its host is no host name or IP address.
    """
    text = url.strip(" \t\r\n\f").partition("#")[0]
    if len(text) > LONGEST:
        raise BadUrl(f"the URL is longer than {LONGEST} characters")
    try:
        parsed = httpx.URL(text) if base is None else httpx.URL(base.url).join(text)
    except (httpx.InvalidURL, ValueError) as error:
        raise BadUrl(f"the URL is malformed: {str(error)[:120]}") from error
    if parsed.scheme not in DEFAULT_PORTS:
        raise BadUrl(f"only http and https are fetched, not {parsed.scheme[:20] or 'a URL without scheme'}")
    if parsed.userinfo:
        raise BadUrl("the URL has a user name or password in it")
    host = _checked_host(parsed.raw_host.decode("ascii", "replace"))
    port = DEFAULT_PORTS[parsed.scheme] if parsed.port is None else parsed.port
    if not 0 < port < 65_536:
        raise BadUrl(f"{port} is not a port")
    if len(text := str(parsed.copy_with(host=host, raw_path=parsed.raw_path, fragment=None))) > LONGEST:
        raise BadUrl(f"the URL is longer than {LONGEST} characters")
    return Target(text, parsed.scheme, host, port)


def start_urls(text: str) -> list[str]:
    """Where to begin with a `host`, a `host:port` or a URL: https first, then plain http for when https is refused.

    A URL that names its scheme stands alone, as does one with port 443 or 80. International names become ASCII (UTS 46, IDNA
    2008). Empty when the text is nothing of the kind.
    """
    text = text.strip()
    scheme = _SCHEME.match(text)
    if scheme is None:
        authority, rest = _split(text.removeprefix("//"))
        tries = [f"{name}://{_ascii(authority)}{rest}" for name in _schemes(authority)]
    else:
        authority, rest = _split(text[scheme.end() :].removeprefix("//"))
        tries = [f"{scheme[1].lower()}://{_ascii(authority)}{rest}"]
    try:
        return [target(url).url for url in tries]
    except BadUrl:
        return []


def _authority(host: str, port: int, default: int | None) -> str:
    name = f"[{host}]" if ":" in host else host
    return name if port == default else f"{name}:{port}"


def _checked_host(host: str) -> str:
    """The host in the one way it is written.

    A name whose last label is a number is an IPv4 address in another notation (WHATWG URL, "ends in a number"): programs do not
    agree on what it means, so it is no name here.
    """
    host = host.rstrip(".").lower()
    if is_address(host) and "%" not in host:
        return host
    labels = host.split(".")
    if _NUMBER.fullmatch(labels[-1]):
        raise BadUrl(f"{host[:64]} is not an IP address; its four parts are written as decimal numbers")
    if len(host) > 253 or not all(_LABEL.fullmatch(label) for label in labels):
        raise BadUrl(f"{host[:64] or 'nothing'} is not a host name")
    return host


def _split(text: str) -> tuple[str, str]:
    """The authority and what follows it, beginning with a slash; an IPv6 address gets its brackets."""
    found = re.search(r"[/?#\\]", text)
    authority, rest = (text[: found.start()], text[found.start() :]) if found else (text, "")
    if ":" in authority and is_address(authority):
        authority = f"[{authority}]"
    return authority, rest if rest.startswith("/") else f"/{rest}"


def _schemes(authority: str) -> tuple[str, ...]:
    if authority.endswith(":443"):
        return ("https",)
    return ("http",) if authority.endswith(":80") else ("https", "http")


def _ascii(authority: str) -> str:
    """The authority with an international host name in ASCII; unchanged where that cannot be done."""
    if authority.isascii():
        return authority
    host, colon, port = authority.partition(":")
    try:
        return idna.encode(host, uts46=True).decode("ascii") + colon + port
    except idna.IDNAError:
        return authority
