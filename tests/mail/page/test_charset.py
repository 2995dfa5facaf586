"""Encodings: what a page says, what it is, and that ASCII addresses survive every mistake."""

from __future__ import annotations

import codecs

import pytest
from hypothesis import given
from hypothesis import strategies as st

from engine.mail.page import read_page
from engine.mail.page.charset import text_of

URL = "https://kestrelworks.com/"
LABELS = [
    "utf-8",
    "latin-1",
    "windows-1251",
    "shift_jis",
    "gbk",
    "big5",
    "euc-kr",
    "iso-2022-jp",
    "koi8-r",
    "utf-16",
    "utf-7",
    "x-user-defined",
]
LABELS += [
    "hz",
    "utf-32",
    "cp037",
    "idna",
    "punycode",
    "unicode_escape",
    "rot13",
    "base64",
    "undefined",
    "no such thing",
    "",
    "\ud800",
]


@pytest.mark.parametrize("label", LABELS)
@pytest.mark.parametrize("body", ["plain", "Grüße", "привет", "こんにちは"])
def test_ascii_addresses_survive_a_wrong_label(label: str, body: str) -> None:
    html = f"<p>{body}: ada@kestrelworks.com {body}</p>".encode()
    assert [sighting.email for sighting in read_page(html, URL, label).sightings] == ["ada@kestrelworks.com"]
    named = f'<meta charset="{label}">'.encode("ascii", "ignore") + html
    assert [sighting.email for sighting in read_page(named, URL).sightings] == ["ada@kestrelworks.com"]


@pytest.mark.parametrize(
    ("name", "label", "title"),
    [
        ("cp1252", "iso-8859-1", "Grüße – “Hafen”"),
        ("cp1251", "windows-1251", "Контакты"),
        ("koi8-r", "koi8-r", "Контакты"),
        ("shift_jis", "Shift_JIS", "お問い合わせ"),
        ("euc_jp", "EUC-JP", "お問い合わせ"),
        ("iso2022_jp", "iso-2022-jp", "お問い合わせ"),
        ("gb18030", "gb2312", "联系我们"),
        ("big5", "big5", "聯絡我們"),
        ("cp949", "euc-kr", "문의하기"),
        ("iso8859-2", "iso-8859-2", "Kontakt – pošta".replace("–", "-")),
    ],
)
def test_labels_are_believed_where_they_fit(name: str, label: str, title: str) -> None:
    html = f"<title>{title}</title><p>ada@kestrelworks.com</p>".encode(name)
    assert read_page(html, URL, label).title == title
    declared = f'<meta http-equiv="Content-Type" content="text/html; charset={label}">'.encode() + html
    assert read_page(declared, URL).title == title


@pytest.mark.parametrize("declared", ["", '<meta charset="utf-8">', '<meta charset="iso-8859-1">'])
def test_utf8_is_not_believed_of_a_page_in_something_else(declared: str) -> None:
    """Servers that say UTF-8 of everything also have old pages."""
    html = f"{declared}<title>Grüße</title><p>info@bäcker-öl.de</p>".encode("latin-1")
    page = read_page(html, URL, "utf-8")
    assert (page.title, [sighting.email for sighting in page.sightings]) == ("Grüße", ["info@bäcker-öl.de"])


def test_a_declaration_that_fits_goes_before_a_content_type_that_does_not() -> None:
    html = '<meta charset="windows-1251"><title>Контакты</title>'.encode("cp1251")
    assert read_page(html, URL, "utf-8").title == "Контакты"


def test_a_few_bad_bytes_do_not_make_utf8_something_else() -> None:
    assert text_of("Grüße aus Köln ".encode() + b"\xff\xe9", "utf-8").startswith("Grüße aus Köln ")


def test_utf8_goes_before_labels_and_marks_before_everything() -> None:
    assert text_of("Grüße".encode(), "iso-8859-1") == "Grüße"
    assert text_of(codecs.BOM_UTF16_LE + "Grüße".encode("utf-16-le"), "utf-8") == "Grüße"
    assert text_of(codecs.BOM_UTF8 + b"x", "utf-16") == "x"


def test_utf16_without_a_mark_is_noticed() -> None:
    for name in ("utf-16-le", "utf-16-be"):
        assert text_of("<p>ada@kestrelworks.com".encode(name)) == "<p>ada@kestrelworks.com"


@pytest.mark.parametrize(
    ("name", "top_level", "language", "text"),
    [
        ("cp1251", "ru", "", "Наши контакты"),
        ("koi8-r", "ru", "", "Наши контакты"),
        ("cp1251", "com", "ru", "Наши контакты"),
        ("cp932", "jp", "", "お問い合わせ"),
        ("euc_jp", "jp", "", "お問い合わせ"),
        ("gb18030", "cn", "", "联系我们"),
        ("cp1250", "pl", "", "Książka"),
        ("cp1253", "gr", "", "επικοινωνία"),
        ("cp1252", "de", "", "Grüße"),
    ],
)
def test_pages_that_say_nothing_are_guessed_by_place_and_language(name: str, top_level: str, language: str, text: str) -> None:
    html = (f'<html lang="{language}">' if language else "<html>").encode() + text.encode(name)
    assert text_of(html, None, top_level).endswith(text)


@given(st.binary(max_size=200), st.one_of(st.none(), st.text(max_size=20)))
def test_any_bytes_under_any_label_are_text(html: bytes, label: str | None) -> None:
    text_of(html, label).encode("utf-8")
