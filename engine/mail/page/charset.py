"""From bytes to text: what a page says of its encoding, and what to do where that is wrong or missing."""

from __future__ import annotations

import codecs
import re

from engine.mail.page.model import MAX_CHARACTERS

_SNIFFED = 4_096
"""Bytes in which a declaration is looked for; the HTML standard asks for 1,024."""
_REPLACED = "\N{REPLACEMENT CHARACTER}"
_MARKS = ((codecs.BOM_UTF8, "utf-8"), (codecs.BOM_UTF16_LE, "utf-16-le"), (codecs.BOM_UTF16_BE, "utf-16-be"))
_declared = re.compile(
    rb"<meta[^>]{0,200}?charset\s*=\s*[\"']?\s*([\w.:-]{2,40})|^\s*<\?xml[^>]{0,200}?encoding\s*=\s*[\"']([\w.:-]{2,40})", re.I
)
# Labels that browsers read as a larger encoding (https://encoding.spec.whatwg.org/#names-and-labels).
_LARGER = {
    "ascii": "cp1252",
    "iso8859-1": "cp1252",
    "iso8859-9": "cp1254",
    "tis-620": "cp874",
    "iso8859-11": "cp874",
    "gb2312": "gb18030",
    "gbk": "gb18030",
    "shift_jis": "cp932",
    "euc_kr": "cp949",
    "big5": "big5hkscs",
}
_BYTEWISE = re.compile(
    r"iso8859-\d+|cp125\d|cp866|cp874|koi8-[rut]|mac-(?:roman|cyrillic|latin2|greek|turkish)|ptcp154|hp-roman8"
)
_MULTIBYTE = frozenset("gb18030 big5hkscs cp932 cp949 euc_jp euc_jis_2004 shift_jisx0213 iso2022_jp utf-8".split())
_GUESSES = {
    **dict.fromkeys(("ru", "su", "by", "bg", "ua", "kz", "uk", "xn--p1ai"), "cp1251"),
    **dict.fromkeys(("pl", "cz", "cs", "sk", "hu", "si", "sl", "hr", "rs", "ro", "sq"), "cp1250"),
    **dict.fromkeys(("gr", "el", "cy"), "cp1253"),
    "tr": "cp1254",
    **dict.fromkeys(("il", "he"), "cp1255"),
    **dict.fromkeys(("sa", "eg", "ae", "ar", "ir", "fa"), "cp1256"),
    **dict.fromkeys(("lt", "lv", "ee", "et"), "cp1257"),
    "vn": "cp1258",
    **dict.fromkeys(("jp", "ja"), "cp932"),
    **dict.fromkeys(("cn", "zh"), "gb18030"),
    **dict.fromkeys(("tw", "hk"), "big5hkscs"),
    **dict.fromkeys(("kr", "ko"), "cp949"),
    "th": "cp874",
}
"""What pages without a declaration are written in, by top-level domain or language: as browsers guess."""
_language = re.compile(rb"<html[^>]{0,300}?\blang\s*=\s*[\"']?([A-Za-z]{2})\b", re.I)


def text_of(html: bytes | str, charset: str | None = None, top_level: str = "") -> str:
    """A page as text of at most `MAX_CHARACTERS` characters without lone surrogates; `charset` is what its Content-Type says.

    In order: a byte order mark, UTF-8 where everything is UTF-8 (a page that says otherwise is wrong), the Content-Type, the
    declaration in the page, a guess by language and top-level domain, Windows-1252. Whoever says UTF-8 is believed while most of
    what is not ASCII is that; servers say it of all pages, old ones too. No order loses ASCII.
    """
    if isinstance(html, str):
        return _without_surrogates(html[:MAX_CHARACTERS])
    for mark, name in _MARKS:
        if html.startswith(mark):
            return _read(html[len(mark) :], name)
    if (wide := _wide(html)) is not None:
        return _read(html, wide)
    if b"\x1b" not in html and (unicode := _utf8(html)) is not None:
        return unicode
    for said in (charset, _said(html)):
        if said and (codec := _known(said)) and (text := _believed(html, codec)) is not None:
            return text
    return _read(html, _guess(html, top_level))


def _without_surrogates(text: str) -> str:
    return text if text.isascii() else text.encode("utf-8", "replace").decode("utf-8")


def _read(html: bytes, name: str) -> str:
    return html[: 4 * MAX_CHARACTERS].decode(name, "replace")[:MAX_CHARACTERS]


def _believed(html: bytes, codec: str) -> str | None:
    """The page in the encoding that it is said to have, or None where it is said to be in UTF-8 and is not."""
    text = _read(html, codec)
    if codec != "utf-8" or not (strange := text.count(_REPLACED)):
        return text
    foreign = len(text) - len(text.encode("ascii", "ignore"))
    return text if 2 * strange <= foreign else None


def _utf8(html: bytes) -> str | None:
    """The page in UTF-8, or None where it isn't; a last character cut in half doesn't matter."""
    decoder = codecs.getincrementaldecoder("utf-8")()
    try:
        return decoder.decode(html[: 4 * MAX_CHARACTERS])[:MAX_CHARACTERS]
    except UnicodeDecodeError:
        return None


def _wide(html: bytes) -> str | None:
    """UTF-16 without a mark, by where the zero bytes of its markup are; whoever declares it over plain bytes is wrong."""
    start = html[:_SNIFFED]
    if start.count(0) * 4 < len(start) or len(start) < 4:
        return None
    return "utf-16-le" if start[1::2].count(0) >= start[0::2].count(0) else "utf-16-be"


def _said(html: bytes) -> str | None:
    found = _declared.search(html[:_SNIFFED])
    return (found[1] or found[2]).decode("ascii", "replace") if found else None


def _known(label: str) -> str | None:
    """The codec for a label, where it is an encoding of the web that keeps ASCII as it is."""
    try:
        name = codecs.lookup(label.strip(" \t\"';").lower()).name
    except (LookupError, ValueError):
        return None
    name = _LARGER.get(name, name)
    return name if name in _MULTIBYTE or _BYTEWISE.fullmatch(name) else None


def _guess(html: bytes, top_level: str) -> str:
    found = _language.search(html[:_SNIFFED])
    language = found[1].decode("ascii").lower() if found else ""
    name = _GUESSES.get(language) or _GUESSES.get(top_level.lower(), "cp1252")
    if name == "cp1251" and _looks_koi8(html):
        return "koi8-r"
    return "euc_jp" if name == "cp932" and not _reads(html, "cp932") and _reads(html, "euc_jp") else name


def _looks_koi8(html: bytes) -> bool:
    """Russian is mostly lower case, which KOI8-R has at C0–DF and Windows-1251 at E0–FF."""
    high = html[: 16 * _SNIFFED].translate(None, bytes(range(0xC0)))
    return 2 * sum(byte < 0xE0 for byte in high) > len(high)


def _reads(html: bytes, name: str) -> bool:
    try:
        html[: 16 * _SNIFFED].decode(name)
    except UnicodeDecodeError as error:
        return error.end >= 16 * _SNIFFED - 4
    return True
