"""Designs: what is the same for all messages, checked at once; and what one recipient reads."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from engine.errors import InvalidInput
from engine.mail.message import Design, RowFlaw, check, fill
from tests.mail.message.letters import POSTAL, URL, design


def test_all_flaws_are_told_at_once_by_field():
    with pytest.raises(InvalidInput) as caught:
        Design.of(
            sender="Ann <a@x.test>, Bob <b@x.test>",
            reply_to="nobody",
            subject="Hi {{ first_name",
            text="{% for a in b %}{% endfor %}",
            html="{{ x() }}",
            postal_address=" \n ",
        )
    told = {problem.field: problem.message for problem in caught.value.problems}
    assert list(told) == ["from", "replyTo", "subject", "text", "html", "postalAddress"]
    assert "more than one address" in told["from"]
    assert "{% for %}" in told["text"]


@pytest.mark.parametrize("subject", ["Hi\nBcc: x@y.test", "Hi\r\nthere", "Hi\0", "Hi\u2028there"])
def test_a_subject_is_one_line(subject):
    with pytest.raises(InvalidInput) as caught:
        design(subject=subject)
    assert [problem.field for problem in caught.value.problems] == ["subject"]


def test_what_is_left_out_is_read_from_a_list_of_drafts():
    drafts = design(subject=None, text=" ")
    assert drafts.names == drafts.required == {"subject", "body"}
    filled = fill(drafts, {"Subject": "One", "body": "Dear Ann,\n\nhello"}, URL)
    assert filled.subject == "One"
    assert filled.text.startswith("Dear Ann,\n\nhello\n")


def test_variables_that_are_always_there():
    made = design(subject="{{ email }}", text="{{ postal_address }} {{ unsubscribe_url }} {{ x }}")
    assert made.required == {"x"}
    filled = fill(made, {"x": 1, "unsubscribe_url": "https://evil.test", "email": "typed"}, URL, "ann@example.com")
    assert filled.subject == "ann@example.com"
    assert filled.text == f"{POSTAL} {URL} 1\n"


def test_a_text_that_names_them_itself_gets_no_footer():
    text = f"Hi\n{' '.join(POSTAL.split())}\nLeave: {{{{ unsubscribe_url }}}}"
    assert fill(design(text=text), {}, URL).text == f"Hi\n{' '.join(POSTAL.split())}\nLeave: {URL}\n"


def test_each_part_gets_the_lines_that_it_lacks():
    filled = fill(design(text="Hello\n\n", html="<html><body><p>Hello</p></body></html>"), {}, URL)
    assert filled.text == f"Hello\n\n{POSTAL}\nUnsubscribe: {URL}\n"
    assert filled.html is not None
    body = filled.html.partition("</body>")[0]
    assert "Sample Ltd<br>1 High Street<br>London<br>" in body
    assert f'<a href="{URL}">Unsubscribe</a>' in body


def test_a_part_that_has_the_link_gets_the_address_only():
    html = '<p>Hi</p><a href="{{ unsubscribe_url }}">leave</a>'
    filled = fill(design(html=html), {}, "https://x.test/?a=1&b=2")
    assert filled.html is not None
    assert filled.html.count("https://x.test/?a=1&amp;b=2") == 1
    assert "1 High Street" in filled.html


def test_text_is_made_from_html():
    filled = fill(design(html="<h1>News</h1><p>Hi {{ name }}</p>"), {"name": "A & B <i>"}, URL)
    assert filled.text == f"News\n\nHi A & B <i>\n\n{POSTAL}\nUnsubscribe ({URL})\n"


def test_styles_go_into_the_elements():
    html = (
        "<html><head><style>p { color: red } @media print { p { color: black } }</style></head><body><p>{{ x }}</p></body></html>"
    )
    filled = fill(design(html=html), {"x": "<"}, URL)
    assert filled.html is not None
    assert '<p style="color: red;">&lt;</p>' in filled.html
    assert "@media print" in filled.html


def test_no_style_sheet_is_fetched_or_read(tmp_path):
    sheet = tmp_path / "sheet.css"
    sheet.write_text("p { color: blue }")
    links = f'<link rel="stylesheet" href="{sheet.as_uri()}"><link rel="stylesheet" href="{sheet}"><link rel="stylesheet" href="http://127.0.0.1:9/x.css">'
    filled = fill(
        design(html=f"<head>{links}<style>@import '{sheet.as_uri()}'; p {{ margin: 0 }}</style></head><p>x</p>"), {}, URL
    )
    assert filled.html is not None
    assert "blue" not in filled.html
    assert "margin: 0" in filled.html


def test_html_has_its_bounds():
    with pytest.raises(InvalidInput, match="more than 10,000 tags"):
        design(html="<p>" * 10_001)
    with pytest.raises(RowFlaw, match="too many rules"):
        fill(design(html="<style>" + "p{margin:0}" * 3_000 + "</style>" + "<p>" * 3_000), {}, URL)


@pytest.mark.parametrize("break_", ["\r\n", "\n", "\r", "\0", "\x0b", "\x0c", "\x1d", "\x85", "\u2028", "\u2029"])
def test_a_value_can_not_break_the_subject(break_):
    with pytest.raises(RowFlaw, match="subject would have a line break"):
        fill(design(subject="Hi {{ name }}!"), {"name": f"Ann{break_}Bcc: victim@x.test"}, URL)


@pytest.mark.parametrize(("value", "told"), [("x" * 999, "more than 998"), ("", "has no value")])
def test_a_subject_has_its_bounds(value, told):
    with pytest.raises(RowFlaw, match=told):
        fill(design(subject="{{ name }}"), {"name": value}, URL)


def test_an_empty_subject_is_told():
    with pytest.raises(RowFlaw, match="empty"):
        fill(design(subject="{{ name | default('') }}"), {}, URL)


@pytest.mark.parametrize("row", [{}, {"a": 1}, {"a": 1, "b": 2}, {"a": "x\ny", "b": 2, "c": 3}, {"a": 1, "b": 2, "c": 3}])
def test_a_row_can_be_checked_before_it_is_filled(row):
    def outcome(make):
        try:
            make(design(subject="{{ a }}", text="{{ b }}", html="<p>{{ c }}</p>"), row, URL)
        except RowFlaw as flaw:
            return str(flaw)
        return ""

    assert outcome(check) == outcome(fill)
    assert bool(outcome(check)) == (row != {"a": 1, "b": 2, "c": 3})


@given(st.text(min_size=1))
def test_every_part_says_who_writes_and_how_to_leave(value):
    made = design(text="{{ x | default('-') }}", html="<p>{{ x | default('-') }}</p>")
    filled = fill(made, {"x": value}, URL)
    for part in (filled.text, filled.html or ""):
        assert URL in part
        assert "1 High Street" in part
        assert part.endswith("\n")
        assert "\r" not in part
