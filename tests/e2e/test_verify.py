"""A list of contacts in a real browser: uploaded, its column chosen, verified by DNS, downloaded with all its columns."""

from __future__ import annotations

import csv
import re
from collections.abc import Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Browser, Page, expect

from pages.parts.rows import HEAD_HEIGHT, ROW_HEIGHT
from tests.e2e.conftest import settled
from tests.lab.dns import DnsServer

pytestmark = [pytest.mark.chromium, pytest.mark.slow]

SECONDS = 1000
JOB_URL = re.compile(r"/verify-emails\?job_id=[a-z2-7]{26}$")
CONTACTS = [
    {"id": "1", "name": "Ann Hill", "work": "ann@good.test", "private": "ann@nowhere.test", "note": "first, with a comma"},
    {"id": "2", "name": "Ben", "work": "Ben@GOOD.test", "private": "", "note": ""},
    {"id": "3", "name": "Cay", "work": "cay@null.test", "private": "", "note": "ü"},
    {"id": "4", "name": "Dan", "work": "dan@nowhere.test", "private": "", "note": ""},
    {"id": "5", "name": "Eve", "work": "not an address", "private": "eve@good.test", "note": ""},
    {"id": "6", "name": "Ann again", "work": "ann@good.test", "private": "", "note": ""},
]
STATUSES = ["valid", "valid", "invalid", "invalid", "invalid", "valid"]


@pytest.fixture
def lab() -> Iterator[DnsServer]:
    """A name server that knows one good domain and one that takes no mail."""
    with DnsServer({"good.test": {"mx": [(10, "mx.good.test")]}, "mx.good.test": {"a": ["127.0.0.2"]}}) as dns:
        dns.add("null.test", mx=[(0, ".")])
        yield dns


@pytest.fixture
def variables(lab: DnsServer) -> dict[str, str]:
    """The server asks that name server."""
    return {"POSTBENCH_DNS_SERVERS": ",".join(f"{host}:{port}" for host, port in lab.servers)}


@pytest.fixture
def contacts(tmp_path: Path) -> Path:
    """The list as a file."""
    path = tmp_path / "contacts.csv"
    with path.open("w", newline="") as file:
        writer = csv.DictWriter(file, list(CONTACTS[0]))
        writer.writeheader()
        writer.writerows(CONTACTS)
    return path


def test_from_upload_to_download(server: str, browser: Browser, contacts: Path, tmp_path: Path) -> None:
    context = browser.new_context(viewport={"width": 1400, "height": 1000}, accept_downloads=True)
    page = context.new_page()
    page.goto(f"{server}/verify-emails")
    refused(page, tmp_path)
    uploaded(page, contacts)
    submitted(page)
    finished(page)
    rows = downloaded(page)
    assert [row["status"] for row in rows] == STATUSES
    assert [row["email"] for row in rows] == [contact["work"] for contact in CONTACTS]
    assert [{name: row[name] for name in CONTACTS[0]} for row in rows] == CONTACTS
    filtered(page)
    known(page, server)
    context.close()


def refused(page: Page, folder: Path) -> None:
    """A file that is no list is refused at the widget, with the reason."""
    page.get_by_text("Upload a file", exact=True).click(timeout=30 * SECONDS)
    rubbish = folder / "rubbish.bin"
    rubbish.write_bytes(bytes(range(256)) * 40)
    page.locator("input[type=file]").set_input_files(rubbish)
    expect(page.locator(".pb-wrong[role=alert]")).to_be_visible(timeout=30 * SECONDS)
    page.get_by_role("button", name="Verify").click()
    expect(page.get_by_text("Nothing was submitted")).to_be_visible()
    assert "job_id" not in page.url


def uploaded(page: Page, contacts: Path) -> None:
    """The list is shown with what was read; another column than the likeliest can be chosen, and back."""
    page.locator("input[type=file]").set_input_files(contacts)
    expect(page.get_by_text("first, with a comma")).to_be_visible(timeout=30 * SECONDS)
    expect(page.locator(".pb-wrong")).to_have_count(0)
    chosen(page, "private")
    expect(page.locator(".pb-facts", has_text="empty cells")).to_contain_text("empty cells4")
    chosen(page, "work")
    expect(page.locator(".pb-facts", has_text="not an address")).to_contain_text("different addresses4")


def chosen(page: Page, column: str) -> None:
    settled(page).get_by_label("Address column").click()
    page.get_by_role("option", name=column, exact=True).click()


def submitted(page: Page) -> None:
    page.get_by_role("button", name="Verify").click()
    expect(page).to_have_url(JOB_URL, timeout=30 * SECONDS)


def finished(page: Page) -> None:
    """The verdicts are counted, drawn and listed."""
    expect(page.locator(".st-key-cell_out_completed")).to_be_visible(timeout=60 * SECONDS)
    expect(page.locator(".pb-legend")).to_contain_text("valid 3")
    expect(page.locator(".pb-legend")).to_contain_text("invalid 3")
    expect(page.get_by_text("1 to 6 of 6")).to_be_visible(timeout=20 * SECONDS)


def downloaded(page: Page) -> list[dict[str, str]]:
    """The rows of the CSV."""
    page.get_by_role("button", name="Download", exact=True).click()
    with page.expect_download() as download:
        page.get_by_role("link", name="CSV", exact=True).click()
    page.keyboard.press("Escape")
    with Path(download.value.path()).open(newline="") as file:
        return list(csv.DictReader(file))


def filtered(page: Page) -> None:
    """One click leaves the rows of a status."""
    page.get_by_text("invalid 3", exact=True).last.click()
    expect(page.get_by_text("1 to 3 of 3")).to_be_visible(timeout=20 * SECONDS)


def known(page: Page, server: str) -> None:
    """What was found out is kept, with where it came from."""
    page.goto(f"{server}/verified-emails?q=@good.test")
    expect(page.get_by_text("1 to 2 of 2 addresses")).to_be_visible(timeout=30 * SECONDS)
    page.get_by_role("button", name="Download", exact=True).click()
    with page.expect_download() as download:
        page.get_by_role("link", name="CSV", exact=True).click()
    page.keyboard.press("Escape")
    assert "ann@good.test" in Path(download.value.path()).read_text()
    settled(page).locator(".st-key-known_table .dvn-scroller").click(position={"x": 18, "y": HEAD_HEIGHT + ROW_HEIGHT * 3 // 2})
    expect(page).to_have_url(re.compile(r"address=(ann|ben)(%40|@)good\.test"), timeout=20 * SECONDS)
    expect(page.locator(".st-key-dossier a", has_text="Verify e-mails")).to_be_visible(timeout=30 * SECONDS)
    page.locator(".st-key-dossier a").click()
    expect(page).to_have_url(JOB_URL, timeout=30 * SECONDS)
