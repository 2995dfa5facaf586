"""The web process's way to the machinery: one database, vault and registry that the pages and the API share."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache

from engine.durable.contract import JobType
from engine.durable.database import Database
from engine.durable.migrate import open_database
from engine.durable.results import Results
from engine.durable.vault import Vault
from engine.errors import InvalidInput
from engine.jobs import registry
from engine.settings import Settings, settings


@dataclass(frozen=True)
class Workbench:
    """Everything a request or a page needs."""

    settings: Settings
    database: Database
    vault: Vault
    types: Mapping[str, JobType]
    results: Results

    @classmethod
    def open(cls, configured: Settings, types: Mapping[str, JobType] | None = None) -> Workbench:
        """Open the database (migrating it) and the key.

        Raises:
            ConfigError: a setting is wrong, or the database cannot be used.
        """
        database = open_database(configured.url)
        secret = configured.secret_key.get_secret_value() if configured.secret_key else None
        vault = Vault.open(secret, configured.data_dir)
        return cls(configured, database, vault, registry() if types is None else types, Results(database))

    def job_type(self, name: str) -> JobType:
        """The job type of that name.

        Raises:
            InvalidInput: there is none.
        """
        found = self.types.get(name)
        if found is None:
            raise InvalidInput.of("type", f"must be one of {', '.join(self.types)}")
        return found

    def defaults(self, job_type: JobType) -> dict[str, str]:
        """The server's own values of a type's secret fields, as far as it has them."""
        values = {name: getattr(self.settings, setting) for name, setting in job_type.params.server_secrets.items()}
        return {name: value.get_secret_value() for name, value in values.items() if value is not None}

    def values(self, job_type: JobType) -> dict[str, str]:
        """The server's own values of a type's other fields, as far as it has them."""
        values = {name: getattr(self.settings, setting) for name, setting in job_type.params.server_values.items()}
        return {name: str(value) for name, value in values.items() if value not in (None, "")}


@cache
def workbench() -> Workbench:
    """This process's workbench, opened at first use."""
    return Workbench.open(settings())
