"""Templates that cannot be read: said in the words of those who write letters, never in the parser's."""

from __future__ import annotations

import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from engine.mail.message import Template, TemplateFlaw
from engine.mail.message.misspelt import UNREADABLE, in_our_words

FOREIGN = re.compile(r"jinja|token|statement|got '|expression|unexpected|encountered", re.IGNORECASE)
PIECES = "{{ }} {% %} {# #} x if endif elif else for in raw endraw ' \" | ( ) [ ] . , 1 is not @ ~ == with call block".split()


@pytest.mark.parametrize(
    ("source", "said"),
    [
        ("Dear {{ first name }},", "}} is missing before name; names have no spaces: {{ first_name }}"),
        ("Dear\n{{ name", "Line 2: }} is missing at the end"),
        ("{{ }}", "a name is missing before }}"),
        ("{% if %}x{% endif %}", "a name is missing before %}"),
        ("{{ name | }}", "a name is missing before }}"),
        ("{{ (name }}", ") is missing before }"),
        ("{% if name %}x", "{% if %} has no end; {% endif %} is missing"),
        ("x{% endif %}", "{% endif %} is not within {% if … %}"),
        ("{% iff name %}", "{% iff %} is not known"),
        ("{% if a %}{% iff b %}{% endif %}", "{% iff %} is not known"),
        ("{{ name | default('you) }}", "a text in quotes has no end"),
        ("{{ name @ }}", "@ does not belong here"),
        ("{{ name }}} {{ ) }}", ") does not belong here"),
        ("{# later", "{# has no end; #} is missing"),
        ("{% raw %}x", "{% raw %} has no end"),
        ("{% %}", "{% must be followed by if"),
        ("{{ name. }}", "after the dot a name is missing"),
    ],
)
def test_a_slip_is_told_by_what_stands_there(source: str, said: str) -> None:
    with pytest.raises(TemplateFlaw) as flaw:
        Template.of(source)
    assert said in str(flaw.value)
    assert not FOREIGN.search(str(flaw.value))


@given(st.lists(st.sampled_from(PIECES), max_size=8).map(" ".join))
def test_no_complaint_is_in_the_parsers_words(source: str) -> None:
    try:
        Template.of(source)
    except TemplateFlaw as flaw:
        assert not FOREIGN.search(str(flaw))


@given(st.text())
def test_any_complaint_has_words(complaint: str) -> None:
    assert in_our_words(complaint)
    assert in_our_words(f"can't assign to {complaint}") == UNREADABLE
