"""Likelier domains for mistyped ones; a hint, never a correction."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator, Mapping
from functools import cache, lru_cache

from publicsuffixlist import PublicSuffixList

from engine.mail.lists import domain_flags

POPULAR = tuple(
    """
    gmail.com yahoo.com hotmail.com outlook.com icloud.com aol.com live.com msn.com comcast.net proton.me protonmail.com
    gmx.de web.de t-online.de gmx.net gmx.at gmx.ch freenet.de hotmail.de outlook.de yahoo.de live.de mail.ru yandex.ru rambler.ru
    orange.fr wanadoo.fr free.fr laposte.net sfr.fr hotmail.fr outlook.fr yahoo.fr live.fr bbox.fr neuf.fr
    libero.it virgilio.it tiscali.it alice.it hotmail.it outlook.it yahoo.it live.it telefonica.net hotmail.es outlook.es yahoo.es
    hotmail.co.uk yahoo.co.uk live.co.uk btinternet.com outlook.co.uk sky.com virginmedia.com blueyonder.co.uk ntlworld.com
    uol.com.br bol.com.br terra.com.br yahoo.com.br hotmail.com.br outlook.com.br globo.com ig.com.br sapo.pt
    yahoo.com.mx yahoo.com.ar yahoo.co.in rediffmail.com yahoo.co.jp naver.com qq.com 163.com foxmail.com seznam.cz wp.pl onet.pl
    googlemail.com me.com mac.com ymail.com rocketmail.com fastmail.com zoho.com tutanota.com mail.com att.net verizon.net
    sbcglobal.net bellsouth.net cox.net charter.net earthlink.net bigpond.com optusnet.com.au shaw.ca sympatico.ca rogers.com
    bluewin.ch telenet.be skynet.be ziggo.nl kpnmail.nl planet.nl
    """.split()
)
"""Domains of many mailboxes, the likelier ones first; from general knowledge."""

# Under any suffix that the provider does not use, these are slips (gmail.fr).
_BRANDS = frozenset("gmail googlemail hotmail outlook yahoo icloud protonmail".split())

# Slips of the keyboard that somebody registered; the lists of free and disposable domains hold them.
_SQUATTED = frozenset("gmial.com hotmial.com hotmai.com yaho.com vahoo.com yahoo.co hotmail.co prontomail.co".split())

_ENDINGS = ("com", "net", "org", "info")
_LOPPED = frozenset({"co", "cm", "om"})  # country codes that are mostly .com with a letter missing, after a known name

_ROWS = ("1234567890", "qwertyuiop", "asdfghjkl", "zxcvbnm")
_LOOK_ALIKE = frozenset(map(frozenset, ("il", "l1", "i1", "0o", "yz", "uv", "rn")))
_FAR = 1.5
_LONGEST = max(map(len, POPULAR)) + 2


@lru_cache(maxsize=65_536)
def suggestion(domain: str) -> str:
    """A likelier domain for an ASCII one in lower case, "" when none is likely. Never for a domain that the lists know.

    Told by the distance of Damerau and Levenshtein to popular domains, small against their length, a wrong key counting less
    when it is beside the right one; by a missing dot; by an ending that does not exist (.con).
    """
    name = domain.replace(",", ".").replace(";", ".").replace("..", ".").strip(".")
    if name in _POPULAR:
        return "" if name == domain else name
    flags = domain_flags(name)
    if name not in _SQUATTED and (flags.free or flags.disposable or flags.relay):
        return ""
    return _popular(name) or _ending(name)


_POPULAR = frozenset(POPULAR)


def _popular(name: str) -> str:
    label, _, suffix = name.partition(".")
    found = [(cost, number) for number in _candidates(name) if (cost := _cost(label, suffix, POPULAR[number])) is not None]
    if found:
        return POPULAR[min(found)[1]]
    return f"{label}.com" if label in _BRANDS and suffix else ""


def _ending(name: str) -> str:
    """With the ending that was meant, when its own does not exist."""
    rest, _, ending = name.rpartition(".")
    if not rest or ending in _ENDINGS or not 2 <= len(ending) <= 5:
        return ""
    meant = next((known for known in _ENDINGS if abs(len(known) - len(ending)) <= 1 and distance(ending, known) <= 1), "")
    return f"{rest}.{meant}" if meant and not _is_public(ending) else ""


def _cost(label: str, suffix: str, popular: str) -> float | None:
    """How far off a name is, None when too far to be a slip."""
    meant_label, _, meant_suffix = popular.partition(".")
    if not suffix:
        return 0.5 if len(meant_label) > 2 and label == popular.replace(".", "", 1) else None
    off = 0.0 if label == meant_label else distance(label, meant_label)
    ending = 0.0 if suffix == meant_suffix else distance(suffix, meant_suffix)
    if off > _allowed(label, meant_label) or ending > 2:
        return None
    if ending and suffix not in _LOPPED and _is_public(suffix):
        return None
    if ending and ((len(meant_label) < 5 and suffix in _LOPPED) or (off and off + ending > 2)):
        return None
    return off + ending


def _allowed(label: str, meant: str) -> int:
    """A short name has too many neighbours that are somebody's own."""
    if len(meant) < 5:
        return 0
    return 2 if len(meant) >= 7 and label[:1] == meant[:1] else 1


def distance(left: str, right: str) -> float:
    """Insertions, deletions, neighbouring letters swapped (1 each) and wrong letters (1 beside the right key, else 1.5)."""
    before: list[float] = []
    row: list[float] = [float(n) for n in range(len(right) + 1)]
    for i, a in enumerate(left, 1):
        oldest, before, row = before, row, [float(i)]
        for j, b in enumerate(right, 1):
            best = min(before[j] + 1, row[j - 1] + 1, before[j - 1] + _substitution(a, b))
            if i > 1 and j > 1 and a == right[j - 2] and b == left[i - 2]:
                best = min(best, oldest[j - 2] + 1)
            row.append(best)
    return row[-1]


def _substitution(a: str, b: str) -> float:
    if a == b:
        return 0
    return 1 if b in _neighbours().get(a, ()) or frozenset((a, b)) in _LOOK_ALIKE else _FAR


@cache
def _neighbours() -> Mapping[str, frozenset[str]]:
    """The keys around each key of a QWERTY keyboard, whose rows are shifted by about half a key."""
    at = {key: (row, column + row / 2) for row, keys in enumerate(_ROWS) for column, key in enumerate(keys)}
    return {
        key: frozenset(k for k, (r, c) in at.items() if k != key and abs(r - row) <= 1 and abs(c - column) <= 1)
        for key, (row, column) in at.items()
    }


def _candidates(name: str) -> set[int]:
    """Numbers of the popular domains within two slips: both, with up to two letters left out, have a form in common."""
    if len(name) > _LONGEST:
        return set()
    index = _index()
    return {number for form in _shortened(name) for number in index.get(form, ())}


@cache
def _index() -> Mapping[str, list[int]]:
    index = defaultdict(list)
    for number, domain in enumerate(POPULAR):
        for form in set(_shortened(domain)):
            index[form].append(number)
    return dict(index)


def _shortened(text: str) -> Iterator[str]:
    yield text
    for i in range(len(text)):
        once = text[:i] + text[i + 1 :]
        yield once
        for j in range(i, len(once)):
            yield once[:j] + once[j + 1 :]


@cache
def _suffixes() -> PublicSuffixList:
    return PublicSuffixList(accept_unknown=False, only_icann=True)


def _is_public(suffix: str) -> bool:
    """Whether names are registered under it; the list is read at first need, because that takes a while."""
    return bool(_suffixes().is_public(suffix))
