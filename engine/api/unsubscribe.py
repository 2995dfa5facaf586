"""Leaving the list by the link in a message: a page that asks, and a call that acts at once (RFC 8058)."""

from __future__ import annotations

from html import escape
from typing import Annotated

from fastapi import APIRouter, Path, Request
from starlette.responses import HTMLResponse, JSONResponse, Response

from engine.api.context import Bench
from engine.api.errors import answer
from engine.api.shapes import Said
from engine.durable import suppressions
from engine.durable.suppressions import NewSuppression, SuppressionSource
from engine.mail import unsubscribing
from engine.mail.keys import masked
from engine.workbench import Workbench

router = APIRouter(prefix="/unsubscribe", tags=["unsubscribing"])
REASON = "unsubscribed by the link in a message"
_HEADERS = {
    "Cache-Control": "no-store",
    "X-Robots-Tag": "noindex, nofollow",
    "Referrer-Policy": "no-referrer",  # the address of this page is a pass
    "Vary": "Accept",
    "Content-Security-Policy": (
        "default-src 'none'; style-src 'unsafe-inline'; form-action 'self'; frame-ancestors 'none'; base-uri 'none'"
    ),
}
_PAGE = """<!DOCTYPE html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta name="robots" content="noindex, nofollow">
<meta name="color-scheme" content="light dark">
<title>{title}</title>
<style>
:root {{ --ground: #f4f5fa; --card: #fff; --ink: #1c2033; --quiet: #5d6479; --line: #e3e6ef; --accent: #4f5fe0; --good: #15805a }}
@media (prefers-color-scheme: dark) {{
  :root {{ --ground: #0f1220; --card: #171b2d; --ink: #eceef8; --quiet: #a3aac2; --line: #2a3048; --accent: #6f7ff7;
    --good: #4cc79a }}
}}
* {{ box-sizing: border-box }}
body {{ margin: 0; min-height: 100vh; display: grid; place-items: center; padding: 24px; background: var(--ground);
  color: var(--ink); font: 16px/1.55 system-ui, -apple-system, "Segoe UI", Roboto, sans-serif }}
main {{ width: 100%; max-width: 440px; padding: 34px 32px; background: var(--card); border: 1px solid var(--line);
  border-radius: 14px }}
svg {{ display: block; width: 44px; height: 44px; margin-bottom: 16px; color: var(--{tone}) }}
h1 {{ margin: 0 0 8px; font-size: 22px; line-height: 1.3; letter-spacing: -.3px }}
p {{ margin: 0 0 10px; color: var(--quiet); overflow-wrap: anywhere }}
p b {{ color: var(--ink); font-weight: 600 }}
button {{ margin-top: 14px; width: 100%; padding: 13px 18px; border: 0; border-radius: 9px; background: var(--accent);
  color: #fff; font: inherit; font-weight: 600; cursor: pointer }}
@media (prefers-color-scheme: dark) {{ button {{ color: #0d1020 }} }}
button:hover {{ filter: brightness(1.08) }}
button:focus-visible {{ outline: 3px solid var(--accent); outline-offset: 3px }}
</style>
</head>
<body><main>
<svg viewBox="0 0 24 24" fill="none" stroke="currentColor" stroke-width="1.6" stroke-linecap="round" stroke-linejoin="round"
 aria-hidden="true">{icon}</svg>
<h1>{title}</h1>
{body}
</main></body>
</html>
"""
_ENVELOPE = '<rect x="3" y="5" width="18" height="14" rx="2.5"/><path d="m3.5 7.5 8.5 6 8.5-6"/>'
_TICK = '<circle cx="12" cy="12" r="9"/><path d="m8 12.4 2.7 2.7L16 9.6"/>'
_CROSS = '<circle cx="12" cy="12" r="9"/><path d="M12 7.6v5.2M12 16.2v.1"/>'
_WRONG = "This link is not valid", "It may have been cut short. Use the link in the message again, or answer the message."
Token = Annotated[str, Path(description="from the link in a message", max_length=unsubscribing.MAX_TOKEN)]


@router.head("/{token}", include_in_schema=False)
@router.get("/{token}", response_class=HTMLResponse, summary="A page that asks")
def ask(bench: Bench, token: Token) -> Response:
    """Nothing is changed, as mail programs and scanners open links by themselves."""
    found = unsubscribing.read(bench.vault.sign, token)
    if found is None:
        return _html(404, *_WRONG, icon=_CROSS)
    key, _ = found
    if _has_left(bench, key):
        return _html(200, "You are unsubscribed", _gone(key), icon=_TICK, tone="good")
    button = '<form method="post"><button type="submit">Unsubscribe</button></form>'
    return _html(200, "Unsubscribe?", f"<b>{escape(masked(key))}</b> will get no more messages from this sender.", button)


@router.post("/{token}", responses={200: {"model": Said}}, summary="Unsubscribe, at once")
def act(bench: Bench, token: Token, request: Request) -> Response:
    """One click (RFC 8058): from anywhere, with any body or none, and harmless when repeated. A browser gets a page."""
    found = unsubscribing.read(bench.vault.sign, token)
    page = "text/html" in request.headers.get("accept", "")
    if found is None:
        return _html(404, *_WRONG, icon=_CROSS) if page else answer(404, "not_found", _WRONG[0], headers=_HEADERS)
    key, job_id = found
    if not _has_left(bench, key):
        # Their own wish counts for more than what put them on the list before, such as a bounce that was a mistake.
        item = NewSuppression(key, key, REASON, SuppressionSource.UNSUBSCRIBE, job_id or None)
        suppressions.add(bench.database, [item], replace=True)
    if page:
        return _html(200, "You are unsubscribed", _gone(key), icon=_TICK, tone="good")
    return JSONResponse(Said(message="Unsubscribed").model_dump(by_alias=True), headers=_HEADERS)


def _has_left(bench: Workbench, key: str) -> bool:
    entry = suppressions.find(bench.database, [key]).get(key)
    return entry is not None and entry.source == SuppressionSource.UNSUBSCRIBE


def _gone(key: str) -> str:
    return f"<b>{escape(masked(key))}</b> gets no more messages from this sender. You can close this page."


def _html(status: int, title: str, text: str, more: str = "", icon: str = _ENVELOPE, tone: str = "accent") -> HTMLResponse:
    """A page of its own: no script, nothing loaded; `text` and `more` are HTML."""
    page = _PAGE.format(title=title, body=f"<p>{text}</p>{more}", icon=icon, tone=tone)
    return HTMLResponse(page, status, headers=_HEADERS)
