"""The real thing: `python app.py` with its engine, and Chromium in front of it."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from urllib.error import URLError
from urllib.request import urlopen

import pytest
from playwright.sync_api import Browser, Page, expect, sync_playwright

from tests.lab.running import free_port

ROOT = Path(__file__).parents[2]
CHROMIUM = next((path for name in ("chromium", "chromium-browser", "google-chrome") if (path := shutil.which(name))), None)
ARGS = [
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
]
START_SECONDS = 120
expect.set_options(timeout=30_000)  # a busy machine is no failure


@pytest.fixture
def variables() -> dict[str, str]:
    """Settings of the server beside its folder and its port; a test module may have its own."""
    return {}


@pytest.fixture
def server(tmp_path: Path, variables: dict[str, str]) -> Iterator[str]:
    """The address of a Postbench of its own."""
    port = free_port()
    env = {**os.environ, **variables, "POSTBENCH_DATA_DIR": str(tmp_path / "data"), "POSTBENCH_PORT": str(port)}
    with (tmp_path / "server.log").open("wb") as log:
        process = subprocess.Popen([sys.executable, "app.py"], cwd=ROOT, env=env, stdout=log, stderr=subprocess.STDOUT)
    base = f"http://127.0.0.1:{port}"
    try:
        _wait(base, process, tmp_path / "server.log")
        yield base
    finally:
        process.terminate()
        process.wait(60)


def _wait(base: str, process: subprocess.Popen[bytes], log: Path) -> None:
    """Until the web process and an engine answer."""
    until = time.monotonic() + START_SECONDS
    while time.monotonic() < until and process.poll() is None:
        try:
            with urlopen(f"{base}/api/health", timeout=2) as answer:
                if answer.status == 200:
                    return
        except (URLError, OSError):
            time.sleep(0.1)
    raise AssertionError(f"the server did not start:\n{log.read_text()}")


@pytest.fixture
def browser() -> Iterator[Browser]:
    """Debian's Chromium, for one test: Playwright's event loop runs in this thread as long as it is open."""
    if CHROMIUM is None:
        pytest.skip("no Chromium is installed (apt-get install chromium)")
    with sync_playwright() as playwright:
        found = playwright.chromium.launch(executable_path=CHROMIUM, args=ARGS)
        yield found
        found.close()


def settled(page: Page) -> Page:
    """The page once it is drawn to its end: a menu that is opened before closes when the rest of the page comes."""
    expect(page.get_by_test_id("stApp")).to_have_attribute("data-test-script-state", "notRunning")
    return page
