"""DKIM keys in the DNS (RFC 6376 section 3.6, RFC 8463): whether what is published fits the key that signs."""

from __future__ import annotations

import binascii
from base64 import b64decode, b64encode
from collections.abc import Mapping
from dataclasses import dataclass

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.asymmetric.rsa import RSAPrivateKey
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat, load_pem_private_key

from engine.mail.policies import Finding, Level, tags
from engine.mail.records import Lookup, RecordOutcome

GOOD_BITS = 2_048
"""RFC 8301 section 3.2: 1,024 bits still count, 2,048 are what signers should use."""
_NAME = "DKIM"


@dataclass(frozen=True, slots=True)
class PublicKey:
    """The public half of a signing key: `kind` is rsa or ed25519, `text` what belongs into `p=`; `bits` is its size."""

    kind: str
    text: str
    bits: int

    @property
    def record(self) -> str:
        """The TXT record to publish."""
        return f"v=DKIM1; k={self.kind}; p={self.text}"


def public_key(pem: bytes) -> PublicKey:
    """The public half of a private key in PEM.

    Raises:
        ValueError: it is no RSA or Ed25519 key that can be read without a passphrase.
    """
    try:
        key = load_pem_private_key(pem, None)
    except TypeError:
        raise ValueError("the key has a passphrase") from None
    if isinstance(key, RSAPrivateKey):
        data = key.public_key().public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo)
        return PublicKey("rsa", b64encode(data).decode(), key.key_size)
    if isinstance(key, Ed25519PrivateKey):
        return PublicKey("ed25519", b64encode(key.public_key().public_bytes(Encoding.Raw, PublicFormat.Raw)).decode(), 256)
    raise ValueError("the key is neither RSA nor Ed25519")


async def dkim_finding(selector: str, domain: str, key: PublicKey, look: Lookup) -> Finding:
    """Whether receivers will find this key under the selector."""
    name = f"{selector}._domainkey.{domain}"
    publish = f"Publish a TXT record at `{name}`: `{key.record}`"
    found = await look(name, "TXT")
    if found.outcome is RecordOutcome.FAILED:
        sentence = f"{name} could not be looked up{f': {found.detail}' if found.detail else ''}."
        return Finding(_NAME, Level.UNKNOWN, sentence, "Check again later.")
    if not found.values:
        return Finding(_NAME, Level.PROBLEM, f"There is no DKIM key at {name}; signatures cannot be verified.", publish)
    if len(found.values) > 1:
        sentence = f"There are {len(found.values)} TXT records at {name}; which one counts is not defined."
        return Finding(_NAME, Level.PROBLEM, sentence, f"Leave one: `{key.record}`")
    record = tags(found.values[0])
    if record is None or "p" not in record or record.get("v", "DKIM1") != "DKIM1":
        return Finding(_NAME, Level.PROBLEM, f"The record at {name} is no DKIM key.", publish)
    wrong = _unfit(record, key)
    if wrong:
        return Finding(_NAME, Level.PROBLEM, f"The DKIM key at {name} {wrong}", publish)
    return _fit(name, record, key)


def _unfit(record: Mapping[str, str], key: PublicKey) -> str:
    """Why the published key does not verify signatures of ours; "" when it does."""
    published = "".join(record["p"].split())
    if not published:
        return "is revoked: it is empty."
    if record.get("k", "rsa").lower() != key.kind:
        return f"is not of the kind that signs here ({key.kind})."
    if _decoded(published) != _decoded(key.text):
        return "is another one than signs here, so that every signature fails."
    if "sha256" not in _list(record, "h", "sha256"):
        return "does not allow the hash that signatures use (sha256)."
    if not {"*", "email"} & set(_list(record, "s", "*")):
        return "is not meant for e-mail (s=)."
    return ""


def _fit(name: str, record: Mapping[str, str], key: PublicKey) -> Finding:
    if "y" in _list(record, "t", ""):
        sentence = f"The DKIM key at {name} fits, but is marked as a test (t=y): some receivers treat its mail as unsigned."
        return Finding(_NAME, Level.WARNING, sentence, "Take `t=y` out of the record.")
    if key.kind == "rsa" and key.bits < GOOD_BITS:
        sentence = f"The DKIM key at {name} fits; with {key.bits} bits it is short."
        return Finding(_NAME, Level.WARNING, sentence, f"Make a new key of {GOOD_BITS} bits.")
    return Finding(_NAME, Level.OK, f"The DKIM key at {name} is the one that signs.")


def _list(record: Mapping[str, str], name: str, default: str) -> list[str]:
    return [part.strip().lower() for part in record.get(name, default).split(":")]


def _decoded(text: str) -> bytes | None:
    try:
        return b64decode(text, validate=True)
    except (binascii.Error, ValueError):
        return None
