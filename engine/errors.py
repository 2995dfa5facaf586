"""Every error Postbench raises on purpose.

PostbenchError
├── InvalidInput            a value from outside is wrong; names the field and the remedy, never the value
│   └── SpaceTooSmall       fewer distinct addresses exist than were asked for
├── NotFound                no such job, address or schedule
├── WrongState              the job is in a state that does not allow the call
├── IdempotencyConflict     an Idempotency-Key came back with another body
├── Held                    the job cannot go on until somebody has looked: it is paused with this reason
├── LeaseLost               the job was cancelled, paused or taken over; whoever sees this stops writing
├── DiskFull                the disk is too full to go on safely
├── ForbiddenTarget         an outbound connection would reach a private or special address; names the address or the host
├── ConfigError             a setting is wrong or missing; names the setting
│   ├── DatabaseTooNew      the database was made by a newer version
│   └── UnsafeBind          a public address without a login or a token
└── ClientError             the Python client was answered with an error
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass


class PostbenchError(Exception):
    """Postbench could not do what was asked."""

    def __init__(self, message: str = "") -> None:
        super().__init__(message or (type(self).__doc__ or "").partition("\n")[0])


@dataclass(frozen=True, slots=True)
class Problem:
    """One thing wrong with an input: the field (camelCase path, `providers.0`) and a sentence with the remedy."""

    field: str
    message: str


class InvalidInput(PostbenchError):
    """The input is not valid."""

    def __init__(self, problems: Sequence[Problem]) -> None:
        self.problems = tuple(problems)
        super().__init__("; ".join(f"{p.field}: {p.message}" if p.field else p.message for p in self.problems))

    @classmethod
    def of(cls, field: str, message: str) -> InvalidInput:
        """The error for a single field."""
        return cls([Problem(field, message)])


class SpaceTooSmall(InvalidInput):
    """Fewer distinct addresses exist than were asked for."""

    def __init__(self, field: str, available: int, message: str) -> None:
        self.available = available
        super().__init__([Problem(field, message)])


class NotFound(PostbenchError):
    """There is no such thing."""


class WrongState(PostbenchError):
    """The job's state does not allow this."""


class IdempotencyConflict(PostbenchError):
    """This Idempotency-Key was used before with a different request; use a new key."""


class LeaseLost(PostbenchError):
    """The job is no longer this engine's to write."""


class Held(PostbenchError):
    """The job is paused until somebody has looked."""


class DiskFull(PostbenchError):
    """The disk is nearly full."""


class ForbiddenTarget(PostbenchError):
    """The target is not a public address, and private ones are not allowed."""


class ConfigError(PostbenchError):
    """A setting is wrong."""


class DatabaseTooNew(ConfigError):
    """The database was made by a newer Postbench; upgrade Postbench or restore an older copy."""


class UnsafeBind(ConfigError):
    """Refusing to listen on a public address without a login or an API token."""


class ClientError(PostbenchError):
    """The server answered with an error."""

    def __init__(self, status: int, code: str, message: str) -> None:
        self.status, self.code = status, code
        super().__init__(f"{message} (HTTP {status}, {code})")
