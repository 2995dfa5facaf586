"""Templates: what they say for a row, what a row must have, and what an author is refused."""

from __future__ import annotations

import pickle
from datetime import UTC, date, datetime
from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from engine.mail.message import RowFlaw, Template, TemplateFlaw
from engine.mail.message.filters import FILTERS
from engine.mail.message.grammar import MAX_NODES, MAX_SOURCE


def said(source: str, html: bool = False, **values: object) -> str:
    return Template.of(source, html).render(values)


@pytest.mark.parametrize(
    ("source", "values", "text"),
    [
        ("Hello {{ first_name }}!", {"first_name": "Ann"}, "Hello Ann!"),
        ("Hello {{ first_name }}!", {"First Name": "Ann"}, "Hello Ann!"),
        ("{{ e_mail }}", {"E-Mail": "a@b.test"}, "a@b.test"),
        ("{{ column_2024_total }}", {"2024 total": 7}, "7"),
        ("{{ straße }}", {"STRASSE": "x"}, "x"),
        ("{{ name }}", {"NAME": "alias", "name": "exact"}, "exact"),
        ('{{ name | default("there") }}', {}, "there"),
        ('{{ name | default("there") }}', {"name": "  "}, "there"),
        ('{{ name | default("") }}!', {"name": None}, "!"),
        ("{{ nick | default(name) | upper }}", {"name": "ann"}, "ANN"),
        ('{{ name or "there" }}', {"name": ""}, "there"),
        ('{{ "Dr. " if doctor }}{{ name }}', {"name": "Ann", "doctor": True}, "Dr. Ann"),
        ('{{ "Dr. " if doctor }}{{ name }}', {"name": "Ann"}, "Ann"),
        ("{% if vip %}\nThanks\n{% elif new %}\nWelcome\n{% else %}\nHi\n{% endif %}\n.", {"new": 1}, "Welcome\n."),
        ("{% if age and age > 17 %}adult{% else %}young{% endif %}", {"age": 18}, "adult"),
        ("{% if age and age > 17 %}adult{% else %}young{% endif %}", {}, "young"),
        ('{% if country in ["DE", "AT"] %}Servus{% endif %}', {"country": "AT"}, "Servus"),
        ('{% if country not in ["DE", "AT"] %}Hi{% endif %}', {}, "Hi"),
        ('{% if "x" in name %}x{% else %}-{% endif %}', {}, "-"),
        ('{% if not (plan == "free") and -1 < 0 <= 0 %}paid{% endif %}', {"plan": "pro"}, "paid"),
        ("{{ name is defined }}, {{ name is not defined }}", {"name": "x"}, "yes, no"),
        (
            "{{ company.name }} {{ company['Zip Code'] }} {{ tags[0] }}",
            {"company": {"name": "X", "Zip Code": 1}, "tags": ["a"]},
            "X 1 a",
        ),
        ("{{ name | title | truncate(8) }}", {"name": "ann marie smith"}, "Ann..."),
        ('{{ name | replace("a", "b") | trim | capitalize }}', {"name": " aXa "}, "Bxb"),
        ("{{ total | float | round(2) }}/{{ total | int }}", {"total": "3.14159"}, "3.14/3"),
        ("{{ n | int(0) }}", {"n": "many"}, "0"),
        ('{{ tags | join(" + ") }}, {{ tags | first }}, {{ tags | length }}', {"tags": ["a", "b"]}, "a + b, a, 2"),
        ("https://x.test/?q={{ name | urlencode }}", {"name": "Ann & Bob/ü"}, "https://x.test/?q=Ann%20%26%20Bob%2F%C3%BC"),
        ("{# a note #}{% raw %}{{ as it is }}{% endraw %}", {}, "{{ as it is }}"),
        ("no variables\r\nat all", {}, "no variables\nat all"),
    ],
)
def test_what_a_row_reads(source, values, text):
    assert Template.of(source).render(values) == text


