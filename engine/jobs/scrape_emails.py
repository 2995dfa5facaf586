"""Scrape e-mails: the addresses that websites publish, each with where, how and when it was found."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Sequence
from datetime import datetime
from typing import Any, ClassVar, Self

import pyarrow as pa
from pydantic import Field

from engine.durable.clock import from_ms, to_ms
from engine.durable.contract import Batch, Chart, Done, JobParams, JobRow, Plan, Source, Tools
from engine.durable.schema import arrow_schema, category, rows_table
from engine.jobs._columns import Sample, chosen_column
from engine.scraping.crawl import Crawler
from engine.scraping.domains import Wanted, domain_column, wanted
from engine.scraping.report import Report

TYPE, TITLE, ICON = "scrape-emails", "Scrape e-mails", ":material/travel_explore:"
PLACE = 40
SOURCE = "required"
CARRIES = False
CHARTS = (Chart("found_as", "How addresses were found"), Chart("outcome", "Domains by outcome"))
MAX_PAGES = 1_000


class Params(JobParams):
    """Which sites to read, and how much of them."""

    items_field: ClassVar[str | None] = "domains"
    items_column: ClassVar[str] = "domain"
    condenses: ClassVar[bool] = True

    domains: list[str | dict[str, Any] | int | float | None] | None = Field(
        None, title="Domains", description="Domains, host:port or URLs, or objects with one of them; each site is read once."
    )
    max_pages_per_domain: int = Field(
        20,
        ge=1,
        le=MAX_PAGES,
        title="Pages per domain",
        description="How many pages of a site are read at most; those that promise addresses come first.",
    )
    column: str | None = Field(
        None,
        max_length=500,
        title="Domain column",
        description="Which column of the list holds the domains; found by name or content when left out.",
    )

    def fitted(self, source: Source) -> Self:
        """With the domain column chosen. Raises `InvalidInput` where there is none."""
        find = _first if source.schema.names == [self.items_column] else domain_column
        expected = "one named domain or website, or one that holds domains, URLs or addresses"
        return self.model_copy(update={"column": chosen_column(source, self.column, find, "domains", "domains", expected)})

    def condensed(self, rows: pa.Table) -> pa.Table:
        """Each domain once, in its one spelling; what is none stays, with what is wrong with it."""
        cells = rows[self.column or rows.column_names[0]].to_pylist()
        entries: dict[str, Wanted] = {}
        for cell in cells:
            entry = wanted(cell)
            if not entry.error or entry.domain not in entries:
                entries[entry.domain] = entry
        domains, errors = [entry.domain for entry in entries.values()], [entry.error for entry in entries.values()]
        return pa.table({"domain": pa.array(domains, pa.string()), "error": pa.array(errors, pa.string())})


class Row(JobRow):
    """An address of a site; or a site without one, and why."""

    email: str | None = Field(description="The address; empty where the domain gave none.")
    domain: str = Field(**category("The domain as it was asked for."))
    source_url: str | None = Field(description="The page where it was seen first.")
    page_title: str | None = Field(description="The title of that page.")
    found_as: str | None = Field(**category("How it was found: mailto, text, json-ld, cfemail, obfuscated …"))
    role: bool | None = Field(description="A function's mailbox such as info@, not a person's.")
    free: bool | None = Field(description="At a provider where anyone gets a mailbox.")
    first_seen: datetime | None = Field(description="When it was seen first.")
    status: str = Field(**category("What came of the domain: found, no_addresses, blocked_by_robots, unreachable or refused."))
    error: str | None = Field(description="Why the domain gave no address, or was not read to its end.")


def plan(_params: Params, source: Source | None) -> Plan:
    """One domain per batch: each is a crawl that saves where it is."""
    return Plan(source.rows if source else 0, 1)


async def process(batch: Batch, params: Params, tools: Tools) -> Done:
    """Crawl the domains of the batch."""
    assert batch.rows is not None  # SOURCE is required
    reports = [await _crawled(entry, batch, params, tools) for entry in _entries(batch.rows)]
    return _done(reports)


async def _crawled(entry: Wanted, batch: Batch, params: Params, tools: Tools) -> Report:
    if entry.error:
        return Report(entry.domain, "refused", f"{entry.error[:1].upper()}{entry.error[1:]}.")
    crawler: Crawler = tools.doors["crawler"]
    report = await crawler.crawl(entry.domain, params.max_pages_per_domain, batch.state, tools.save, tools.now)
    sites = tools.doors.get("sites")
    if sites is not None:
        await sites.save(report.known(params.max_pages_per_domain, to_ms(tools.now()), batch.job.id))
    return report


def _entries(rows: pa.Table) -> Iterator[Wanted]:
    for domain, error in zip(rows["domain"].to_pylist(), rows["error"].to_pylist(), strict=True):
        yield Wanted(domain, error)


def _done(reports: Sequence[Report]) -> Done:
    rows = [row for report in reports for row in _rows(report)]
    readable = sum(report.readable for report in reports)
    tallies: dict[str, dict[str, int]] = {
        "found_as": dict(Counter(seen.found_as for report in reports for seen in report.seen)),
        "outcome": dict(Counter(report.status for report in reports)),
        "pages": {"fetched": sum(report.pages for report in reports)},
    }
    counts = dict(Counter(row["status"] for row in rows))
    return Done(rows_table(rows, arrow_schema(Row)), readable, len(reports) - readable, counts, tallies)


def _rows(report: Report) -> Iterator[dict[str, Any]]:
    about = {"domain": report.domain, "status": report.status, "error": report.error or None}
    for seen in report.seen:
        yield {
            "email": seen.email,
            "source_url": seen.source_url,
            "page_title": seen.page_title or None,
            "found_as": seen.found_as,
            "role": seen.role,
            "free": seen.free,
            "first_seen": from_ms(seen.first_seen),
            **about,
        }
    if not report.seen:
        yield about


def _first(names: Sequence[str], _sample: Sample) -> str:
    """Of a pasted list the only column, whatever is in it."""
    return names[0]
