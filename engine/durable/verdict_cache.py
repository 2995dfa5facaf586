"""The verdict cache as a door: what is known of addresses, read and written from batches without blocking their event loop."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass, field
from functools import partial
from typing import Any, Protocol

from engine.durable import verdicts
from engine.durable.database import Database
from engine.durable.verdicts import Fresh, Known

GROUP_SECONDS = 0.02
"""How long a save waits for others, so that many share one transaction."""
ROWS = 1000
"""Verdicts that one transaction writes: what takes well under a tenth of a second, so that nobody waits long for the lock."""
GAP_SECONDS = 0.005
CLAIM_SECONDS = 60.0
"""How long a claim holds without being renewed."""


class VerdictCache(Protocol):
    """What is known of addresses, and who is asking about which. Addresses are keys: one string per mailbox."""

    async def find(self, addresses: Sequence[str]) -> Mapping[str, Known]:
        """What is known, by address; unknown addresses are missing."""

    async def save(self, fresh: Sequence[Fresh]) -> None:
        """Keep new verifications; returns once they are on disk. Ends the claims on their addresses."""

    async def claim(self, addresses: Collection[str], now: float) -> set[str]:
        """Those that may be asked about now (`now` in seconds since 1970); the others are being asked about elsewhere."""

    async def renew(self, now: float) -> None:
        """Hold on to all claims."""

    async def release(self, addresses: Collection[str]) -> None:
        """Give claims back."""

    async def permit(self, job_id: str, domain: str, addresses: Collection[str], cap: int) -> set[str]:
        """Those of a job's synthetic addresses that may be probed: at most `cap` per domain and job, ever."""


@dataclass
class _Group:
    """Saves that wait for the next transaction."""

    fresh: list[Fresh] = field(default_factory=list)
    done: list[asyncio.Future[None]] = field(default_factory=list)


class StoredVerdicts:
    """The cache in the database; opened at first use, so that it can be made on any machine and in any process."""

    def __init__(self, open_database: Callable[[], Database]) -> None:
        self._open = open_database
        self._opened: Database | None = None
        self._owner = verdicts.owner()
        self._lock = asyncio.Lock()
        self._claims: set[str] = set()
        self._group: _Group | None = None
        self._writer: asyncio.Task[None] | None = None

    async def find(self, addresses: Sequence[str]) -> Mapping[str, Known]:
        """What is known."""
        return await self._call(verdicts.find, addresses) if addresses else {}

    async def save(self, fresh: Sequence[Fresh]) -> None:
        """Keep verifications, together with those of other batches."""
        if not fresh:
            return
        if self._group is None:
            self._group = _Group()
            self._writer = asyncio.create_task(self._flush(self._group), name="verdicts")
        done = asyncio.get_running_loop().create_future()
        self._group.fresh.extend(fresh)
        self._group.done.append(done)
        await done

    async def claim(self, addresses: Collection[str], now: float) -> set[str]:
        """Claim what nobody living has claimed."""
        if not addresses:
            return set()
        granted = await self._call(verdicts.claim, sorted(addresses), self._owner, _until(now))
        if len(granted) < len(addresses):
            await self._call(verdicts.drop_claims, verdicts.owner_dead)
            granted |= await self._call(verdicts.claim, sorted(set(addresses) - granted), self._owner, _until(now))
        self._claims |= granted
        return set(granted)

    async def renew(self, now: float) -> None:
        """Move the end of this process's claims."""
        await self._call(verdicts.renew, self._owner, _until(now))

    async def release(self, addresses: Collection[str]) -> None:
        """Give claims back."""
        if mine := self._claims & set(addresses):
            self._claims -= mine
            await self._call(verdicts.release, sorted(mine), self._owner)

    async def permit(self, job_id: str, domain: str, addresses: Collection[str], cap: int) -> set[str]:
        """Count and permit in one transaction."""
        return set(await self._call(verdicts.permit, job_id, domain, sorted(addresses), cap)) if addresses else set()

    async def close(self) -> None:
        """Write what waits and close the database."""
        if self._writer is not None:
            await asyncio.wait({self._writer})
        if self._opened is not None:
            self._opened.close()

    async def _flush(self, group: _Group) -> None:
        await asyncio.sleep(GROUP_SECONDS)
        async with self._lock:  # one transaction at a time: it never waits for itself
            self._group = None
            try:
                self._claims -= {one.address for one in group.fresh}
                for start in range(0, len(group.fresh), ROWS):
                    await self._call(partial(verdicts.save, owner=self._owner), group.fresh[start : start + ROWS])
                    await asyncio.sleep(GAP_SECONDS)
            except Exception as error:
                for done in group.done:
                    if not done.done():
                        done.set_exception(error)
            else:
                for done in group.done:
                    if not done.done():
                        done.set_result(None)

    async def _call(self, function: Callable[..., Any], *arguments: Any) -> Any:
        def work() -> Any:
            if self._opened is None:
                self._opened = self._open()
            return function(self._opened, *arguments)

        return await asyncio.to_thread(work)


class FakeVerdicts:
    """The cache in memory, for tests."""

    def __init__(self, known: Mapping[str, Known] | None = None) -> None:
        self.known = dict(known or {})
        self.saved: list[Fresh] = []
        self.claimed: set[str] = set()
        self.permitted: dict[tuple[str, str], set[str]] = {}

    async def find(self, addresses: Sequence[str]) -> Mapping[str, Known]:
        """What was saved or given."""
        return {address: self.known[address] for address in addresses if address in self.known}

    async def save(self, fresh: Sequence[Fresh]) -> None:
        """Remember."""
        self.saved.extend(fresh)
        self.claimed -= {one.address for one in fresh}
        for one in fresh:
            old = self.known.get(one.address)
            if one.status != "unknown" or old is None or old.status == "unknown":
                self.known[one.address] = Known(
                    one.address, one.status, one.reason, one.level, one.score, one.data, one.checked_at, one.job_id, 1
                )

    async def claim(self, addresses: Collection[str], now: float) -> set[str]:
        """Claim what is free."""
        granted = set(addresses) - self.claimed
        self.claimed |= granted
        return granted

    async def renew(self, now: float) -> None:
        """Claims hold for ever here."""

    async def release(self, addresses: Collection[str]) -> None:
        """Give back."""
        self.claimed -= set(addresses)

    async def permit(self, job_id: str, domain: str, addresses: Collection[str], cap: int) -> set[str]:
        """At most `cap`."""
        had = self.permitted.setdefault((job_id, domain), set())
        for address in sorted(addresses):
            if len(had) < cap:
                had.add(address)
        return had & set(addresses)


def _until(now: float) -> int:
    return round((now + CLAIM_SECONDS) * 1000)
