"""What every request passes first, pages and WebSocket included: known Host, no foreign writes, no open door; and headers."""

from __future__ import annotations

import ipaddress
from collections.abc import Iterable
from urllib.parse import urlsplit

from starlette.datastructures import Headers, MutableHeaders
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from engine.access import required
from engine.api.auth import leaves
from engine.api.context import PREFIX
from engine.api.errors import answer
from engine.settings import Settings

_SAFE_METHODS = frozenset({"GET", "HEAD", "OPTIONS"})
_OWN_SITES = frozenset({"same-origin", "none"})
_DEFAULT_PORTS = {"http": 80, "https": 443, "ws": 80, "wss": 443}
PAGE_POLICY = "; ".join(
    (
        "default-src 'self'",
        # Streamlit starts with an inline script, compiles WebAssembly, and loads inline components as blobs.
        "script-src 'self' 'unsafe-inline' 'wasm-unsafe-eval' blob:",
        "style-src 'self' 'unsafe-inline'",
        "img-src 'self' data: blob:",
        "font-src 'self' data:",
        "media-src 'self' data: blob:",
        "connect-src 'self' blob: data:",
        "worker-src 'self' blob:",
        "frame-src 'self' blob:",
        "frame-ancestors 'none'",
        "base-uri 'self'",
        "form-action 'self'",
        "object-src 'none'",
    )
)
"""Keeps pages from loading anything from elsewhere; an image of a mail or a table above all (Content Security Policy 3, W3C)."""
_HEADERS = {
    "Content-Security-Policy": PAGE_POLICY,
    "X-Content-Type-Options": "nosniff",
    "X-Frame-Options": "DENY",
    "Referrer-Policy": "same-origin",
    "Cross-Origin-Resource-Policy": "same-origin",
}


class Guard:
    """Refuses a foreign Host (DNS rebinding), a write from another origin, and strangers at a door without a lock."""

    def __init__(self, app: ASGIApp, settings: Settings) -> None:
        self._app = app
        self._hosts = frozenset(_bare(host) for host in settings.hosts)
        self._public = _place(settings.public_url) if settings.public_url else None
        self._locked = required(settings)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Pass the request on, or refuse it."""
        if scope["type"] not in ("http", "websocket"):
            await self._app(scope, receive, send)
            return
        refusal = self._refusal(scope, Headers(scope=scope))
        if refusal is None:
            await self._app(scope, receive, _with_headers(send))
        elif scope["type"] == "websocket":
            await send({"type": "websocket.close", "code": 1008, "reason": refusal[1]})
        else:
            await answer(*refusal)(scope, receive, _with_headers(send))

    def _refusal(self, scope: Scope, headers: Headers) -> tuple[int, str, str] | None:
        hosts = headers.getlist("host")
        if len(hosts) != 1 or _name(hosts[0]) not in self._hosts:
            return 400, "foreign_host", "This Host is not served here; POSTBENCH_PUBLIC_URL and POSTBENCH_ALLOWED_HOSTS add names"
        if self._is_foreign(scope, headers, hosts[0]):
            return 403, "cross_site", "A write from another origin is refused"
        if not self._locked and not _loopback(scope.get("server")):
            return 403, "no_lock", "Reachable from other machines without POSTBENCH_API_TOKEN or a login: refused"
        return None

    def _is_foreign(self, scope: Scope, headers: Headers, host: str) -> bool:
        """Whether a browser says that another origin, a port apart or a site apart, makes this write or opens this socket."""
        if scope["type"] == "http" and (scope["method"] in _SAFE_METHODS or _leaves(scope)):
            return False
        site = headers.get("sec-fetch-site")
        if scope["type"] == "http" and site is not None and site.lower() not in _OWN_SITES:
            return True
        origin = headers.get("origin")
        if origin is None:
            return False
        place = _place(origin)
        return place is None or place not in {_place(f"{urlsplit(origin).scheme}://{host}"), self._public}


def _leaves(scope: Scope) -> bool:
    """Whether somebody unsubscribes: mail providers do that from anywhere (RFC 8058), and only the token in the path counts."""
    path = scope["path"].removeprefix(scope.get("root_path", ""))
    return scope["method"] == "POST" and path.startswith(f"{PREFIX}/") and leaves(path.removeprefix(PREFIX))


def _with_headers(send: Send) -> Send:
    async def guarded(message: Message) -> None:
        if message["type"] == "http.response.start":
            headers = MutableHeaders(scope=message)
            for name, value in _HEADERS.items():
                headers.setdefault(name, value)
        await send(message)

    return guarded


def _place(url: str) -> tuple[str, int] | None:
    """Host and port of a URL; None for anything else, such as the origin `null`."""
    try:
        parts = urlsplit(url)
        port = parts.port or _DEFAULT_PORTS.get(parts.scheme)
    except ValueError:
        return None
    return (parts.hostname, port) if parts.hostname and port else None


def _name(host: str) -> str | None:
    """The name in a Host header, without its port; None for one that is not `name` or `name:port`."""
    try:
        parts = urlsplit(f"//{host}")
        _ = parts.port
    except ValueError:
        return None
    plain = parts.netloc == host and parts.username is None and not any((parts.path, parts.query, parts.fragment))
    return _bare(parts.hostname or "") if plain else None


def _bare(host: str) -> str:
    return host.lower().strip("[]").rstrip(".")


def _loopback(server: Iterable[object] | None) -> bool:
    """Whether the connection came in over the loopback interface or a Unix socket."""
    address = next(iter(server or ()), None)
    if not isinstance(address, str) or address == "localhost" or address.startswith("/"):
        return True
    try:
        found = ipaddress.ip_address(address)
    except ValueError:
        return False
    mapped = found.ipv4_mapped if isinstance(found, ipaddress.IPv6Address) else None
    return (mapped or found).is_loopback
