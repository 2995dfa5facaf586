"""A password is said to nobody but the relay, and TLS is what it should be."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from engine.errors import ConfigError
from engine.net import submission_url
from engine.net.guard import Guard
from engine.net.submission import Result, Trouble
from engine.net.submission_smtp import SmtpTransport
from engine.net.submission_url import Relay, relay_of
from tests.lab import certificates
from tests.lab.receiver import Receiver
from tests.net.submitting import deliver_all, letter, relayed, unarmed

SECRET = "p@ss/w:rd%"
LOGIN = "jane%40one.test:p%40ss%2Fw%3Ard%25@"
AUTH = ("jane@one.test", SECRET)


@pytest.fixture
def authority(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """A file with the certificate of the lab's servers."""
    pem = certificates.self_signed()
    path = tmp_path / "lab.pem"
    path.write_bytes(pem[pem.index(b"-----BEGIN CERTIFICATE") :])
    monkeypatch.setattr(certificates, "self_signed", lambda: pem)
    certificates.server_context.cache_clear()
    yield path
    certificates.server_context.cache_clear()


@pytest.mark.parametrize("mechanisms", ["PLAIN", "LOGIN", "CRAM-MD5", "XOAUTH2 LOGIN PLAIN", "plain"])
async def test_it_logs_in(mechanisms: str):
    with Receiver(auth=AUTH, mechanisms=mechanisms, demand=True) as relay:
        async with relayed(relay, login=LOGIN) as transport:
            receipt = await transport.deliver(letter(), unarmed)
    assert (receipt.result, relay.messages[0].user, relay.refused_logins) == (Result.SENT, AUTH[0], 0)


@pytest.mark.parametrize("mechanisms", ["PLAIN", "LOGIN", "CRAM-MD5"])
async def test_a_wrong_password_is_said_once(mechanisms: str):
    with Receiver(auth=("jane@one.test", "another"), mechanisms=mechanisms) as relay:
        async with relayed(relay, login=LOGIN) as transport:
            receipts = await deliver_all(transport, [letter(f"ok.{number}@two.test") for number in range(10)])
    assert {(receipt.code, receipt.trouble, receipt.error) for receipt in receipts} == {
        (535, Trouble.LOGIN, "the relay refused the login")
    }
    assert {receipt.result for receipt in receipts} == {Result.UNSENT}, "no letter has to wait longer for it"
    assert relay.refused_logins == 1


@pytest.mark.parametrize(
    ("manner", "error"),
    [
        ({}, "the relay offers no login"),
        ({"auth": AUTH, "mechanisms": "GSSAPI"}, "the relay offers none of the logins we know (PLAIN, LOGIN, CRAM-MD5)"),
        ({"auth": AUTH, "answers": {"AUTH": f"535 5.7.8 {SECRET} is wrong"}}, "the relay refused the login"),
        ({"auth": AUTH, "answers": {"AUTH": "334 eA=="}}, "the relay did not understand the login"),
    ],
)
async def test_no_login_says_why_and_never_the_password(manner: dict[str, Any], error: str):
    with Receiver(**manner) as relay:
        async with relayed(relay, login=LOGIN) as transport:
            receipt = await transport.deliver(letter(), unarmed)
    lasting = receipt.trouble is Trouble.LOGIN
    assert (receipt.result, receipt.error) == (Result.UNSENT if lasting else Result.RETRY, error)
    assert SECRET not in repr(receipt)


async def test_a_login_that_may_pass_is_no_bad_one():
    with Receiver(auth=AUTH, answers={"AUTH": "454 4.7.0 Temporary authentication failure"}) as relay:
        async with relayed(relay, login=LOGIN) as transport:
            assert (await transport.deliver(letter(), unarmed)).trouble is Trouble.CONNECTION


@pytest.mark.parametrize("tls", [True, False])
async def test_certificates_are_verified(tls: bool, authority: Path):
    with Receiver(tls=tls, starttls="ok", auth=AUTH) as relay:
        async with relayed(relay, login=LOGIN, query=f"?ca={authority}") as transport:
            trusted = await transport.deliver(letter(), unarmed)
        async with relayed(relay, login=LOGIN, query="?verify=on") as transport:
            unknown = await transport.deliver(letter(), unarmed)
        async with relayed(relay, login=LOGIN, query="?verify=off") as transport:
            unverified = await transport.deliver(letter(), unarmed)
    assert [trusted.result, unknown.result, unverified.result] == [Result.SENT, Result.UNSENT, Result.SENT]
    assert (unknown.trouble, unknown.error) == (Trouble.TLS, "the relay's certificate is not trusted: self-signed certificate")
    assert [(message.secure, message.user) for message in relay.messages] == [(True, AUTH[0])] * 2
    assert relay.logins == 2


