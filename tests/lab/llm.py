"""A stand-in for services of language models: OpenAI's protocol and Anthropic's, faults on demand, and a count of every call."""

from __future__ import annotations

import argparse
import asyncio
import json
import random
import re
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Literal

from tests.lab.running import LabServer, run_until_told

Fault = Literal[
    "429",  # told to come later, with `retry_after` if that is set
    "quota",  # 429 that says that the account is empty
    "500",
    "503",
    "401",  # with the key in its words, as some do
    "403",
    "404",
    "413",
    "redirect",
    "disconnect",  # nothing is written, the connection is dropped
    "cut",  # charged, then dropped amid the body
    "hang",  # nothing is written and nothing comes
    "html",  # a page instead of JSON, with its content type
    "empty",  # no choices
    "reported",  # an error in place of the answer, with status 200
    "uncounted",  # without the tokens
    "told",  # with the key in the texts
    "null",  # a choice without text
    "length",  # cut off: finish_reason length
    "refusal",  # the model refuses
    "filter",  # content filter
    "prose",  # words instead of JSON
    "fenced",  # JSON in a code fence, among words
    "torn",  # JSON that ends too early
    "missing",  # a field is missing
    "extra",  # more fields than were asked for
    "address",  # an invented e-mail address
    "blank",  # a place left to be filled in
    "newline",  # a header smuggled into the subject
]
MARKER = re.compile(r"row-\d+")
"""What tells in a prompt which row it is for."""
_FIRST = "Ann Ben Cay Dora Eli Finn Gus Hana Ivo Jo Kim Lea Mo Nia Olaf Pia Rob Sue Tom Vera".split()
_LAST = "Adler Baker Cole Dunn Evans Frost Green Hart Irwin Jones Klein Lund Moss North Ode Price Reed Stone Todd Wood".split()


@dataclass(slots=True)
class Call:
    """A request as it came."""

    path: str
    headers: dict[str, str]
    body: dict[str, Any]

    @property
    def said(self) -> str:
        """All texts of the conversation."""
        return "\n".join(str(turn.get("content")) for turn in self.body.get("messages", []))

    @property
    def row(self) -> str:
        """The row it is for, by its marker; for contacts the first initials that are asked for."""
        found = MARKER.search(self.said) or re.search(r"^1\. \w\. \w\.", self.said, re.MULTILINE)
        return found.group() if found else ""


@dataclass
class Takes:
    """Which parameters the service takes: others are a 400 that names them. `most`: tokens of an answer; `said`: refuses all."""

    schema: bool = True
    object: bool = True
    max_tokens: bool = True
    temperature: bool = True
    seed: bool = True
    system: bool = True
    most: int = 100_000
    said: str = ""
    status: int = 400


@dataclass(slots=True)
class _Script:
    fault: Fault
    times: int | None
    row: str


