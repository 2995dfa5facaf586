"""The page of verified addresses: search, filter, page, details with history, forget, download."""

from __future__ import annotations

import pytest
from streamlit.testing.v1 import AppTest

from engine.durable import verdict_pages, verdicts
from engine.durable.verdicts import Fresh
from engine.errors import NotFound
from engine.workbench import Workbench
from tests.pages.conftest import Hand, Visit, address, clean, said

PAGE = "verified_emails.py"
DAY_MS = 86_400_000


def save(
    bench: Workbench, name: str, status: str = "valid", at: int = 0, job_id: str | None = None, service: str = "smtp"
) -> None:
    reason = {"valid": "mailbox_exists", "invalid": "mailbox_not_found", "risky": "catch_all", "unknown": "timeout"}[status]
    data = {"provider": "google", "detail": "It said <b>250</b>."}
    moment = 1_764_000_000_000 + at * DAY_MS
    verdicts.save(bench.database, [Fresh(name, status, reason, "mailbox", 90, data, moment, job_id, service)])


def shown(app: AppTest) -> list[str]:
    return list(app.dataframe[0].value["address"])


def links(app: AppTest) -> list[str]:
    return [link.proto.url for link in app.get("link_button")]


def test_nothing_known_leads_to_verifying(visit: Visit) -> None:
    assert "No address is known yet" in said(visit(PAGE))


def test_search_and_filter_come_from_the_address_and_reach_the_download(visit: Visit, bench: Workbench) -> None:
    save(bench, "ann@example.com")
    save(bench, "ben@example.com", "invalid")
    save(bench, "cay@other.org", "invalid")
    assert len(shown(visit(PAGE))) == 3
    assert shown(visit(PAGE, q="@example.com", status="invalid")) == ["ben@example.com"]
    assert "/api/verified-emails.csv?q=%40example.com&status=invalid" in links(visit(PAGE, q="@example.com", status="invalid"))
    assert "No address fits" in said(visit(PAGE, q="nobody"))


@pytest.mark.parametrize("typed", [" Ann@EXAMPLE.com ", "mailto:ann@example.com", "Ann <ann@example.com>"])
def test_a_whole_address_is_found_however_it_is_written(visit: Visit, bench: Workbench, typed: str) -> None:
    save(bench, "ann@example.com")
    assert shown(visit(PAGE, q=typed)) == ["ann@example.com"]


def test_pages_older_and_newer(visit: Visit, bench: Workbench) -> None:
    for number in range(30):
        save(bench, f"a{number}@example.com", at=number)
    app = visit(PAGE)
    assert "1 to 25 of 30 addresses" in said(app)
    clean(app.button(key="older").click().run())
    assert shown(app)[-1] == "a0@example.com"
    clean(app.button_group(key="status").set_value("invalid").run())
    assert not address(app, "from")


def test_a_broken_cursor_begins_at_the_newest(visit: Visit, bench: Workbench) -> None:
    save(bench, "ann@example.com")
    assert shown(visit(PAGE, **{"from": "broken"})) == ["ann@example.com"]


def test_an_address_is_told_with_its_history(visit: Visit, bench: Workbench, hand: Hand) -> None:
    job_id = hand.completed()
    save(bench, "ann@example.com", "unknown", job_id="gone" * 6)
    save(bench, "ann@example.com", at=1, job_id=job_id, service="dns")
    text = said(visit(PAGE, address="ann@example.com"))
    assert "<em>reason</em>mailbox exists" in text
    assert "It said &lt;b&gt;250&lt;/b&gt;." in text
    assert f'href="generate-emails?job_id={job_id}"' in text
    assert "gonegone" in text
    assert text.count("deleted</span>") == 1
    assert text.index("Domain (DNS)") < text.index("Mailbox (SMTP)")


def test_an_address_that_is_not_known_says_so(visit: Visit, bench: Workbench) -> None:
    assert "Nothing is known of this address" in said(visit(PAGE, address="<b>no</b>@x.de"))


def test_forgetting_asks_first(visit: Visit, bench: Workbench) -> None:
    save(bench, "ann@example.com")
    app = visit(PAGE, address="ann@example.com")
    clean(app.button(key="forget_ask").click().run())
    assert verdict_pages.get(bench.database, "ann@example.com").count == 1
    clean(app.button(key="forget_yes").click().run())
    with pytest.raises(NotFound):
        verdict_pages.get(bench.database, "ann@example.com")
    assert not address(app, "address")
    assert "No address is known yet" in said(app)
