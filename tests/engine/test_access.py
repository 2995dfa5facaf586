"""Who may come in: no open door to the network, a token compared in constant time, passes that end."""

from __future__ import annotations

from pathlib import Path

import pytest

from engine import access
from engine.durable.vault import Vault
from engine.errors import ConfigError, UnsafeBind
from engine.settings import Settings


@pytest.fixture(autouse=True)
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """An empty working folder and home."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(Path, "home", lambda: tmp_path / "home")
    (tmp_path / ".streamlit").mkdir()
    return tmp_path


@pytest.mark.parametrize("host", ["0.0.0.0", "::", "192.168.1.5", "example.com"])
def test_a_public_address_needs_a_lock(folder: Path, host: str) -> None:
    with pytest.raises(UnsafeBind, match="POSTBENCH_API_TOKEN"):
        access.check_bind(Settings(host=host))
    access.check_bind(Settings(host=host, api_token="t"))
    (folder / ".streamlit/secrets.toml").write_text('[auth]\nclient_id = "x"\n')
    access.check_bind(Settings(host=host))


def test_loopback_is_open_by_default() -> None:
    access.check_bind(Settings())
    assert not access.required(Settings())
    assert access.required(Settings(api_token="t"))


def test_secrets_without_a_login_are_no_login(folder: Path) -> None:
    (folder / ".streamlit/secrets.toml").write_text('key = "x"\n')
    assert not access.login_configured()


@pytest.mark.parametrize("content", [b"[auth", b"\xff\xfe"])
def test_a_secrets_file_that_cannot_be_read_is_named(folder: Path, content: bytes) -> None:
    (folder / ".streamlit/secrets.toml").write_bytes(content)
    with pytest.raises(ConfigError, match=r"secrets\.toml"):
        access.login_configured()


def test_the_token() -> None:
    locked = Settings(api_token="t0ken-é")
    assert access.token_matches(locked, "t0ken-é")
    for wrong in ("", "t0ken", "T0KEN-É", "t0ken-é "):
        assert not access.token_matches(locked, wrong)
    assert not access.token_matches(Settings(), "") and not access.token_matches(Settings(), "anything")


class TestPasses:
    def test_a_pass_is_honoured_for_its_purpose_until_it_ends(self, vault: Vault) -> None:
        given = access.mint(vault, "ticket", 60)
        assert access.honoured(vault, "ticket", given)
        assert not access.honoured(vault, "session", given)
        assert not access.honoured(Vault("another key"), "ticket", given)
        assert not access.honoured(vault, "ticket", access.mint(vault, "ticket", -1))

    def test_a_pass_cannot_be_made_to_last(self, vault: Vault) -> None:
        _, _, signature = access.mint(vault, "ticket", 60).partition(".")
        assert not access.honoured(vault, "ticket", f"99999999999.{signature}")

    @pytest.mark.parametrize("rubbish", ["", ".", "1", "1.", ".x", "é.é", "1.2.3", "x" * 10_000])
    def test_rubbish_is_not_a_pass(self, vault: Vault, rubbish: str) -> None:
        assert not access.honoured(vault, "ticket", rubbish)
