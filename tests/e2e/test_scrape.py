"""A list of websites in a real browser: pasted, scraped, looked at by outcome, downloaded, and its addresses verified."""

from __future__ import annotations

import csv
import re
from collections.abc import Iterator, Mapping
from pathlib import Path

import pytest
from playwright.sync_api import Browser, Page, expect

from tests.lab.dns import DnsServer
from tests.lab.web import Site, WebServer
from tests.lab.web_pages import text

pytestmark = [pytest.mark.chromium, pytest.mark.slow]

SECONDS = 1000
JOB_URL = re.compile(r"/scrape-emails\?job_id=[a-z2-7]{26}$")
VERIFY_URL = re.compile(r"/verify-emails\?from_job=[a-z2-7]{26}&from_where=status")
SITES: Mapping[str, Site] = {
    "shop.test": {
        "/": '<title>Shop</title><a href="/contact">Contact</a> <a href="/team">Team</a>',
        "/contact": '<title>Contact</title><a href="mailto:info@shop.test">Write to us</a>',
        "/team": "<title>Team</title><p>Ann Hill, ann.hill [at] shop [dot] test</p>",
    },
    "closed.test": {"/robots.txt": text("User-agent: *\nDisallow: /"), "/": "secret@closed.test"},
    "quiet.test": {"/": "<title>Quiet</title><p>Nothing to read here.</p>"},
}
FOUND = {"info@shop.test": ("mailto", "/contact"), "ann.hill@shop.test": ("obfuscated", "/team")}


@pytest.fixture
def web() -> Iterator[WebServer]:
    """The sites; whoever asks the closed one for a page breaks its rules."""
    with WebServer(SITES) as server:
        server.forbid("closed.test", "/page", "/contact")
        yield server


@pytest.fixture
def variables(web: WebServer) -> Iterator[dict[str, str]]:
    """The server asks the lab's name server and may go to this machine."""
    with DnsServer({host: {"a": ["127.0.0.1"], "mx": [(10, "mx.shop.test")]} for host in SITES}) as dns:
        dns.add("mx.shop.test", a=["127.0.0.2"])
        servers = ",".join(f"{host}:{port}" for host, port in dns.servers)
        yield {"POSTBENCH_DNS_SERVERS": servers, "POSTBENCH_ALLOW_PRIVATE_NETWORKS": "1", "POSTBENCH_CRAWL_DELAY": "0"}


def test_from_domains_to_verified_addresses(server: str, browser: Browser, web: WebServer) -> None:
    context = browser.new_context(viewport={"width": 1400, "height": 1000}, accept_downloads=True)
    page = context.new_page()
    page.goto(f"{server}/scrape-emails")
    asked(page, web)
    finished(page)
    rows = downloaded(page)
    told(rows, web)
    filtered(page)
    verified(page)
    context.close()
    assert web.asked("closed.test") == web.asked("closed.test", "/robots.txt") >= 1
    assert not web.violations


def asked(page: Page, web: WebServer) -> None:
    """The list is counted before it is submitted: one site is named twice, one entry is none."""
    port = web.port
    entries = [
        f"shop.test:{port}",
        f"http://SHOP.test:{port}/team",
        f"closed.test:{port}",
        f"quiet.test:{port}",
        "nowhere.test",
        "not one",
    ]
    field = page.get_by_label("Domains", exact=True)
    field.fill("\n".join(entries), timeout=30 * SECONDS)
    field.press("Tab")
    facts = page.locator(".pb-facts", has_text="different domains")
    expect(facts).to_contain_text("different domains4", timeout=20 * SECONDS)
    expect(facts).to_contain_text("not a domain1")
    page.get_by_role("button", name="Scrape").click()
    expect(page).to_have_url(JOB_URL, timeout=30 * SECONDS)


def finished(page: Page) -> None:
    """What became of the sites is counted, drawn and listed."""
    expect(page.locator(".st-key-cell_out_completed")).to_be_visible(timeout=60 * SECONDS)
    legend = page.locator(".pb-legend")
    for outcome in ("found 1", "blocked by robots 1", "no addresses 1", "unreachable 1", "refused 1"):
        expect(legend).to_contain_text(outcome)
    expect(page.locator(".pb-facts", has_text="pages read")).to_contain_text("addresses2")
    expect(page.get_by_text("How addresses were found")).to_be_visible()
    expect(page.get_by_text("1 to 6 of 6")).to_be_visible(timeout=20 * SECONDS)


def downloaded(page: Page) -> list[dict[str, str]]:
    """The rows of the CSV."""
    page.get_by_role("button", name="Download", exact=True).click()
    with page.expect_download() as download:
        page.get_by_role("link", name="CSV", exact=True).click()
    page.keyboard.press("Escape")
    with Path(download.value.path()).open(newline="") as file:
        return list(csv.DictReader(file))


def told(rows: list[dict[str, str]], web: WebServer) -> None:
    """Each address with where and how it was found; each other site with the reason."""
    found = {row["email"]: (row["found_as"], row["source_url"]) for row in rows if row["status"] == "found"}
    assert found == {email: (how, f"http://shop.test:{web.port}{path}") for email, (how, path) in FOUND.items()}
    assert all(row["error"] for row in rows if row["status"] in ("unreachable", "refused", "blocked_by_robots"))


def filtered(page: Page) -> None:
    """One click leaves the rows of an outcome."""
    page.get_by_text("found 2", exact=True).last.click()
    expect(page.get_by_text("1 to 2 of 2")).to_be_visible(timeout=20 * SECONDS)


def verified(page: Page) -> None:
    """The next step has its list: the addresses that were found, and no other row."""
    page.get_by_role("button", name="Verify these").click()
    expect(page).to_have_url(VERIFY_URL, timeout=30 * SECONDS)
    expect(page.get_by_label("Only rows that fit", exact=True)).to_have_value("status:found", timeout=30 * SECONDS)
    expect(page.locator(".pb-facts", has_text="different addresses")).to_contain_text("rows2")
    page.get_by_role("button", name="Verify", exact=False).first.click()
    expect(page.locator(".st-key-cell_out_completed")).to_be_visible(timeout=60 * SECONDS)
    expect(page.get_by_text("1 to 2 of 2")).to_be_visible(timeout=20 * SECONDS)
