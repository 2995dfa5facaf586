"""The filters of a template: those that can neither hang nor fill the memory, whatever they are given."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from decimal import Decimal, InvalidOperation
from types import MappingProxyType
from urllib.parse import quote

from jinja2.filters import do_title
from markupsafe import Markup, escape

from engine.mail.message.flaws import RowFlaw
from engine.mail.message.values import MAX_VALUE, Missing, shown

_PLACES = 15
_none = object()


def _default(value: object, default_value: object = "", boolean: bool = False) -> object:
    """What to say where there is no value (or, with `true`, where it counts as false)."""
    return default_value if isinstance(value, Missing) or (boolean and not value) else value


def _upper(value: object) -> str:
    """UPPER CASE."""
    return shown(value).upper()


def _lower(value: object) -> str:
    """Lower case."""
    return shown(value).lower()


def _title(value: object) -> str:
    """Each Word With A Capital."""
    return do_title(shown(value))


def _capitalize(value: object) -> str:
    """First letter a capital, the others small."""
    return shown(value).capitalize()


def _trim(value: object) -> str:
    """Without spaces at the ends."""
    return shown(value).strip()


def _replace(value: object, old: object, new: object) -> str:
    """With one text in place of another."""
    text, old, new = shown(value), shown(old), shown(new)
    if not old:
        raise RowFlaw("The filter `replace` needs a text to look for")
    if len(text) + text.count(old) * (len(new) - len(old)) > MAX_VALUE:
        raise RowFlaw(f"The filter `replace` would make more than {MAX_VALUE:,} characters")
    return text.replace(old, new)


def _truncate(value: object, length: object = 255, killwords: object = False, end: object = "...") -> str:
    """At most so many characters, whole words unless told otherwise, then dots."""
    text, most, tail = shown(value), _whole(length), shown(end)
    if len(text) <= most:
        return text
    kept = text[: max(most - len(tail), 0)]
    return (kept if killwords else kept.rsplit(" ", 1)[0]) + tail


def _int(value: object, default: object = _none) -> object:
    """As a whole number; the default, or a flaw of the row, where it is none."""
    number = _float(value, default)
    if number is default:
        return default
    try:
        return int(number)  # type: ignore[call-overload]
    except (ValueError, OverflowError):
        raise RowFlaw("The filter `int` was given what is no whole number") from None


def _float(value: object, default: object = _none) -> object:
    """As a number; the default, or a flaw of the row, where it is none."""
    if isinstance(value, int | float | Decimal):
        return value
    try:
        text = shown(value).strip()
        number = Decimal(text if len(text) <= 100 else "")
        return int(number) if number == number.to_integral_value() and abs(number.adjusted()) < 100 else float(number)
    except (InvalidOperation, ValueError, OverflowError):
        if default is _none:
            raise RowFlaw("The filters `int`, `float` and `round` need a number; give them a default, such as int(0)") from None
        return default


def _round(value: object, precision: object = 0) -> object:
    """Rounded to so many decimal places."""
    places = max(-_PLACES, min(_whole(precision), _PLACES))
    try:
        rounded = round(float(_float(value)), places)  # type: ignore[arg-type]
        return rounded if places > 0 else int(rounded)
    except (ValueError, OverflowError):
        raise RowFlaw("The filter `round` was given a number that has no end") from None


def _join(value: object, separator: object = ", ") -> str:
    """The items of a list with something between them."""
    if not isinstance(value, list | tuple):
        return shown(value)
    texts, between = [shown(item) for item in value], shown(separator)
    if sum(map(len, texts)) + len(between) * len(texts) > MAX_VALUE:
        raise RowFlaw(f"The filter `join` would make more than {MAX_VALUE:,} characters")
    return between.join(texts)


def _first(value: object) -> object:
    """The first item of a list, or the first letter."""
    items = value if isinstance(value, list | tuple) else shown(value)
    return items[0] if items else Missing("first")


def _last(value: object) -> object:
    """The last item of a list, or the last letter."""
    items = value if isinstance(value, list | tuple) else shown(value)
    return items[-1] if items else Missing("last")


def _length(value: object) -> int:
    """How many items or characters."""
    return len(value) if isinstance(value, Sequence | Mapping) else len(shown(value))


def _escape(value: object) -> Markup:
    """Safe inside HTML, where every value is so already."""
    return value if isinstance(value, Markup) else escape(shown(value))


def _urlencode(value: object) -> str:
    """Safe inside a link."""
    return quote(shown(value), safe="")


FILTERS: Mapping[str, Callable[..., object]] = MappingProxyType(
    {
        "default": _default, "d": _default, "upper": _upper, "lower": _lower, "title": _title, "capitalize": _capitalize,
        "trim": _trim, "replace": _replace, "truncate": _truncate, "int": _int, "float": _float, "round": _round, "join": _join,
        "first": _first, "last": _last, "length": _length, "count": _length, "escape": _escape, "e": _escape,
        "urlencode": _urlencode, "string": shown,
    }
)  # fmt: skip
"""Every filter by its name. All but `default` refuse a value that is missing."""


def _whole(value: object) -> int:
    """An argument as a number of characters or places."""
    if isinstance(value, int) and abs(value) <= MAX_VALUE:
        return value
    raise RowFlaw(f"A filter's number is a whole one up to {MAX_VALUE:,}")
