"""Secrets of jobs: encrypted, apart from the parameters, dropped when the job ends."""

from __future__ import annotations

import base64
import hashlib
import hmac
import os
import secrets as random
from collections.abc import Iterable, Mapping
from pathlib import Path

from cryptography.fernet import Fernet, InvalidToken
from sqlalchemy import Connection, delete, insert, select

from engine.durable.database import Database
from engine.durable.tables import secrets
from engine.errors import ConfigError

KEY_FILE = "secret.key"


class Vault:
    """Encrypts with a key from the settings, or from a 0600 file in the data folder made at first use."""

    def __init__(self, key: str) -> None:
        self._key = hashlib.sha256(b"postbench vault\0" + key.encode()).digest()
        self._fernet = Fernet(base64.urlsafe_b64encode(self._key))

    @classmethod
    def open(cls, configured: str | None, folder: Path) -> Vault:
        """The vault of this installation."""
        try:
            return cls(configured or _key_file(folder / KEY_FILE))
        except OSError as error:
            raise ConfigError(
                f"The key file {folder / KEY_FILE} cannot be used ({error.strerror}); "
                "set POSTBENCH_DATA_DIR to a folder that can be written, or set POSTBENCH_SECRET_KEY"
            ) from None

    def store(self, connection: Connection, job_id: str, values: Mapping[str, str]) -> None:
        """Keep the job's secrets, in the caller's transaction."""
        rows = [{"job_id": job_id, "name": name, "token": self._fernet.encrypt(value.encode())} for name, value in values.items()]
        if rows:
            connection.execute(insert(secrets), rows)

    def load(self, database: Database, job_id: str) -> dict[str, str]:
        """The job's secrets by name.

        Raises:
            ConfigError: they were encrypted with another key.
        """
        with database.read() as connection:
            rows = connection.execute(select(secrets.c.name, secrets.c.token).where(secrets.c.job_id == job_id)).all()
        try:
            return {row.name: self._fernet.decrypt(row.token).decode() for row in rows}
        except InvalidToken:
            raise ConfigError("POSTBENCH_SECRET_KEY is not the key that this job's secrets were stored with") from None

    def sign(self, purpose: str, text: str) -> str:
        """A signature of `text` that only this installation can make, hexadecimal."""
        return hmac.digest(self._key, f"{purpose}\0{text}".encode(), "sha256").hex()


def forget(connection: Connection, job_ids: Iterable[str]) -> None:
    """Drop the secrets of jobs that have ended."""
    connection.execute(delete(secrets).where(secrets.c.job_id.in_(list(job_ids))))


def _key_file(path: Path) -> str:
    """The key in the file; several processes may make it at once, and all get the same one."""
    if not path.exists():
        path.parent.mkdir(parents=True, exist_ok=True)
        draft = path.with_name(f".{path.name}.{random.token_hex(8)}")
        descriptor = os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
        with os.fdopen(descriptor, "w") as file:
            file.write(random.token_urlsafe(32) + "\n")
            file.flush()
            os.fsync(file.fileno())
        _publish(draft, path)
    key = path.read_text().strip()
    if not key:
        raise ConfigError(f"The key file {path} is empty; restore it from a backup, or delete it to make a new one")
    return key


def _publish(draft: Path, path: Path) -> None:
    """Give the draft its final name unless that exists by now."""
    try:
        os.link(draft, path)
    except FileExistsError:
        pass
    except OSError:  # a file system without hard links: the last of several first starts wins
        draft.replace(path)
    finally:
        draft.unlink(missing_ok=True)
