"""find-emails over a lab of companies: the real engine, websites, name server and mail server."""

from __future__ import annotations

from collections import Counter
from pathlib import Path
from typing import Any

import pyarrow as pa
import pytest

from engine.durable.chunks import stream_tables
from engine.durable.database import Database
from engine.durable.migrate import open_database
from engine.durable.queries import get
from engine.durable.submit import Request, submit
from engine.durable.vault import Vault
from engine.jobs import registry
from tests.crash.harness import start_engine, wait_until
from tests.lab.bureaus import bureaus
from tests.lab.offices import Street, offices, score, street

pytestmark = pytest.mark.slow
FIND, SCRAPE = registry()["find-emails"], registry()["scrape-emails"]


def finished(database: Database, folder: Path, lab: Street, *requests: Request) -> list[pa.Table]:
    """The tables of these jobs, one after the other."""
    tables = []
    engine = start_engine(folder, **lab.settings)
    try:
        for request in requests:
            job_id = submit(database, Vault.open(None, folder), request).job_id
            wait_until(lambda job_id=job_id: get(database, job_id).ended, "the job to end", folder)  # type: ignore[misc]
            job = get(database, job_id)
            assert job.status == "completed", job.error_message
            tables.append(pa.concat_tables(stream_tables(database, job_id, "output")))
    finally:
        engine.terminate()
        engine.wait(60)
    return tables


def test_people_of_companies_with_mixed_patterns(tmp_path: Path) -> None:
    database = open_database(f"sqlite:///{tmp_path / 'postbench.db'}")
    with street(offices(24)) as lab:
        domains = [lab.host(one.domain) for one in lab.offices]
        wanted: dict[str, Any] = {"people": lab.people(), "domains": domains[:3], "service": "smtp"}
        found, again = finished(
            database, tmp_path, lab, Request(FIND, wanted), Request(FIND, {"people": lab.people(), "service": "dns"})
        )
        sought = lab.sought()
        rows = found.to_pylist()
        told = score(sought, rows[: len(sought)])
        assert told.share >= 0.9, told.missed
        assert told.wrong_valid == ()
        assert told.most_on_catch_all <= 60
        assert told.strangers_left == told.strangers > 20
        public = rows[len(sought) :]
        assert [row["domain"] for row in public] == sorted((row["domain"] for row in public), key=domains.index)
        assert {f"info@{one.domain}" for one in lab.offices[:3]} <= {row["email"] for row in public}
        assert all(len(row["candidates_tried"].split(", ")) <= 3 for row in rows[: len(sought)])
        assert lab.mx.counts.forbidden == [] and lab.web.violations == []
        with lab.web.lock:
            pages = Counter(host for host, path in lab.web.counts.elements() if path != "/robots.txt")
        assert max(pages.values()) <= 5, "pages of a domain were fetched beyond the limit, or again by the second job"
        assert score(sought, again.to_pylist()).wrong_valid == ()
    database.close()


def test_what_scraping_found_is_used(tmp_path: Path) -> None:
    database = open_database(f"sqlite:///{tmp_path / 'postbench.db'}")
    with street(offices(6)) as lab:
        domains = [f"http://{lab.host(one.domain)}/" for one in lab.offices]
        scraped, _ = finished(
            database,
            tmp_path,
            lab,
            Request(SCRAPE, {"domains": domains, "maxPagesPerDomain": 8}),
            Request(FIND, {"domains": domains[:1]}),
        )
        asked = lab.web.total
        [found] = finished(database, tmp_path, lab, Request(FIND, {"people": lab.people(), "service": "smtp"}))
        assert lab.web.total == asked and scraped.num_rows > 12
        assert score(lab.sought(), found.to_pylist()).share >= 0.9
    database.close()


def test_people_of_many_countries_on_pages_of_other_layouts(tmp_path: Path) -> None:
    database = open_database(f"sqlite:///{tmp_path / 'postbench.db'}")
    with street(bureaus(32)) as lab:
        (found,) = finished(database, tmp_path, lab, Request(FIND, {"people": lab.people(), "service": "smtp"}))
        told = score(lab.sought(), found.to_pylist())
        assert told.share >= 0.95, told.missed
        assert told.wrong_valid == ()
        assert told.most_on_catch_all <= 60
