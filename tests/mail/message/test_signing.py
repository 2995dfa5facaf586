"""DKIM signatures: verified by dkimpy against a DNS of our own."""

from __future__ import annotations

import base64
from types import SimpleNamespace

import dkim  # type: ignore[import-untyped]
import pytest
from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives import serialization as form
from cryptography.hazmat.primitives.asymmetric import ec, ed25519, rsa

from engine.mail.message import Filled
from engine.mail.message.signing import KeyFlaw, Signer
from tests.mail.message.letters import composed, design

RSA = rsa.generate_private_key(65537, 2048)
ED25519 = ed25519.Ed25519PrivateKey.generate()


def pem(key, kind=form.PrivateFormat.PKCS8, secret=None) -> bytes:
    locked = form.BestAvailableEncryption(secret) if secret else form.NoEncryption()
    return bytes(key.private_bytes(form.Encoding.PEM, kind, locked))


def record(key) -> bytes:
    public = key.public_key()
    if isinstance(key, rsa.RSAPrivateKey):
        return b"v=DKIM1; k=rsa; p=" + base64.b64encode(
            public.public_bytes(form.Encoding.DER, form.PublicFormat.SubjectPublicKeyInfo)
        )
    return b"v=DKIM1; k=ed25519; p=" + base64.b64encode(public.public_bytes(form.Encoding.Raw, form.PublicFormat.Raw))


def verified(data: bytes, key, asked: list[str] | None = None) -> bool:
    def dns(name, timeout=5):
        if asked is not None:
            asked.append(name.decode())
        return record(key)

    return bool(dkim.verify(data, dnsfunc=dns))


@pytest.fixture
def nacl(monkeypatch):
    """What dkimpy would take from PyNaCl to verify Ed25519."""

    class VerifyKey:
        def __init__(self, key, encoder=None):
            self._key = ed25519.Ed25519PublicKey.from_public_bytes(base64.b64decode(key))

        def verify(self, message, signature):
            self._key.verify(signature, message)

    fake = SimpleNamespace(
        signing=SimpleNamespace(VerifyKey=VerifyKey),
        encoding=SimpleNamespace(Base64Encoder=None),
        exceptions=SimpleNamespace(BadSignatureError=InvalidSignature, ValueError=ValueError, TypeError=TypeError),
    )
    monkeypatch.setattr(dkim, "nacl", fake, raising=False)


MESSAGES = [
    composed(Filled("Hi", "Hello\n")).data,
    composed(Filled("Grüße " * 30, "Hello  there \t\n\n\n\n", "<p>Grüße</p>\n"), design(reply_to="x@example.net")).data,
    composed(Filled("Hi", "Hello\n"), to="jörg@bücher.test", name="Jörg").data,
    composed(Filled("Hi", "\n")).data,
]


@pytest.mark.parametrize("data", MESSAGES)
@pytest.mark.parametrize("key", [RSA, ED25519], ids=["rsa", "ed25519"])
def test_a_signature_holds(nacl, key, data):
    asked: list[str] = []
    signer = Signer.of(pem(key), "Mail1", "Example.COM")
    signed = signer.signed(data)
    assert signed.endswith(data)
    assert verified(signed, key, asked)
    assert asked == ["mail1._domainkey.example.com."] == [signer.record_name + "."]
    assert signer.signed(data) == signed
    assert max(map(len, signed.partition(b"From:")[0].split(b"\r\n"))) <= 120


@pytest.mark.parametrize(
    ("old", "new"),
    [
        (b"Hello", b"Hullo"),
        (b"Subject: Hi", b"Subject: Ho"),
        (b"unsubscribe/", b"unsubscribe/x"),
        (b"List-Unsubscribe-Post: List", b"List-Unsubscribe-Post: Lost"),
        (b"To: bob", b"To: eve"),
        (b"DKIM-Signature:", b"From: eve@example.com\r\nDKIM-Signature:"),
        (b"DKIM-Signature:", b"Subject: Buy\r\nDKIM-Signature:"),
        (b"DKIM-Signature:", b"Reply-To: eve@example.com\r\nDKIM-Signature:"),
        (b"MIME-Version: 1.0", b"MIME-Version: 1.0 (x)"),
    ],
)
def test_whatever_is_changed_breaks_it(old, new):
    signed = Signer.of(pem(RSA), "mail", "example.com").signed(MESSAGES[0])
    assert verified(signed, RSA)
    assert signed.count(old) >= 1
    assert not verified(signed.replace(old, new, 1), RSA)


def test_relays_may_fold_and_strip():
    signed = Signer.of(pem(RSA), "mail", "example.com").signed(composed(Filled("one two", "a  b \n\n\n")).data)
    relayed = signed.replace(b"one two", b"one\r\n\ttwo").replace(b"a  b \r\n\r\n\r\n", b"a b\r\n")
    assert relayed != signed
    assert verified(relayed, RSA)


def test_a_traditional_key_will_do():
    assert verified(Signer.of(pem(RSA, form.PrivateFormat.TraditionalOpenSSL), "mail", "example.com").signed(MESSAGES[0]), RSA)


@pytest.mark.parametrize(
    ("key", "told"),
    [
        (b"", "can't be read"),
        (b"-----BEGIN PRIVATE KEY-----\nhunter2\n-----END PRIVATE KEY-----\n", "can't be read"),
        (pem(RSA, secret=b"hunter2"), "can't be read"),
        (pem(ec.generate_private_key(ec.SECP256R1())), "neither an RSA nor an Ed25519"),
    ],
)
def test_a_bad_key_is_explained(key, told):
    with pytest.raises(KeyFlaw, match=told) as caught:
        Signer.of(key, "mail", "example.com")
    assert "hunter2" not in str(caught.value)


@pytest.mark.parametrize(
    ("selector", "domain"), [("", "x.test"), ("a b", "x.test"), ("mail", ""), ("mail", "x;y"), ("mail", "bücher.test")]
)
def test_names_are_names_of_the_dns(selector, domain):
    with pytest.raises(KeyFlaw, match="names of the DNS"):
        Signer.of(pem(RSA), selector, domain)
