"""Pages of the lab with planted addresses and traps: what a reader of pages must find, and what it must not."""

from __future__ import annotations

import random
from dataclasses import dataclass, field

from tests.lab.planted import PLANTED
from tests.lab.planted_codes import CODED
from tests.lab.traps import TRAPS

_MIXED = 40
_FILLER = (
    "We have made instruments for harbours since 1921 and still answer every letter ourselves.",
    "Opening hours are Monday to Friday at the usual times; on holidays the workshop rests.",
    "Prices start at 19.99 and deliveries leave the yard at noon.",
    "Read how the old crane was moved, stone by stone, to the other side of the river.",
)


@dataclass(frozen=True, slots=True)
class Planted:
    """A page: `expected` are the addresses that stand there, `traps` what looks like addresses and is none.

    `technique` is how the only address of the page is found, "" for traps and mixed pages.
    """

    name: str
    html: bytes
    expected: frozenset[str]
    traps: frozenset[str] = field(default_factory=frozenset)
    technique: str = ""


def corpus() -> list[Planted]:
    """Every planted snippet and every trap on a page of its own, then pages that mix several of them; always the same."""
    singles = [
        Planted(f"planted-{place:03}", page_of(html).encode(), frozenset(emails.split()), technique=technique)
        for place, (technique, html, emails) in enumerate((*PLANTED, *CODED))
    ]
    traps = [
        Planted(f"trap-{place:03}", page_of(html).encode(), frozenset(), frozenset(lures.split()))
        for place, (html, lures) in enumerate(TRAPS)
    ]
    return singles + traps + list(_mixed())


def _mixed() -> list[Planted]:
    chance = random.Random(20)
    # A head, a script that is left open or a switch of direction would change what stands around it.
    good = [row for row in (*PLANTED, *CODED) if "<html" not in row[1] and "<meta" not in row[1]]
    bad = [row for row in TRAPS if "<html" not in row[0] and "<meta" not in row[0]]
    pages = []
    for number in range(_MIXED):
        some, lures = chance.sample(good, 5), chance.sample(bad, 4)
        snippets = [row[1] for row in some] + [row[0] for row in lures]
        chance.shuffle(snippets)
        expected = frozenset(email for row in some for email in row[2].split())
        blocks = "".join(f"<div>{snippet}</div><p>{chance.choice(_FILLER)}</p>" for snippet in snippets)
        pages.append(
            Planted(
                f"mixed-{number:02}",
                page_of(blocks).encode(),
                expected,
                frozenset(lure for row in lures for lure in row[1].split()) - expected,
            )
        )
    return pages


def page_of(body: str) -> str:
    """A page of the lab with that body; what is a page already stays one."""
    if "<html" in body:
        return body
    return f"""<!DOCTYPE html>
<html lang="en"><head><meta charset="utf-8"><title>Harbour instruments</title>
<link rel="stylesheet" href="/site.css"><style>.nav{{display:flex}} @media print {{.nav{{display:none}}}}</style></head>
<body><nav class="nav"><a href="/">Home</a> <a href="/products">Products</a> <a href="/contact">Contact</a></nav>
<main><h1>Harbour instruments</h1><p>{_FILLER[0]}</p>
{body}
<p>{_FILLER[2]}</p></main>
<footer><p>&copy; 2026 Harbour instruments</p><a href="/impressum">Imprint</a></footer></body></html>"""
