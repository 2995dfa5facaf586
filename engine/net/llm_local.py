"""A language model in this very process: weights from a file, behind the same protocol on the loopback interface."""

from __future__ import annotations

import asyncio
import secrets
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import structlog

from engine.net.guard import Guard, transport
from engine.net.llm import Answer, Begin, Keep, Kind, Question, Trouble
from engine.net.llm_services import OpenAiLlm

CONTEXT = 8_192
"""Tokens of prompt and answer together; a larger context takes more memory than it is worth here."""
LIMIT = 1_000
"""Most tokens of an answer: a model on a processor writes a few in a second."""
TIMEOUT = 900.0
TEXT_CHARS, BODY_CHARS = 80, 1_000
log = structlog.get_logger()


def missing(model_file: Path | None) -> str:
    """What this process lacks to run a model, in a sentence with the remedy; "" when it has everything."""
    if model_file is None:
        return "The provider local needs the server's setting POSTBENCH_AI_MODEL_FILE, a file of GGUF weights."
    if not model_file.is_file():
        return f"POSTBENCH_AI_MODEL_FILE names {model_file.name}, which is not there."
    try:
        import xllamacpp  # noqa: F401 - whether it can be imported is the question
    except ImportError:
        return "The provider local needs the extra `local`: pip install 'postbench[local]' on the machine of the engine."
    return ""


class LocalLlm:
    """Loads the weights at the first question and keeps them; one question at a time."""

    def __init__(self, model_file: Path | None, *, timeout: float = TIMEOUT) -> None:
        self._file, self._timeout = model_file, timeout
        self._lock = asyncio.Lock()
        self._server: Any = None
        self._service: OpenAiLlm | None = None
        self._key = secrets.token_urlsafe(24)

    @property
    def model(self) -> str:
        """What rows call it: the name of the file."""
        return self._file.stem if self._file else ""

    async def ask(self, question: Question, key: str, begin: Begin, keep: Keep) -> Answer | Trouble:
        """See `Llm.ask`; a key is not needed."""
        if problem := missing(self._file):
            return Trouble(Kind.DENIED, problem, asked=False)
        async with self._lock:
            if self._service is None:
                try:
                    self._service = await self._started()
                except Exception as error:  # whatever native code thinks of the file
                    log.error("local model cannot be loaded", error=type(error).__name__)
                    return Trouble(Kind.DENIED, f"The weights in {self._file and self._file.name} cannot be loaded.", asked=False)
        prompt = replace(question.prompt, schema=bounded(question.prompt.schema, question.prompt.count))
        local = Question(prompt, self.model, question.temperature, question.seed, min(question.limit, LIMIT))
        return await self._service.ask(local, self._key, begin, keep)

    async def close(self) -> None:
        """Stop the server and free the weights."""
        service, self._service = self._service, None
        if service is not None:
            await service.close()
            await asyncio.to_thread(self._stop)

    def _stop(self) -> None:
        self._server = None  # its destructor stops the threads behind it

    async def _started(self) -> OpenAiLlm:
        """The server, loaded in a thread, and a client that may reach nothing else."""
        self._server = await asyncio.to_thread(_load, str(self._file), self._key)
        url = str(self._server.listening_address)
        parts = urlsplit(url)
        guard = Guard(trusted=frozenset({(parts.hostname or "", parts.port or 0)}))
        log.info("local model loaded", model=self.model)
        return OpenAiLlm(f"{url}/v1", transport(guard), setting="the local model", timeout=self._timeout, at_once=1)


def bounded(schema: Mapping[str, Any], count: int, name: str = "") -> dict[str, Any]:
    """The schema with bounds for every text and `count` entries for every array: a small model would go on and on."""
    found = dict(schema)
    if found.get("type") == "string":
        found |= {"minLength": 1, "maxLength": BODY_CHARS if name == "body" else TEXT_CHARS}
    elif found.get("type") == "array":
        found |= {"items": bounded(found["items"], count), "minItems": count, "maxItems": count}
    elif "properties" in found:
        found["properties"] = {key: bounded(value, count, key) for key, value in found["properties"].items()}
    return found


def _load(path: str, key: str) -> Any:
    """An in-process llama.cpp server on a free port of the loopback interface, which answers to this key only."""
    import xllamacpp

    wanted = xllamacpp.CommonParams()
    wanted.model.path = path
    wanted.n_ctx, wanted.n_parallel = CONTEXT, 1
    wanted.api_keys = [key]
    wanted.ui = wanted.endpoint_slots = wanted.warmup = False
    wanted.cors_origins = ""
    wanted.verbosity = -1
    return xllamacpp.Server(wanted)