async def test_a_certificate_of_another_name_is_not_trusted(authority: Path):
    async def resolve(host: str) -> list[str]:
        return ["127.0.0.1"]

    with Receiver(tls=True) as relay:
        for host, expected in {"lab.test": Result.SENT, "other.test": Result.UNSENT}.items():
            async with relayed(relay, host=host, query=f"?ca={authority}", resolve=resolve) as transport:
                receipt = await transport.deliver(letter(), unarmed)
                assert receipt.result is expected, receipt.error
    assert "Hostname mismatch" in receipt.error


async def test_a_password_is_not_said_in_clear(monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(Relay, "loopback", False)
    for how in ("", "refused"):
        with Receiver(auth=AUTH, starttls=how) as relay:
            async with relayed(relay, login=LOGIN) as transport:
                receipt = await transport.deliver(letter(), unarmed)
        assert (receipt.result, receipt.trouble) == (Result.UNSENT, Trouble.TLS)
        assert (relay.logins, relay.commands["AUTH"]) == (0, 0)
    with Receiver(auth=AUTH) as relay:
        async with relayed(relay, login=LOGIN) as transport:
            assert "not sent in clear" in (await transport.deliver(letter(), unarmed)).error


async def test_without_a_password_tls_is_used_where_it_is_offered(monkeypatch: pytest.MonkeyPatch):
    for how, secure in {"ok": True, "": False, "refused": False}.items():
        with Receiver(starttls=how) as relay:
            async with relayed(relay) as transport:
                assert (await transport.deliver(letter(), unarmed)).result is Result.SENT
        assert relay.messages[0].secure is secure
    monkeypatch.setattr(Relay, "loopback", False)
    with Receiver(starttls="ok") as relay:
        async with relayed(relay) as transport:
            assert (await transport.deliver(letter(), unarmed)).trouble is Trouble.TLS, "anybody could say to be that host"


@pytest.mark.parametrize("tls", [True, False])
async def test_a_broken_handshake_says_so(tls: bool):
    with Receiver(starttls="broken") as relay:
        scheme = "smtps" if tls else "smtp"
        transport = SmtpTransport(
            relay_of(f"{scheme}://127.0.0.1:{relay.port}"), Guard(trusted=frozenset({("127.0.0.1", relay.port)})), "here.test"
        )
        receipt = await transport.deliver(letter(), unarmed)
        await transport.close()
    # What is not TLS at all is refused for good; a handshake that was cut off may go well the next time.
    assert receipt.result is (Result.UNSENT if receipt.trouble is Trouble.TLS else Result.RETRY)
    assert receipt.trouble in (Trouble.TLS, Trouble.CONNECTION), "garbage may come before the handshake begins"


async def test_large_messages_go_over_tls_as_well():
    data = (b"y" * 70 + b"\r\n") * 50_000
    with Receiver(tls=True) as relay:
        async with relayed(relay, query="?verify=off") as transport:
            receipts = await deliver_all(transport, [letter(f"ok.{number}@two.test", data) for number in range(3)])
    assert {receipt.result for receipt in receipts} == {Result.SENT}
    assert [message.data for message in relay.messages] == [data] * 3


async def test_a_host_has_several_addresses():
    async def resolve(host: str) -> list[str]:
        return ["127.0.0.9", "127.0.0.1"]

    with Receiver() as relay:
        async with relayed(relay, host="relay.test", resolve=resolve) as transport:
            assert (await transport.deliver(letter(), unarmed)).result is Result.SENT


async def test_a_private_address_needs_to_be_named():
    async def resolve(host: str) -> list[str]:
        return ["127.0.0.1"]

    with Receiver() as relay:
        for trusted in (("relay.test", relay.port + 1), ("other.test", relay.port)):
            transport = SmtpTransport(
                relay_of(f"smtp://relay.test:{relay.port}"), Guard(trusted=frozenset({trusted})), "here.test", resolve=resolve
            )
            receipt = await transport.deliver(letter(), unarmed)
            await transport.close()
            assert "private" in receipt.error
    assert relay.opened == 0


@pytest.mark.parametrize("found", [[], OSError("no such name")])
async def test_a_host_without_an_address_is_worth_another_try(found: Any):
    async def resolve(host: str) -> list[str]:
        if isinstance(found, OSError):
            raise found
        return list(found)

    transport = SmtpTransport(relay_of("smtp://relay.test"), Guard(), "here.test", resolve=resolve)
    receipt = await transport.deliver(letter(), unarmed)
    await transport.close()
    assert (receipt.result, receipt.trouble) == (Result.RETRY, Trouble.CONNECTION)


def test_authorities_that_cannot_be_read_are_told_at_start(tmp_path: Path):
    nonsense = tmp_path / "nonsense.pem"
    nonsense.write_text("no certificate")
    for path in (tmp_path / "missing.pem", nonsense):
        with pytest.raises(ConfigError, match=submission_url.SETTING):
            SmtpTransport(relay_of(f"smtps://relay.test?ca={path}"), Guard(), "here.test")
