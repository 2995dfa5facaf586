"""Errors on the wire: one envelope for whatever goes wrong, in this code or in the framework's, never with a rejected value."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from http import HTTPStatus

import structlog
from fastapi import FastAPI, Request
from fastapi.exceptions import RequestValidationError
from pydantic import BaseModel, Field
from sqlalchemy.exc import DataError, DBAPIError
from starlette.exceptions import HTTPException
from starlette.responses import JSONResponse

from engine.durable.validate import field_path
from engine.errors import DiskFull, IdempotencyConflict, InvalidInput, NotFound, PostbenchError, Problem, WrongState

log = structlog.get_logger()
_STATUS: dict[type[PostbenchError], tuple[int, str]] = {
    InvalidInput: (422, "invalid_input"),
    NotFound: (404, "not_found"),
    WrongState: (409, "wrong_state"),
    IdempotencyConflict: (409, "idempotency_conflict"),
    DiskFull: (507, "disk_full"),
    PostbenchError: (500, "internal_error"),
}


class ErrorDetail(BaseModel):
    """One thing wrong with the input."""

    field: str = Field(description="camelCase path, such as `providers.0.weight`")
    message: str


class ErrorBody(BaseModel):
    """What went wrong."""

    code: str
    message: str
    details: list[ErrorDetail] = []


class ErrorAnswer(BaseModel):
    """Every error looks like this."""

    success: bool = False
    error: ErrorBody


class ApiError(Exception):
    """An error that only exists on the wire."""

    def __init__(self, status: int, code: str, message: str, headers: Mapping[str, str] | None = None) -> None:
        self.status, self.code, self.headers = status, code, headers
        super().__init__(message)


def answer(
    status: int, code: str, message: str, problems: Sequence[Problem] = (), headers: Mapping[str, str] | None = None
) -> JSONResponse:
    """An error response."""
    details = [{"field": problem.field, "message": problem.message} for problem in problems]
    body = {"success": False, "error": {"code": code, "message": message, "details": details}}
    return JSONResponse(body, status, headers)


def install(app: FastAPI) -> None:
    """Have every error of the app answered with the envelope."""
    app.add_exception_handler(PostbenchError, _ours)
    app.add_exception_handler(ApiError, _on_the_wire)
    app.add_exception_handler(RequestValidationError, _not_valid)
    app.add_exception_handler(HTTPException, _http)
    app.add_exception_handler(DBAPIError, _database)
    app.add_exception_handler(Exception, _unexpected)


async def _ours(_request: Request, error: Exception) -> JSONResponse:
    assert isinstance(error, PostbenchError)
    status, code = next(_STATUS[kind] for kind in type(error).__mro__ if kind in _STATUS)
    return answer(status, code, str(error), error.problems if isinstance(error, InvalidInput) else ())


async def _on_the_wire(_request: Request, error: Exception) -> JSONResponse:
    assert isinstance(error, ApiError)
    return answer(error.status, error.code, str(error), headers=error.headers)


async def _not_valid(_request: Request, error: Exception) -> JSONResponse:
    assert isinstance(error, RequestValidationError)
    found = InvalidInput([Problem(field_path(item["loc"][1:]), str(item["msg"])) for item in error.errors()])
    return answer(422, "invalid_input", str(found), found.problems)


async def _http(_request: Request, error: Exception) -> JSONResponse:
    assert isinstance(error, HTTPException)
    if error.status_code == 404:
        return answer(404, "not_found", "There is no such endpoint; see /api/docs")
    name = HTTPStatus(error.status_code).phrase
    return answer(error.status_code, name.lower().replace(" ", "_").replace("-", "_"), name, headers=error.headers)


async def _database(_request: Request, error: Exception) -> JSONResponse:
    assert isinstance(error, DBAPIError)
    if isinstance(error, DataError):  # PostgreSQL on NUL in a text, the only kind of value that gets this far
        return answer(422, "invalid_input", "A text contains a character that cannot be stored (NUL); leave it out")
    log.error("database call failed", error=type(error.orig).__name__)
    return answer(503, "database_unavailable", "The database did not answer; try again", headers={"Retry-After": "1"})


async def _unexpected(_request: Request, _error: Exception) -> JSONResponse:
    return answer(500, "internal_error", "Postbench made a mistake; its log says which")