@pytest.mark.parametrize(
    ("value", "text"),
    [
        (12, "12"),
        (12.0, "12"),
        (0.1, "0.1"),
        (Decimal("1.50"), "1.50"),
        (Decimal("1E+3"), "1000"),
        (True, "yes"),
        (False, "no"),
        (date(2031, 5, 6), "2031-05-06"),
        (datetime(2031, 5, 6, tzinfo=UTC), "2031-05-06"),
        (datetime(2031, 5, 6, 7, 8, tzinfo=UTC), "2031-05-06 07:08"),
        (["a", 2, None], "a, 2"),
        ("\ud800", "?"),
    ],
)
def test_values_are_written_as_people_write_them(value, text):
    assert said("{{ x }}", x=value) == text


def test_html_escapes_every_value():
    assert (
        said("<b>{{ x }}</b>{{ x | escape }}", html=True, x="<i>&\"'")
        == "<b>&lt;i&gt;&amp;&#34;&#39;</b>&lt;i&gt;&amp;&#34;&#39;"
    )
    assert said("{{ x | escape | upper }}", html=True, x="<i>") == "&lt;I&gt;"
    assert said('{{ y | default("<i>") }}', html=True) == "&lt;i&gt;"
    assert said("<b>{{ x }}</b>", x="<i>") == "<b><i></b>"


@pytest.mark.parametrize(
    ("source", "values"),
    [
        ("{{ first_name }}", {}),
        ("{{ first_name }}", {"first_name": None}),
        ("{{ first_name }}", {"First Name": ""}),
        ("{{ first_name }}", {"first_name": float("nan")}),
        ("{{ first_name }}", {"first_name": Decimal("sNaN")}),
        ("{{ first_name | upper }}", {}),
        ("{{ first_name | default(first_name) }}", {}),
        ("{% if first_name > 3 %}x{% endif %}", {}),
        ("{{ x | replace('a', first_name) }}", {"x": "a"}),
    ],
)
def test_a_missing_value_is_named_with_the_remedy(source, values):
    with pytest.raises(RowFlaw, match=r"\{\{ first_name \}\} has no value.*\{\{ first_name \| default\("):
        Template.of(source).render(values)


@pytest.mark.parametrize(
    ("source", "values", "told"),
    [
        ("{{ company.name }}", {"company": "X"}, "company.name"),
        ("{{ company.name }}", {}, "company.name"),
        ("{{ x }}", {"x": {"a": 1}}, "group of values"),
        ("{{ x }}", {"x": object()}, "no text"),
        ("{{ x }}", {"x": b"bytes"}, "no text"),
        ("{{ x }}", {"x": 10**5000}, "too large"),
        ("{{ x }}", {"x": "a" * 200_001}, "more than 200,000"),
        ("{{ x }}{{ x }}{{ x }}", {"x": "a" * 200_000}, "more than 500,000"),
        ("{{ x | replace('a', y) }}", {"x": "a" * 1000, "y": "b" * 1000}, "would make more"),
        ("{{ x | truncate(y) }}", {"x": "a", "y": 10**9}, "up to 200,000"),
        ("{{ x | int }}", {"x": "many"}, "need a number"),
        ("{{ x | int }}", {"x": float("inf")}, "whole number"),
        ("{{ x | round }}", {"x": float("inf")}, "no end"),
        ("{% if x > 3 %}{% endif %}", {"x": "4"}, "can't be compared"),
        ("{% if x in 3 %}{% endif %}", {"x": "4"}, "can't be compared"),
    ],
)
def test_a_row_that_does_not_fit_is_explained(source, values, told):
    with pytest.raises(RowFlaw, match=told):
        Template.of(source).render(values)


def test_a_flaw_of_a_row_never_repeats_its_values():
    with pytest.raises(RowFlaw) as caught:
        said("{{ x | int }}", x="hunter2")
    assert "hunter2" not in str(caught.value)


