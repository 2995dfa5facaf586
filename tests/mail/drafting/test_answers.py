"""JSON is found wherever a model puts it, and nothing else is taken for it."""

from __future__ import annotations

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from engine.mail.drafting import Unreadable, json_in
from engine.mail.drafting.answers import MAX_CHARS

DRAFT = {"subject": "Hi {you}", "body": 'Line "one"\n\n```\nnot a fence\n```'}
TEXT = json.dumps(DRAFT)
JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(), lambda inner: st.lists(inner) | st.dictionaries(st.text(), inner)
)


@pytest.mark.parametrize(
    "answer",
    [
        TEXT,
        f"\n  {TEXT}\n",
        f"```json\n{TEXT}\n```",
        f"```\n{TEXT}\n```",
        f"Sure! Here is the draft you asked for:\n\n{TEXT}\n\nLet me know {{if}} you need more.",
        f'<think>{{"subject": "a thought"}} hm</think>\n{TEXT}',
        f'Here is the schema {{"type": "object"}} and the answer {TEXT}',
        f"[1, 2] {TEXT}",
        f'Hm, {{"subject": "a thought", "body": "x"}}?</think>\n{TEXT}',
        f"[THINK]So: {{}}[/THINK]{TEXT}",
        f"[{TEXT}]",
        f'{{"draft": {TEXT}}}',
    ],
)
def test_an_object_is_found_bare_fenced_and_among_words(answer):
    assert json_in(answer, "subject") == DRAFT


@pytest.mark.parametrize(
    "answer", ["", "   ", "I cannot do that.", '{"subject": "cut o', "{subject: 1}", '{"a": NaN}', "<think>{}</think>"]
)
def test_what_is_no_json_is_unreadable(answer):
    with pytest.raises(Unreadable):
        json_in(answer, "subject")


def test_thoughts_that_were_cut_off_are_no_answer():
    with pytest.raises(Unreadable, match="amid thoughts"):
        json_in(f"<think>Perhaps {TEXT}, but", "subject")


def test_a_mark_of_thoughts_inside_of_the_answer_is_text():
    assert json_in('{"subject": "Tags", "body": "</think> ends thoughts"}', "subject")["body"] == "</think> ends thoughts"


def test_line_breaks_that_are_not_escaped_are_read_as_meant():
    assert json_in('{"subject": "x", "body": "Hi,\n\n\tbye"}', "subject")["body"] == "Hi,\n\n\tbye"


def test_without_the_key_the_first_value_is_given():
    assert json_in('x [{"first_name": "Ann"}] {"b": 1}', "contacts") == [{"first_name": "Ann"}]


@pytest.mark.parametrize("hostile", ["{" * 100_000, '{"a":' * 20_000, "[" * 100_000, '{"a"' * 40_000])
def test_hostile_answers_cost_little_and_are_unreadable(hostile):
    with pytest.raises(Unreadable):
        json_in(hostile, "subject")


def test_an_endless_answer_is_not_looked_through():
    with pytest.raises(Unreadable, match="longer than"):
        json_in(TEXT + " " * MAX_CHARS, "subject")


@given(
    st.text(alphabet=st.characters(exclude_characters="{[<", exclude_categories=["Cs"])),
    st.dictionaries(st.text(), JSON),
    st.text(),
)
def test_any_object_is_found_among_any_words(before, value, after):
    value = {**value, "subject": "here"}
    assert json_in(before + json.dumps(value) + after, "subject") == value


@given(st.text())
def test_any_text_gives_a_value_or_is_unreadable(text):
    try:
        json_in(text, "subject")
    except Unreadable as error:
        assert str(error)
