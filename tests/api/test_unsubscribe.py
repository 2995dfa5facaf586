"""Unsubscribing by the link in a message: a page that asks and never acts, and a POST that acts at once, from anywhere."""

from __future__ import annotations

import pytest

from engine.durable import suppressions
from engine.durable.suppressions import NewSuppression
from engine.mail import unsubscribing
from engine.settings import Settings

ONE_CLICK = {"List-Unsubscribe": "One-Click"}
BROWSER = {"Accept": "text/html,application/xhtml+xml,*/*;q=0.8"}
FOREIGN = {"Sec-Fetch-Site": "cross-site", "Origin": "https://mail.example", "Referer": "https://mail.example/inbox"}


@pytest.fixture(params=["open", "locked"])
def configured(request, tmp_path):
    """With and without a token on the API: whoever got a message has none."""
    token = "correct horse" if request.param == "locked" else None
    return Settings(data_dir=tmp_path, engine="off", api_token=token, public_url="https://post.example.org")


@pytest.fixture
def url(bench) -> str:
    """The link in a message to ann.hill@x.org."""
    return unsubscribing.PATH + unsubscribing.token(bench.vault.sign, "ann.hill@x.org", "job1")


def entries(bench) -> list[tuple[str, str, str | None]]:
    return [(one.address, one.source, one.job_id) for one in suppressions.page(bench.database).entries]


async def test_the_page_asks_and_changes_nothing(http, bench, url):
    for method in ("GET", "HEAD", "GET"):
        answer = await http.request(method, url, headers=BROWSER)
        assert answer.status_code == 200 and answer.headers["content-type"].startswith("text/html")
        assert answer.headers["cache-control"] == "no-store" and "noindex" in answer.headers["x-robots-tag"]
        assert answer.headers["referrer-policy"] == "no-referrer"
    assert "a•••@x.org" in answer.text and "ann.hill" not in answer.text and '<form method="post">' in answer.text
    assert entries(bench) == []


async def test_the_page_is_complete_in_itself(http, url):
    answer = await http.get(url)
    assert "<script" not in answer.text and "http://" not in answer.text and "https://" not in answer.text
    assert "default-src 'none'" in answer.headers["content-security-policy"]
    assert "prefers-color-scheme: dark" in answer.text and 'name="viewport"' in answer.text


@pytest.mark.parametrize("headers", [{}, FOREIGN, {"Origin": "null"}, {"Sec-Fetch-Site": "same-site"}], ids=str)
@pytest.mark.parametrize("body", [{"data": ONE_CLICK}, {}, {"json": {"any": "thing"}}, {"content": b"\xff\x00"}], ids=str)
async def test_one_click_acts_at_once_from_anywhere(http, bench, url, headers, body):
    answer = await http.post(url, headers=headers, **body)
    assert answer.status_code == 200 and answer.json() == {"success": True, "message": "Unsubscribed"}
    assert entries(bench) == [("ann.hill@x.org", "unsubscribe", "job1")]


async def test_by_the_public_name(http, bench, url):
    answer = await http.post(url, headers={"Host": "post.example.org", **FOREIGN}, data=ONE_CLICK)
    assert answer.status_code == 200 and len(entries(bench)) == 1
    assert (await http.post(url, headers={"Host": "evil.example"})).status_code == 400


async def test_twice_is_as_good_as_once(http, bench, url):
    for _ in range(3):
        assert (await http.post(url, data=ONE_CLICK)).json()["success"]
    assert len(suppressions.history(bench.database, "ann.hill@x.org")) == 1


async def test_a_browser_gets_a_page(http, bench, url):
    done = await http.post(url, headers={**BROWSER, "Origin": "null"})
    assert done.status_code == 200 and "You are unsubscribed" in done.text and "<form" not in done.text
    later = await http.get(url, headers=BROWSER)
    assert later.status_code == 200 and "You are unsubscribed" in later.text and "<form" not in later.text


async def test_their_wish_counts_for_more_than_a_bounce(http, bench, url):
    suppressions.add(bench.database, [NewSuppression("ann.hill@x.org", "Ann.Hill@x.org", "hard bounce", "bounce")])
    assert "<form" in (await http.get(url)).text
    await http.post(url)
    entry = suppressions.get(bench.database, "ann.hill@x.org")
    assert (entry.source, entry.shown, entry.job_id) == ("unsubscribe", "Ann.Hill@x.org", "job1")
    assert [change.source for change in suppressions.history(bench.database, "ann.hill@x.org")] == ["unsubscribe", "bounce"]


@pytest.mark.parametrize("wrong", ["x", "a.b", "%00", "é", "<b>", "x" * 1_999])
async def test_a_wrong_link_says_so(http, bench, url, wrong):
    for path in (unsubscribing.PATH + wrong, url + "0", url[:-1]):
        page = await http.get(path, headers=BROWSER)
        assert page.status_code == 404 and "This link is not valid" in page.text and "<form" not in page.text
        called = await http.post(path, headers=FOREIGN)
        assert called.status_code == 404 and called.json()["error"]["code"] == "not_found"
        assert (await http.post(path, headers=BROWSER)).status_code == 404
    assert entries(bench) == []


async def test_only_this_door_is_open(http, bench, url):
    """Every other write from elsewhere stays refused, whatever its path begins with."""
    for method, path in [
        ("POST", "/api/suppressions"),
        ("POST", "/api/jobs"),
        ("DELETE", url),
        ("PUT", url),
        ("POST", "/api/unsubscribe"),
        ("POST", "/api/unsubscribe/"),
        ("POST", f"{url}/more"),
        ("POST", "/api/unsubscribe/x/../../suppressions"),
        ("POST", "/api/unsubscribe/x%2F..%2F..%2Fsuppressions"),
        ("POST", "/unsubscribe/x"),
        ("POST", f"/other{url}"),
    ]:
        answer = await http.request(method, path, headers=FOREIGN, json={"address": "a@x.org"})
        assert answer.status_code == 403 and answer.json()["error"]["code"] == "cross_site", path
    assert entries(bench) == []


async def test_a_stranger_gets_no_further(http, bench, url):
    locked = bench.settings.api_token is not None
    for path in ("/api/suppressions", "/api/unsubscribe/", f"{url}/more", "/api/unsubscribe"):
        assert ((await http.get(path)).status_code == 401) == locked
    assert (await http.delete(url)).status_code in (401, 405)


async def test_the_call_is_described(http):
    headers = {"Authorization": "Bearer correct horse"}
    paths = (await http.get("/api/openapi.json", headers=headers)).json()["paths"]
    assert {"get", "post"} <= set(paths["/unsubscribe/{token}"])
