"""JavaScript as a row of tokens: enough to read constants, never to run anything."""

from __future__ import annotations

import re
from typing import NamedTuple

_token = re.compile(
    r"(?P<string>'(?:[^'\\\n]|\\.)*'|\"(?:[^\"\\\n]|\\.)*\")"
    r"|(?P<template>`(?:[^`\\]|\\.)*`)"
    r"|(?P<skip>\s+|//[^\n]*|/\*.*?(?:\*/|\Z)|<!--)"
    r"|(?P<name>[A-Za-z_$][\w$]*)"
    r"|(?P<number>0[xX][0-9a-fA-F]+|\d+)"
    r"|(?P<regex>(?<=[(,=:])/(?![*/])(?:[^/\\\n\[]|\\.|\[(?:[^\]\\\n]|\\.)*\])+/[gimsuy]{0,6})"
    r"|(?P<sign>\+=|\?\.|=>|={2,3}|.)",
    re.S,
)
_escape = re.compile(r"\\(?:x([0-9a-fA-F]{2})|u([0-9a-fA-F]{4})|u\{([0-9a-fA-F]{1,6})\}|([0-7]{1,3})|(\r\n|.))", re.S)
_PLAIN = {"n": "\n", "r": "\r", "t": "\t", "b": "\b", "f": "\f", "v": "\v", "\n": "", "\r\n": ""}


class Token(NamedTuple):
    """`kind`: string, template, name, number, regex or sign; `text` of a string is what it says."""

    kind: str
    text: str


def tokens_of(script: str) -> list[Token]:
    """The tokens of a script without spaces and comments; broken code gives some tokens too."""
    tokens = []
    for found in _token.finditer(script):
        kind = found.lastgroup
        if kind == "skip" or kind is None:
            continue
        text = found.group()
        tokens.append(Token(kind, unescaped(text[1:-1]) if kind == "string" else text[1:-1] if kind == "template" else text))
    return tokens


def unescaped(text: str) -> str:
    """A string's text with its escapes decoded (ECMAScript, String Literals)."""
    return _escape.sub(_letter, text) if "\\" in text else text


def _letter(found: re.Match[str]) -> str:
    code = found[1] or found[2] or found[3]
    if code:
        number = int(code, 16)
    elif found[4]:
        number = int(found[4], 8)
    else:
        return _PLAIN.get(found[5], found[5])
    return chr(number) if number < 0xD800 or 0xE000 <= number < 0x110000 else "\ufffd"