@pytest.mark.parametrize(
    ("source", "names", "required"),
    [
        ("{{ a }} {{ b | upper }} {{ c.d | title }}", "a b c", "a b c"),
        ("{{ a | default(b) }} {{ c or d }}", "a b c d", ""),
        ("{% if a %}{{ a }}{{ b }}{% endif %}{{ c }}", "a b c", "c"),
        ("{% if a %}{{ b }}{% else %}{{ b }}{{ c }}{% endif %}", "a b c", "b"),
        ("{{ a if b else c }}", "a b c", ""),
        ("{{ a if b else a }}", "a b", "a"),
        ("plain", "", ""),
    ],
)
def test_names_and_what_every_row_must_have(source, names, required):
    template = Template.of(source)
    assert (template.names, template.required) == (frozenset(names.split()), frozenset(required.split()))


@pytest.mark.parametrize(
    ("source", "told"),
    [
        ("{{ ''.__class__.__mro__ }}", "never with _"),
        ("{{ x['__class__'] }}", "never with _"),
        ("{{ _x }}", "never with _"),
        ("{{ x.__init__.__globals__ }}", "never with _"),
        ("{{ x | attr('__class__') }}", "no filter `attr`"),
        ("{{ x | map('upper') }}", "no filter `map`"),
        ("{{ '%999999999d' | format(1) }}", "no filter `format`"),
        ("{{ x | safe }}", "no filter `safe`"),
        ("{{ x() }}", r"a call with \( \)"),
        ("{{ x.format(y) }}", r"a call with \( \)"),
        ("{{ range(10**9) }}", r"a call with \( \)"),
        ("{{ cycler.__init__.__globals__.os }}", "never with _"),
        ("a\n\n{% for a in b %}{% endfor %}", "Line 3: {% for %}"),
        ("{% for a in b recursive %}{{ loop(a) }}{% endfor %}", "{% for %}"),
        ("{% set x = 1 %}", "{% set %}"),
        ("{% set x %}{% endset %}", "{% set %}"),
        ("{% macro m() %}{% endmacro %}", "{% macro %}"),
        ("{% include 'a' %}", "{% include %}"),
        ("{% import 'a' as a %}", "{% import %}"),
        ("{% from 'a' import b %}", "{% import %}"),
        ("{% extends 'a' %}", "{% extends %}"),
        ("{% block b %}{% endblock %}", "{% block %}"),
        ("{% call m() %}{% endcall %}", "{% call %}"),
        ("{% filter upper %}x{% endfilter %}", "{% filter %}"),
        ("{% with %}{% endwith %}", "{% with %}"),
        ("\n{% autoescape false %}{% endautoescape %}", "Line 2: {% autoescape %}"),
        ("{% if a %}{% for a in b %}{% endfor %}{% endif %}", "{% for %}"),
        ("{% do x %}", "is not known"),
        ("{{ 9**9**9 }}", "arithmetic"),
        ('{{ "a" * 10**9 }}', "arithmetic"),
        ("{{ 1 + 1 }}", "arithmetic"),
        ("{{ 10 // 0 }}", "arithmetic"),
        ("{{ -x }}", "arithmetic"),
        ("{{ x ~ y }}", "~"),
        ("{{ x[y] }}", r"\[ \]"),
        ("{{ x[1:2] }}", r"\[ \]"),
        ("{{ {} }}", "{ }"),
        ("{{ x is divisibleby(3) }}", "no such test"),
        ("{{ x | default(*y) }}", "not possible"),
        ("{{ x | default(1, 2, 3) }}", "does not take"),
        ("{{ x | upper(length=3) }}", "does not take"),
        ("{{ 1e999 }}", "digits"),
        ("{{ " + "9" * 5_000 + " }}", "can't be read"),
        ("{{ 0x" + "f" * 5_000 + " }}", "digits"),
        ("{{ name", "Line 1: "),
        ("{% if a %}", "Line 1: "),
        ("{{ '\\ud800' }}", "no message can carry"),
        ("\ud800", "no message can carry"),
        ("a\0b", "no message can carry"),
        ("a" * (MAX_SOURCE + 1), "more than 200,000"),
        ("{{ " + "(" * 90_000, "too deeply"),
        ("{{ " + "not " * 40_000 + "x }}", "too deeply"),
        ("{{ x" + " | upper" * 20_000 + " }}", "too deeply"),
        ("{{ x" + ".y" * 20_000 + " }}", "too deeply"),
        ("{% if x %}" * 15_000, "too deeply"),
        ("{% if " + " and ".join(["x"] * 20_000) + " %}{% endif %}", "too deeply"),
        ("{{ x }}" * (MAX_NODES + 1), "too many parts"),
        ("{{" * 90_000, "too deeply"),
        ("{#" * 90_000, "Line 1: "),
        ("{%" * 90_000, "Line 1: "),
    ],
)
def test_everything_else_is_refused_before_any_row(source, told):
    with pytest.raises(TemplateFlaw, match=told):
        Template.of(source)


