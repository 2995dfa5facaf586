"""scrape-emails: a row for each address, and one for each domain that gave none."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any

import pyarrow as pa
import pytest

from engine.durable.contract import Batch, Done, JobRef, Json, Source
from engine.durable.database import Database
from engine.durable.queries import get
from engine.durable.site_cache import FakeSites
from engine.durable.sources import InputReader
from engine.durable.submit import Request, submit
from engine.durable.validate import read_params
from engine.durable.vault import Vault
from engine.errors import InvalidInput
from engine.jobs import registry
from engine.jobs.scrape_emails import Params, plan, process
from engine.scraping.crawl import FakeCrawler
from engine.scraping.report import Report, Seen

SCRAPE = registry()["scrape-emails"]
NOW = datetime(2030, 1, 1, tzinfo=UTC)
AT = round(NOW.timestamp() * 1000)
FOUND = Report(
    "a.test:8080",
    "found",
    "",
    (
        Seen("info@a.test", "http://a.test/contact", "Contact", "mailto", True, False, AT),
        Seen("anne@gmail.com", "http://a.test/", "", "text", False, True, AT + 1),
    ),
    7,
)
BLOCKED = Report("b.test", "blocked_by_robots", "robots.txt forbids it", (), 0)
EMPTY = Report("c.test", "no_addresses", "No address on the 3 pages that were read.", (), 3)


@dataclass
class Tools:
    crawler: FakeCrawler
    more: Mapping[str, Any] = field(default_factory=dict)
    secrets: Mapping[str, str] = field(default_factory=dict)

    @property
    def doors(self) -> Mapping[str, Any]:
        return {"crawler": self.crawler, **self.more}

    def now(self) -> datetime:
        return NOW

    async def save(self, state: Json) -> None:
        """Nobody reads it."""


async def scraped(*entries: Any, tools: Tools | None = None, **params: Any) -> Done:
    wanted = Params(domains=list(entries), column="domain", **params)
    rows = wanted.condensed(wanted.items_table())
    tools = tools or Tools(FakeCrawler({one.domain: one for one in (FOUND, BLOCKED, EMPTY)}))
    done = await process(Batch(0, 0, rows.num_rows, rows.num_rows, rows, None, JobRef("job", NOW)), wanted, tools)
    assert done.rows.schema.equals(SCRAPE.columns)
    return done


async def test_a_row_for_each_address_and_for_each_domain_without_one():
    done = await scraped("http://A.test:8080/x", "b.test", "c.test", "nowhere.test", "Acme Inc")
    none = dict.fromkeys(("email", "source_url", "page_title", "found_as", "role", "free", "first_seen"))
    assert done.rows.to_pylist()[0] == {
        "email": "info@a.test",
        "domain": "a.test:8080",
        "source_url": "http://a.test/contact",
        "page_title": "Contact",
        "found_as": "mailto",
        "role": True,
        "free": False,
        "first_seen": NOW,
        "status": "found",
        "error": None,
    }
    assert done.rows.to_pylist()[1]["page_title"] is None
    assert done.rows.to_pylist()[2:] == [
        {**none, "domain": "b.test", "status": "blocked_by_robots", "error": "robots.txt forbids it"},
        {**none, "domain": "c.test", "status": "no_addresses", "error": "No address on the 3 pages that were read."},
        {**none, "domain": "nowhere.test", "status": "unreachable", "error": "nowhere.test has no address"},
        {
            **none,
            "domain": "Acme Inc",
            "status": "refused",
            "error": "This is not a domain; expected a domain such as example.com, host:port or a URL.",
        },
    ]


async def test_numbers_and_tallies_add_up():
    done = await scraped("a.test:8080", "b.test", "c.test")
    assert (done.succeeded, done.failed) == (2, 1), "a site that could be read is a success, with addresses or without"
    assert done.counts == {"found": 2, "blocked_by_robots": 1, "no_addresses": 1}
    assert done.tallies == {
        "found_as": {"mailto": 1, "text": 1},
        "outcome": {"found": 1, "blocked_by_robots": 1, "no_addresses": 1},
        "pages": {"fetched": 10},
    }


async def test_what_was_found_is_kept_for_other_jobs():
    sites = FakeSites()
    await scraped("a.test:8080", "Acme Inc", tools=Tools(FakeCrawler({FOUND.domain: FOUND}), {"sites": sites}))
    (kept,) = sites.saved
    assert (kept.domain, kept.status, kept.pages, kept.limit, kept.checked_at, kept.job_id) == (
        "a.test:8080",
        "found",
        7,
        20,
        AT,
        "job",
    )
    assert [one.email for one in kept.seen] == ["info@a.test", "anne@gmail.com"]


def test_columns_are_those_of_the_contract():
    names = "email domain source_url page_title found_as role free first_seen status error".split()
    assert SCRAPE.columns.names == names and not SCRAPE.carries and SCRAPE.source == "required"


def test_entries_are_brought_to_one_spelling_and_folded():
    entries = ["https://Example.com/a", "example.com.", "www.example.com", "bücher.de", "xn--bcher-kva.de", "", None, "??", "??"]
    params = Params(domains=entries, column="domain")
    table = params.condensed(params.items_table())
    assert table["domain"].to_pylist() == ["example.com", "www.example.com", "xn--bcher-kva.de", "", "??"]
    assert [bool(error) for error in table["error"].to_pylist()] == [False, False, False, True, True]


def test_a_domain_that_is_asked_for_is_read_whoever_has_an_address_there():
    params = Params(domains=["anne@gmail.com", "gmail.com", "bob@gmail.com", "x.com"], column="domain")
    table = params.condensed(params.items_table())
    assert table["domain"].to_pylist() == ["gmail.com", "x.com"] and table["error"].to_pylist() == ["", ""]


def test_the_column_is_found_or_must_be_named():
    def source(**columns: list[Any]) -> Source:
        table = pa.table(columns)
        return Source(table.num_rows, table.schema, table)

    assert Params().fitted(source(name=["Acme"], website=["acme.com"])).column == "website"
    assert Params().fitted(source(domain=["nonsense"])).column == "domain", "a pasted list is what it is"
    assert Params(column="name").fitted(source(name=["Acme"], website=["acme.com"])).column == "name"
    with pytest.raises(InvalidInput, match="expected one named domain or website"):
        Params().fitted(source(name=["Acme"], size=[3]))
    with pytest.raises(InvalidInput, match="is not a column of the list; it has the columns name"):
        Params(column="url").fitted(source(name=["Acme"]))


@pytest.mark.parametrize("pages", [0, 1001, "x"])
def test_pages_have_limits(pages):
    with pytest.raises(InvalidInput):
        read_params(SCRAPE, {"domains": ["a.test"], "maxPagesPerDomain": pages})


def test_one_domain_is_one_batch():
    assert plan(Params(), Source(7, pa.schema([]))).batches == 7
    assert Params().max_pages_per_domain == 20


def test_submitted_lists_are_condensed(database: Database, vault: Vault):
    params = {"domains": [{"company": "Acme", "website": "acme.com"}, {"company": "Also Acme", "website": "http://acme.com/"}]}
    job = get(database, submit(database, vault, Request(SCRAPE, params)).job_id)
    assert (job.total_items, job.batch_size, job.params["column"]) == (1, 1, "website")
    reader = InputReader(database, job.id)
    assert reader.source is not None and reader.source.rows == 1
