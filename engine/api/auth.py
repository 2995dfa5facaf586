"""Who may call the API: anybody on an open installation, else the bearer of the token or of a session cookie of ours."""

from __future__ import annotations

import re
from http.cookies import CookieError, SimpleCookie

from starlette.datastructures import Headers
from starlette.types import ASGIApp, Receive, Scope, Send

from engine.access import COOKIE, honoured, token_matches
from engine.api.errors import answer
from engine.workbench import Workbench

OPEN_PATHS = frozenset({"/health", "/session"})
"""Answered to strangers: health says only whether all is well, and a session is what makes a stranger known."""
_LEAVING = re.compile(r"/unsubscribe/[^/]+")
KNOWN = "postbench.known"
"""Key in the scope: whether the caller has proved who they are, or need not."""


class Auth:
    """Answers 401 to strangers. Compares in constant time (see `engine.access`)."""

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Pass the request on with `KNOWN` set, or refuse it."""
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        state = scope["app"].state
        known = not state.locked or is_known(state.workbench, Headers(scope=scope))
        path = scope["path"].removeprefix(scope.get("root_path", ""))
        if not known and path not in OPEN_PATHS and not leaves(path):
            response = answer(
                401, "unauthorized", "Needs `Authorization: Bearer <POSTBENCH_API_TOKEN>`", headers={"WWW-Authenticate": "Bearer"}
            )
            await response(scope, receive, send)
            return
        await self._app({**scope, KNOWN: known}, receive, send)


def leaves(path: str) -> bool:
    """Whether a path below `/api` is that of the link by which whoever got a message unsubscribes: its token is the pass."""
    return _LEAVING.fullmatch(path) is not None


def is_known(workbench: Workbench, headers: Headers) -> bool:
    """Whether the caller has the token or a session."""
    scheme, _, token = headers.get("authorization", "").partition(" ")
    if scheme.lower() == "bearer" and token_matches(workbench.settings, token.strip()):
        return True
    return honoured(workbench.vault, "session", _cookie(headers))


def _cookie(headers: Headers) -> str:
    try:
        found = SimpleCookie(headers.get("cookie", "")).get(COOKIE)
    except CookieError:
        return ""
    return found.value if found else ""
