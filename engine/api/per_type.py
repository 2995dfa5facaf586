"""One call per job type, made from the registry: its parameters are the body."""

from __future__ import annotations

from collections.abc import Callable, Mapping

from fastapi import APIRouter, Response
from pydantic import BaseModel, create_model
from pydantic.alias_generators import to_camel

from engine.api.context import Bench, Body, Key, body_schema, parse_object, read_model
from engine.api.requests import Common, announce
from engine.api.shapes import Answer, link
from engine.durable.contract import JobType
from engine.durable.submit import submit

_COMMON = {info.alias or name: name for name, info in Common.model_fields.items()}
"""Fields that are not the type's own, by their wire names."""


class Started(Answer):
    """A job was created, or found by its Idempotency-Key."""

    job_id: str
    stream_url: str
    status_url: str


def per_type(types: Mapping[str, JobType]) -> APIRouter:
    """`POST /<type>-job` for every type."""
    router = APIRouter(tags=["one call per job type"])
    for job_type in types.values():
        router.add_api_route(
            path(job_type),
            _endpoint(job_type),
            methods=["POST"],
            status_code=201,
            name=job_type.name,
            summary=job_type.title,
            description=job_type.summary,
            openapi_extra=body_schema(body_model(job_type)),
        )
    return router


def path(job_type: JobType) -> str:
    """Where jobs of this type are posted, below `/api`."""
    return f"/{job_type.name}-job"


def body_model(job_type: JobType) -> type[BaseModel]:
    """The body as the documentation shows it: the parameters and the common fields."""
    name = to_camel(job_type.name.replace("-", "_"))
    fields = {field: (info.annotation, info) for field, info in Common.model_fields.items()}
    model: type[BaseModel] = create_model(f"{name[0].upper()}{name[1:]}Body", __base__=job_type.params, **fields)  # type: ignore[call-overload]
    return model


def _endpoint(job_type: JobType) -> Callable[..., Started]:
    def create(bench: Bench, body: Body, response: Response, key: Key = None) -> Started:
        given = parse_object(body)
        common = read_model({name: given.pop(name) for name in _COMMON if name in given}, Common)
        done = submit(bench.database, bench.vault, common.request(job_type, given, key, bench))
        announce(response, done)
        return Started(job_id=done.job_id, stream_url=link(done.job_id, "stream"), status_url=link(done.job_id, "status"))

    return create
