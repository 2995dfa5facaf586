"""The first thing a browser paints: the frame of the page in the right colours, while Streamlit's scripts still load.

Streamlit serves one HTML file for every page, empty but for its scripts: white until they run, in the dark theme too.
React replaces what is inside `#root` when it is ready. Told where the server is, its scripts do not look for it below the page's
path first, in vain.
"""

from __future__ import annotations

from starlette.datastructures import Headers, MutableHeaders
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from engine.api.context import PREFIX

ROOT = b'<div id="root"></div>'
TITLE = b"<title>Streamlit</title>"
SHELL = b"""<style>
.pb-shell { position: fixed; inset: 0; background: #fff; font: 650 19px Inter, system-ui, sans-serif; letter-spacing: -.5px }
.pb-shell div { box-sizing: border-box; width: 265px; height: 100%; padding: 13px 0 0 70px; background: #f7f8fb; color: #5b6cf0 }
@media (prefers-color-scheme: dark) { .pb-shell { background: #0f1220 } .pb-shell div { background: #0b0e19 } }
@media (max-width: 768px) { .pb-shell div { background: none } }
</style>
<script>window.__streamlit = { BACKEND_BASE_URL: location.origin }</script>
<div id="root"><div class="pb-shell"><div>Postbench</div></div></div>"""
_CONDITIONS = frozenset({b"accept-encoding", b"if-none-match", b"if-modified-since"})
_STALE = ("etag", "last-modified", "accept-ranges")


class Shell:
    """Puts the frame into Streamlit's HTML; everything else passes untouched."""

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer a request; a page is asked for whole, as what it says depends on more than the file."""
        if not _is_page(scope):
            await self._app(scope, receive, send)
            return
        whole = {**scope, "headers": [pair for pair in scope["headers"] if pair[0] not in _CONDITIONS]}
        await self._app(whole, receive, _Framed(send))


class _Framed:
    """Holds an HTML answer back until it is complete, and sends it with the frame inside."""

    def __init__(self, send: Send) -> None:
        self._send = send
        self._start: Message | None = None
        self._body = b""

    async def __call__(self, message: Message) -> None:
        if message["type"] == "http.response.start" and _is_html(message):
            self._start = message
        elif message["type"] == "http.response.body" and self._start is not None:
            self._body += message.get("body", b"")
            if not message.get("more_body"):
                await self._finish(self._start)
        else:
            await self._send(message)

    async def _finish(self, start: Message) -> None:
        body = self._body.replace(ROOT, SHELL, 1).replace(TITLE, b"<title>Postbench</title>", 1)
        headers = MutableHeaders(scope=start)
        for name in _STALE:
            del headers[name]
        headers["content-length"] = str(len(body))
        await self._send(start)
        await self._send({"type": "http.response.body", "body": body})


def _is_page(scope: Scope) -> bool:
    if scope["type"] != "http" or scope["method"] != "GET" or scope["path"].startswith(f"{PREFIX}/"):
        return False
    return "text/html" in Headers(scope=scope).get("accept", "")


def _is_html(message: Message) -> bool:
    html = Headers(raw=message["headers"]).get("content-type", "").startswith("text/html")
    return message["status"] == 200 and html
