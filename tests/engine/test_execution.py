"""What the settings make of the doors."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat
from pydantic import SecretStr

from engine.errors import ConfigError
from engine.execution import check_sender, check_settings
from engine.mail.address import Address, parse
from engine.mail.policies import Level
from engine.mail.policies_dkim import public_key
from engine.settings import Settings
from tests.lab.dns import DnsServer

PEM = Ed25519PrivateKey.generate().private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())


def ann() -> Address:
    found = parse("ann@sender.test")
    assert isinstance(found, Address)
    return found


@pytest.fixture
def key_file(tmp_path: Path) -> Path:
    path = tmp_path / "dkim.pem"
    path.write_bytes(PEM)
    return path


async def test_a_sender_is_judged_by_what_the_settings_say(key_file: Path) -> None:
    zones: dict[str, dict[str, Any]] = {
        "sender.test": {"mx": [(10, "mx.sender.test")], "txt": ["v=spf1 -all"]},
        "s1._domainkey.sender.test": {"txt": [public_key(PEM).record]},
        "_dmarc.sender.test": {"txt": ["v=DMARC1; p=reject"]},
        "bounces.test": {"txt": ["v=spf1 ip4:93.184.215.14 -all"]},
    }
    with DnsServer(zones) as names:
        [(host, port)] = names.servers
        configured = Settings(
            dns_servers=f"{host}:{port}",
            smtp_url=SecretStr("smtp://93.184.215.14:25"),
            dkim_key_file=key_file,
            dkim_selector="S1",
            bounce_address="b@bounces.test",
            public_url="https://mail.example.com",
        )
        found = await check_sender(configured, ann())
    levels = [(finding.name, finding.level) for finding in found]
    assert levels == [
        ("SPF", Level.OK),
        ("DKIM", Level.OK),
        ("DMARC", Level.OK),
        ("Answers", Level.OK),
        ("Answers", Level.PROBLEM),
        ("Unsubscribe", Level.OK),
    ]


async def test_a_key_that_cannot_be_read_names_the_setting(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match="POSTBENCH_DKIM_KEY_FILE"):
        await check_sender(Settings(dkim_key_file=tmp_path / "missing.pem"), ann())


@pytest.mark.parametrize(
    ("setting", "value"),
    [
        ("smtp_url", SecretStr("ftp://user:hunter2@mail.example.com")),
        ("smtp_url", SecretStr("smtps://user:hunter2@mail.example.com?ca=/nowhere/at/all.pem")),
        ("bounce_url", SecretStr("pop3://user:hunter2@mail.example.com")),
        ("bounce_address", "bounces"),
        ("dkim_key_file", Path("/nowhere/dkim.pem")),
        ("ai_url", "api.example.com"),
        ("anthropic_url", "api.example.com"),
    ],
)
def test_a_setting_of_a_door_is_looked_at_before_anything_starts(setting: str, value: Any) -> None:
    with pytest.raises(ConfigError, match=f"POSTBENCH_{setting.upper()}") as caught:
        check_settings(Settings(**{setting: value}))
    assert "hunter2" not in str(caught.value)


def test_the_defaults_are_good() -> None:
    check_settings(Settings())
