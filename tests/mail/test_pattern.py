"""Patterns: what is accepted, and what an author of a wrong one is told."""

from __future__ import annotations

import pytest

from engine.mail.pattern import MAX_PATTERN, PLACEHOLDERS, Part, PatternError, Placeholder, parse


def names(text: str) -> list[str]:
    return [token if isinstance(token, str) else f"<{token.name}>" for token in parse(text).tokens]


@pytest.mark.parametrize(
    ("text", "tokens"),
    [
        ("{firstname}.{lastname}", ["<firstname>", ".", "<lastname>"]),
        ("{f}{last}", ["<f>", "<last>"]),
        ("Info", ["info"]),
        ("{FirstName}_X{ yy }", ["<firstname>", "_x", "<yy>"]),
        ("a+b-{number}", ["a+b-", "<number>"]),
    ],
)
def test_valid_patterns(text, tokens):
    assert names(text) == tokens


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("", "the pattern is empty"),
        ("   ", "the pattern is empty"),
        ("{firstname}.{middle}", "unknown placeholder at character 13; valid ones are: firstname, lastname"),
        ("{}", "unknown placeholder at character 1"),
        ("ab{firstname", "brace opened at character 3 is never closed"),
        ("{first{name}", "brace opened at character 1 is never closed"),
        ("ab}c", "brace closed at character 3 was never opened"),
        ("{f} {l}", "character 4 can't stand in an address"),
        ("{f}é", "character 4 can't stand in an address"),
        ("{f}@{l}", "character 4 can't stand in an address"),
        (".{f}", "begins with a dot"),
        ("{f}.", "ends with a dot at character 4"),
        ("{f}..{l}", "two dots in a row at character 4"),
        ("a" * (MAX_PATTERN + 1), "longer than"),
    ],
)
def test_a_wrong_pattern_is_explained(text, told):
    with pytest.raises(PatternError, match="^.*" + told.replace(".", r"\.")):
        parse(text)


@pytest.mark.parametrize("secret", ["{hunter2}", "x {f}\N{PILE OF POO}hunter2", "{hunter2"])
def test_a_message_never_repeats_the_pattern(secret):
    with pytest.raises(PatternError) as caught:
        parse(secret)
    assert "hunter2" not in str(caught.value)


def test_every_placeholder_explains_itself():
    for name, placeholder in PLACEHOLDERS.items():
        assert name == placeholder.name
        assert placeholder.description
        assert placeholder.width is None or len(placeholder.example) == placeholder.width


@pytest.mark.parametrize(
    ("text", "first", "last"),
    [
        ("{firstname}.{lastname}", None, None),
        ("{f}{first3}", 3, 0),
        ("{l}", 0, 1),
        ("{f}{firstname}{last2}", None, 2),
        ("x", 0, 0),
    ],
)
def test_how_much_of_a_name_a_pattern_shows(text, first, last):
    pattern = parse(text)
    assert (pattern.width(Part.FIRST), pattern.width(Part.LAST)) == (first, last)


@pytest.mark.parametrize(
    ("text", "runs"),
    [
        ("{firstname}.{lastname}", [["<firstname>"], ["<lastname>"]]),
        ("{firstname}x{lastname}7a", [["<firstname>", "x", "<lastname>"], ["a"]]),
        ("{f}{yy}{l}", [["<f>"], ["<l>"]]),
        ("12-3", []),
    ],
)
def test_runs_of_letters(text, runs):
    shown = [
        [f"<{token.name}>" if isinstance(token, Placeholder) else token for token in run] for run in parse(text).letter_runs()
    ]
    assert shown == runs
