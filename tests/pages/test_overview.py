"""The overview and the system page."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

import pytest
from streamlit.testing.v1 import AppTest

from engine.durable import engines
from engine.durable.contract import LAST
from engine.workbench import Workbench
from pages.parts import catalog
from tests.pages.conftest import ROUTER, Hand, Visit, clean, labels, said


def test_a_new_installation_leads_to_the_first_job(visit: Visit) -> None:
    app = visit("overview.py")
    assert "Nothing has run here yet" in said(app)
    assert "No engine is alive" in said(app)
    clean(app.button(key="first_job").click().run())
    assert app.text_input(key="generate_pattern").value


def test_counts_throughput_and_recent_jobs(hand: Hand, visit: Visit) -> None:
    hand.completed(10)
    hand.submit(5)
    app = visit("overview.py")
    assert "10 items in 10 min" in said(app)
    assert [cell[0] for cell in app.dataframe[0].value["status"]] == ["pending", "completed"]
    assert "alive" in said(app)


def test_every_job_type_with_a_page_is_offered(bench: Workbench, visit: Visit) -> None:
    shown = labels(visit("overview.py"), "page_link")
    assert shown == [f"**{job_type.title}**" for job_type in sorted(bench.types.values(), key=lambda found: found.place)]
    assert {"**Find e-mails**", "**Send e-mails**", "**Verify e-mails**"} <= set(shown)


def test_system_marks_engines_that_stopped(hand: Hand, visit: Visit) -> None:
    engines.unregister(hand.database, hand.engine)
    app = visit("system.py")
    assert "pb-is-stopped" in said(app)
    assert "no engine alive" in said(app)


@pytest.mark.parametrize("secret", ["hunter2-hunter2"])
def test_system_masks_secrets(configure: Callable[..., Workbench], secret: str) -> None:
    configure(secret_key=secret)
    app = clean(AppTest.from_file(ROUTER, default_timeout=120).run())
    clean(app.switch_page("system.py").run())
    assert "POSTBENCH_SECRET_KEY" in said(app)
    assert secret not in said(app)
    assert "SQLite" in said(app)


def test_tools_stand_in_the_order_of_their_places(bench: Workbench, monkeypatch: pytest.MonkeyPatch) -> None:
    names = [job_type.name for job_type in catalog.shown(bench)]
    assert names[0] == "generate-emails" and names[-1] == "send-emails" and len(names) == len(bench.types)
    moved = {**bench.types, "send-emails": replace(bench.types["send-emails"], place=1)}
    moved["find-emails"] = replace(moved["find-emails"], place=LAST)
    moved["ai-generate"] = replace(moved["ai-generate"], place=LAST)
    names = [job_type.name for job_type in catalog.shown(replace(bench, types=moved))]
    assert names[0] == "send-emails" and names[-2:] == ["ai-generate", "find-emails"]
