"""What constant expressions of a script come to: concatenation, joined lists, decoded texts. Nothing is run.

A reader goes over the tokens once. It knows strings, numbers, lists, names that were given a constant before, and a few
functions of texts; whatever else stands there is unknown, and so is everything made of it.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator

from engine.mail.page.ciphers import from_base64, percent_decoded, rot13, shifted
from engine.mail.page.tokens import Token, tokens_of, unescaped

MAX_LENGTH = 4_000
"""Characters of a value: a text that is doubled again and again ends here."""
_MAX_DEPTH = 40
_MAX_NAMES = 5_000
_MAX_LIST = 2_000
_FEW_CODES = 6
"""Numbers of a list that may be the letters of an address."""
_DECODERS: dict[str, Callable[[str], str]] = {
    "atob": from_base64,
    "unescape": percent_decoded,
    "decodeURIComponent": percent_decoded,
    "decodeURI": percent_decoded,
    "linkTo_UnCryptMailto": shifted,
}
_rot13_name = re.compile(r"rot_?13", re.I).search
_hole = re.compile(r"\$\{\s*([\w$.]{1,80})\s*\}")
_END = Token("end", "")

Value = str | list["Value"] | None


def constants_of(script: str) -> Iterator[tuple[str, bool]]:
    """Every text that the constant expressions of a script come to, and whether ROT13 was part of it."""
    reader = _Reader(tokens_of(script))
    while not reader.is_done:
        start = reader.place
        value = reader.statement()
        yield from ((text, rotated) for text, rotated in reader.found)
        reader.found.clear()
        if isinstance(value, list):
            reader.note(value)
            yield from reader.found
            reader.found.clear()
        elif value:
            yield value, reader.rotated
        if reader.place == start:
            reader.place += 1


class _Reader:
    def __init__(self, tokens: list[Token]) -> None:
        self._tokens = tokens
        self._names: dict[str, Value] = {}
        self.place = 0
        self.rotated = False
        self.found: list[tuple[str, bool]] = []

    @property
    def is_done(self) -> bool:
        return self.place >= len(self._tokens)

    def _peek(self, ahead: int = 0) -> Token:
        place = self.place + ahead
        return self._tokens[place] if place < len(self._tokens) else _END

    def _take(self, text: str) -> bool:
        token = self._peek()
        if token.kind == "sign" and token.text == text:
            self.place += 1
            return True
        return False

    def statement(self) -> Value:
        """An assignment (also in an object literal) or an expression, from the next token on."""
        self.rotated = False
        token, following = self._peek(), self._peek(1)
        if token.kind in ("name", "string") and following.kind == "sign" and following.text in ("=", "+=", ":"):
            self.place += 2
            value = self.expression(0)
            if following.text == "+=":
                value = _joined(self._names.get(token.text), value)
            if len(self._names) < _MAX_NAMES or token.text in self._names:
                self._names[token.text] = value
            return value
        return self.expression(0)

    def expression(self, depth: int) -> Value:
        """Terms with plus signs between them. Constant terms beside unknown ones are given back one by one."""
        value = self._term(depth)
        while self._peek() == ("sign", "+"):
            self.place += 1
            other = self._term(depth)
            both = _joined(value, other)
            if both is None:
                self.note(value)
                both = other
            value = both
        return value

    def note(self, value: Value) -> None:
        """Give back a constant that nothing more is made of; of a list what may be a whole address or markup with one."""
        if isinstance(value, list):
            self.found += [(part, self.rotated) for part in value if isinstance(part, str) and "@" in part[1:-1]]
        elif value:
            self.found.append((value, self.rotated))

    def _term(self, depth: int) -> Value:
        if depth > _MAX_DEPTH:
            return None
        value = self._primary(depth)
        while (more := self._suffix(value, depth)) is not None:
            value = more[0]
        return value

    def _primary(self, depth: int) -> Value:
        token = self._peek()
        if token.kind in ("string", "number"):
            self.place += 1
            return token.text
        if token.kind == "template":
            self.place += 1
            return unescaped(_hole.sub(self._filled, token.text))
        if token.kind == "name":
            self.place += 1
            return self._called(token.text, depth)
        if self._take("("):
            *others, last = self._list(")", depth) or [None]
            self.note(others)
            return last
        if self._take("["):
            values = self._list("]", depth)
            if len(values) >= _FEW_CODES and (text := _letters(values)) is not None:
                self.note(text)
            return values
        return None

    def _filled(self, found: re.Match[str]) -> str:
        value = self._names.get(found[1].rpartition(".")[2])
        return value if isinstance(value, str) else "\0"

    def _called(self, name: str, depth: int) -> Value:
        """A name: what it stands for, or what a function that is known makes of its constant argument."""
        if name == "String" and self._peek() == ("sign", ".") and self._peek(1).text in ("fromCharCode", "fromCodePoint"):
            self.place += 2
            return self._character_codes(depth)
        if self._peek() != ("sign", "("):
            return self._names.get(name)
        self.place += 1
        values = self._list(")", depth)
        return self._decoded(name, values)

    def _character_codes(self, depth: int) -> Value:
        """The arguments of String.fromCharCode, called as it is or by `apply`."""
        if self._peek() == ("sign", ".") and self._peek(1).text in ("apply", "call"):
            self.place += 2
        if not self._take("("):
            return None
        values: list[Value] = []
        for value in self._list(")", depth):
            values += value if isinstance(value, list) else [] if value is None else [value]
        return _letters(values)

    def _decoded(self, name: str, values: list[Value]) -> Value:
        first = values[0] if values else None
        if isinstance(first, str):
            if _rot13_name(name):
                self.rotated = True
                return rot13(first)
            if (decoder := _DECODERS.get(name)) is not None:
                return decoder(first) or None
        for value in values:
            self.note(value)
        return None

    def _list(self, end: str, depth: int) -> list[Value]:
        """Values between commas up to a closing sign."""
        values: list[Value] = []
        while not self.is_done and not self._take(end):
            start = self.place
            value = self.expression(depth + 1)
            if self.place == start:
                if self._peek().kind == "sign" and self._peek().text in ";{})]":
                    break
                self.place += 1
                continue
            if len(values) < _MAX_LIST:
                values.append(value)
        return values

    def _suffix(self, value: Value, depth: int) -> tuple[Value] | None:
        """What a method or an index makes of a value; None where none follows."""
        if isinstance(value, list) and self._peek() == ("sign", "[") and self._peek(1).kind == "number":
            index = _number(self._peek(1).text)
            self.place += 2
            self._take("]")
            return (value[index] if index < len(value) else None,)
        if self._peek().text not in (".", "?.") or self._peek(1).kind != "name":
            return None
        name = self._peek(1).text
        self.place += 2
        if not self._take("("):
            known = self._names.get(name)
            if known is None and value is not None and self._peek() != ("sign", "="):
                self.note(value)
            return (known,)
        start = self.place
        arguments = self._list(")", depth)
        made = _method(name, value, arguments)
        if made is None and name == "replace" and isinstance(value, str) and self._turns(start):
            self.rotated, made = True, rot13(value)
        if made is None:
            for part in (value, *arguments):
                self.note(part)
            made = self._decoded(name, arguments) if value is None else None
        return (made,)

    def _turns(self, start: int) -> bool:
        """Whether the arguments from a place on are the usual ROT13: a pattern of letters, and a function with 13 in it."""
        near = self._tokens[start : start + 60]
        letters = bool(near) and near[0].kind == "regex" and "a-z" in near[0].text.lower()
        return letters and Token("number", "13") in near


def _joined(first: Value, second: Value) -> Value:
    if isinstance(first, str) and isinstance(second, str) and len(first) + len(second) <= MAX_LENGTH:
        return first + second
    return None


def _letters(codes: list[Value]) -> Value:
    """String.fromCharCode."""
    letters = []
    for code in codes:
        if not isinstance(code, str) or not 0 < (number := _number(code)) < 0xD800:
            return None
        letters.append(chr(number))
    return "".join(letters) or None


def _number(text: str) -> int:
    """A whole number as a script writes it, 0 for anything else."""
    try:
        return int(text[:12], 16 if text[:2] in ("0x", "0X") else 10)
    except ValueError:
        return 0


def _method(name: str, value: Value, arguments: list[Value]) -> Value:
    """What a method of a string or a list comes to, None where that is unknown."""
    first = arguments[0] if arguments else None
    if isinstance(value, list):
        return _of_list(name, value, first)
    if not isinstance(value, str):
        return None
    if name == "split" and isinstance(first, str):
        parts: list[Value] = []
        parts += value.split(first) if first else value
        return parts[:_MAX_LIST]
    if name == "concat" and all(isinstance(part, str) for part in arguments):
        return _joined(value, "".join(part for part in arguments if isinstance(part, str)))
    if (
        name in ("replace", "replaceAll")
        and isinstance(first, str)
        and len(arguments) > 1
        and isinstance(arguments[1], str)
        and first
    ):
        made = value.replace(first, arguments[1], 1 if name == "replace" else -1)
        return made if len(made) <= MAX_LENGTH else None
    if name in ("trim", "toString", "valueOf", "normalize"):
        return value
    return {"toLowerCase": value.lower, "toUpperCase": value.upper}.get(name, lambda: None)()


def _of_list(name: str, value: list[Value], first: Value) -> Value:
    if name == "reverse":
        return value[::-1]
    if name == "join" and all(isinstance(part, str) for part in value):
        sign = first if isinstance(first, str) else ","
        made = sign.join(part for part in value if isinstance(part, str))
        return made if len(made) <= MAX_LENGTH else None
    return None
