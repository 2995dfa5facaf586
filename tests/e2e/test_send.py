"""Messages in a real browser: written with the columns of a list, looked at in the outbox, then sent for real."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Browser, Locator, Page, expect

from pages.parts.rows import HEAD_HEIGHT
from tests.e2e.conftest import settled
from tests.lab.receiver import Receiver

pytestmark = [pytest.mark.chromium, pytest.mark.slow]

SECONDS = 1000
JOB_URL = re.compile(r"/send-emails\?job_id=[a-z2-7]{26}$")
PEOPLE = ["ann@harbour.test", "ben@quiet.test"]
KEPT = "kept.cay@quiet.test"
"""The lab's relay takes her message and goes away without a word."""
LIST = f"email,first_name\n{PEOPLE[0]},Ann\n{PEOPLE[1]},Ben\n{KEPT},Cay\nANN@harbour.test,Again\n"
POSTAL = "Harbour Ltd, 1 Quay Street, Bristol"
ROW = HEAD_HEIGHT + 15


@pytest.fixture
def relay() -> Iterator[Receiver]:
    """The mail server that messages go to."""
    with Receiver() as receiver:
        yield receiver


@pytest.fixture
def variables(relay: Receiver) -> dict[str, str]:
    """The server sends through the lab, and its name server answers nothing."""
    return {"POSTBENCH_SMTP_URL": f"smtp://127.0.0.1:{relay.port}", "POSTBENCH_DNS_SERVERS": "127.0.0.1:9"}


def test_from_a_pasted_list_to_sent_messages(server: str, browser: Browser, relay: Receiver) -> None:
    context = browser.new_context(viewport={"width": 1400, "height": 1200}, accept_downloads=True)
    page = context.new_page()
    page.goto(f"{server}/send-emails")
    written(page)
    page.get_by_role("button", name="Write to the outbox").click()
    expect(page).to_have_url(JOB_URL, timeout=30 * SECONDS)
    expect(page.locator(".st-key-cell_out_completed")).to_be_visible(timeout=60 * SECONDS)
    assert "Subject: Hello Ann" in opened(page)
    assert relay.messages == []
    dry_run = page.url
    sent_for_real(page)
    expect(page).not_to_have_url(dry_run, timeout=30 * SECONDS)
    # The address changes first; until the page is drawn anew, the completed cell on it is that of the dry run.
    expect(page.locator(".st-key-send_for_real")).to_have_count(0, timeout=30 * SECONDS)
    expect(page.locator(".st-key-cell_out_completed")).to_be_visible(timeout=60 * SECONDS)
    assert sorted(message.recipient for message in relay.messages) == sorted([*PEOPLE, KEPT])
    decided(page)
    context.close()


def box(page: Page, name: str) -> Locator:
    """A field for text; a tab may have the same name."""
    return page.get_by_role("textbox", name=name, exact=True)


def filled(page: Page, name: str, text: str) -> None:
    """Type into a field and leave it."""
    box(page, name).fill(text, timeout=30 * SECONDS)
    box(page, name).blur()


def written(page: Page) -> None:
    """The whole form; a variable comes by its button, and the preview follows."""
    filled(page, "Recipients", LIST)
    expect(page.get_by_text("3 recipients will be written to")).to_be_visible(timeout=20 * SECONDS)
    filled(page, "From", "Harbour <news@harbour.test>")
    box(page, "Subject").fill("Hello ")
    page.get_by_role("button", name="{{ first_name }}").click()
    expect(box(page, "Subject")).to_have_value("Hello {{ first_name }}")
    filled(page, "Text", "We have moved, {{ first_name }}.")
    filled(page, "Postal address", POSTAL)
    preview = page.locator(".st-key-send_preview")
    expect(preview.get_by_text(POSTAL)).to_be_visible(timeout=20 * SECONDS)
    settled(page).get_by_label("Consent basis", exact=True).click()
    page.get_by_role("option", name="Customers").click()
    expect(preview.get_by_text("We have moved, Ann.")).to_be_visible(timeout=20 * SECONDS)
    preview.get_by_role("button", name="Next").click()
    expect(preview.get_by_text("We have moved, Ben.")).to_be_visible(timeout=20 * SECONDS)


def opened(page: Page) -> str:
    """The first message of the outbox, read on the page and as a file."""
    expect(page.locator(".dvn-scroller").first).to_be_visible(timeout=30 * SECONDS)
    settled(page).locator(".dvn-scroller").first.click(position={"x": 16, "y": ROW})
    message = page.locator(".st-key-send_message")
    expect(message.get_by_text("We have moved, Ann.")).to_be_visible(timeout=20 * SECONDS)
    with page.expect_download() as download:
        message.get_by_role("button", name="Download .eml").click()
    return Path(download.value.path()).read_text()


def sent_for_real(page: Page) -> None:
    """From the dry run to the form, and from there after one more question to the relay."""
    page.get_by_role("button", name="Send for real").click()
    expect(page.get_by_text("3 recipients will be written to")).to_be_visible(timeout=20 * SECONDS)
    expect(page.locator(".st-key-send_checks").get_by_text("DMARC", exact=True)).to_be_visible(timeout=30 * SECONDS)
    page.locator(".st-key-run").get_by_role("button", name="Send").click()
    expect(page.get_by_text("Send 3 messages for real?")).to_be_visible(timeout=20 * SECONDS)
    page.get_by_role("button", name="Send 3 messages").click()


def decided(page: Page) -> None:
    """The message in doubt is told, and a person settles it."""
    panel = page.locator(".st-key-send_doubt")
    expect(panel.get_by_text("1 message in doubt.")).to_be_visible(timeout=20 * SECONDS)
    panel.get_by_role("button", name="Treat as sent (all 1)").click()
    panel.get_by_role("button", name="Treat as sent", exact=True).click()
    expect(panel).not_to_be_visible(timeout=20 * SECONDS)
    expect(page.locator(".pb-tile", has_text="Sent").locator(".pb-value")).to_have_text("3", timeout=20 * SECONDS)
