"""What is written without a model: usable rows, the same every time, and plainly no work of a model."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from engine.mail.address import Address, parse
from engine.mail.drafting import TEMPLATE_MODEL, Length, Style, is_made_up, template_contacts, template_draft

BRIEF = "Invite them to the open day on 3 May. There is coffee."


def test_people_differ_and_are_the_same_whichever_slice_is_made():
    whole = template_contacts(BRIEF, 300, 7, 0, 300)
    assert template_contacts(BRIEF, 300, 7, 120, 140) == whole[120:140]
    assert len({one.email for one in whole}) == 300
    assert len({(one.contact.first_name, one.contact.last_name) for one in whole}) == 300
    assert all(isinstance(parse(one.email), Address) and is_made_up(one.email) for one in whole)
    assert template_contacts(BRIEF, 300, 8, 0, 3) != whole[:3]


def test_a_draft_is_the_brief_as_a_letter():
    draft = template_draft(BRIEF, {"First Name": "Ann", "Company": "Hill Ltd"}, 0, Style())
    assert draft.subject == "Invite them to the open day on 3 May"
    assert draft.body == f"Hello Ann,\n\nI am writing to you at Hill Ltd.\n\n{BRIEF}\n\nBest regards"
    assert "Hill Ltd" not in template_draft(BRIEF, {"company": "Hill Ltd"}, 0, Style(length=Length.SHORT)).body
    assert template_draft(BRIEF, {"email": "a@b.test"}, 0, Style()).body.startswith("Hello,\n")


@given(st.text(min_size=1), st.dictionaries(st.text(), st.text() | st.none()), st.integers(0, 10**9))
def test_any_brief_and_row_give_one_line_and_a_text(brief, row, number):
    draft = template_draft(brief, row, number, Style())
    assert draft.subject and len(draft.subject) <= 78 and not set(draft.subject) & set("\r\n") and draft.body


def test_its_model_says_that_it_is_none():
    assert TEMPLATE_MODEL == "template, not AI"
