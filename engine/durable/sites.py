"""What is known of websites: the addresses that a crawl found, and verified ones that show a domain's pattern."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import asdict, dataclass
from typing import Any, NamedTuple

from sqlalchemy import Connection, select
from sqlalchemy.dialects import postgresql, sqlite

from engine.durable.clock import now_ms
from engine.durable.database import Database
from engine.durable.tables import jobs, known_sites, probe_permits, verifications, verified_emails

MOST = 500
"""Verified addresses of one domain that are looked at, the first in order; more teach nothing new."""
MADE_UP = "generate-"
"""How the names of the job types begin whose addresses are inventions."""
_DEPTH = 20
"""Jobs that are followed back from one to the one it took its list from."""


@dataclass(frozen=True, slots=True)
class SeenAddress:
    """An address on a page: where, the page's title, by which technique, when first (ms), and the text beside it."""

    email: str
    source_url: str
    page_title: str = ""
    found_as: str = ""
    role: bool = False
    free: bool = False
    first_seen: int = 0
    near: str = ""


@dataclass(frozen=True, slots=True)
class KnownSite:
    """What a crawl found at a domain (ASCII `host` or `host:port`).

    `status` is found, no_addresses, blocked_by_robots, unreachable or refused, `error` a sentence; `pages` were read, at most
    `limit`; `checked_at` is when the crawl ended (ms), `job_id` whose it was.
    """

    domain: str
    status: str
    error: str = ""
    seen: tuple[SeenAddress, ...] = ()
    pages: int = 0
    limit: int = 0
    checked_at: int = 0
    job_id: str | None = None


class Vouched(NamedTuple):
    """A verified address of a real list, and when (ms)."""

    address: str
    verified_at: int


def site_key(domain: str) -> str:
    """The name under which a site is kept: in lower case, without `www.`, which leads to the same pages."""
    return domain.strip().lower().rstrip(".").removeprefix("www.")


def find(database: Database, domain: str) -> KnownSite | None:
    """What is known of a site; None where it was never crawled. How old that is, the caller judges."""
    with database.read() as connection:
        row = connection.execute(select(known_sites).where(known_sites.c.domain == site_key(domain))).mappings().first()
    return None if row is None else _site(row)


def save(database: Database, site: KnownSite) -> None:
    """Keep what a crawl found, in place of what was known of the site."""
    values = {name: getattr(site, name) for name in ("status", "error", "pages", "checked_at", "job_id")}
    values |= {"page_limit": site.limit, "seen": [_plain(one) for one in site.seen]}
    changes = {**values, "updated_at": now_ms()}
    build: Any = sqlite.insert if database.is_sqlite else postgresql.insert
    row = build(known_sites).values(domain=site_key(site.domain), created_at=now_ms(), **changes)
    upsert = row.on_conflict_do_update(index_elements=["domain"], set_=changes)
    database.transact(lambda connection: connection.execute(upsert))


def addresses(database: Database, domain: str, before: int) -> list[Vouched]:
    """Addresses of a mail domain whose mailbox was found to be valid before a moment (ms), in order.

    What counts is the last verdict before that moment other than unknown, so that a job learns the same from them however often
    it is interrupted. An invented address proves no pattern: left out are those that any job verified which generated them, took
    them from one that did, or marked them as synthetic, and those of which no job is left to say that they are real.
    """
    with database.read() as connection:
        lines = _history(connection, domain, before)
        real = _real(connection, {line.job_id for line in lines})
        marked = _marked(connection, domain)
    found: dict[str, Vouched] = {}
    spoiled: set[str] = set(marked)
    for line in lines:  # oldest first: the last one decides
        found.pop(line.address, None)
        if line.job_id in real and real[line.job_id] is False:
            spoiled.add(line.address)
        if line.status == "valid" and line.level == "mailbox" and line.job_id in real:
            found[line.address] = Vouched(line.address, line.at)
    return [found[address] for address in sorted(found) if address not in spoiled]


def _history(connection: Connection, domain: str, before: int) -> Sequence[Any]:
    email, line = verified_emails.c, verifications.c
    some = (
        select(email.id, email.address)
        .where(email.domain == domain, email.status == "valid", email.level == "mailbox")
        .order_by(email.address)
        .limit(MOST)
        .subquery()
    )
    query = (
        select(some.c.address, line.at, line.job_id, line.status, line.level)
        .join(verifications, line.email_id == some.c.id)
        .where(line.at < before, line.status != "unknown")
        .order_by(line.id)
    )
    return connection.execute(query).all()


def _marked(connection: Connection, domain: str) -> Collection[str]:
    """Addresses that a list said were synthetic: those that were to be verified are on record."""
    query = select(probe_permits.c.address).where(probe_permits.c.domain == domain).distinct()
    return set(connection.execute(query).scalars())


def _real(connection: Connection, job_ids: Collection[str | None]) -> dict[str, bool]:
    """For each job that still exists whether its addresses are real; missing where the origin of its list is gone."""
    parents: dict[str, tuple[str, str | None]] = {}
    wanted = {job_id for job_id in job_ids if job_id is not None}
    for _ in range(_DEPTH):
        if not wanted:
            break
        query = select(jobs.c.id, jobs.c.type, jobs.c.source_job_id).where(jobs.c.id.in_(sorted(wanted)))
        rows = {row.id: (row.type, row.source_job_id) for row in connection.execute(query)}
        parents |= rows
        wanted = {source for _, source in rows.values() if source is not None} - parents.keys()
    origins = {job_id: _origin(job_id, parents) for job_id in job_ids if job_id is not None}
    return {job_id: origin for job_id, origin in origins.items() if origin is not None}


def _origin(job_id: str, parents: Mapping[str, tuple[str, str | None]]) -> bool | None:
    """Whether no job on the way back from this one made addresses up; None where the way is lost."""
    at: str | None = job_id
    for _ in range(_DEPTH):
        if at is None:
            return True
        if at not in parents:
            return None
        kind, at = parents[at]
        if kind.startswith(MADE_UP):
            return False
    return None


def _plain(seen: SeenAddress) -> dict[str, Any]:
    """As JSON, without what is empty."""
    return {name: value for name, value in asdict(seen).items() if value}


def _site(row: Mapping[Any, Any]) -> KnownSite:
    seen = tuple(SeenAddress(**{"source_url": "", **one}) for one in row["seen"])
    told = {name: row[name] for name in ("domain", "status", "error", "pages", "checked_at", "job_id")}
    return KnownSite(**told, seen=seen, limit=row["page_limit"])
