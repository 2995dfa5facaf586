"""The list of suppressed addresses in a real browser: added, imported, unsubscribed by a link, removed with a reason."""

from __future__ import annotations

import re
from pathlib import Path

import httpx
import pytest
from playwright.sync_api import Browser, Page, expect

from engine.durable.vault import Vault
from engine.mail import unsubscribing
from pages.parts.rows import HEAD_HEIGHT, ROW_HEIGHT
from tests.e2e.conftest import settled

pytestmark = [pytest.mark.chromium, pytest.mark.slow]

SECONDS = 1000
TABLE = ".st-key-suppressions_table .dvn-scroller"


def test_from_adding_to_removing(server: str, browser: Browser, tmp_path: Path) -> None:
    context = browser.new_context(viewport={"width": 1400, "height": 1000}, accept_downloads=True)
    page = context.new_page()
    page.goto(f"{server}/suppressions")
    expect(page.get_by_text("Nobody is suppressed")).to_be_visible(timeout=30 * SECONDS)
    pasted(page)
    imported(page, tmp_path)
    left(page, server, tmp_path)
    removed(page, server)
    downloaded(page)
    context.close()


def pasted(page: Page) -> None:
    """What is pasted is told apart before anything is stored."""
    page.get_by_role("button", name="Add addresses").first.click()
    field = page.get_by_label("Addresses", exact=True)
    field.fill("Ann Hill <ann@x.org>\nJ.Doe@gmail.com\nno@address@at.all")
    field.press("Control+Enter")
    expect(page.locator(".pb-facts", has_text="not an address")).to_contain_text("different addresses2")
    page.get_by_label("Why").fill("asked by phone")
    page.get_by_role("button", name="Add 2 addresses").click()
    expect(page.get_by_text("2 new, 0 known already, 1 no addresses")).to_be_visible(timeout=20 * SECONDS)
    expect(page.get_by_text("1 to 2 of 2 addresses")).to_be_visible(timeout=20 * SECONDS)


def imported(page: Page, folder: Path) -> None:
    """A file of another system, with reasons of its own."""
    path = folder / "gone.csv"
    path.write_text("id;mail;reason\n1;ann@x.org;complained\n2;bob@x.org;spam trap\n")
    page.get_by_role("button", name="Add addresses").click()
    page.get_by_text("Upload a file", exact=True).click()
    page.locator("input[type=file]").set_input_files(path)
    page.get_by_role("button", name="Add 2 addresses").click(timeout=30 * SECONDS)
    expect(page.get_by_text("1 new, 1 known already")).to_be_visible(timeout=20 * SECONDS)
    expect(page.get_by_text("1 to 3 of 3 addresses")).to_be_visible(timeout=20 * SECONDS)


def left(page: Page, server: str, folder: Path) -> None:
    """A recipient follows the link in a message: the page asks, and one click on it is enough."""
    token = unsubscribing.token(Vault.open(None, folder / "data").sign, "cay@x.org", "job")
    page.goto(f"{server}{unsubscribing.PATH}{token}")
    expect(page.get_by_text("c•••@x.org")).to_be_visible()
    assert httpx.get(f"{server}/api/suppressions/cay@x.org").status_code == 404, "looking is not acting"
    page.get_by_role("button", name="Unsubscribe").click()
    expect(page.get_by_role("heading", name="You are unsubscribed")).to_be_visible()
    assert httpx.get(f"{server}/api/suppressions/cay@x.org").json()["suppression"]["source"] == "unsubscribe"


def removed(page: Page, server: str) -> None:
    """A row tells its story; removing it needs a reason, which stays."""
    page.goto(f"{server}/suppressions?q=bob")
    expect(page.get_by_text("1 to 1 of 1 address")).to_be_visible(timeout=30 * SECONDS)
    settled(page).locator(TABLE).click(position={"x": 18, "y": HEAD_HEIGHT + ROW_HEIGHT // 2})
    expect(page).to_have_url(re.compile(r"address=bob(%40|@)x\.org"), timeout=20 * SECONDS)
    expect(page.locator(".st-key-dossier")).to_contain_text("spam trap", timeout=20 * SECONDS)
    page.get_by_role("button", name="Remove", exact=True).click()
    page.locator(".st-key-remove_yes button").click()
    expect(page.locator(".pb-wrong[role=alert]")).to_be_visible(timeout=20 * SECONDS)
    page.get_by_label("Why").fill("was a mistake")
    page.locator(".st-key-remove_yes button").click()
    expect(page.get_by_text("1 address may get mail again")).to_be_visible(timeout=20 * SECONDS)
    page.goto(f"{server}/suppressions?q=bob@x.org")
    expect(page.locator(".st-key-dossier")).to_contain_text("was a mistake", timeout=30 * SECONDS)


def downloaded(page: Page) -> None:
    page.goto(page.url.partition("?")[0])
    expect(page.get_by_text("1 to 3 of 3 addresses")).to_be_visible(timeout=30 * SECONDS)
    page.get_by_role("button", name="Download", exact=True).click()
    with page.expect_download() as download:
        page.get_by_role("link", name="CSV", exact=True).click()
    text = Path(download.value.path()).read_text()
    assert "J.Doe@gmail.com,jdoe@gmail.com,asked by phone,manual" in text and "cay@x.org" in text and "bob" not in text
