"""Which column of a table holds addresses."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Mapping, Sequence

from engine.mail.address import Address, parse

# The likelier name first. Squeezed: lower case, without accents, spaces and punctuation.
_EXACT = tuple(
    """
    email emailaddress mail mailaddress emailadresse mailadresse adresseemail adressemail adressemel adresseelectronique
    courriel correo correoelectronico direcciondecorreo emailadres indirizzoemail indirizzomail postaelettronica
    enderecoemail enderecodeemail correioeletronico epost epostadress epostadresse emailid useremail address
    """.split()
)
_PART = re.compile(r"email|mail|courriel|correo|epost|correio")
_NOT_MEANT = re.compile(r"status|valid|verif|opt|count|date|sent|open|click|type|domain|hash|subject|body|provider|score|reason")
_MAX_SAMPLE = 200


def address_column(names: Sequence[str], sample: Mapping[str, Sequence[object]]) -> str | None:
    """The column that holds addresses, None when no column looks like it.

    `sample`: some values of each column, whatever their type. A column whose name says so comes first ("email" before
    "email_address" before "work email"), unless no sampled value of it holds an at sign while another column's do; without such
    a name, the column most of whose values, at least half, are addresses.
    """
    return next(iter(address_columns(names, sample)), None)


def address_columns(names: Sequence[str], sample: Mapping[str, Sequence[object]]) -> list[str]:
    """All columns that may hold addresses, the likeliest first; see `address_column`."""
    ranked = []
    for position, name in enumerate(names):
        values = _texts(sample.get(name, ()))
        named, share = _named(name), _share(values)
        if named is None and share < 0.5:
            continue
        without = bool(values) and not any("@" in value for value in values)
        ranked.append(((without, named is None, named or 0, -share, position), name))
    return [name for _, name in sorted(ranked)]


def _named(name: str) -> int | None:
    """How well a name says that these are addresses: 0 best, None not at all."""
    squeezed = _squeezed(name)
    if squeezed in _EXACT:
        return _EXACT.index(squeezed)
    return len(_EXACT) if _PART.search(squeezed) and not _NOT_MEANT.search(squeezed) else None


def _squeezed(name: str) -> str:
    decomposed = unicodedata.normalize("NFKD", name).casefold()
    return "".join(c for c in decomposed if c.isalnum())


def _texts(values: Sequence[object]) -> list[str]:
    texts = (str(value).strip() for value in values[:_MAX_SAMPLE] if value is not None)
    return [text for text in texts if text and text.lower() not in ("nan", "none", "<na>")]


def _share(values: Sequence[str]) -> float:
    """How many of the values are addresses, 0 to 1."""
    return sum("@" in value and isinstance(parse(value), Address) for value in values) / len(values) if values else 0.0
