"""The job types: one module each. A module that defines TYPE is a job type; nothing else registers it."""

from __future__ import annotations

import importlib
import pkgutil
from collections.abc import Mapping
from functools import cache
from types import MappingProxyType

from engine.durable.contract import JobType


@cache
def registry() -> Mapping[str, JobType]:
    """Every job type by its name."""
    modules = [importlib.import_module(f"{__name__}.{found.name}") for found in pkgutil.iter_modules(__path__)]
    types = [JobType.from_module(module) for module in modules if hasattr(module, "TYPE")]
    return MappingProxyType({job_type.name: job_type for job_type in sorted(types, key=lambda t: t.name)})
