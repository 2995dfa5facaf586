"""What every request gets: the workbench of the process, and the body as bytes, read off the event loop's critical path."""

from __future__ import annotations

from typing import Annotated, Any, TypeVar

from fastapi import Depends, Header, Request
from pydantic import BaseModel, TypeAdapter, ValidationError

from engine.api.errors import ApiError
from engine.durable.validate import problems
from engine.errors import InvalidInput
from engine.workbench import Workbench

PREFIX = "/api"
"""Where the API is mounted; every link in an answer begins with it."""
Model = TypeVar("Model", bound=BaseModel)
_OBJECT = TypeAdapter(dict[str, Any])


async def _workbench(request: Request) -> Workbench:
    found: Workbench = request.app.state.workbench
    return found


async def _raw(request: Request) -> bytes:
    return await request.body()


Bench = Annotated[Workbench, Depends(_workbench)]
Body = Annotated[bytes, Depends(_raw)]
"""The body as it came. Endpoints are plain functions, so that parsing a million addresses happens in a worker thread."""
Key = Annotated[str | None, Header(alias="Idempotency-Key", description="the same key and body give the same job again")]


def parse_object(body: bytes) -> dict[str, Any]:
    """The JSON object in a body; an empty body is an empty object.

    Raises:
        ApiError: 400, the body is not JSON, or not an object.
    """
    try:
        return _OBJECT.validate_json(body or b"{}")
    except ValidationError:
        raise ApiError(400, "malformed_json", "The body is not a JSON object") from None


def read_model(value: dict[str, Any], model: type[Model]) -> Model:
    """The object as a model.

    Raises:
        InvalidInput: naming every wrong field, echoing no value.
    """
    try:
        return model.model_validate(value)
    except ValidationError as error:
        raise InvalidInput(problems(error, model)) from None


def body_schema(model: type[BaseModel]) -> dict[str, Any]:
    """The OpenAPI fragment of an endpoint that reads this model from `Body`; `engine.api.openapi` fills the reference in."""
    content = {"application/json": {"schema": {"$ref": f"#/components/schemas/{model.__name__}"}}}
    return {"requestBody": {"required": True, "content": content}}
