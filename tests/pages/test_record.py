"""A row of a result in full, below its table."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

import pytest

from pages.parts import rows
from pages.parts.columns import USUAL
from pages.parts.record import CHIP_CHARACTERS, told
from tests.pages.conftest import Hand, Visit, said

PAGE = "generate_emails.py"
BODY = "Dear Ann,\n\n" + "we have moved to <b>Quay Street</b>. " * 40 + "\n\nThe harbour"


def row(**values: Any) -> str:
    return told(values, USUAL, 7)


def test_texts_are_whole_and_no_markup() -> None:
    shown = row(subject="Moved", body=BODY)
    assert BODY.replace("<", "&lt;").replace(">", "&gt;") in shown
    assert '<div class="pb-whole">Moved</div>' in shown, "a column of sentences is one even where its text is short"


def test_what_is_short_is_a_chip_and_what_is_empty_is_left_out() -> None:
    shown = row(email="ann@example.com", score=0, synthetic=False, error=None, title="")
    for name, value in {"email": "ann@example.com", "score": "0", "synthetic": "no"}.items():
        assert f"<em>{name}</em>{value}<" in shown
    assert "<em>error" not in shown and "<em>title" not in shown
    assert "pb-pairs" not in shown


def test_any_long_cell_is_a_text() -> None:
    assert f'<div class="pb-whole">{"x" * (CHIP_CHARACTERS + 1)}</div>' in row(town="x" * (CHIP_CHARACTERS + 1))
    assert '<div class="pb-whole">a\nb</div>' in row(hosts=["a", "b"])


def test_the_row_is_named_with_its_status() -> None:
    shown = row(status="failed", at=datetime(2026, 3, 4, 5, 6, 7, tzinfo=UTC))
    assert "<b>Row 7</b>" in shown and "pb-is-failed" in shown
    assert "<em>at</em>4 Mar 2026, 05:06:07<" in shown and "<em>status" not in shown


def test_the_row_that_is_chosen_is_shown_below_the_table(hand: Hand, visit: Visit, monkeypatch: pytest.MonkeyPatch) -> None:
    job_id = hand.completed(60)
    app = visit(PAGE, job_id=job_id)
    assert "choose one to read it" in said(app) and "<b>Row " not in said(app)
    monkeypatch.setattr(rows, "_chosen", lambda key: 2)  # `AppTest` cannot click into a table
    shown = said(visit(PAGE, job_id=job_id, page="2"))
    third = hand.bench.results.page(job_id, hand.bench.types["generate-emails"].columns, 52, 1).table.to_pylist()[0]
    assert "<b>Row 53</b>" in shown and third["email"] in shown
    monkeypatch.setattr(rows, "_chosen", lambda key: 40)  # of a page that had more rows
    assert "<b>Row " not in said(visit(PAGE, job_id=job_id, page="2"))
