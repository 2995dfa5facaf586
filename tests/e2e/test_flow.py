"""What a user does, in a real browser: from a wrong form to a result that somebody else opens by its link."""

from __future__ import annotations

import csv
import re
from pathlib import Path

import pytest
from playwright.sync_api import Browser, Page, expect

pytestmark = [pytest.mark.chromium, pytest.mark.slow]

COUNT = 1_500_000
JOB_URL = re.compile(r"/generate-emails\?job_id=[a-z2-7]{26}$")
SECONDS = 1000


def test_from_form_to_shared_result(server: str, browser: Browser) -> None:
    context = browser.new_context(viewport={"width": 1400, "height": 1000}, accept_downloads=True)
    page = context.new_page()
    page.goto(f"{server}/generate-emails")
    refused(page)
    submitted(page)
    shared = page.url
    before = done(page)
    page.reload()
    assert done(page) >= before, "progress went back after a reload"
    expect(page.locator(".st-key-cell_out_completed")).to_be_visible(timeout=120 * SECONDS)
    all_done(page)
    expect(page.get_by_text(f"1 to 50 of {COUNT:,}")).to_be_visible(timeout=20 * SECONDS)
    emails = downloaded(page)
    opened_elsewhere(browser, shared)
    remembered(page, server, shared)
    context.close()
    assert (len(emails), len(set(emails))) == (COUNT, COUNT)


def test_a_page_asks_for_nothing_in_vain_and_nobody_else(server: str, browser: Browser) -> None:
    page = browser.new_page()
    answers: list[tuple[int, str]] = []
    page.on("response", lambda answer: answers.append((answer.status, answer.url)))
    page.goto(f"{server}/jobs")
    expect(page.get_by_text("No jobs yet")).to_be_visible(timeout=30 * SECONDS)
    assert [answer for answer in answers if answer[0] >= 400 or not answer[1].startswith((server, "data:", "blob:"))] == []


def refused(page: Page) -> None:
    """A wrong pattern is marked at its field, and nothing is submitted."""
    pattern = page.get_by_label("Pattern", exact=True)
    pattern.fill("{firstname}.{nonsense}")
    pattern.press("Enter")
    expect(page.get_by_text("Unknown placeholder at character 13")).to_be_visible(timeout=30 * SECONDS)
    page.get_by_role("button", name="Generate").click()
    expect(page.get_by_text("Nothing was submitted")).to_be_visible()
    assert "job_id" not in page.url
    expect(pattern).to_have_value("{firstname}.{nonsense}")


def submitted(page: Page) -> None:
    """A right form gives a job, whose id is in the address."""
    page.get_by_label("Pattern", exact=True).fill("{firstname}.{lastname}")
    page.get_by_label("Count", exact=True).fill(str(COUNT))
    page.get_by_label("Count", exact=True).press("Tab")
    page.get_by_role("button", name="Generate").click()
    expect(page).to_have_url(JOB_URL, timeout=30 * SECONDS)


def done(page: Page) -> int:
    """Items processed, once the page shows any."""
    shown = page.locator(".pb-line b").first
    expect(shown).to_have_text(re.compile(r"^[1-9][\d,]*$"), timeout=60 * SECONDS)
    return int((shown.text_content() or "").replace(",", ""))


def all_done(page: Page) -> None:
    """The cell is drawn anew from its top: until its progress comes, the last one of the running job is on it."""
    expect(page.locator(".pb-line b").first).to_have_text(f"{COUNT:,}", timeout=20 * SECONDS)


def downloaded(page: Page) -> list[str]:
    """The addresses of the CSV, whose first page is what the table shows."""
    page.get_by_role("button", name="Download", exact=True).click()
    with page.expect_download() as download:
        page.get_by_role("link", name="CSV", exact=True).click()
    page.keyboard.press("Escape")
    assert download.value.suggested_filename.startswith("generate-emails-")
    with Path(download.value.path()).open(newline="") as file:
        emails = [row["email"] for row in csv.DictReader(file)]
    listed = page.request.get(f"{page.url.split('/generate-emails')[0]}/api/jobs/{page.url[-26:]}/results?limit=50").json()
    assert [row["email"] for row in listed["rows"]] == emails[:50]
    return emails


def opened_elsewhere(browser: Browser, shared: str) -> None:
    """The same link in a browser that has never been here."""
    other = browser.new_context()
    page = other.new_page()
    page.goto(shared)
    expect(page.locator(".st-key-cell_out_completed")).to_be_visible(timeout=30 * SECONDS)
    all_done(page)
    other.close()


def remembered(page: Page, server: str, shared: str) -> None:
    """Without the link this browser still offers the last job."""
    page.goto(f"{server}/generate-emails")
    page.get_by_role("button", name="Open it").click(timeout=30 * SECONDS)
    expect(page).to_have_url(shared, timeout=30 * SECONDS)
    expect(page.locator(".st-key-cell_out_completed")).to_be_visible(timeout=30 * SECONDS)
