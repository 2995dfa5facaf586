"""Visitors without a browser: they speak Streamlit's WebSocket protocol, so that many of them cost next to nothing."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Iterable
from concurrent.futures import Future
from urllib.parse import urlsplit

from streamlit.proto.BackMsg_pb2 import BackMsg
from streamlit.proto.ClientState_pb2 import ClientState
from streamlit.proto.ForwardMsg_pb2 import ForwardMsg
from websockets.asyncio.client import ClientConnection, connect


class Visitor:
    """One open page. It asks for its living parts again as often as the page says, like the browser does."""

    def __init__(self, url: str) -> None:
        parts = urlsplit(url)
        self._socket_url = f"ws://{parts.netloc}/_stcore/stream"
        self._state = {"query_string": parts.query, "page_name": parts.path.strip("/")}
        self._timers: dict[str, asyncio.Task[None]] = {}
        self.refreshes = 0
        self.runs = 0

    async def stay(self, ready: Future[None]) -> None:
        """Open the page and follow it until cancelled."""
        async with connect(self._socket_url, subprotocols=["streamlit"], max_size=None) as socket:  # type: ignore[list-item]
            await socket.send(BackMsg(rerun_script=ClientState(**self._state)).SerializeToString())  # type: ignore[arg-type]
            async for raw in socket:
                self._take(socket, ForwardMsg.FromString(raw), ready)  # type: ignore[arg-type]

    def _take(self, socket: ClientConnection, message: ForwardMsg, ready: Future[None]) -> None:
        kind = message.WhichOneof("type")
        if kind == "navigation":
            self._state["page_script_hash"] = message.navigation.page_script_hash
        elif kind == "auto_rerun":
            again = message.auto_rerun
            self._stop([again.fragment_id])
            self._timers[again.fragment_id] = asyncio.create_task(self._repeat(socket, again.fragment_id, again.interval))
        elif kind == "stop_auto_rerun":
            self._stop(message.stop_auto_rerun.fragment_ids)
        elif kind == "script_finished":
            self.runs += 1
            if not ready.done():
                ready.set_result(None)

    def _stop(self, fragments: Iterable[str]) -> None:
        for timer in [self._timers.pop(name) for name in fragments if name in self._timers]:
            timer.cancel()

    async def _repeat(self, socket: ClientConnection, fragment: str, seconds: float) -> None:
        while True:
            await asyncio.sleep(seconds)
            state = ClientState(**self._state, fragment_id=fragment, is_auto_rerun=True)  # type: ignore[arg-type]
            await socket.send(BackMsg(rerun_script=state).SerializeToString())
            self.refreshes += 1


class Crowd:
    """So many visitors of one page, in a thread of their own."""

    def __init__(self, url: str, count: int) -> None:
        self.visitors = [Visitor(url) for _ in range(count)]
        self._loop = asyncio.new_event_loop()
        self._thread = threading.Thread(target=self._loop.run_forever, daemon=True)
        self._tasks: list[Future[None]] = []

    def __enter__(self) -> Crowd:
        self._thread.start()
        for visitor in self.visitors:
            ready: Future[None] = Future()
            self._tasks.append(asyncio.run_coroutine_threadsafe(visitor.stay(ready), self._loop))
            ready.result(60)
        return self

    def __exit__(self, *_: object) -> None:
        asyncio.run_coroutine_threadsafe(self._leave(), self._loop).result(30)
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join()

    @staticmethod
    async def _leave() -> None:
        tasks = asyncio.all_tasks() - {asyncio.current_task()}
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)

    @property
    def refreshes(self) -> int:
        """Living parts asked for by all visitors so far."""
        return sum(visitor.refreshes for visitor in self.visitors)
