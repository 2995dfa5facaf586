"""Values of a recipient's row: found by the name of a variable, and written as people write them."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Mapping
from datetime import date, datetime, time
from decimal import Decimal
from functools import lru_cache

from markupsafe import Markup

from engine.mail.message.flaws import RowFlaw

MAX_VALUE = 200_000
"""Characters of one value, before and after a filter."""

_MAX_DIGITS = 100
_absent = object()


class Missing:
    """What a variable stands for that a row has no value of. It counts as false, and can be tested but not shown."""

    __slots__ = ("name",)

    def __init__(self, name: str) -> None:
        self.name = name

    def __bool__(self) -> bool:
        return False

    def flaw(self) -> RowFlaw:
        """What to tell the author."""
        return RowFlaw(
            f'{{{{ {self.name} }}}} has no value here; write {{{{ {self.name} | default("…") }}}} with what to say instead'
        )


def find(values: Mapping[str, object], name: str, path: str = "") -> object:
    """The value of a variable, or `Missing` where there is none, or an empty one.

    A column of exactly that name comes first, then one whose `variable_of` it is. `path`: the name as the author wrote it.
    """
    value = values.get(name, _absent)
    if value is _absent:
        wanted = variable_of(name)
        value = next((values[column] for column in values if variable_of(column) == wanted), None)
    return Missing(path or name) if _is_empty(value) else value


@lru_cache(maxsize=8_192)
def variable_of(column: str) -> str:
    """How a template names a column: `First Name` is `first_name`, `E-Mail` is `e_mail`; "" where nothing is left."""
    name = re.sub(r"[\W_]+", "_", unicodedata.normalize("NFKC", column[:1_000]).casefold()).strip("_")
    return f"column_{name}" if name and not name.isidentifier() else name


def shown(value: object) -> str:
    """A value as text: numbers without a needless `.0`, days without a time of midnight, truth as yes or no, lists with commas.

    Raises:
        RowFlaw: it has no value, is no text, or is too long.
    """
    if isinstance(value, str):
        return _checked(value.unescape() if isinstance(value, Markup) else value)
    if isinstance(value, Missing):
        raise value.flaw()
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, int | float | Decimal):
        return _number(value)
    if isinstance(value, datetime):
        return _moment(value)
    if isinstance(value, date):
        return value.isoformat()
    if isinstance(value, list | tuple):
        return _checked(", ".join(shown(item) for item in value if not isinstance(item, list | tuple) and not _is_empty(item)))
    if isinstance(value, Mapping):
        raise RowFlaw("A value here is a group of values; write one of them, such as {{ company.name }}")
    raise RowFlaw("A value here is no text and no number, and can't be written into a message")


def _is_empty(value: object) -> bool:
    if value is None:
        return True
    if isinstance(value, str):
        return not value or value.isspace()
    return value.is_nan() if isinstance(value, Decimal) else isinstance(value, float) and value != value


def _checked(text: str) -> str:
    """Bounded; surrogates, which no message can carry, become question marks."""
    if len(text) > MAX_VALUE:
        raise RowFlaw(f"A value here has more than {MAX_VALUE:,} characters")
    return text if text.isascii() else text.encode("utf-8", "replace").decode("utf-8")


def _number(value: float | Decimal) -> str:
    if isinstance(value, int):
        if value.bit_length() > 3 * _MAX_DIGITS:
            raise RowFlaw("A number here is far too large")
        return str(value)
    if isinstance(value, float):
        return str(int(value)) if value.is_integer() and abs(value) < 1e15 else str(value)
    # A small exponent is spelled out, a large one would be a text without end.
    return f"{value:f}" if value.is_finite() and abs(value.adjusted()) < _MAX_DIGITS else str(value)


def _moment(value: datetime) -> str:
    if value.time() == time():
        return value.date().isoformat()
    return value.strftime("%Y-%m-%d %H:%M:%S" if value.second else "%Y-%m-%d %H:%M")
