"""From a local part back to a person, where that is safe; and from people to the addresses that name them."""

from __future__ import annotations

import re

from engine.mail.finding.lexicon import chance_first, chance_last, is_first
from engine.mail.finding.model import Person
from engine.mail.finding.shapes import bare, unnumbered
from engine.mail.lists import is_role

_two_words = re.compile(r"([a-z]{2,20}(?:-[a-z]{2,20})?)[._]([a-z]{2,20}(?:-[a-z]{2,20})?)").fullmatch


def name_of(local: str) -> Person | None:
    """The person a local part such as `jane.doe` names, capitalised; None unless one of its words is a known first name.

    Two words with a dot or an underscore between them, neither of them an office's; the order is the likelier one.
    """
    text = unnumbered(bare(local))
    found = _two_words(text)
    if found is None or is_role(text) or any(is_role(word) for word in re.split(r"[._-]", text)):
        return None
    one, two = found.groups()
    if not (is_first(_whole(one)) or is_first(one.partition("-")[0]) or is_first(_whole(two))):
        return None
    forward = chance_first(_whole(one)) * chance_last(_whole(two))
    backward = chance_last(_whole(one)) * chance_first(_whole(two))
    # Surname first is rare: it takes more than a slight preference of the lists.
    first, last = (two, one) if backward > 30 * forward else (one, two)
    return Person(first.title(), last.title())


def _whole(word: str) -> str:
    return word.replace("-", "")
