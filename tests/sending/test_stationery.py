"""Stationery: the files of a job are encoded once, however many batches want them."""

from __future__ import annotations

import asyncio

import pytest

from engine.durable.files import FakeFiles, StoredFile
from engine.durable.vault import Vault
from engine.sending import stationery
from engine.sending.stationery import REMEMBERED, Stationery


async def test_files_are_encoded_once_and_shared():
    files = {f"job{n}": (StoredFile("a.pdf", "", b"%PDF" * 1_000),) for n in range(REMEMBERED + 1)}
    paper = Stationery(Vault("key").sign, "https://post.test", FakeFiles(files))
    first, second = await asyncio.gather(paper.enclosures("job0"), paper.enclosures("job0"))
    assert first[0] is second[0] and b"application/pdf" in first[0]
    for n in range(1, REMEMBERED + 1):
        await paper.enclosures(f"job{n}")
    assert len(paper._enclosed) == REMEMBERED and await paper.enclosures("none") == ()


async def test_a_file_that_cannot_be_encoded_is_tried_again(monkeypatch: pytest.MonkeyPatch):
    paper = Stationery(Vault("key").sign, "https://post.test", FakeFiles({"job": (StoredFile("a.pdf", "", b"x"),)}))
    with monkeypatch.context() as patched, pytest.raises(MemoryError):
        patched.setattr(stationery, "enclosed", lambda files: (_ for _ in ()).throw(MemoryError()))
        await paper.enclosures("job")
    assert len(await paper.enclosures("job")) == 1
