"""The page of suppressed addresses: search, filter, details, add, import, remove with a reason, download."""

from __future__ import annotations

from typing import Any

import pytest
from streamlit.testing.v1 import AppTest

from engine.durable import bounces, suppressions
from engine.durable.bounces import BounceIn
from engine.durable.suppressions import NewSuppression
from engine.errors import NotFound
from engine.workbench import Workbench
from tests.pages.conftest import Hand, Visit, address, clean, said

PAGE = "suppressions.py"


def suppress(bench: Workbench, *names: str, source: str = "manual", reason: str = "asked to", **more: Any) -> None:
    suppressions.add(bench.database, [NewSuppression(name.lower(), name, reason, source, **more) for name in names])


def shown(app: AppTest) -> list[str]:
    return list(app.dataframe[0].value["address"])


def links(app: AppTest) -> list[str]:
    return [link.proto.url for link in app.get("link_button")]


def paste(app: AppTest, text: str, why: str = "") -> AppTest:
    clean(app.button(key="add").click().run())
    clean(app.text_area(key="add_text").set_value(text).run())
    if why:
        clean(app.text_input(key="add_reason").set_value(why).run())
    return app


def test_nobody_suppressed_says_how_the_list_fills(visit: Visit) -> None:
    app = visit(PAGE)
    assert "Nobody is suppressed" in said(app) and not app.dataframe
    clean(app.button(key="first").click().run())
    assert app.text_area(key="add_text").value in (None, "")


def test_search_and_filter_come_from_the_address_and_reach_the_download(visit: Visit, bench: Workbench) -> None:
    suppress(bench, "ann@example.com", "cay@other.org")
    suppress(bench, "Ben@example.com", source="bounce")
    assert shown(visit(PAGE))[0] == "Ben@example.com" and len(shown(visit(PAGE))) == 3
    assert shown(visit(PAGE, q="@example", source="bounce")) == ["Ben@example.com"]
    assert "/api/suppressions.csv?q=%40example&source=bounce" in links(visit(PAGE, q="@example", source="bounce"))
    assert "No address fits" in said(visit(PAGE, q="nobody"))
    assert "3 in 30 days" in said(visit(PAGE)) and "1 in 30 days" in said(visit(PAGE))


@pytest.mark.parametrize("typed", [" J.Doe+x@GMAIL.com ", "mailto:jdoe@googlemail.com", "J <jdoe@gmail.com>"])
def test_a_whole_address_is_found_however_it_is_written(visit: Visit, bench: Workbench, typed: str) -> None:
    suppress(bench, "jdoe@gmail.com", "ann@x.org")
    assert shown(visit(PAGE, q=typed)) == ["jdoe@gmail.com"]


def test_pages_older_and_newer(visit: Visit, bench: Workbench) -> None:
    suppress(bench, *(f"a{n:02}@x.org" for n in range(30)))
    app = visit(PAGE)
    assert "1 to 25 of 30 addresses" in said(app)
    clean(app.button(key="older").click().run())
    assert len(shown(app)) == 5
    clean(app.button_group(key="source").set_value("manual").run())
    assert not address(app, "from") and len(shown(app)) == 25
    assert len(shown(visit(PAGE, **{"from": "broken"}))) == 25


def test_an_address_is_told_with_its_history_and_bounces(visit: Visit, bench: Workbench, hand: Hand) -> None:
    job_id = hand.completed()
    suppress(bench, "ann@x.org", source="unsubscribe", reason="left <b>us</b>", job_id=job_id)
    reports = [BounceIn("d1", "ann@x.org", 5_000, "soft", "4.2.2", "over <i>quota</i>")]
    bounces.record(bench.database, reports)
    text = said(visit(PAGE, address="ann@x.org"))
    assert "Left &lt;b&gt;us&lt;/b&gt;." in text and f'href="generate-emails?job_id={job_id}"' in text
    assert "over &lt;i&gt;quota&lt;/i&gt;" in text and "<em>soft bounces</em>1" in text and "4.2.2" in text


