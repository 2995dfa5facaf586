"""The outbox holds whole messages under safe names, and shows them to nobody else."""

from __future__ import annotations

import os
import stat
from pathlib import Path

import pytest

from engine.errors import NotFound
from engine.net.outbox import Outbox, count, entries, read
from engine.net.submission import Letter, Receipt, Result, Trouble
from tests.net.submitting import TEXT, Armed, deliver_all, unarmed

JOB = "abcdefghij234567"


def letter(name: str, data: bytes = TEXT) -> Letter:
    return Letter("a@one.test", "x@two.test", data, False, name)


def inside(folder: Path) -> list[Path]:
    return list(folder.iterdir())


async def put(folder: Path, *letters: Letter) -> list[Receipt]:
    transport = Outbox(folder)
    receipts = await deliver_all(transport, letters)
    await transport.close()
    return receipts


async def test_messages_are_listed_and_read(tmp_path: Path):
    receipts = await put(tmp_path, *(letter(f"{JOB}/m{number}@one.test") for number in range(5)), letter("other/m9"))
    assert set(receipts) == {Receipt(Result.SENT, reply="written to the outbox")}
    assert count(tmp_path, JOB) == 5
    assert [entry.name for entry in entries(tmp_path, JOB, limit=2, offset=1)] == ["m1@one.test.eml", "m2@one.test.eml"]
    [entry] = entries(tmp_path, "other")
    assert (entry.name, entry.size) == ("m9.eml", len(TEXT))
    assert entry.written_at > 1_600_000_000_000
    assert read(tmp_path, "other", "m9.eml") == TEXT


async def test_the_same_letter_again_replaces_its_file(tmp_path: Path):
    await put(tmp_path, letter(f"{JOB}/m", b"first\r\n"))
    await put(tmp_path, letter(f"{JOB}/m.eml", b"second\r\n"))
    assert count(tmp_path, JOB) == 1
    assert read(tmp_path, JOB, "m.eml") == b"second\r\n"


async def test_only_the_owner_reads_it(tmp_path: Path):
    await put(tmp_path, letter(f"{JOB}/m"))
    folder = tmp_path / JOB
    assert [stat.S_IMODE(each.stat().st_mode) for each in (folder / "m.eml", folder)] == [0o600, 0o700]


@pytest.mark.parametrize(
    "name", ["", "..", "../m", "job/../m", "/m", "job/", "job/.m", "a/b/c", "job/m\n", "job/a b", "job\\m", "C:m"]
)
async def test_a_name_stays_in_the_outbox(tmp_path: Path, name: str):
    transport, arm = Outbox(tmp_path / "outbox"), Armed()
    with pytest.raises(ValueError, match="letter's name"):
        await transport.deliver(letter(name), arm)
    await transport.close()
    assert (arm.count, inside(tmp_path)) == (0, [])


async def test_nothing_else_is_shown(tmp_path: Path):
    folder = tmp_path / "outbox"
    await put(folder, letter(f"{JOB}/m"))
    (tmp_path / "secret.eml").write_text("secret")
    (folder / JOB / ".m.part").write_text("unfinished")
    (folder / JOB / "notes.txt").write_text("not a message")
    (folder / JOB / "link.eml").symlink_to(tmp_path / "secret.eml")
    assert [entry.name for entry in entries(folder, JOB)] == ["m.eml"]
    for job, name in [
        ("..", "secret.eml"),
        (".", "m.eml"),
        (JOB, "../../secret.eml"),
        (JOB, "link.eml"),
        (JOB, ".m.part"),
        (JOB, "notes.txt"),
        (JOB, "none.eml"),
        ("none", "m.eml"),
        (f"{JOB}/m.eml", "m.eml"),
    ]:
        with pytest.raises(NotFound):
            read(folder, job, name)
    assert (entries(folder, ".."), entries(folder, "none"), count(folder, "../outbox")) == ([], [], 0)


async def test_a_file_that_cannot_be_written_is_tried_again(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    def full(descriptor: int) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(os, "fsync", full)
    transport = Outbox(tmp_path)
    receipt = await transport.deliver(letter(f"{JOB}/m"), unarmed)
    await transport.close()
    assert (receipt.result, receipt.trouble) == (Result.RETRY, Trouble.CONNECTION)
    assert receipt.error == "the outbox cannot be written: No space left on device"
    assert inside(tmp_path / JOB) == [], "no half a message is left"
