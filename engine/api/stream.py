"""The event stream of a job (server-sent events, WHATWG HTML § 9.2): connected, progress …, complete."""

from __future__ import annotations

import asyncio
import json
import time
from collections.abc import AsyncIterator
from contextlib import suppress
from typing import Annotated

from fastapi import APIRouter, Header, Request
from fastapi.sse import KEEPALIVE_COMMENT, format_sse_event
from starlette.responses import StreamingResponse

from engine.api.context import Bench
from engine.api.hub import Hub, Snapshot, Topic
from engine.durable.queries import get
from engine.errors import NotFound

SPACING_SECONDS = 0.34
"""Between two progress events: three a second, which leaves room for the last one to go out at once."""
KEEPALIVE_SECONDS = 15.0
_HEADERS = {"Cache-Control": "no-store", "X-Accel-Buffering": "no"}
router = APIRouter(tags=["jobs"])


@router.get(
    "/jobs/{job_id}/stream",
    response_class=StreamingResponse,
    summary="Follow a job (server-sent events)",
    responses={200: {"content": {"text/event-stream": {}}}},
)
async def stream(
    bench: Bench, request: Request, job_id: str, last_event_id: Annotated[str | None, Header(alias="Last-Event-ID")] = None
) -> StreamingResponse:
    """`data:` lines: `connected`, then `progress` whenever something was committed, then `complete` once, and the end."""
    hub: Hub = request.app.state.hub
    await asyncio.to_thread(get, bench.database, job_id)
    return StreamingResponse(_body(hub, job_id, _position(last_event_id)), media_type="text/event-stream", headers=_HEADERS)


async def _body(hub: Hub, job_id: str, position: int) -> AsyncIterator[bytes]:
    with suppress(NotFound):  # deleted in this very moment: nothing to tell
        async with hub.watch(job_id) as topic:
            async for event in events(hub, topic, position):
                yield event


async def events(hub: Hub, topic: Topic, position: int) -> AsyncIterator[bytes]:
    """The events after `position`, each as the bytes of one; ends with the job, or when the process is asked to."""
    yield _event(0, {"type": "connected", "jobId": topic.snapshot.job_id})
    sent = -SPACING_SECONDS
    if position > _order(topic.snapshot) + 1:  # an id that this job has not given yet
        position = 0
    while not hub.stopping.is_set():
        changed, snapshot = topic.changed, topic.snapshot
        wait = sent + SPACING_SECONDS - time.monotonic()
        if snapshot.ended:
            yield _progress(snapshot)
            yield _complete(snapshot)
            return
        if _order(snapshot) <= position:
            if not await _within(changed, KEEPALIVE_SECONDS):
                yield KEEPALIVE_COMMENT
        elif wait > 0:
            await _within(changed, wait)
        else:
            yield _progress(snapshot)
            position, sent = _order(snapshot), time.monotonic()


async def _within(changed: asyncio.Event, seconds: float) -> bool:
    """Whether the event came within so many seconds."""
    with suppress(TimeoutError):
        await asyncio.wait_for(changed.wait(), seconds)
        return True
    return False


def _order(snapshot: Snapshot) -> int:
    """The id of the snapshot's progress event; its `complete` comes right after. Ids only grow."""
    return 2 * (snapshot.revision + 1)


def _position(last_event_id: str | None) -> int:
    """Where a client has got to; anything that is no id of ours counts as the beginning."""
    known = last_event_id is not None and last_event_id.isdecimal() and len(last_event_id) < 19
    return int(last_event_id or 0) if known else 0


def _progress(snapshot: Snapshot) -> bytes:
    head = {"type": "progress", "jobId": snapshot.job_id, "status": snapshot.status, "progress": snapshot.progress}
    data = f'{json.dumps(head)[:-1]}, "metadata": {snapshot.metadata}}}'
    return format_sse_event(data_str=data, id=str(_order(snapshot)))


def _complete(snapshot: Snapshot) -> bytes:
    data: dict[str, object] = {
        "type": "complete",
        "jobId": snapshot.job_id,
        "status": snapshot.status,
        "errorMessage": snapshot.error_message,
    }
    return _event(_order(snapshot) + 1, data)


def _event(number: int, data: dict[str, object]) -> bytes:
    return format_sse_event(data_str=json.dumps(data), id=str(number))
