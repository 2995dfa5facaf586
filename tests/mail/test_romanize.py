"""Names in Latin letters."""

from __future__ import annotations

import pytest

from engine.mail.romanize import shown, spelled


@pytest.mark.parametrize(
    ("name", "country", "as_shown", "as_spelled"),
    [
        ("Müller", "DE", "Müller", "mueller"),
        ("Weiß", "DE", "Weiß", "weiss"),
        ("Ödegaard", "SE", "Ödegaard", "odegaard"),
        ("Muñoz", "ES", "Muñoz", "munoz"),
        ("van der Wal", "NL", "van der Wal", "vanderwal"),
        ("Jean-Luc", "FR", "Jean-Luc", "jeanluc"),
        ("D'Angelo", "IT", "D'Angelo", "dangelo"),
        ("Łukasz", "PL", "Łukasz", "lukasz"),
        ("Yıldırım", "TR", "Yıldırım", "yildirim"),
        ("İpek", "TR", "İpek", "ipek"),
        ("Щербаков", "RU", "Shcherbakov", "shcherbakov"),
        ("Наталья", "RU", "Natalya", "natalya"),
        ("Григорій", "UA", "Hryhorii", "hryhorii"),
        ("Євген", "UA", "Yevhen", "yevhen"),
        ("Згурський", "UA", "Zghurskyi", "zghurskyi"),
        ("김", "KR", "Kim", "kim"),
        ("이", "KR", "Lee", "lee"),
        ("박", "KR", "Park", "park"),
        ("경숙", "KR", "Gyeongsuk", "gyeongsuk"),
        ("曾", "CN", "Zeng", "zeng"),
        ("单", "CN", "Shan", "shan"),
        ("秀英", "CN", "Xiuying", "xiuying"),
        ("Núñez", "AR", "Núñez", "nunez"),
    ],
)
def test_names(name, country, as_shown, as_spelled):
    assert shown(name, country) == as_shown
    assert spelled(as_shown, country) == as_spelled
