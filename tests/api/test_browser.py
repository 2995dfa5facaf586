"""The security policy lets the pages work and keeps everything else out, in a real browser."""

from __future__ import annotations

import pytest

from engine.client import Client

ARGUMENTS = [
    "--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run", "--disable-background-networking",
    "--disable-component-update", "--disable-sync",
]  # fmt: skip
PROBE = """async () => {
  const image = new Image();
  const seen = await new Promise(done => {
    image.onload = () => done("loaded"); image.onerror = () => done("blocked"); image.src = "http://127.0.0.2:9/x.png";
  });
  let evaluated = "blocked";
  try { eval("1"); evaluated = "done"; } catch (error) {}
  return [seen, evaluated];
}"""


@pytest.mark.slow
@pytest.mark.chromium
def test_pages_work_under_the_policy_and_load_nothing_from_elsewhere(server):
    playwright = pytest.importorskip("playwright.sync_api")
    with Client(server.url) as client:
        job = client.generate_emails(1000).wait(on_progress=lambda _: None)
    with playwright.sync_playwright() as engine:
        browser = engine.chromium.launch(executable_path="/usr/bin/chromium", args=ARGUMENTS)
        page = browser.new_page()
        said: list[str] = []
        asked: list[str] = []
        page.on("console", lambda message: said.append(message.text))
        page.on("request", lambda request: asked.append(request.url))
        page.goto(f"{server.url}/generate-emails?job_id={job.id}")
        page.get_by_text("completed").first.wait_for()
        page.locator("canvas").first.wait_for()  # the charts are drawn
        page.goto(f"{server.url}/api/docs")
        page.get_by_text("Submit a job of any type").wait_for()
        assert not [text for text in said if "Content Security Policy" in text]
        assert not [url for url in asked if not url.startswith((server.url, "data:", "blob:"))]
        page.goto(f"{server.url}/jobs")
        assert page.evaluate(PROBE) == ["blocked", "blocked"]
        browser.close()