def test_a_refusal_says_what_is_possible():
    with pytest.raises(TemplateFlaw, match=r"variables \(\{\{ first_name \}\}\), filters .* and \{% if … %\}"):
        Template.of("{% for a in b %}{% endfor %}")


def test_objects_are_never_looked_into():
    class Secret(dict):  # type: ignore[type-arg]
        password = "hunter2"

    with pytest.raises(RowFlaw):
        said("{{ x.password }}", x=Secret())
    with pytest.raises(RowFlaw):
        said("{{ x.real }}", x=3)


def test_every_filter_has_a_word_for_authors():
    for name, function in FILTERS.items():
        assert function.__doc__, name


def test_a_template_travels_to_another_process():
    template = Template.of("Hi {{ name }}", html=True)
    again = pickle.loads(pickle.dumps(template))
    assert again == template
    assert again.render({"name": "<"}) == "Hi &lt;"


_WORDS = r"""
    {{ }} {% %} {# #} if elif else endif for in x y.z __class__ | default upper replace truncate int round join ( ) [ ] 'a' " 9
    1e9 - * ** ~ == < is not defined , . : raw \ é
"""
_words = st.sampled_from([*_WORDS.split(), "\n", "{% if x %}", "{% endif %}", "{{ x }}", "{{ y.z | default('a') }}"])
_values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=20) | st.dates() | st.datetimes() | st.decimals(),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=3) | st.just("z"), inner, max_size=3),
    max_leaves=5,
)
_rows = st.dictionaries(st.sampled_from(["x", "y", "X ", "z"]) | st.text(max_size=3), _values, max_size=4)


@given(st.lists(_words, max_size=25).map(" ".join) | st.text(max_size=60), _rows, st.booleans())
def test_nothing_is_raised_but_the_two_flaws(source, row, html):
    check_flaws(source, row, html)


def check_flaws(source, row, html):
    try:
        text = Template.of(source, html).render(row)
    except (TemplateFlaw, RowFlaw) as flaw:
        assert str(flaw)
        return
    text.encode()


_arguments = st.sampled_from(["", "(x)", "(3)", "('a')", "('a', y)", "(0, 'b')"])
_expressions = st.builds(
    "{{{{ {} {} }}}}".format,
    st.sampled_from(["x", "y", "y.z", "z", "'a'", "3", "[x, y]", "x == y", "x < y", "x in y", "x and y", "x if y else z"]),
    st.lists(
        st.builds(
            "| {}{}".format,
            st.sampled_from(sorted(FILTERS)),
            st.sampled_from(["", "(x)", "(3)", "('a')", "('a', y)", "(0, 'b')"]),
        ),
        max_size=3,
    ).map(" ".join),
)


@given(_expressions, _rows, st.booleans())
def test_no_filter_fails_otherwise(source, row, html):
    check_flaws(source, row, html)


@given(st.text(), st.booleans())
def test_text_stands_as_it_is(text, html):
    if not any(mark in text for mark in ("{{", "{%", "{#", "\r", "\0")):
        assert Template.of(text, html).render({}) == text
