"""A job and everything around a ledger that a test changes, in a database and in memory."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from sqlalchemy import insert, text

from engine.durable.clock import now_ms
from engine.durable.contract import JobRef
from engine.durable.database import Database
from engine.durable.ledger import Entry, Fresh, Ledger, Outcome, State
from engine.durable.queries import get
from engine.durable.sending_tables import suppressions
from engine.durable.stored_ledger import FakeLedger, StoredLedger
from engine.durable.tables import probe_permits
from engine.durable.vault import Vault
from tests.durable.store import age, running_job


class World:
    """A job and everything around a ledger that a test changes: processes, the list, the lease."""

    def __init__(self, make: Callable[[], Ledger], job: JobRef) -> None:
        self.make, self.job = make, job
        self.ledger = make()

    def restart(self) -> None:
        """The process is gone and with it all it knew; another one goes on."""
        self.ledger = self.make()

    def suppress(self, address: str, reason: str = "asked us") -> None:
        raise NotImplementedError

    def make_up(self, address: str) -> None:
        raise NotImplementedError

    def lose(self) -> JobRef:
        """The job goes to another engine; the lease that this one has."""
        raise NotImplementedError

    def taken_up_anew(self) -> JobRef:
        """The job as it is held once a late answer made its engine begin again."""
        return self.job

    def listed(self) -> dict[str, str]:
        raise NotImplementedError


class MemoryWorld(World):
    def __init__(self) -> None:
        first = FakeLedger()
        self.fakes = [first]

        def make() -> Ledger:
            other = FakeLedger(first.listed, first.rows)
            other.lost, other.made_up = first.lost, first.made_up
            return other

        self.first = first
        super().__init__(make, JobRef("job", lease=1))

    def suppress(self, address: str, reason: str = "asked us") -> None:
        self.first.listed[address] = reason

    def make_up(self, address: str) -> None:
        self.first.made_up.add(address)

    def lose(self) -> JobRef:
        self.first.lost.add((self.job.id, self.job.lease))
        return JobRef(self.job.id, lease=self.job.lease + 1)

    def listed(self) -> dict[str, str]:
        return self.first.listed


class StoredWorld(World):
    def __init__(self, database: Database, vault: Vault) -> None:
        self.database = database
        job = running_job(database, vault, count=5)
        super().__init__(lambda: StoredLedger(lambda: database), JobRef(job.id, lease=job.lease))

    def suppress(self, address: str, reason: str = "asked us") -> None:
        values = {"address": address, "shown": address, "reason": reason, "source": "test"}
        row = insert(suppressions).values(**values, created_at=now_ms(), updated_at=now_ms())
        self.database.transact(lambda c: c.execute(row))

    def make_up(self, address: str) -> None:
        values = {"job_id": self.job.id, "domain": address.partition("@")[2], "address": address}
        self.database.transact(lambda c: c.execute(insert(probe_permits), values))

    def lose(self) -> JobRef:
        age(self.database, self.job.id, lease=self.job.lease + 1)
        return JobRef(self.job.id, lease=self.job.lease + 1)

    def taken_up_anew(self) -> JobRef:
        lease = get(self.database, self.job.id).lease
        assert lease > self.job.lease, "its engine might still write that the message is in doubt"
        return JobRef(self.job.id, lease=lease)

    def listed(self) -> dict[str, str]:
        with self.database.read() as connection:
            return dict(connection.execute(text("SELECT address, reason FROM suppression")).all())


def fresh(recipient: str, item: int = 0, **more: Any) -> Fresh:
    """A recipient of a batch."""
    return Fresh(recipient, item, recipient.partition("@")[2], f"<{recipient}>", **more)


def outcome(recipient: str, attempt: int, state: State, at: int = 1_000, **more: Any) -> Outcome:
    """What became of an attempt."""
    return Outcome(recipient, attempt, state, at, **more)


async def entries(world: World, *recipients: str, **more: Any) -> Mapping[str, Entry]:
    """The recipients' entries once they are opened (again)."""
    return await world.ledger.open(world.job, [fresh(name, number) for number, name in enumerate(recipients)], **more)


async def armed(world: World, recipient: str) -> int:
    """Bring a message to the moment before its dot; the attempt."""
    attempt = await world.ledger.intend(world.job, recipient)
    await world.ledger.arm(world.job, recipient, attempt)
    return attempt
