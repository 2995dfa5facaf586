"""What became of each message of a job, and what a person decides about those in doubt."""

from __future__ import annotations

from enum import StrEnum
from typing import Annotated, Any

from fastapi import APIRouter, Query, Response
from pydantic import BeforeValidator, ConfigDict, Field
from pydantic.alias_generators import to_camel

from engine import decisions
from engine.api.context import Bench, Body, Key, body_schema, parse_object, read_model
from engine.api.jobs import JobId
from engine.api.shapes import Answer, Said, Wire, link
from engine.durable import delivery_pages
from engine.durable.clock import iso
from engine.durable.delivery_pages import MAX_LIMIT
from engine.durable.ledger import State
from engine.durable.queries import get
from engine.durable.sending_tables import Delivery
from engine.errors import InvalidInput, Problem
from engine.mail.keys import searched, sorted_out

router = APIRouter(prefix="/jobs/{job_id}", tags=["sending"])
_EMPTY_IS_NONE = BeforeValidator(lambda text: text or None)
MAX_PROBLEMS = 20


class DeliveryShape(Wire):
    """A message to a recipient."""

    recipient: str = Field(description="one text per mailbox: lower case, and without the dots and the tag that Gmail ignores")
    domain: str
    state: str = Field(description=f"one of {', '.join(State)}")
    attempts: int = Field(description="how often it was begun")
    due_at: str | None = Field(description="when it is tried again")
    message_id: str
    smtp_code: int | None
    smtp_reply: str | None
    error: str | None
    hard: bool = Field(description="refused or bounced for good")
    sent_at: str | None
    settled_at: str | None = Field(description="when its state became final")
    resolution: str | None = Field(description="what was decided in doubt: `sent`, or `resent:` and the job that sends it again")
    updated_at: str | None


class DeliveryList(Answer):
    """A page of messages, by recipient."""

    deliveries: list[DeliveryShape]
    count: int = Field(description="messages on this page")
    next_cursor: str | None
    counts: dict[str, int] = Field(description="all messages of the job by state, whatever the filters")


class Action(StrEnum):
    """What to do with messages in doubt."""

    RESEND = "resend"
    TREAT_AS_SENT = "treatAsSent"


class DecisionBody(Wire):
    """What to do with messages that may have arrived: the connection broke before the server answered."""

    model_config = ConfigDict(alias_generator=to_camel, extra="forbid", hide_input_in_errors=True)

    action: Action = Field(description="resend: a new job sends them again; treatAsSent: they count as sent")
    recipients: list[str] | None = Field(None, description="whose; all in doubt when left out")


class Decided(Said):
    """What was decided."""

    count: int = Field(description="messages it is about")
    job_id: str | None = Field(description="the job that sends them again")


@router.get("/deliveries", summary="What became of each message of a job")
def page(
    bench: Bench,
    job_id: JobId,
    state: Annotated[State | None, _EMPTY_IS_NONE, Query()] = None,
    q: Annotated[str | None, _EMPTY_IS_NONE, Query(description="a part of the address; a whole one in any spelling")] = None,
    limit: Annotated[int, Query(ge=1, le=MAX_LIMIT)] = 50,
    cursor: Annotated[str | None, _EMPTY_IS_NONE, Query()] = None,
) -> DeliveryList:
    """Keyset paging: pass `nextCursor` as `cursor`; null means the end. Rows that get no message are in the results only."""
    get(bench.database, job_id)
    found = delivery_pages.page(bench.database, job_id, state, searched(q) if q else None, limit, cursor)
    shapes = [_shape(delivery) for delivery in found.deliveries]
    counts = {state.value: number for state, number in delivery_pages.counts(bench.database, job_id).items()}
    return DeliveryList(deliveries=shapes, count=len(shapes), next_cursor=found.cursor, counts=counts)


@router.post("/in-doubt", openapi_extra=body_schema(DecisionBody), summary="Decide about messages in doubt")
def decide(bench: Bench, job_id: JobId, body: Body, response: Response, key: Key = None) -> Decided:
    """Sending again is answered with 201 and the new job; 409 when none of them is in doubt any more."""
    asked = read_model(parse_object(body), DecisionBody)
    recipients = None if asked.recipients is None else _keys(asked.recipients)
    get(bench.database, job_id)
    if asked.action == Action.TREAT_AS_SENT:
        count = decisions.treat_as_sent(bench, job_id, recipients)
        return Decided(message=f"{count:,} count as sent", count=count, job_id=None)
    resent = decisions.resend(bench, job_id, recipients, key)
    response.status_code = 201 if resent.created else 200
    response.headers["Location"] = link(resent.job_id, "status")
    return Decided(message=f"{resent.count:,} are sent again by a new job", count=resent.count, job_id=resent.job_id)


def _keys(recipients: list[str]) -> list[str]:
    """The mailboxes that are named.

    Raises:
        InvalidInput: none is, or some value is no address.
    """
    found = sorted_out(recipients)
    if found.flaws:
        places = list(found.flaws)[:MAX_PROBLEMS]
        raise InvalidInput([Problem(f"recipients.{place}", "is not an e-mail address") for place in places])
    if not found.known:
        raise InvalidInput.of("recipients", "is empty; name at least one, or leave it out for all in doubt")
    return list(found.known)


def _shape(delivery: Delivery) -> DeliveryShape:
    moments = ("due_at", "sent_at", "settled_at", "updated_at")
    given: dict[str, Any] = {name: getattr(delivery, name) for name in DeliveryShape.model_fields}
    return DeliveryShape(**given | {name: iso(given[name]) for name in moments})
