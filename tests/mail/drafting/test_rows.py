"""What a model wrote is taken only where it is what a row may hold."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from engine.mail.drafting import Contact, Draft, read_contacts, read_draft
from engine.mail.drafting.contacts import contacts_schema
from engine.mail.drafting.drafts import draft_schema
from engine.mail.drafting.texts import addresses_in, blanks_in

ANN = {"first_name": "Ann", "last_name": "Hill", "title": "Buyer", "company": "Hill Ltd", "note": "Buys chairs."}
BEN = {**ANN, "first_name": "Ben", "last_name": "Ray"}


def test_good_contacts_are_taken_in_the_order_of_the_items():
    taken = read_contacts({"contacts": [ANN, BEN]}, [10, 12], ())
    assert (taken.contacts[10].first_name, taken.contacts[12].last_name, taken.problems) == ("Ann", "Ray", [])


@pytest.mark.parametrize(
    "value", [[ANN], {"contacts": [ANN]}, ANN, {"contacts": [{**ANN, "email": "x@y.com", "role": "admin"}]}, {"people": [ANN]}]
)
def test_other_forms_and_further_keys_do_no_harm(value):
    taken = read_contacts(value, [0], ())
    assert taken.contacts[0] == Contact(**ANN) and not taken.problems


@pytest.mark.parametrize(
    ("change", "said"),
    [
        ({"first_name": ""}, "contacts.0.first_name: is empty"),
        ({"last_name": "…"}, "must be a name with letters"),
        ({"title": None}, "contacts.0.title: must be a text"),
        ({"company": "Acme (ann@acme.com)"}, "must not hold an e-mail address"),
        ({"title": "Buyer ann.hill@acme.com"}, "must not hold an e-mail address"),
        ({"note": "write to ann@acme.com"}, "must not hold an e-mail address"),
        ({"title": "a\nb"}, "must be one line"),
        ({"title": "a\x00b"}, "control character U+0000"),
        ({"company": "Acme \u202egnp.exe"}, "control character U+202E"),
        ({"company": "x" * 121}, "at most 120"),
        ({"title": "[Title]"}, "to be filled in"),
        ({"company": "{{ company }}"}, "to be filled in"),
    ],
)
def test_a_contact_that_cannot_be_used_leaves_its_item_open_and_says_why(change, said):
    taken = read_contacts({"contacts": [{**ANN, **change}, BEN]}, [0, 1], ())
    assert list(taken.contacts) == [1]
    assert any(said in problem for problem in taken.problems), taken.problems


def test_missing_and_repeated_people_are_told_and_more_are_left_out():
    assert "has 1 entries, and 2 were asked for" in read_contacts({"contacts": [ANN]}, [0, 1], ()).problems[0]
    assert "given before" in read_contacts({"contacts": [ANN, ANN]}, [0, 1], ()).problems[0]
    assert "given before" in read_contacts({"contacts": [ANN]}, [1], {("ann", "hill")}).problems[0]
    assert list(read_contacts({"contacts": [ANN, BEN]}, [0], ()).contacts) == [0]
    numbered = [{**ANN, "first_name": f"Contact {n}", "last_name": "Test"} for n in (1, 2)]
    assert list(read_contacts({"contacts": numbered}, [0, 1], ()).contacts) == [0, 1]
    assert read_contacts("no", [0], ()).problems and read_contacts({"contacts": ["x"]}, [0], ()).problems


def test_a_draft_is_taken_with_its_line_breaks():
    draft = read_draft({"subject": " Hello ", "body": "Hi Ann,\r\n\r\nbye\rnow\n"}, ())
    assert draft == Draft(subject="Hello", body="Hi Ann,\n\nbye\nnow")


@pytest.mark.parametrize(
    ("change", "said"),
    [
        ({"subject": "a\r\nBcc: x@y.com"}, "must be one line"),
        ({"subject": "a\u2028b"}, "control character U+2028"),
        ({"subject": ""}, "subject: is empty"),
        ({"subject": "\ud800"}, "subject: must be a text"),
        ({"subject": "x" * 201}, "at most 200 characters"),
        ({"subject": ["x"]}, "subject: must be a text"),
        ({"body": " "}, "body: is empty"),
        ({"body": "x" * 10_001}, "at most 10000 characters"),
        ({"body": "a\x1bb"}, "control character U+001B"),
        ({"body": "Dear [Your Name]"}, "to be filled in"),
        ({"body": "Dear {{ first_name }}"}, "to be filled in"),
        ({"body": "{% for x in y %}"}, "to be filled in"),
        ({"body": "Write to Bob@Evil.example!"}, "neither in the brief nor in the data"),
    ],
)
def test_a_draft_that_cannot_be_used_is_refused_with_the_reason(change, said):
    problems = read_draft({"subject": "Hello", "body": "Hi", **change}, {"ann@good.example"})
    assert isinstance(problems, list) and any(said in problem for problem in problems), problems


def test_an_address_of_the_brief_or_the_data_may_be_named():
    assert isinstance(read_draft({"subject": "Hi", "body": "Write to Ann@Good.example."}, {"ann@good.example"}), Draft)


@pytest.mark.parametrize("value", [None, [], "text", 3, {"body": "x"}])
def test_what_is_no_draft_is_refused(value):
    assert isinstance(read_draft(value, ()), list)


@given(st.dictionaries(st.sampled_from(["subject", "body", "x"]), st.text() | st.none() | st.integers()))
def test_a_draft_that_is_taken_can_be_sent(value):
    draft = read_draft(value, ())
    if isinstance(draft, Draft):
        assert draft.subject.strip() and "\n" not in draft.subject and "\r" not in draft.subject + draft.body
        assert draft.body.encode() and not addresses_in(draft.body) and not blanks_in(draft.body)


def test_brackets_that_are_no_blanks_are_text():
    assert blanks_in("[1] see [our terms], <b>, a {curly} and 3 < 4 > 2, names[0]") == []


def test_schemas_are_strict_all_through():
    for schema in (contacts_schema(3)["properties"]["contacts"]["items"], contacts_schema(3), draft_schema()):
        assert schema["required"] == list(schema["properties"]) and schema["additionalProperties"] is False
