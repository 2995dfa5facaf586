"""Running a job again by call: once per Idempotency-Key."""

from __future__ import annotations

import hashlib

from sqlalchemy.exc import IntegrityError

from engine.durable import control
from engine.durable.queries import get
from engine.durable.submit import Submitted, known
from engine.workbench import Workbench


def rerun(bench: Workbench, job_id: str, key: str | None) -> Submitted:
    """A new job like this one, or the one that the same call made before."""
    digest = hashlib.sha256(f"rerun\0{job_id}".encode()).hexdigest()
    if key and (found := known(bench.database, key, digest)):
        return found
    job_type = bench.job_type(get(bench.database, job_id).type)
    try:
        defaults = bench.defaults(job_type)
        new = control.rerun(bench.database, bench.vault, job_id, job_type, defaults, (key, digest) if key else None)
    except IntegrityError:
        # Two calls with one key at once: the other won.
        if key and (found := known(bench.database, key, digest)):
            return found
        raise
    return Submitted(new, created=True)
