"""The browser session: a page's ticket becomes a cookie, so that download links need no secret in their URL."""

from __future__ import annotations

from fastapi import APIRouter, Response
from pydantic import Field

from engine.access import COOKIE, SESSION_SECONDS, honoured, mint
from engine.api.context import Bench, Body, body_schema, parse_object, read_model
from engine.api.errors import ApiError
from engine.api.shapes import Said, Wire

router = APIRouter(prefix="/session", tags=["session"])


class TicketBody(Wire):
    """A pass that a page made for its visitor."""

    ticket: str = Field(max_length=200)


@router.post("", openapi_extra=body_schema(TicketBody), summary="Trade a page's ticket for a session cookie")
def begin(bench: Bench, body: Body, response: Response) -> Said:
    """401 when the ticket is not ours or has ended."""
    given = read_model(parse_object(body), TicketBody).ticket
    if not honoured(bench.vault, "ticket", given):
        raise ApiError(401, "unauthorized", "The ticket is not valid any more; reload the page", {"WWW-Authenticate": "Bearer"})
    response.set_cookie(
        COOKIE,
        mint(bench.vault, "session", SESSION_SECONDS),
        max_age=SESSION_SECONDS,
        httponly=True,
        samesite="strict",
        secure=bench.settings.base_url.startswith("https:"),
    )
    return Said(message="The session has begun")


@router.delete("", summary="Log out")
def end(response: Response) -> Said:
    """Take the cookie back."""
    response.delete_cookie(COOKIE, httponly=True, samesite="strict")
    return Said(message="The session has ended")
