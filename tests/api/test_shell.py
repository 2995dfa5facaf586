"""The frame that a browser paints before Streamlit's scripts have run."""

from __future__ import annotations

from pathlib import Path

import httpx
import streamlit
from starlette.applications import Starlette
from starlette.middleware import Middleware
from starlette.responses import HTMLResponse, PlainTextResponse, Response
from starlette.routing import Route

from engine.api.shell import ROOT, TITLE, Shell

PAGE = b"<html><head>" + TITLE + b"</head><body>" + ROOT + b"</body></html>"
INDEX = Path(streamlit.__file__).parent / "static" / "index.html"
BROWSER = {"accept": "text/html,*/*"}


def client(answer: Response) -> httpx.AsyncClient:
    routes = [Route("/{path:path}", lambda _request: answer)]
    app = Starlette(routes=routes, middleware=[Middleware(Shell)])
    return httpx.AsyncClient(transport=httpx.ASGITransport(app), base_url="http://test")


def test_streamlit_still_serves_the_file_that_the_frame_goes_into():
    index = INDEX.read_bytes()
    assert ROOT in index and TITLE in index


async def test_a_page_has_the_frame_and_its_own_title():
    async with client(HTMLResponse(PAGE, headers={"etag": "x"})) as browser:
        answer = await browser.get("/jobs", headers={**BROWSER, "if-none-match": "x"})
    assert answer.status_code == 200 and b"pb-shell" in answer.content and b"<title>Postbench</title>" in answer.content
    assert int(answer.headers["content-length"]) == len(answer.content) and "etag" not in answer.headers


async def test_everything_else_passes_untouched():
    async with client(HTMLResponse(PAGE)) as browser:
        assert (await browser.get("/api/docs", headers=BROWSER)).content == PAGE
        assert (await browser.get("/jobs", headers={"accept": "application/json"})).content == PAGE
        assert (await browser.head("/jobs", headers=BROWSER)).headers["content-length"] == str(len(PAGE))
    async with client(PlainTextResponse(PAGE)) as browser:
        assert (await browser.get("/jobs", headers=BROWSER)).content == PAGE
