"""What crosses between an engine and a Dask worker: a batch there, its outcome or its exception back, as bytes."""

from __future__ import annotations

import pickle
import traceback
from collections.abc import Callable, Mapping
from contextlib import suppress
from dataclasses import dataclass, field, replace
from typing import Any, NoReturn, TypeAlias

import pyarrow as pa
from cryptography.hazmat.primitives.asymmetric.x25519 import X25519PrivateKey, X25519PublicKey
from cryptography.hazmat.primitives.ciphers.aead import ChaCha20Poly1305
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.kdf.hkdf import HKDF

from engine.durable.chunks import decode, encode
from engine.durable.contract import Batch, Done, JobParams, Process, Snooze

Doors: TypeAlias = Callable[[], Mapping[str, Any]]
"""Builds the doors of a process; pickled by reference, called once per worker."""


_NONCE = bytes(12)
"""Every message has a key of its own."""


@dataclass(frozen=True, slots=True)
class Sealed:
    """Bytes that logs and dashboards show nothing of."""

    payload: bytes = field(repr=False)


def lock(payload: bytes, recipient: bytes) -> Sealed:
    """The payload for the holder of the private key only (X25519, HKDF-SHA256, ChaCha20-Poly1305).

    Dask at log level DEBUG writes every message out, bytes and all: what holds secrets passes it locked.
    """
    mine = X25519PrivateKey.generate()
    shared = mine.exchange(X25519PublicKey.from_public_bytes(recipient))
    sender = mine.public_key().public_bytes_raw()
    return Sealed(sender + _cipher(shared, sender, recipient).encrypt(_NONCE, payload, None))


def unlock(sealed: Sealed, key: X25519PrivateKey) -> bytes:
    """The payload that was locked for this key."""
    sender, locked = sealed.payload[:32], sealed.payload[32:]
    shared = key.exchange(X25519PublicKey.from_public_bytes(sender))
    return _cipher(shared, sender, key.public_key().public_bytes_raw()).decrypt(_NONCE, locked, None)


def _cipher(shared: bytes, sender: bytes, recipient: bytes) -> ChaCha20Poly1305:
    return ChaCha20Poly1305(HKDF(SHA256(), 32, None, b"postbench order" + sender + recipient).derive(shared))


@dataclass(frozen=True, slots=True)
class Order:
    """What a worker needs to run a batch."""

    process: Process
    batch: Batch
    params: JobParams
    secrets: Mapping[str, str] = field(repr=False)

    def seal(self, worker: bytes) -> Sealed:
        """The order for the worker with that public key; one that cannot be pickled tells the worker why."""
        try:
            return lock(self._packed(), worker)
        except Exception as error:
            return lock(pack_error(error), worker)

    @classmethod
    def unseal(cls, sealed: Sealed, key: X25519PrivateKey) -> Order:
        """The order that was sealed for this key.

        Raises:
            Exception: what kept the engine from packing it.
        """
        order: Order = unpack(unlock(sealed, key))
        return order

    def _packed(self) -> bytes:
        """Rows go as Arrow IPC: pickled, a slice would take its whole chunk along."""
        rows = None if self.batch.rows is None else encode(self.batch.rows)
        return pickle.dumps((_order, self.process, replace(self.batch, rows=None), rows, self.params, dict(self.secrets)))


def pack_outcome(outcome: Done | Snooze) -> bytes:
    """An outcome as bytes."""
    if isinstance(outcome, Snooze):
        return pickle.dumps((Snooze, outcome.until, outcome.state, outcome.all))
    tallies = {chart: dict(counts) for chart, counts in outcome.tallies.items()}
    return pickle.dumps((_done, encode(outcome.rows), outcome.succeeded, outcome.failed, dict(outcome.counts), tallies))


def pack_error(error: BaseException) -> bytes:
    """An exception as bytes, with where it was raised as a note.

    It comes out with its type, arguments and attributes where these can be pickled, else as a RuntimeError that names them.
    """
    error.add_note("".join(traceback.format_exception(error)).rstrip())
    told = RuntimeError(f"{type(error).__name__}: {error}")
    kept: list[tuple[object, ...]] = [(_raise, error), (_raise_rebuilt, type(error), error.args, dict(error.__dict__))]
    for parts in kept if isinstance(error, Exception) else ():
        with suppress(Exception):
            packed = pickle.dumps(parts)
            if _comes_out(packed, error):
                return packed
    return pickle.dumps((_raise, told))


def unpack(packed: bytes) -> Any:
    """What was packed.

    Raises:
        Exception: the one that was packed.
    """
    make, *arguments = pickle.loads(packed)
    return make(*arguments)


def _order(process: Process, batch: Batch, rows: bytes | None, params: JobParams, secrets: Mapping[str, str]) -> Order:
    return Order(process, batch if rows is None else replace(batch, rows=decode(rows)), params, secrets)


def _done(rows: bytes, succeeded: int, failed: int, counts: dict[str, int], tallies: dict[str, dict[str, int]]) -> Done:
    table: pa.Table = decode(rows)
    return Done(table, succeeded, failed, counts, tallies)


def _raise(error: Exception) -> NoReturn:
    raise error


def _raise_rebuilt(kind: type[Exception], args: tuple[Any, ...], attributes: dict[str, Any]) -> NoReturn:
    """For exceptions whose `__init__` does not take what they keep as `args`."""
    error = kind.__new__(kind, *args)
    error.args = args
    error.__dict__.update(attributes)
    raise error


def _comes_out(packed: bytes, error: BaseException) -> bool:
    try:
        unpack(packed)
    except Exception as found:
        return type(found) is type(error) and str(found) == str(error)
    return False
