"""The keys under which lists know addresses: one per mailbox, however it is written."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field

from engine.mail.address import Address, folded, parse


@dataclass(frozen=True, slots=True)
class Sorted:
    """Texts told apart: `known` are mailboxes by key, as first written; `flaws` says by place what is wrong with the others."""

    known: dict[str, str] = field(default_factory=dict)
    flaws: dict[int, str] = field(default_factory=dict)


def list_key(text: str) -> str | None:
    """The key of an address (see `folded`); None for a text that is none."""
    address = parse(text)
    return folded(address) if isinstance(address, Address) else None


def searched(text: str) -> str:
    """What to look for in a list of keys: a whole address as its key, however it is written; any other text as it is."""
    bare = text.strip()
    return (list_key(bare) if "@" in bare[1:] else None) or bare


def sorted_out(texts: Iterable[object]) -> Sorted:
    """The mailboxes among values of any kind, each once; an empty value is no address."""
    found = Sorted()
    for place, text in enumerate(texts):
        address = parse("" if text is None else str(text))
        if isinstance(address, Address):
            found.known.setdefault(folded(address), address.normalized)
        else:
            found.flaws[place] = address.message
    return found


def masked(address: str) -> str:
    """An address that its owner knows again and nobody else can write to: `a•••@example.org`."""
    local, _, domain = address.rpartition("@")
    return f"{local[:1]}•••@{domain}"
