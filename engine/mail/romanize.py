"""Names in Latin letters: how they are shown and how they are spelled in addresses."""

from __future__ import annotations

import re
import unicodedata

from anyascii import anyascii

_NOT_LETTERS = re.compile(r"[^a-z]+")

_GERMAN = str.maketrans({"ä": "ae", "ö": "oe", "ü": "ue", "ß": "ss", "Ä": "Ae", "Ö": "Oe", "Ü": "Ue"})
_SPELLING = dict.fromkeys(("DE", "AT", "CH"), _GERMAN)

_CHINESE = {"曾": "Zeng", "单": "Shan", "解": "Xie", "仇": "Qiu", "查": "Zha", "盖": "Ge", "区": "Ou", "朴": "Piao"}
_KOREAN = {
    "김": "Kim", "이": "Lee", "박": "Park", "최": "Choi", "정": "Jung", "강": "Kang", "조": "Cho", "윤": "Yoon", "장": "Jang",
    "임": "Lim", "한": "Han", "오": "Oh", "서": "Seo", "신": "Shin", "권": "Kwon", "황": "Hwang", "안": "Ahn", "송": "Song",
    "전": "Jeon", "홍": "Hong", "유": "Yoo", "고": "Ko", "문": "Moon", "양": "Yang", "손": "Son", "배": "Bae", "백": "Baek",
    "허": "Heo", "남": "Nam", "심": "Shim", "노": "Noh", "하": "Ha", "곽": "Kwak", "성": "Sung", "차": "Cha", "주": "Joo",
    "우": "Woo", "구": "Koo", "민": "Min", "류": "Ryu", "나": "Na", "진": "Jin", "지": "Ji", "엄": "Um",
}  # fmt: skip
"""Spellings Korean families use, where they differ from the official romanisation."""

_INITIALS = "g kk n d tt r m b pp s ss . j jj ch k t p h".replace(".", "").split(" ")
_VOWELS = "a ae ya yae eo e yeo ye o wa wae oe yo u wo we wi yu eu ui i".split()
_FINALS = ["", *"k k k n n n t l k m l l l p l m p p t t ng t t k t p t".split()]
_HANGUL = range(0xAC00, 0xD7A4)

_UKRAINIAN = str.maketrans(
    dict(zip("абвгґдежзиіклмнопрстуфхцчшщ", "a b v h g d e zh z y i k l m n o p r s t u f kh ts ch sh shch".split(), strict=True))
    | {"й": "i", "ї": "i", "є": "ie", "ю": "iu", "я": "ia", "ь": "", "'": "", "’": "", "ʼ": ""}
)
_UKRAINIAN_START = {"й": "y", "ї": "yi", "є": "ye", "ю": "yu", "я": "ya"}


def shown(name: str, country: str) -> str:
    """The name as a table shows it: as written where the script is Latin, otherwise romanised and capitalised."""
    name = unicodedata.normalize("NFC", " ".join(name.split()))
    if all(unicodedata.name(c, "").startswith("LATIN") for c in name if c.isalpha()):
        return name
    return _romanized(name, country).replace("'", "").capitalize()


def spelled(shown_name: str, country: str) -> str:
    """The name as an address spells it: letters a to z only; hyphens, spaces and apostrophes are left out."""
    table = _SPELLING.get(country)
    text = shown_name.translate(table) if table else shown_name
    return _NOT_LETTERS.sub("", (text if text.isascii() else anyascii(text)).lower())


def _romanized(name: str, country: str) -> str:
    if country == "KR":
        return _KOREAN.get(name) or "".join(map(_syllable, name))
    if country == "CN":
        return _CHINESE.get(name) or _CHINESE.get(name[0], anyascii(name[0])) + anyascii(name[1:])
    if country == "UA":
        return _ukrainian(name.lower())
    return anyascii(name)


def _syllable(character: str) -> str:
    """Revised Romanization of one Hangul syllable (Unicode 3.12: initial, vowel and final by arithmetic)."""
    if ord(character) not in _HANGUL:
        return anyascii(character)
    initial, rest = divmod(ord(character) - _HANGUL.start, 588)
    vowel, final = divmod(rest, 28)
    return _INITIALS[initial] + _VOWELS[vowel] + _FINALS[final]


def _ukrainian(name: str) -> str:
    """The official table (Cabinet of Ministers of Ukraine, resolution 55 of 2010)."""
    start = _UKRAINIAN_START.get(name[0], name[0])
    return (start + name[1:]).replace("зг", "zgh").translate(_UKRAINIAN)
