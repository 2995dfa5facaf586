"""Messages of a job, for people: how many are in which state, a page of them, how domains fare."""

from __future__ import annotations

from dataclasses import dataclass

from sqlalchemy import ColumnElement, Connection, func, select

from engine.durable import keyset
from engine.durable.database import Database
from engine.durable.ledger import State
from engine.durable.sending_tables import Delivery, deliveries
from engine.errors import InvalidInput

MAX_LIMIT = 500
_FEW = 5_000
"""Up to so many messages in a state are found by the index of states; more are met often enough on a walk by recipient."""
_d = deliveries.c


def counts(database: Database, job_id: str) -> dict[State, int]:
    """How many messages of a job are in each state; states without any are left out."""
    query = select(_d.state, func.count()).where(_d.job_id == job_id).group_by(_d.state)
    with database.read() as connection:
        found: dict[str, int] = {row[0]: row[1] for row in connection.execute(query)}
    return {state: found[state] for state in State if state in found}


@dataclass(frozen=True, slots=True)
class DeliveryPage:
    """A page of messages by recipient; `cursor` continues it, None at the end."""

    deliveries: list[Delivery]
    cursor: str | None


def page(
    database: Database,
    job_id: str,
    state: State | None = None,
    q: str | None = None,
    limit: int = 50,
    cursor: str | None = None,
) -> DeliveryPage:
    """A page of a job's messages by keyset: those in a state, those with `q` in the recipient, in any case.

    Raises:
        InvalidInput: the limit is out of bounds, or the cursor is none of this list.
    """
    if not 1 <= limit <= MAX_LIMIT:
        raise InvalidInput.of("limit", f"must be between 1 and {MAX_LIMIT}")
    terms = [_d.job_id == job_id]
    if q:
        terms.append(_d.recipient.contains(q.lower(), autoescape=True))
    if cursor:
        terms.append(_d.recipient > keyset.key_position(cursor))
    with database.session() as session:
        if state is not None:
            terms.append(_in_state(session.connection(), job_id, state))
        found = list(session.scalars(select(Delivery).where(*terms).order_by(_d.recipient).limit(limit + 1)))
    more = len(found) > limit
    return DeliveryPage(found[:limit], keyset.key_cursor(found[limit - 1].recipient) if more else None)


def _in_state(connection: Connection, job_id: str, state: State) -> ColumnElement[bool]:
    """The condition on the state, by the quickest way to the first of them by recipient."""
    some = select(_d.recipient).where(_d.job_id == job_id, _d.state == state).limit(_FEW + 1)
    if connection.execute(select(func.count()).select_from(some.subquery())).scalar_one() <= _FEW:
        return _d.recipient.in_(some)
    return _d.state.concat("") == state  # no index fits: the rows come by recipient, and nothing is sorted


@dataclass(frozen=True, slots=True)
class DomainCounts:
    """How a recipients' domain fares: messages by state."""

    domain: str
    counts: dict[State, int]

    @property
    def total(self) -> int:
        """All messages to the domain."""
        return sum(self.counts.values())


def domains(database: Database, job_id: str, limit: int = 20) -> list[DomainCounts]:
    """The domains with most recipients of a job, the greatest first."""
    per = select(_d.domain, _d.state, func.count().label("number")).where(_d.job_id == job_id)
    each = per.group_by(_d.domain, _d.state).cte("each_domain")
    total = func.sum(each.c.number)
    top = select(each.c.domain).group_by(each.c.domain).order_by(total.desc(), each.c.domain).limit(limit).cte("top")
    found: dict[str, dict[State, int]] = {}
    with database.read() as connection:
        for domain, state, number in connection.execute(select(each).where(each.c.domain.in_(select(top.c.domain)))):
            found.setdefault(domain, {})[State(state)] = number
    made = [DomainCounts(domain, by_state) for domain, by_state in found.items()]
    return sorted(made, key=lambda one: (-one.total, one.domain))
