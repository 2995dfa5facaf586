"""People in a real browser: typed into a table, found on their site or by its pattern, with how sure that is."""

from __future__ import annotations

import csv
import re
from collections.abc import Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Browser, Page, expect

from pages.parts.rows import HEAD_HEIGHT
from tests.lab.dns import DnsServer
from tests.lab.smtp import LabSmtp
from tests.lab.web import WebServer

pytestmark = [pytest.mark.chromium, pytest.mark.slow]

SECONDS = 1000
ROW = HEAD_HEIGHT + 20
"""Pixels from the top of a table to its first row."""
JOB_URL = re.compile(r"/find-emails\?job_id=[a-z2-7]{26}$")
TEAM = "<title>Team</title>" + "".join(
    f'<p>{name} <a href="mailto:{local}@shop.test">{local}@shop.test</a></p>'
    for name, local in (("Ann Hill", "ann.hill"), ("Ben Ray", "ben.ray"), ("Cay Mo", "cay.mo"))
)
PEOPLE = ["ann.hill@shop.test", "dora.lind@shop.test"]


@pytest.fixture
def web() -> Iterator[WebServer]:
    """A site with its people."""
    with WebServer({"shop.test": {"/": '<title>Shop</title><a href="/team">Team</a>', "/team": TEAM}}) as server:
        yield server


@pytest.fixture
def variables(web: WebServer) -> Iterator[dict[str, str]]:
    """The server asks the lab's name server and mail server and may go to this machine."""
    with LabSmtp(["127.0.0.2"]) as smtp, DnsServer({"shop.test": {"a": ["127.0.0.1"], "mx": [(10, "mx.shop.test")]}}) as dns:
        smtp.recipients.update(dict.fromkeys(PEOPLE, "ok"))
        dns.add("mx.shop.test", a=["127.0.0.2"])
        yield {
            "POSTBENCH_DNS_SERVERS": ",".join(f"{host}:{port}" for host, port in dns.servers),
            "POSTBENCH_SMTP_PROBE_PORT": str(smtp.port),
            "POSTBENCH_PROBE_RATE": "100",
            "POSTBENCH_ALLOW_PRIVATE_NETWORKS": "1",
            "POSTBENCH_CRAWL_DELAY": "0",
        }


def test_from_a_typed_table_to_sure_addresses(server: str, browser: Browser, web: WebServer) -> None:
    context = browser.new_context(viewport={"width": 1400, "height": 1000}, accept_downloads=True)
    context.grant_permissions(["clipboard-read", "clipboard-write"])
    page = context.new_page()
    page.goto(f"{server}/find-emails")
    page.get_by_text("Type", exact=True).click(timeout=30 * SECONDS)
    typed(page, [("Ann", "Hill", f"shop.test:{web.port}"), ("Dora", "Lind", f"shop.test:{web.port}")])
    kept(page)
    page.get_by_text("Mailbox (SMTP)").click()
    page.get_by_role("button", name="Find").click()
    expect(page).to_have_url(JOB_URL, timeout=30 * SECONDS)
    expect(page.locator(".st-key-cell_out_completed")).to_be_visible(timeout=60 * SECONDS)
    expect(page.get_by_text("1 to 2 of 2")).to_be_visible(timeout=20 * SECONDS)
    rows = downloaded(page)
    assert [(row["first_name"], row["email"], row["status"]) for row in rows] == [
        ("Ann", PEOPLE[0], "valid"),
        ("Dora", PEOPLE[1], "valid"),
    ]
    assert int(rows[0]["confidence"]) >= 95
    assert "/team" in rows[0]["sources"]
    context.close()


def typed(page: Page, people: list[tuple[str, str, str]]) -> None:
    """Paste rows from a spreadsheet, the first without its domain, then write that into its cell."""
    table = page.locator(".dvn-scroller").first
    table.click(position={"x": 80, "y": ROW}, timeout=30 * SECONDS)
    rows = [[*people[0][:2], ""], *people[1:]]
    page.evaluate("text => navigator.clipboard.writeText(text)", "\n".join("\t".join(row) for row in rows))
    page.keyboard.press("ControlOrMeta+V")
    facts = page.locator(".pb-facts", has_text="different people")
    expect(facts).to_contain_text("without a domain1", timeout=20 * SECONDS)
    table.dblclick(position={"x": (table.bounding_box() or {"width": 0})["width"] - 80, "y": ROW})
    editor = page.locator("#portal textarea, #portal input").first
    expect(editor).to_be_visible(timeout=20 * SECONDS)
    editor.fill(people[0][2])
    page.keyboard.press("Enter")
    expect(facts).to_contain_text(f"different people{len(people)}", timeout=20 * SECONDS)


def kept(page: Page) -> None:
    """What was typed is still there after another way of giving a list was looked at."""
    page.get_by_text("Paste", exact=True).click()
    expect(page.get_by_label("People", exact=True)).to_be_visible(timeout=20 * SECONDS)
    page.get_by_text("Type", exact=True).click()
    expect(page.locator(".pb-facts", has_text="different people")).to_contain_text("different people2", timeout=20 * SECONDS)


def downloaded(page: Page) -> list[dict[str, str]]:
    """The rows of the CSV."""
    page.get_by_role("button", name="Download", exact=True).click()
    with page.expect_download() as download:
        page.get_by_role("link", name="CSV", exact=True).click()
    page.keyboard.press("Escape")
    with Path(download.value.path()).open(newline="") as file:
        return list(csv.DictReader(file))
