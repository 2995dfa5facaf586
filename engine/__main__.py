"""`python -m engine`: one engine process. Run as many as you like on one database.

Exit codes: 0 stopped on request or idle, 1 an unexpected error, 2 a wrong setting or argument.
"""

from __future__ import annotations

import argparse
import asyncio
import gc
import signal
import sys
from collections.abc import Sequence
from functools import partial
from importlib.abc import MetaPathFinder
from types import ModuleType

import pyarrow as pa

from engine.durable.database import Database
from engine.durable.migrate import open_database
from engine.durable.service import IDLE_SECONDS, Duty, EngineService, Options
from engine.durable.vault import Vault
from engine.errors import ConfigError
from engine.execution import make_executor
from engine.jobs import registry
from engine.logs import configure_logs
from engine.net.postbox_url import postbox
from engine.sending.bouncing import Bouncing, keep
from engine.sending.tidying import SECONDS, Tidying
from engine.settings import Settings, settings
from engine.version import VERSION


def main(arguments: list[str] | None = None) -> int:
    """Parse the arguments, run an engine, return the exit code."""
    options = _parser().parse_args(arguments)
    configure_logs()
    _keep_arrow_lean()
    _hand_over_quickly()
    try:
        asyncio.run(_serve(settings(), options.parent))
    except ConfigError as error:
        print(f"postbench engine: {error}", file=sys.stderr)
        return 2
    return 0


def _keep_arrow_lean() -> None:
    """Start sooner and stay smaller: no pandas, which Arrow imports at its first array (0.4 s, 50 MB) and an engine never uses.

    The system's allocator gives freed batches back to the machine; Arrow's own kept 100 MB more at 10 million rows.
    """
    pa.set_memory_pool(pa.system_memory_pool())
    hidden = _NoPandas()
    sys.meta_path.insert(0, hidden)
    pa.array([])
    sys.meta_path.remove(hidden)


def _hand_over_quickly() -> None:
    """Batches go from thread to thread: a shorter turn of the interpreter, and rarer collections of what is seldom garbage.

    With Python's own 5 ms a batch of known addresses spent most of its time waiting for its turn.
    """
    sys.setswitchinterval(0.0005)
    gc.freeze()
    gc.set_threshold(50_000, 20, 100)


class _NoPandas(MetaPathFinder):
    """Makes `import pandas` fail while Arrow looks for it; whoever imports it later gets it."""

    def find_spec(self, fullname: str, path: Sequence[str] | None, target: ModuleType | None = None) -> None:
        if fullname == "pandas":
            raise ModuleNotFoundError(fullname, name=fullname)


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="python -m engine",
        description="Runs Postbench's jobs. Settings come from POSTBENCH_* variables (see the README); "
        "SIGTERM or Ctrl-C stops cleanly: what is in flight is finished or given back.",
    )
    parser.add_argument("--version", action="version", version=f"postbench engine {VERSION}")
    parser.add_argument(
        "--parent", type=int, metavar="PID", help=f"end once idle for {IDLE_SECONDS:.0f} s after this process has gone"
    )
    return parser


async def _serve(configured: Settings, parent: int | None) -> None:
    database = open_database(configured.url)
    key = configured.secret_key.get_secret_value() if configured.secret_key else None
    vault = Vault.open(key, configured.data_dir)
    service = EngineService(
        database,
        vault,
        registry(),
        make_executor(configured.executor),
        Options(configured.concurrency, configured.retention_days, VERSION, parent),
        _further(configured, database, vault),
    )
    for number in (signal.SIGTERM, signal.SIGINT):
        asyncio.get_running_loop().add_signal_handler(number, service.stop)
    try:
        await service.run()
    finally:
        database.close()


def _further(configured: Settings, database: Database, vault: Vault) -> list[tuple[Duty, float]]:
    """What an engine of Postbench has to do besides running jobs."""
    duties: list[tuple[Duty, float]] = []
    if configured.retention_days:
        tidying = Tidying(configured.outbox, database, configured.retention_days)
        duties.append((tidying.tidy_outbox, SECONDS))
    if configured.bounce_url is not None:
        bouncing = Bouncing(postbox(configured.bounce_url.get_secret_value()), partial(keep, database), vault.sign)
        duties.append((bouncing.read_bounces, configured.bounce_seconds))
    return duties


if __name__ == "__main__":
    sys.exit(main())