def test_an_address_that_was_removed_tells_why(visit: Visit, bench: Workbench) -> None:
    suppress(bench, "ann@x.org", "bob@x.org")
    suppressions.remove(bench.database, ["ann@x.org"], "a new mailbox", "manual")
    text = said(visit(PAGE, q="Ann@x.org"))
    assert "gets mail" in text and "a new mailbox" in text
    assert "It was never on the list" in said(visit(PAGE, address="<b>no</b>@x.de"))


def test_adding_says_what_was_new_known_and_no_address(visit: Visit, bench: Workbench) -> None:
    suppress(bench, "ann@x.org", reason="first")
    app = paste(visit(PAGE), "ann@x.org\nJ.Doe@gmail.com\nno@address@at.all\njdoe@gmail.com", "asked by phone")
    text = said(app)
    assert "<em>different addresses</em>2" in text and "<em>repeated</em>1" in text and "<em>not an address</em>1" in text
    assert app.button(key="add_go").label == "Add 2 addresses"
    clean(app.button(key="add_go").click().run())
    assert app.toast[0].value == "1 new, 1 known already, 1 no addresses"
    found = suppressions.get(bench.database, "jdoe@gmail.com")
    assert (found.shown, found.reason, found.source) == ("J.Doe@gmail.com", "asked by phone", "manual")
    assert suppressions.get(bench.database, "ann@x.org").reason == "first"
    assert not app.text_area, "the panel is closed"


def test_a_list_may_say_why_row_by_row(visit: Visit, bench: Workbench) -> None:
    app = paste(visit(PAGE), "email,reason\nann@x.org,spam trap\nbob@x.org,\n")
    clean(app.button(key="add_go").click().run())
    found = suppressions.find(bench.database, ["ann@x.org", "bob@x.org"])
    assert {key: entry.reason for key, entry in found.items()} == {"ann@x.org": "spam trap", "bob@x.org": "added by hand"}


def test_a_file_is_imported(visit: Visit, bench: Workbench) -> None:
    app = visit(PAGE)
    clean(app.button(key="add").click().run())
    clean(app.button_group(key="add_way").set_value("upload").run())
    rows = b"name;mail;other\nAnn;ann@x.org;a@y.org\nBob;;b@y.org\nCay;cay@x.org;\n"
    clean(app.file_uploader(key="add_file").set_value(("gone.csv", rows, "text/csv")).run())
    clean(app.selectbox(key="add_column").set_value("mail").run())
    assert "<em>empty cells</em>1" in said(app)
    clean(app.button(key="add_go").click().run())
    found = suppressions.page(bench.database).entries
    assert {(one.address, one.source) for one in found} == {("ann@x.org", "import"), ("cay@x.org", "import")}


def test_nothing_to_add_cannot_be_added(visit: Visit, bench: Workbench) -> None:
    app = paste(visit(PAGE), "nothing here")
    assert app.button(key="add_go").disabled
    clean(app.button(key="add_close").click().run())
    assert not app.text_area and suppressions.page(bench.database).total == 0


def test_removing_asks_why(visit: Visit, bench: Workbench) -> None:
    suppress(bench, "ann@x.org")
    app = visit(PAGE, address="ann@x.org")
    clean(app.button(key="remove_ask").click().run())
    clean(app.button(key="remove_yes").click().run())
    assert "say why" in said(app) and list(suppressions.find(bench.database, ["ann@x.org"]))
    clean(app.text_input(key="remove_reason").set_value(" a new mailbox ").run())
    clean(app.button(key="remove_yes").click().run())
    with pytest.raises(NotFound):
        suppressions.get(bench.database, "ann@x.org")
    assert suppressions.history(bench.database, "ann@x.org")[0].reason == "a new mailbox"
    assert not address(app, "address") and app.toast[0].value == "1 address may get mail again"
    assert "Nobody is suppressed" in said(app)


def test_leaving_it_leaves_it(visit: Visit, bench: Workbench) -> None:
    suppress(bench, "ann@x.org")
    app = visit(PAGE, address="ann@x.org")
    clean(app.button(key="remove_ask").click().run())
    clean(app.button(key="remove_no").click().run())
    assert "from the list?" not in said(app) and shown(app) == ["ann@x.org"]
