"""Scripts as text: constants come to what they would come to, and nothing is run."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from engine.mail.page.constants import MAX_LENGTH, constants_of
from engine.mail.page.tokens import tokens_of, unescaped


def texts(script: str) -> list[str]:
    return [text for text, _ in constants_of(script)]


@pytest.mark.parametrize(
    ("script", "expected"),
    [
        ("'a' + 'b'", "ab"),
        ("('a' + ('b' + 'c'))", "abc"),
        ("['a', 'b'].join('-')", "a-b"),
        ("['a', 'b'].reverse().join('')", "ba"),
        ("'abc'.split('').reverse().join('')", "cba"),
        ("'a#b'.replace('#', '@')", "a@b"),
        ("'a#b#c'.replaceAll('#', '@')", "a@b@c"),
        ("'a'.concat('b', 'c')", "abc"),
        ("'AB'.toLowerCase()", "ab"),
        ("String.fromCharCode(97, 0x62)", "ab"),
        ("atob('YWJjZGVm')", "abcdef"),
        ("window.atob('YWJjZGVm')", "abcdef"),
        ("unescape('%61%62')", "ab"),
        ("decodeURIComponent('a%40b')", "a@b"),
        ("var x = 'a'; y = x + 'b'", "ab"),
        ("var o = {k: 'a', l: 'b'}; y = o.k + o.l", "ab"),
        ("var p = ['a', 'b']; y = p[1] + p[0]", "ba"),
        ("x = 'a'; x += 'b'; x += 'c'", "abc"),
        ("const x = 'a'; `<${x}>`", "<a>"),
        ("'\\x61\\u0062\\u{63}\\143'", "abcc"),
        ("f(g('a' + 'b'))", "ab"),
        ("if (true) { document.write('a' + 'b') }", "ab"),
    ],
)
def test_what_constant_expressions_come_to(script: str, expected: str) -> None:
    assert expected in texts(script)


def test_unknown_parts_spoil_only_what_is_made_of_them() -> None:
    found = texts("x = 'a' + f() + 'b' + 'c'")
    assert "a" in found and "bc" in found
    assert not any("abc" in text for text in found)


def test_rot13_is_told_apart() -> None:
    assert ("jane", True) in list(constants_of("rot13('wnar')"))
    rotator = "'wnar'.replace(/[a-zA-Z]/g, function (c) { return String.fromCharCode(c.charCodeAt(0) + 13) })"
    assert ("jane", True) in list(constants_of(rotator))


def test_doubling_a_text_forever_ends() -> None:
    assert max(map(len, texts("x = 'ab';" + "x += x;" * 60 + "y = x + 'z'"))) <= MAX_LENGTH


def test_comments_are_no_constants() -> None:
    assert texts("/* 'a' */ // 'b'\n 'c'") == ["c"]


def test_deep_nesting_ends() -> None:
    for script in ("(" * 50_000, "[" * 50_000, "f(" * 50_000, "atob(" * 50_000 + "'x'"):
        list(constants_of(script))


@given(st.text(alphabet="abx'\"`\\+=()[]{},.;/*$0123456789 \n", max_size=120))
def test_any_text_is_a_script(script: str) -> None:
    tokens_of(script)
    for text in texts(script):
        assert len(text) <= max(MAX_LENGTH, len(script))


@given(st.text(max_size=60))
def test_escapes_never_fail(text: str) -> None:
    unescaped(text)
    unescaped("\\" + text)
