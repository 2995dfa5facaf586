"""Which job types have a page, where it is, and how to get to a job."""

from __future__ import annotations

from pathlib import Path

import streamlit as st

from engine.durable.contract import JobType
from engine.durable.tables import Job
from engine.workbench import Workbench, workbench

FOLDER = Path(__file__).parent.parent


def script(type_name: str) -> str:
    """The page file of a job type, relative to the router."""
    return f"{type_name.replace('-', '_')}.py"


def shown(bench: Workbench) -> list[JobType]:
    """The job types that have a page, by their places, then by name."""
    found = [job_type for job_type in bench.types.values() if (FOLDER / script(job_type.name)).is_file()]
    return sorted(found, key=lambda job_type: (job_type.place, job_type.name))


def easiest(bench: Workbench) -> list[JobType]:
    """The job types with a page, those first that need no list."""
    return sorted(shown(bench), key=lambda found: found.source != "none")


def title(type_name: str) -> str:
    """A job type's title; its name when this version does not know it."""
    found = workbench().types.get(type_name)
    return found.title if found else type_name


def about(job_type: JobType) -> str:
    """The summary without the title it begins with."""
    text = job_type.summary.partition(": ")[2] or job_type.summary
    return text[:1].upper() + text[1:]


def icon(job_type: JobType) -> str:
    """The icon as Streamlit wants it."""
    name = job_type.icon
    return name if name.startswith(":") else f":material/{name}:"


def link(job: Job) -> str:
    """The absolute address that opens this job in any browser."""
    return f"{workbench().settings.base_url}/{job.type}?job_id={job.id}"


def open_job(job_type: str, job_id: str) -> None:
    """Go to the page of a job."""
    st.switch_page(script(job_type), query_params={"job_id": job_id})