class LlmServer(LabServer):
    """Services on 127.0.0.1; everything may be read and set from any thread while it runs.

        with LlmServer() as service:
            door = OpenAiLlm(service.openai, transport)       # or AnthropicLlm(service.anthropic, transport)
            service.fault("500", times=2, row="row-3")        # the next requests for that row; any row when left out
            service.takes.schema = False                      # response_format json_schema is refused
            service.chaos = random.Random(7)                  # every third answer or so goes wrong, somehow
            assert service.answered["row-3"] == 1             # answers that were paid for, by row

    Any key is good, but for those in `bad`. `python -m tests.lab.llm` runs it in a process of its own.
    """

    def __init__(self) -> None:
        super().__init__()
        self.calls: list[Call] = []
        self.answered: Counter[str] = Counter()
        self.takes = Takes()
        self.bad: set[str] = set()
        self.retry_after = ""
        self.delay = 0.0
        self.chaos: random.Random | None = None
        self.most = 0
        self.write: Callable[[Call], dict[str, Any]] = written
        self._busy = 0
        self._scripts: list[_Script] = []
        self._released = asyncio.Event()

    @property
    def openai(self) -> str:
        """The base of OpenAI's protocol."""
        return f"http://{self.host}:{self.port}/v1"

    @property
    def anthropic(self) -> str:
        """The base of Anthropic's."""
        return f"http://{self.host}:{self.port}"

    def fault(self, fault: Fault, times: int | None = 1, row: str = "") -> None:
        """Let the next `times` requests (None = all) for a row go wrong; several are used up in their order."""
        with self.lock:
            self._scripts.append(_Script(fault, times, row))

    def heal(self) -> None:
        """Forget all faults, and let go of who hangs."""
        with self.lock:
            self._scripts.clear()
            self.chaos = None
        if self._loop is not None:
            self._loop.call_soon_threadsafe(self._released.set)

    def keys(self) -> set[str]:
        """The names of all headers in which a key came."""
        with self.lock:
            return {name for call in self.calls for name in call.headers if name in ("authorization", "x-api-key")}

    async def open(self) -> None:
        """Listen."""
        await self.listen(self._talk)

    async def _talk(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        while (call := await _read(reader)) is not None:
            with self.lock:
                self.calls.append(call)
                self._busy += 1
                self.most = max(self.most, self._busy)
            try:
                if not await self._answer(call, writer):
                    return
            finally:
                with self.lock:
                    self._busy -= 1

    async def _answer(self, call: Call, writer: asyncio.StreamWriter) -> bool:
        """Answer one request; False when the connection is to be dropped."""
        fault = self._next_fault(call)
        if self.delay:
            await asyncio.sleep(self.delay)
        if fault == "hang":
            await self._released.wait()
        if fault in ("disconnect", "hang"):
            return False
        status, value = self._refused(call, fault) or (200, self._written(call, fault))
        kind, body = "application/json", json.dumps(value).encode()
        if fault == "html":
            kind, body = "text/html", b"<html>503 of some proxy</html>"
        head = {"content-type": kind, "content-length": str(len(body)), **self._headers(fault)}
        lines = "".join(f"{name}: {text}\r\n" for name, text in head.items())
        writer.write(f"HTTP/1.1 {status} X\r\n{lines}\r\n".encode() + (body[: len(body) // 2] if fault == "cut" else body))
        await writer.drain()
        return fault != "cut"

    def _next_fault(self, call: Call) -> Fault | None:
        with self.lock:
            for script in self._scripts:
                if script.row in ("", call.row):
                    if script.times is not None:
                        script.times -= 1
                        if script.times <= 0:
                            self._scripts.remove(script)
                    return script.fault
            if self.chaos is not None and self.chaos.random() < 0.4:
                return self.chaos.choice(CHAOS)
        return None

    def _headers(self, fault: Fault | None) -> dict[str, str]:
        if fault in ("429", "503") and self.retry_after:
            return {"retry-after": self.retry_after}
        return {"location": "http://127.0.0.1:9/"} if fault == "redirect" else {}

    def _refused(self, call: Call, fault: Fault | None) -> tuple[int, Any] | None:
        key = _key(call)
        if key in self.bad or fault == "401":
            return 401, {"error": {"message": f"Incorrect API key provided: {key}", "code": "invalid_api_key"}}
        if fault == "quota":
            return 429, {"error": {"message": "You exceeded your current quota", "code": "insufficient_quota"}}
        if fault == "redirect":
            return 302, {}
        if fault and fault.isdigit():
            return int(fault), {"error": {"message": f"some trouble with {key}"}}
        return self._not_taken(call.body)

    def _not_taken(self, body: dict[str, Any]) -> tuple[int, Any] | None:
        form = (body.get("response_format") or (body.get("output_config") or {}).get("format") or {}).get("type")
        said = self.takes.said
        turns = body.get("messages", [])
        if form == "json_schema" and not self.takes.schema:
            said = "response_format of type 'json_schema' is not supported with this model"
        elif form == "json_object" and not self.takes.object:
            said = "'response_format' is not supported"
        elif "max_tokens" in body and not self.takes.max_tokens:
            said = "Unsupported parameter: 'max_tokens'. Use 'max_completion_tokens' instead."
        elif "temperature" in body and not self.takes.temperature:
            said = "Unsupported value: 'temperature' does not support 0.2 with this model."
        elif "seed" in body and not self.takes.seed:
            said = "Unknown parameter: 'seed'"
        elif not self.takes.system and any(turn["role"] == "system" for turn in turns):
            said = "System role not supported"
        elif max(body.get("max_tokens", 0), body.get("max_completion_tokens", 0)) > self.takes.most:
            said = "'max_tokens' or 'max_completion_tokens' is too large: this model's maximum context length is 2048 tokens."
        return (self.takes.status, {"error": {"message": said, "type": "invalid_request_error"}}) if said else None

    def _written(self, call: Call, fault: Fault | None) -> dict[str, Any]:
        with self.lock:
            self.answered[call.row] += 1
        text = _spoiled(self.write(call), fault)
        if fault == "reported":
            return {"error": {"message": "Provider returned error", "code": 502}}
        if fault == "told":
            text = text.replace("row-", f"{_key(call)} row-")
        if call.path.endswith("/messages"):
            stop = {"length": "max_tokens", "refusal": "refusal", "filter": "refusal"}.get(fault or "", "end_turn")
            content = [] if fault in ("empty", "null") else [{"type": "text", "text": text}]
            usage = {} if fault == "uncounted" else {"input_tokens": 100, "output_tokens": 20}
            return {"type": "message", "model": call.body.get("model"), "content": content, "stop_reason": stop, "usage": usage}
        finish = {"length": "length", "filter": "content_filter"}.get(fault or "", "stop")
        message: dict[str, Any] = {"role": "assistant", "content": None if fault == "null" else text}
        if fault == "refusal":
            message |= {"content": None, "refusal": "I cannot help with that."}
        choices = [] if fault == "empty" else [{"index": 0, "message": message, "finish_reason": finish}]
        usage = {} if fault == "uncounted" else {"prompt_tokens": 100, "completion_tokens": 20, "total_tokens": 120}
        return {"object": "chat.completion", "model": "lab-1", "choices": choices, "usage": usage}


def _key(call: Call) -> str:
    return call.headers.get("x-api-key") or call.headers.get("authorization", "").removeprefix("Bearer ")


CHAOS: tuple[Fault, ...] = (
    "429", "500", "503", "disconnect", "cut", "html", "empty", "null", "length", "prose", "fenced", "torn", "missing", "extra",
    "address", "blank", "newline",
)  # fmt: skip
"""What goes wrong in chaos: everything that may pass, or that a repair can mend."""


def written(call: Call) -> dict[str, Any]:
    """What a good model writes: as many people as initials are asked for, or a draft that says which row it is for."""
    asked = re.findall(r"^\d+\. (\w)\. (\w)\.", call.said, re.MULTILINE)
    if asked:
        return {"contacts": [_person(first, last, place) for place, (first, last) in enumerate(asked)]}
    row = call.row
    return {"subject": f"An offer for {row}", "body": f"Hello,\n\nthis is for {row}.\n\nBest regards"}


def _person(first: str, last: str, place: int) -> dict[str, str]:
    names = (
        next((name for name in _FIRST if name[0] == first), f"{first}ay"),
        next((n for n in _LAST if n[0] == last), f"{last}on"),
    )
    return {
        "first_name": names[0],
        "last_name": names[1],
        "title": "Buyer",
        "company": f"{names[1]} Works",
        "note": f"No. {place}",
    }


def _spoiled(value: dict[str, Any], fault: Fault | None) -> str:
    """The answer as text, with the fault in it."""
    inner = value["contacts"][0] if "contacts" in value else value
    last = list(inner)[-1]
    match fault:
        case "missing":
            inner.pop("title" if "title" in inner else "body")
        case "extra":
            inner |= {"status": "ok", "is_admin": True, "email": "root@evil.example"}
        case "address":
            inner[last] += " Write to ceo@evil.example."
        case "blank":
            inner[last] += " [Your Name]"
        case "newline":
            name = "company" if "company" in inner else "subject"
            inner[name] += "\r\nBcc: victim@evil.example"
    text = json.dumps(value)
    match fault:
        case "prose":
            return "I would rather talk about the weather."
        case "fenced":
            return f"Here you are:\n```json\n{text}\n```\nAnything else?"
        case "torn" | "length":
            return text[: len(text) // 2]
    return text


async def _read(reader: asyncio.StreamReader) -> Call | None:
    """The next request on a connection; None when there is none."""
    try:
        head = (await reader.readuntil(b"\r\n\r\n")).decode("latin-1")
    except asyncio.IncompleteReadError:
        return None
    first, *lines = head.rstrip("\r\n").split("\r\n")
    headers = {name.strip().lower(): value.strip() for name, _, value in (line.partition(":") for line in lines)}
    body = await reader.readexactly(int(headers.get("content-length", "0")))
    return Call(first.split(" ")[1], headers, json.loads(body) if body else {})


def main() -> None:
    """Serve until standard input ends; see `LlmServer`."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--delay", type=float, default=0.0)
    server = LlmServer()
    server.delay = parser.parse_args().delay
    asyncio.run(run_until_told(server))


if __name__ == "__main__":
    main()
