"""DKIM signatures (RFC 6376, RFC 8463): the message's canonical forms are dkimpy's, the cryptography is OpenSSL's.

dkimpy's own signing takes 10 ms for a message, needs a further package for Ed25519, and reads the clock; this takes 0.5 ms.
"""

from __future__ import annotations

import base64
import hashlib
import re
from typing import Self

from cryptography.exceptions import UnsupportedAlgorithm
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.asymmetric.padding import PKCS1v15
from cryptography.hazmat.primitives.asymmetric.rsa import RSAPrivateKey
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.serialization import load_pem_private_key
from dkim import rfc822_parse  # type: ignore[import-untyped]
from dkim.canonicalization import Relaxed  # type: ignore[import-untyped]

MIN_RSA_BITS = 1_024
"""RFC 8301 section 3.2: verifiers do not accept less; 2,048 are what they like."""

SIGNED = (
    b"from", b"reply-to", b"to", b"subject", b"date", b"message-id", b"mime-version", b"content-type",
    b"content-transfer-encoding", b"list-unsubscribe", b"list-unsubscribe-post",
)  # fmt: skip
"""The fields that a signature covers where a message has them; RFC 8058 section 4 asks for the last two."""
# Signed once more than they are there: another field of the same name, put in front on the way, breaks the signature.
_OVERSIGNED = (b"from", b"to", b"subject", b"date", b"message-id", b"reply-to")
_NAME = b"DKIM-Signature"
_NAMES_PER_LINE = 4
_LABELS = re.compile(r"[a-z0-9_](?:[a-z0-9_-]*[a-z0-9_])?(?:\.[a-z0-9_](?:[a-z0-9_-]*[a-z0-9_])?)*").fullmatch


class KeyFlaw(ValueError):
    """Messages can't be signed with this key; the message is a sentence for the administrator."""


class Signer:
    """Signs messages with a private key, for the domain whose DNS has the public one under `selector`._domainkey."""

    def __init__(self, key: RSAPrivateKey | Ed25519PrivateKey, selector: str, domain: str) -> None:
        self._key, self._selector, self._domain = key, selector, domain
        self._algorithm = "rsa-sha256" if isinstance(key, RSAPrivateKey) else "ed25519-sha256"

    @classmethod
    def of(cls, key_pem: bytes, selector: str, domain: str) -> Self:
        """The signer of a key as PEM, without a passphrase: RSA of 1,024 bits or more, or Ed25519.

        Raises:
            KeyFlaw: it is no such key, or the selector or the domain is no DNS name.
        """
        selector, domain = selector.lower(), domain.lower()
        if not _LABELS(selector) or not _LABELS(domain):
            raise KeyFlaw("The selector and the domain of DKIM signatures are names of the DNS, in ASCII")
        try:
            key = load_pem_private_key(key_pem, password=None)
        except (ValueError, TypeError, UnsupportedAlgorithm):
            raise KeyFlaw("The DKIM key can't be read; it is a private key as PEM, without a passphrase") from None
        if isinstance(key, RSAPrivateKey):
            if key.key_size < MIN_RSA_BITS:
                raise KeyFlaw(f"The DKIM key has {key.key_size} bits; {MIN_RSA_BITS} are the least, 2048 the usual")
        elif not isinstance(key, Ed25519PrivateKey):
            raise KeyFlaw("The DKIM key is neither an RSA nor an Ed25519 key")
        return cls(key, selector, domain)

    @property
    def record_name(self) -> str:
        """Where the DNS has the public key."""
        return f"{self._selector}._domainkey.{self._domain}"

    def signed(self, data: bytes) -> bytes:
        """The message with a signature in front; its lines end with CRLF. Both its head and its body are signed relaxed."""
        fields, body = rfc822_parse(data)
        digest = hashlib.sha256(Relaxed.canonicalize_body(body)).digest()
        covered, names = _covered(Relaxed.canonicalize_headers(fields))
        field = (
            f" v=1; a={self._algorithm}; c=relaxed/relaxed; s={self._selector};\r\n d={self._domain};\r\n h={_listed(names)};"
            f"\r\n bh={base64.b64encode(digest).decode()};\r\n b="
        ).encode()
        ((_, canonical),) = Relaxed.canonicalize_headers([(_NAME, field)])
        # Its own field goes in without the line end (RFC 6376 section 3.7).
        signature = base64.b64encode(self._sign(covered + b"dkim-signature:" + canonical.rstrip(b"\r\n")))
        lines = b"".join(b"\r\n " + signature[at : at + 72] for at in range(0, len(signature), 72))
        return b"".join((_NAME, b":", field, lines, b"\r\n", data))

    def _sign(self, content: bytes) -> bytes:
        if isinstance(self._key, RSAPrivateKey):
            return self._key.sign(content, PKCS1v15(), SHA256())
        return self._key.sign(hashlib.sha256(content).digest())  # RFC 8463 section 3


def _listed(names: list[bytes]) -> str:
    """Names of fields, a few on each line; white space may stand beside the colons."""
    rows = [b":".join(names[at : at + _NAMES_PER_LINE]) for at in range(0, len(names), _NAMES_PER_LINE)]
    return b":\r\n  ".join(rows).decode()


def _covered(fields: list[tuple[bytes, bytes]]) -> tuple[bytes, list[bytes]]:
    """The canonical fields that are signed, the last of a name first (RFC 6376 section 5.4.2), and their names."""
    content, names = b"", []
    for wanted in SIGNED:
        values = [value for name, value in fields if name == wanted]
        names += [wanted] * (len(values) + (wanted in _OVERSIGNED))
        content += b"".join(wanted + b":" + value for value in reversed(values))
    return content, names
