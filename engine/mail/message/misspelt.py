"""What is wrong with a template that cannot be read: the parser's complaints in the words of those who write letters."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping

UNREADABLE = "this can't be read; look at the {{ }} and {% %} around it"
"""For complaints of a kind that is not known."""
_SYMBOLS: Mapping[str, str] = {
    "begin of print statement": "{{",
    "end of print statement": "}}",
    "begin of statement block": "{%",
    "end of statement block": "%}",
    "begin of comment": "{#",
    "end of comment": "#}",
    "end of template": "the end",
    "template data / text": "a text",
    "name": "a name",
    "string": "a text in quotes",
    "integer": "a number",
    "float": "a number",
}
_MAX_SYMBOL = 40


def _symbol(said: str) -> str:
    """What stands in the template, as it stands there."""
    shown = _SYMBOLS.get(said) or " ".join(said.split())
    return shown if len(shown) <= _MAX_SYMBOL else shown[: _MAX_SYMBOL - 1] + "…"


def _got(said: str) -> str:
    """What was found instead; of a name the parser gives the name itself."""
    return said if said == "name" else _symbol(said)


def _missing(found: re.Match[str]) -> str:
    wanted, got = _symbol(found["wanted"]), _got(found["got"])
    several = wanted in ("}}", "%}") and got.isidentifier()
    return f"{wanted} is missing before {got}" + ("; names have no spaces: {{ first_name }}" if several else "")


def _character(found: re.Match[str]) -> str:
    char = found["char"]
    if char in ("'", '"', "\\'", '\\"'):
        return "a text in quotes has no end; the second quote is missing"
    return f"{_symbol(char)} does not belong here"


def _unclosed(found: re.Match[str]) -> str:
    tag = _symbol(found["tag"])
    return f"{{% {tag} %}} has no end; {{% end{tag} %}} is missing"


def _stray(found: re.Match[str]) -> str:
    tag = _symbol(found["tag"])
    if tag in ("elif", "else", "endif"):
        return f"{{% {tag} %}} is not within {{% if … %}}"
    return f"{{% {tag} %}} is not known; {{% if … %}}, {{% elif … %}}, {{% else %}} and {{% endif %}} are"


_COMPLAINTS: tuple[tuple[str, str | Callable[[re.Match[str]], str]], ...] = (
    (r"Encountered unknown tag '(?P<tag>.*?)'\.", _stray),
    (r"Unexpected end of template\. .*block that needs to be closed is '(?P<tag>.*)'", _unclosed),
    (r"expected token '(?P<wanted>.*)', got '(?P<got>.*)'", _missing),
    (r"Expected an expression, got '(?P<got>.*)'", lambda found: f"a name is missing before {_symbol(found['got'])}"),
    (r"unexpected end of template, expected '(?P<wanted>.*)'", lambda found: f"{_symbol(found['wanted'])} is missing at the end"),
    (r"unexpected '(?P<got>.*)', expected '(?P<wanted>.*)'", _missing),
    (r"unexpected char (?P<quote>['\"])(?P<char>.*)(?P=quote) at ", _character),
    (r"unexpected '(?P<got>.*)'", lambda found: f"{_symbol(found['got'])} does not belong here"),
    (r"Missing end of comment", "{# has no end; #} is missing"),
    (r"Missing end of raw", "{% raw %} has no end; {% endraw %} is missing"),
    (r"tag name expected", "{% must be followed by if, elif, else or endif"),
    (r"expected name or number", "after the dot a name is missing"),
)


def in_our_words(complaint: str) -> str:
    """A sentence without its full stop; `UNREADABLE` where the complaint is not of a known kind."""
    for pattern, said in _COMPLAINTS:
        if found := re.match(pattern, complaint, re.DOTALL):
            return said if isinstance(said, str) else said(found)
    return UNREADABLE
