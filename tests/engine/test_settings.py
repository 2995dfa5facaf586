"""The settings: read from the environment, wrong ones named without their value, secrets masked where they are shown."""

from __future__ import annotations

from pathlib import Path

import pytest
from sqlalchemy import make_url

from engine.errors import ConfigError
from engine.settings import Settings, mask_url, settings


@pytest.fixture(autouse=True)
def _fresh() -> None:
    settings.cache_clear()


def test_the_defaults_run_on_one_machine() -> None:
    found = settings()
    assert (found.host, found.port, found.engine, found.executor) == ("127.0.0.1", 8501, "auto", "local")
    assert found.loopback and found.base_url == "http://127.0.0.1:8501"
    assert found.url == f"sqlite:///{Path('data').resolve() / 'postbench.db'}"


def test_every_setting_is_a_variable(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("POSTBENCH_DATA_DIR", str(tmp_path))
    monkeypatch.setenv("POSTBENCH_PORT", "9000")
    monkeypatch.setenv("POSTBENCH_API_TOKEN", "t0ken")
    found = settings()
    assert found.url == f"sqlite:///{tmp_path / 'postbench.db'}" and found.port == 9000
    assert found.api_token is not None and found.api_token.get_secret_value() == "t0ken"


def test_an_empty_variable_is_none(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("POSTBENCH_API_TOKEN", "")
    monkeypatch.setenv("POSTBENCH_PORT", "")
    assert settings().api_token is None and settings().port == 8501


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("PORT", "s3cr3t"),
        ("PORT", "0"),
        ("ENGINE", "s3cr3t"),
        ("CONCURRENCY", "-1"),
        ("EXECUTOR", "dask://s3cr3t"),
        ("RETENTION_DAYS", "s3cr3t"),
    ],
)
def test_a_wrong_value_names_the_variable_and_not_the_value(monkeypatch: pytest.MonkeyPatch, name: str, value: str) -> None:
    monkeypatch.setenv(f"POSTBENCH_{name}", value)
    with pytest.raises(ConfigError, match=f"POSTBENCH_{name}") as caught:
        settings()
    assert "s3cr3t" not in str(caught.value)


@pytest.mark.parametrize("scheme", ["postgres", "postgresql", "postgresql+psycopg"])
def test_postgresql_always_means_psycopg_3(scheme: str) -> None:
    found = Settings(database_url=f"{scheme}://ann:pw@h:5433/d").url
    assert make_url(found).drivername == "postgresql+psycopg" and found.endswith("://ann:pw@h:5433/d")


@pytest.mark.parametrize(
    ("url", "shown"),
    [
        ("postgresql://ann:s3cr3t@h/d", "postgresql://ann:***@h/d"),
        ("postgresql://ann:s3%40cr3t@h/d", "postgresql://ann:***@h/d"),
        ("postgresql://h/d?user=ann&password=s3cr3t&x=1", "postgresql://h/d?user=ann&password=***&x=1"),
        ("postgresql://ann@h/d", "postgresql://ann@h/d"),
        ("postgresql://ann:@h/d", "postgresql://ann:@h/d"),
        ("sqlite:////data/x.db", "sqlite:////data/x.db"),
    ],
)
def test_a_password_in_a_url_is_masked(url: str, shown: str) -> None:
    assert mask_url(url) == shown


def test_what_is_shown_holds_no_secret() -> None:
    found = Settings(database_url="postgresql://ann:s3cr3t@h/d", api_token="s3cr3t", secret_key="s3cr3t")
    shown = found.shown()
    assert "s3cr3t" not in str(shown)
    assert shown.keys() == {f"POSTBENCH_{name.upper()}" for name in Settings.model_fields}


@pytest.mark.parametrize(
    ("host", "loopback"),
    [
        *((host, True) for host in ("127.0.0.1", "127.9.9.9", "::1", "localhost")),
        *((host, False) for host in ("0.0.0.0", "::", "192.168.1.5", "localhost.example.com")),
    ],
)
def test_what_only_this_machine_can_reach(host: str, loopback: bool) -> None:
    assert Settings(host=host).loopback is loopback


def test_the_hosts_that_requests_may_name() -> None:
    assert Settings().hosts == ["127.0.0.1", "::1", "[::1]", "localhost"]
    found = Settings(host="0.0.0.0", public_url="https://mail.example.com:8443/x/", allowed_hosts=" a.example , ,b.example").hosts
    assert {"a.example", "b.example", "mail.example.com"} < set(found) and "0.0.0.0" not in found and "" not in found


def test_the_base_of_links() -> None:
    assert Settings(public_url="https://x.example/").base_url == "https://x.example"
    assert Settings(host="::1", port=9000).base_url == "http://[::1]:9000"
