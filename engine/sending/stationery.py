"""What a message needs beside its text: its number, the link to unsubscribe, the signature, the files of the job."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Mapping, Sequence
from datetime import datetime
from typing import Any, Protocol

from engine.durable.files import Files
from engine.mail import unsubscribing
from engine.mail.address import Address
from engine.mail.message import Design, Sign, compose, enclosed, fill, message_id
from engine.net.submission import Letter

REMEMBERED = 4
"""Jobs whose encoded files are kept in memory."""


class Signs(Protocol):
    """Signs messages; see `engine.mail.message.signing.Signer`."""

    def signed(self, data: bytes) -> bytes:
        """The message with a signature in front."""


Dkim = Callable[[str], Signs | None]


class Stationery:
    """Writes letters. The same recipient of the same job always gets the same Message-ID and link.

    `dkim` gives the signer for a sender's domain, if any; `bounce_address` is the envelope's sender, that of the design where it
    is empty.
    """

    def __init__(
        self, sign: Sign, base_url: str, files: Files, dkim: Dkim = lambda domain: None, bounce_address: str = ""
    ) -> None:
        self._sign, self._base_url, self._files = sign, base_url, files
        self._dkim, self._bounce_address = dkim, bounce_address
        self._enclosed: dict[str, tuple[bytes, ...]] = {}
        self._enclosing = asyncio.Lock()

    async def enclosures(self, job_id: str) -> tuple[bytes, ...]:
        """The files that go with every message of the job, as parts of it: encoded once, and shared by its batches."""
        async with self._enclosing:
            if job_id not in self._enclosed:
                files = await self._files.of(job_id)
                self._enclosed[job_id] = await asyncio.to_thread(enclosed, files) if files else ()
                while len(self._enclosed) > REMEMBERED:
                    del self._enclosed[next(iter(self._enclosed))]
            return self._enclosed[job_id]

    def message_id(self, design: Design, origin: str, key: str) -> str:
        """The Message-ID of the message of that job to that mailbox."""
        return message_id(self._sign, origin, key, design.sender.address.domain)

    def link(self, job_id: str, key: str) -> str:
        """Where the mailbox's owner unsubscribes."""
        return unsubscribing.link(self._base_url, unsubscribing.token(self._sign, key, job_id))

    def letter(
        self,
        design: Design,
        job_id: str,
        key: str,
        recipient: Address,
        values: Mapping[str, Any],
        identity: str,
        enclosures: Sequence[bytes],
        date: datetime,
    ) -> Letter:
        """The message as it goes out; `identity` is its Message-ID.

        Raises:
            RowFlaw: the row lacks what the message says of it.
        """
        link = self.link(job_id, key)
        filled = fill(design, values, link, recipient.normalized)
        composed = compose(design, filled, recipient, "", identity, date, link, enclosures)
        signer = self._dkim(design.sender.address.domain)
        data = signer.signed(composed.data) if signer else composed.data
        name = identity.partition("@")[0].lstrip("<")
        sender = self._bounce_address or _envelope(design.sender.address)
        return Letter(sender, _envelope(recipient), data, composed.utf8, f"{job_id}/{name}")

    async def close(self) -> None:
        """Let go of the files."""
        close = getattr(self._files, "close", None)
        if close is not None:
            await close()


def _envelope(address: Address) -> str:
    return f"{address.local}@{address.domain}"
