"""Drafts in a real browser: written by a faulty service, downloaded, and handed on to be sent; the key is nowhere."""

from __future__ import annotations

import csv
import random
import re
from collections.abc import Iterator
from io import StringIO
from pathlib import Path
from urllib.request import urlopen

import pytest
from playwright.sync_api import Browser, expect

from tests.lab.llm import LlmServer

pytestmark = [pytest.mark.chromium, pytest.mark.slow]

SECONDS = 1000
KEY = "sk-live-9f8e7d6c5b4a-must-not-be-found"
COUNT = 12
JOB_URL = re.compile(r"/ai-generate\?job_id=([a-z2-7]{26})$")
LIST = "email,first_name,ref\n" + "\n".join(f"person{n}@shop.test,Name{n},row-{n}" for n in range(COUNT))


@pytest.fixture
def service() -> Iterator[LlmServer]:
    """A service of OpenAI's shape with faults that pass or can be mended, and one row that it refuses."""
    with LlmServer() as found:
        found.chaos, found.retry_after = random.Random(3), "1"
        found.fault("refusal", times=None, row="row-4")
        yield found


@pytest.fixture
def variables(service: LlmServer) -> dict[str, str]:
    """The server knows the service; private networks stay closed."""
    return {"POSTBENCH_AI_URL": service.openai, "POSTBENCH_AI_MODEL": "lab-1"}


def test_from_a_pasted_list_to_drafts_to_send(server: str, browser: Browser, service: LlmServer, tmp_path: Path) -> None:
    page = browser.new_context(viewport={"width": 1400, "height": 1000}).new_page()
    page.goto(f"{server}/ai-generate")
    page.get_by_text("Drafts", exact=True).click(timeout=30 * SECONDS)
    page.get_by_label("Recipients").fill(LIST, timeout=30 * SECONDS)
    page.keyboard.press("Tab")
    expect(page.get_by_text("The first rows")).to_be_visible(timeout=20 * SECONDS)
    page.get_by_label("Brief").fill("Invite them to the open day.")
    page.keyboard.press("Tab")
    expect(page.get_by_text("What the model is asked for the first row")).to_be_visible(timeout=20 * SECONDS)
    page.get_by_label("API key").fill(KEY)
    page.keyboard.press("Enter")
    page.locator(".st-key-run button").click()
    expect(page).to_have_url(JOB_URL, timeout=30 * SECONDS)
    expect(page.locator(".st-key-cell_out_completed")).to_be_visible(timeout=120 * SECONDS)
    expect(page.locator(".pb-facts", has_text="of at most 5,000")).to_be_visible(timeout=20 * SECONDS)
    found = JOB_URL.search(page.url)
    assert found
    rows = list(csv.DictReader(StringIO(urlopen(f"{server}/api/jobs/{found[1]}/results.csv").read().decode())))
    assert [row["ref"] for row in rows] == [f"row-{n}" for n in range(COUNT)]
    assert rows[4]["error"] == "The model refused to write this."
    assert all(row["error"] if row["status"] == "failed" else row["ref"] in row["subject"] for row in rows)
    _nowhere(server, found[1], tmp_path)
    assert {call.headers.get("authorization") for call in service.calls} == {f"Bearer {KEY}"}
    assert not [call for call in service.calls if KEY in str(call.body)]
    page.get_by_role("button", name="Use as input").click()
    # In the menu, once it is open: the navigation has the same words.
    page.get_by_test_id("stMenuButtonBody").get_by_text("Send e-mails", exact=True).click()
    expect(page).to_have_url(re.compile(rf"/send-emails\?from_job={found[1]}"), timeout=30 * SECONDS)
    expect(page.get_by_text("The first rows")).to_be_visible(timeout=30 * SECONDS)


def _nowhere(server: str, job_id: str, folder: Path) -> None:
    """The key is in no answer of the API, no export, no log and no file."""
    forms = [f"jobs/{job_id}/results.{kind}" for kind in ("csv", "json", "parquet", "xlsx")]
    paths = [
        *forms,
        f"jobs/{job_id}/status",
        f"jobs/{job_id}/events",
        f"jobs/{job_id}/stream",
        f"jobs/{job_id}/results",
        "jobs/list",
    ]
    for path in paths:
        assert KEY.encode() not in urlopen(f"{server}/api/{path}", timeout=30).read(), path
    files = [path for path in folder.rglob("*") if path.is_file()]
    assert len(files) > 2 and not [path.name for path in files if KEY.encode() in path.read_bytes()]
