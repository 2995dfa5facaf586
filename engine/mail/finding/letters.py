"""A word in the letters addresses have (a to z, digits, hyphens), in each usual way."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from types import MappingProxyType

from anyascii import anyascii

from engine.mail import romanize
from engine.mail.finding.habits import ENGLISH, EXPANDED, PASSPORT, PLAIN, Choice

_EXPANDED = str.maketrans({"ä": "ae", "ö": "oe", "ü": "ue", "ø": "oe", "å": "aa", "æ": "ae", "đ": "dj"})
_PLAIN = str.maketrans({"ß": "ss", "þ": "th", "ð": "d", "æ": "ae", "œ": "oe", "ı": "i"})
_SPECIAL = frozenset("äöüøåđ")
_NORDIC = frozenset("øåđ")
_ONE_LETTER_SIGNS = frozenset("ğşıçőűáéíóúâêôãõñèàùłńśżźčřšžěůțșăî")
"""Signs of languages that do not write ö as oe (Turkish, Hungarian, Spanish …)."""
_one_letter_names = re.compile(r"str[öo]m|sj[öo]|[kq]vist|gren\b|lund\b|nen\b|ää|öö|g[üu]n|[öo]z|t[üu]rk|yü").search
"""Swedish, Finnish and Turkish names by their look; only asked of names with ä, ö or ü."""
_UKRAINIAN = frozenset("іїєґ")
_TWO_WAYS = frozenset("юяйьъ")
"""Cyrillic letters that English and passports write differently."""
_PASSPORT = str.maketrans({"ю": "iu", "я": "ia", "й": "i", "ъ": "ie", "ь": ""})
_GREEK = tuple(
    tuple(pair.split())
    for pair in (
        "αυ av,ευ ev,ου ou,γγ ng,γξ nx,γχ nch,αι ai,ει ei,οι oi,η i,υ y,ω o,χ ch,θ th,ψ ps,φ f,ξ x,α a,β v,γ g,δ d,ε e,ζ z,"
        "ι i,κ k,λ l,μ m,ν n,ο o,π p,ρ r,σ s,ς s,τ t"
    ).split(",")
)
"""ELOT 743 (ISO 843), without its rule on αυ and ευ before voiceless sounds."""
_NAMES = """
محمد mohamed أحمد ahmed احمد ahmed علي ali حسن hassan حسين hussein عمر omar خالد khaled محمود mahmoud مصطفى mustafa
إبراهيم ibrahim ابراهيم ibrahim يوسف youssef فاطمة fatima مريم maryam عائشة aisha سارة sara ليلى layla نور nour
كريم karim سعيد said طارق tarek عبدالله abdullah سلمان salman ناصر nasser سمير samir زينب zainab هدى huda
דוד david משה moshe יוסף yosef כהן cohen לוי levi שרה sarah רחל rachel יעקב yaakov מיכל michal נועה noa אבי avi
""".split()
_WITHOUT_VOWELS: Mapping[str, str] = MappingProxyType(dict(zip(_NAMES[::2], _NAMES[1::2], strict=True)))
"""Common names in scripts that leave out vowels, which no table of letters can bring back."""
_not_plain = re.compile(r"[^a-z0-9-]+")

Spell = Callable[[str], str]


@dataclass(frozen=True, slots=True)
class Way:
    """A way to spell all words of a name: one option of a choice, whose options weigh `base`; without a choice the only way."""

    spell: Spell
    choice: Choice | None = None
    option: str = ""
    base: Mapping[str, float] | None = None


def ways(text: str) -> list[Way]:
    """The ways to spell a name's words; one where its letters leave no choice."""
    text = unicodedata.normalize("NFC", text.lower())
    letters = set(text)
    if letters & _TWO_WAYS and not letters & _UKRAINIAN:
        return [Way(plain, Choice.CYRILLIC, ENGLISH), Way(_passport, Choice.CYRILLIC, PASSPORT)]
    if not letters & _SPECIAL:
        return [Way(plain)]
    base = None
    if letters & _ONE_LETTER_SIGNS:
        base = {EXPANDED: 0.1, PLAIN: 0.9}
    elif letters & _NORDIC or _one_letter_names(text):
        base = {EXPANDED: 0.25, PLAIN: 0.75}
    return [Way(_expanded, Choice.UMLAUT, EXPANDED, base), Way(plain, Choice.UMLAUT, PLAIN, base)]


def plain(word: str) -> str:
    """A word in a to z, digits and inner hyphens: special letters become what they look like, other scripts are transcribed."""
    word = unicodedata.normalize("NFC", word.lower())
    if word.isascii():
        return _bare(word)
    if (whole := _WITHOUT_VOWELS.get(word)) is not None:
        return whole
    script = unicodedata.name(word[0], "").partition(" ")[0]
    if script == "GREEK":
        return _bare(_greek(word))
    country = {"HANGUL": "KR", "CJK": "CN"}.get(script, "UA" if _UKRAINIAN & set(word) else "")
    return _bare(romanize.shown(word, country) if country else word.translate(_PLAIN))


def _expanded(word: str) -> str:
    return plain(unicodedata.normalize("NFC", word.lower()).translate(_EXPANDED))


def _passport(word: str) -> str:
    return plain(unicodedata.normalize("NFC", word.lower()).translate(_PASSPORT))


def _greek(word: str) -> str:
    """Without accents; μπ and ντ are b and d at the start of a word."""
    bare = "".join(c for c in unicodedata.normalize("NFD", word) if not unicodedata.combining(c))
    for start, latin in (("μπ", "b"), ("ντ", "d")):
        if bare.startswith(start):
            bare = latin + bare[2:]
    for greek, latin in _GREEK:
        bare = bare.replace(greek, latin)
    return bare


def _bare(word: str) -> str:
    latin = word if word.isascii() else anyascii(word)
    return re.sub("-{2,}", "-", _not_plain.sub("", latin.lower())).strip("-")
