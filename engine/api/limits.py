"""The largest body the API takes."""

from __future__ import annotations

from starlette.datastructures import Headers
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from engine.api.errors import ApiError, answer

MAX_BODY = 128 * 2**20
"""Bytes: a million addresses with several columns each fit."""


class BodyLimit:
    """Answers 413 before reading when the length is announced, and while reading when it is not."""

    def __init__(self, app: ASGIApp, limit: int = MAX_BODY) -> None:
        self._app, self._limit = app, limit

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Pass the request on with a counted body."""
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        announced = Headers(scope=scope).get("content-length", "0")
        error = self._error()
        if not announced.isdecimal() or int(announced) > self._limit:
            await answer(error.status, error.code, str(error), headers={"Connection": "close"})(scope, receive, send)
            return
        await self._app(scope, self._counted(receive), send)

    def _counted(self, receive: Receive) -> Receive:
        seen = 0

        async def counted() -> Message:
            nonlocal seen
            message = await receive()
            seen += len(message.get("body", b""))
            if seen > self._limit:
                raise self._error()
            return message

        return counted

    def _error(self) -> ApiError:
        return ApiError(413, "body_too_large", f"The body is larger than {self._limit // 2**20} MiB; upload the list in parts")
