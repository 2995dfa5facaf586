"""The duty of reading what came back: new messages are read, judged and kept; only then are they marked as read."""

from __future__ import annotations

import asyncio
import hashlib
import time
from collections import Counter
from collections.abc import Callable, Sequence

import structlog

from engine.durable import bounces, suppressions
from engine.durable.bounces import BounceIn
from engine.durable.database import Database
from engine.durable.suppressions import NewSuppression, SuppressionSource
from engine.mail import unsubscribing
from engine.mail.bounces import Report, ReportKind, reports
from engine.mail.keys import list_key
from engine.mail.unsubscribing import Sign
from engine.net.postbox import Postbox, Unavailable

Keep = Callable[[Sequence[BounceIn]], int]
"""Puts reports on disk, each once however often it is given; returns how many were new."""
log = structlog.get_logger()


class Bouncing:
    """Reads one postbox. Several engines may do so at once, and a crash at any place does no harm: what is kept is kept once.

    `keep` runs in a thread. `sign` is what links to unsubscribe are signed with; `clock` gives seconds since 1970.
    """

    def __init__(self, postbox: Postbox, keep: Keep, sign: Sign, clock: Callable[[], float] = time.time) -> None:
        self._postbox, self._keep, self._sign, self._clock = postbox, keep, sign, clock
        self._trouble = ""

    async def read_bounces(self) -> None:
        """Read until nothing is new. A postbox that cannot be read is said once; the next look tries again."""
        try:
            await self._read()
            self._trouble = ""
        except Unavailable as error:
            if str(error) != self._trouble:
                log.warning("bounces cannot be read", reason=str(error))
            self._trouble = str(error)
        finally:
            await self._postbox.close()

    async def _read(self) -> None:
        seen: set[str] = set()
        while fetched := await self._postbox.fetch():
            keys = [key for key, _ in fetched]
            if seen.issuperset(keys):
                raise Unavailable("What was read stays unread.")
            seen.update(keys)
            await asyncio.to_thread(self._judge, [message for _, message in fetched])
            await self._postbox.done(keys)

    def _judge(self, messages: Sequence[bytes]) -> None:
        now = round(1000 * self._clock())
        read = [entry_of(message, report, now, self._sign) for message in messages for report in reports(message)]
        found = [entry for entry in read if entry is not None]
        new = self._keep(found) if found else 0
        kinds = Counter(entry.kind for entry in found)
        log.info("bounces read", messages=len(messages), new=new, **{str(kind): kinds[kind] for kind in ReportKind})


def entry_of(message: bytes, report: Report, at: int, sign: Sign) -> BounceIn | None:
    """A report as it is kept, its digest the same whenever and by whomever it is read; None where it names no address.

    The link to unsubscribe in what came back proves whose message that was, also when its job is long gone.
    """
    owner = unsubscribing.read(sign, report.token) if report.token else None
    key, job_id = owner or (list_key(report.recipient), None)
    if key is None:
        return None
    digest = hashlib.sha256(hashlib.sha256(message).digest() + key.encode("utf-8", "replace")).hexdigest()
    return BounceIn(digest, key, at, report.kind, report.status, report.diagnostic, report.message_id, job_id)


def keep(database: Database, found: Sequence[BounceIn]) -> int:
    """Keep reports in the database; who complained of a message of ours goes onto the list of suppressed addresses.

    Returns how many were new. A report on a message that is not known to be ours puts nobody onto the list.
    """
    ours = bounces.ours(database, found)
    if strange := len(found) - len(ours):
        log.info("reports on no message of ours", reports=strange)
    new = suppressions.add(database, [_suppression(entry) for entry in ours if entry.kind == ReportKind.COMPLAINT])
    return new + bounces.record(database, [entry for entry in found if entry.kind != ReportKind.COMPLAINT])


def _suppression(entry: BounceIn) -> NewSuppression:
    return NewSuppression(entry.address, entry.address, entry.diagnostic, SuppressionSource.COMPLAINT, entry.job_id)
