"""The key file and what it encrypts and signs."""

from __future__ import annotations

import os
import stat
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from engine.durable.database import Database
from engine.durable.vault import KEY_FILE, Vault
from engine.errors import ConfigError
from tests.durable.store import new_job


def test_the_key_file_is_made_once_and_for_its_owner_only(tmp_path: Path) -> None:
    first = Vault.open(None, tmp_path / "data")
    path = tmp_path / "data" / KEY_FILE
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    assert Vault.open(None, tmp_path / "data").sign("x", "y") == first.sign("x", "y")
    assert [file.name for file in path.parent.iterdir()] == [KEY_FILE]


def test_processes_that_make_it_at_once_get_the_same(tmp_path: Path) -> None:
    with ThreadPoolExecutor(8) as threads:
        vaults = list(threads.map(lambda _: Vault.open(None, tmp_path), range(8)))
    assert len({vault.sign("x", "y") for vault in vaults}) == 1


def test_a_configured_key_needs_no_file(tmp_path: Path) -> None:
    Vault.open("configured", tmp_path)
    assert list(tmp_path.iterdir()) == []


def test_an_empty_key_file_is_not_a_key(tmp_path: Path) -> None:
    (tmp_path / KEY_FILE).touch()
    with pytest.raises(ConfigError, match="empty"):
        Vault.open(None, tmp_path)


def test_a_folder_that_cannot_hold_the_key_is_named(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("in the way")
    with pytest.raises(ConfigError, match="POSTBENCH_DATA_DIR"):
        Vault.open(None, tmp_path / "file")


def test_a_file_system_without_hard_links_will_do(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(*_: object) -> None:
        raise PermissionError(1, "Operation not permitted")

    monkeypatch.setattr(os, "link", refuse)
    assert Vault.open(None, tmp_path).sign("x", "y") == Vault.open(None, tmp_path).sign("x", "y")
    assert [file.name for file in tmp_path.iterdir()] == [KEY_FILE]


def test_signatures_differ_by_purpose_text_and_key() -> None:
    signatures = {Vault(key).sign(purpose, text) for key in "ab" for purpose in "cd" for text in "ef"}
    assert len(signatures) == 8


def test_another_key_cannot_read_a_secret(database: Database, vault: Vault) -> None:
    job_id = new_job(database, vault, api_key="s3cr3t")
    with pytest.raises(ConfigError, match="POSTBENCH_SECRET_KEY"):
        Vault("another").load(database, job_id)
