"""The guard of every connection to the outside: only public addresses, vetted once and then used as they are."""

from __future__ import annotations

import asyncio
import ipaddress
import socket
import ssl
from collections.abc import Awaitable, Callable, Collection, Iterable
from dataclasses import dataclass, replace
from functools import lru_cache
from typing import Any

import httpcore
import httpx

from engine.errors import ForbiddenTarget

Resolve = Callable[[str], Awaitable[Iterable[str]]]
"""From a host name to its addresses; may raise OSError."""
ATTEMPTS = 3
"""How many addresses of a host are tried before the connection is given up."""
_SPECIAL_4 = tuple(
    ipaddress.IPv4Network(text)
    for text in """
        0.0.0.0/8 10.0.0.0/8 100.64.0.0/10 127.0.0.0/8 169.254.0.0/16 172.16.0.0/12 192.0.0.0/24 192.0.2.0/24 192.31.196.0/24
        192.52.193.0/24 192.88.99.0/24 192.168.0.0/16 192.175.48.0/24 198.18.0.0/15 198.51.100.0/24 203.0.113.0/24 224.0.0.0/4
        240.0.0.0/4 168.63.129.16/32
    """.split()
)
"""The IANA IPv4 special-purpose registry (RFC 6890), multicast, and the public address at which one cloud answers its guests."""
_UNICAST_6 = ipaddress.IPv6Network("2000::/3")
"""All that was ever handed out of IPv6 (RFC 4291 section 2.4); mapped, local, multicast and every other form lies outside."""
_SPECIAL_6 = tuple(
    ipaddress.IPv6Network(text) for text in "2001::/23 2001:db8::/32 2002::/16 2620:4f:8000::/48 3fff::/20 5f00::/16".split()
)
"""The IANA IPv6 special-purpose registry within it: Teredo, ORCHID, documentation, 6to4 and others."""
_NAT64 = ipaddress.IPv6Network("64:ff9b::/96")


@lru_cache(maxsize=16_384)
def is_public(ip: str) -> bool:
    """Whether this text is an address of the public Internet, in the usual notation and without a zone.

    An address under the NAT64 prefix (RFC 6052 section 2.1) is as public as the IPv4 address in it. Other forms that carry one
    (mapped, 6to4, Teredo) are refused: nobody publishes them for a mail or web server.
    """
    try:
        address = ipaddress.ip_address(ip)
    except ValueError:
        return False
    if isinstance(address, ipaddress.IPv6Address):
        if address in _NAT64:
            address = ipaddress.IPv4Address(address.packed[-4:])
        else:
            return address.scope_id is None and address in _UNICAST_6 and not any(address in network for network in _SPECIAL_6)
    return not any(address in network for network in _SPECIAL_4)


def is_address(text: str) -> bool:
    """Whether the text is an IP address at all; `127.1`, `0x7f000001` and the like are not."""
    try:
        ipaddress.ip_address(text)
    except ValueError:
        return False
    return True


@dataclass(frozen=True, slots=True)
class Guard:
    """Which addresses connections may go to.

    `allow_private` permits every address (tests, intranets). `trusted` are the hosts (names or addresses) and ports that whoever
    runs the server named in its settings: these very pairs are permitted wherever they are, and nothing beside them.
    """

    allow_private: bool = False
    trusted: frozenset[tuple[str, int]] = frozenset()

    def permits(self, ip: str, port: int | None = None) -> bool:
        """Whether a connection to this address may be made, at this port; False for text that is no address."""
        return is_public(ip) or (is_address(ip) and (self.allow_private or self.trusts(ip, port)))

    def trusts(self, host: str, port: int | None) -> bool:
        """Whether this name or address was trusted at this port."""
        return port is not None and any(port == known and _same_host(host, name) for name, known in self.trusted)

    def found(self, host: str, port: int, ips: Iterable[str]) -> Guard:
        """The guard to connect with once a host was resolved: where it is trusted, its addresses are at the same port."""
        if not self.trusts(host, port):
            return self
        return replace(self, trusted=self.trusted | {(ip, port) for ip in ips if is_address(ip)})

    def vetted(self, ips: Iterable[str], port: int | None = None) -> list[str]:
        """Those of the addresses that are permitted, in their order, each once."""
        return [ip for ip in dict.fromkeys(ips) if self.permits(ip, port)]

    def check(self, ip: str, port: int | None = None) -> None:
        """Raise ForbiddenTarget unless the address is permitted."""
        if not self.permits(ip, port):
            raise ForbiddenTarget(f"{ip[:64]} is not a public address; private networks are not allowed")

    async def connect(
        self, ip: str, port: int, timeout: float, **options: Any
    ) -> tuple[asyncio.StreamReader, asyncio.StreamWriter]:
        """A TCP connection to this very address within `timeout` seconds; `options` go to `asyncio.open_connection`.

        Raises:
            ForbiddenTarget: the address is not permitted.
            TimeoutError: it took too long.
            OSError: it was refused or is out of reach.
        """
        self.check(ip, port)
        async with asyncio.timeout(timeout):
            return await asyncio.open_connection(ip, port, **options)


