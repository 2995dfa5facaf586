"""Which executor the settings ask for, and the doors that batches get."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from engine.durable.executor import Executor, LocalExecutor


def doors() -> Mapping[str, Any]:
    """The doors to the outside by name; a job type takes the ones it needs."""
    return {}


def make_executor(setting: str) -> Executor:
    """The executor for `POSTBENCH_EXECUTOR`."""
    if setting == "local":
        return LocalExecutor(doors())
    from engine.durable.dask_executor import DaskExecutor

    return DaskExecutor.connect(setting.removeprefix("dask://"), doors)