def _same_host(one: str, other: str) -> bool:
    """Whether two texts name the same host: the same address in any notation, or the same name (RFC 4343: in any case)."""
    if is_address(one) and is_address(other):
        return ipaddress.ip_address(one) == ipaddress.ip_address(other)
    return one.rstrip(".").lower() == other.rstrip(".").lower()


async def system_addresses(host: str) -> list[str]:
    """The addresses of a host as the system sees them (`getaddrinfo`, in a thread).

    Raises:
        OSError: the name has none.
    """
    try:
        found = await asyncio.get_running_loop().getaddrinfo(host, None, type=socket.SOCK_STREAM)
    except UnicodeError as error:
        raise socket.gaierror(socket.EAI_NONAME, "not a name of a host") from error
    return [str(entry[4][0]) for entry in found]


class _Backend(httpcore.AsyncNetworkBackend):
    """Connects for httpcore: the name is resolved once, its addresses are vetted, and one of those very addresses is used.

    TLS is not its business: httpcore starts it on the connection, with the name of the URL for SNI and for the certificate.
    """

    def __init__(self, guard: Guard, resolve: Resolve, ports: Collection[int] | None) -> None:
        self._inner = httpcore.AnyIOBackend()
        self._guard, self._resolve, self._ports = guard, resolve, ports

    async def connect_tcp(
        self,
        host: str,
        port: int,
        timeout: float | None = None,
        local_address: str | None = None,
        socket_options: Iterable[Any] | None = None,
    ) -> httpcore.AsyncNetworkStream:
        limited = self._ports is not None and not self._guard.allow_private and not self._guard.trusts(host, port)
        if limited and port not in (self._ports or ()):
            raise ForbiddenTarget(f"port {port} of {host[:255]} is not one of {', '.join(map(str, sorted(self._ports or ())))}")
        try:
            async with asyncio.timeout(timeout):
                addresses = await self._addresses(host, port)
                return await self._first(addresses[:ATTEMPTS], port, timeout, local_address, socket_options)
        except TimeoutError as error:
            raise httpcore.ConnectTimeout(f"no connection to {host[:255]} in {timeout} seconds") from error

    async def _addresses(self, host: str, port: int) -> list[str]:
        """The permitted addresses of a host, at least one."""
        try:
            found = [host] if is_address(host) else list(await self._resolve(host))
        except OSError as error:
            raise httpcore.ConnectError(f"{host[:255]} has no address: {error}") from error
        if not found:
            raise httpcore.ConnectError(f"{host[:255]} has no address")
        permitted = self._guard.found(host, port, found).vetted(found, port)
        if not permitted:
            raise ForbiddenTarget(f"{host[:255]} has no public address; private networks are not allowed")
        return permitted

    async def _first(
        self,
        addresses: list[str],
        port: int,
        timeout: float | None,
        local_address: str | None,
        socket_options: Iterable[Any] | None,
    ) -> httpcore.AsyncNetworkStream:
        """A connection to the first of the addresses that takes one; each has its share of the time."""
        share = None if timeout is None else timeout / len(addresses)
        failure: Exception = httpcore.ConnectError("no address")
        for address in addresses:
            try:
                return await self._inner.connect_tcp(address, port, share, local_address, socket_options)
            except (httpcore.ConnectError, httpcore.ConnectTimeout) as error:
                failure = error
        raise failure

    async def connect_unix_socket(
        self, path: str, timeout: float | None = None, socket_options: Iterable[Any] | None = None
    ) -> httpcore.AsyncNetworkStream:
        raise ForbiddenTarget("a local socket is not a public address")

    async def sleep(self, seconds: float) -> None:
        await asyncio.sleep(seconds)


class _Transport(httpx.AsyncHTTPTransport):
    """httpx's own transport over a pool that connects through the guard; httpx offers no parameter for that."""

    def __init__(self, backend: _Backend, context: ssl.SSLContext, limits: httpx.Limits) -> None:
        self._pool = httpcore.AsyncConnectionPool(
            ssl_context=context,
            max_connections=limits.max_connections,
            max_keepalive_connections=limits.max_keepalive_connections,
            keepalive_expiry=limits.keepalive_expiry,
            network_backend=backend,
        )


LIMITS = httpx.Limits(max_connections=100, max_keepalive_connections=20, keepalive_expiry=15.0)


def transport(
    guard: Guard,
    resolve: Resolve | None = None,
    *,
    ports: Collection[int] | None = None,
    context: ssl.SSLContext | None = None,
    limits: httpx.Limits = LIMITS,
) -> httpx.AsyncBaseTransport:
    """An httpx transport each of whose connections, those of redirects too, goes to a vetted address of the host in the URL.

    The host is resolved once for a connection (`resolve`, the system by default) and an address found is the one connected to: a
    name that changes its address in between gains nothing. No proxy is used. `ports`, if given, are the only ones permitted while
    the guard keeps to public addresses. `context` replaces the TLS context that verifies against certifi's authorities.

    Raises (from requests):
        ForbiddenTarget: the host has no permitted address, or the port is not permitted.
        httpx.ConnectError, httpx.ConnectTimeout: it has no address, or none that answers.
    """
    return _Transport(
        _Backend(guard, resolve or system_addresses, ports), context or httpx.create_ssl_context(trust_env=False), limits
    )
