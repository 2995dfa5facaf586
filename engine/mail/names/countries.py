"""The countries names exist for, and which lists their names come from."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType


@dataclass(frozen=True, slots=True)
class Country:
    """A country and its name lists: Faker locales first, in order, then mimesis locales."""

    code: str
    name: str
    faker: tuple[str, ...] = ()
    mimesis: tuple[str, ...] = ()
    foreign_surnames: bool = False
    """Whether the mimesis surnames are those of another country and are left out (en-gb and en-au repeat the US list)."""


COUNTRIES: Mapping[str, Country] = MappingProxyType(
    {
        country.code: country
        for country in [
            Country("AR", "Argentina", ("es_AR", "es_MX", "es_ES")),
            Country("AU", "Australia", ("en_GB",), ("en-au",), foreign_surnames=True),
            Country("BR", "Brazil", ("pt_BR",), ("pt-br",)),
            Country("CL", "Chile", ("es_CL",)),
            Country("CN", "China", ("zh_CN",), ("zh",)),
            Country("CO", "Colombia", ("es_CO",)),
            Country("DE", "Germany", ("de_DE",), ("de",)),
            Country("DK", "Denmark", ("da_DK",), ("da",)),
            Country("ES", "Spain", ("es_ES",), ("es",)),
            Country("FI", "Finland", ("fi_FI",), ("fi",)),
            Country("FR", "France", ("fr_FR",), ("fr",)),
            Country("GB", "United Kingdom", ("en_GB",), ("en-gb",), foreign_surnames=True),
            Country("IN", "India", ("en_IN",)),
            Country("IT", "Italy", ("it_IT",), ("it",)),
            Country("JP", "Japan", ("ja_JP",)),
            Country("KR", "South Korea", ("ko_KR",), ("ko",)),
            Country("MX", "Mexico", ("es_MX",), ("es-mx",)),
            Country("NL", "Netherlands", ("nl_NL",), ("nl",)),
            Country("NO", "Norway", ("no_NO",), ("no",)),
            Country("NZ", "New Zealand", ("en_GB", "en_NZ")),
            Country("PL", "Poland", ("pl_PL",), ("pl",)),
            Country("RU", "Russia", ("ru_RU",), ("ru",)),
            Country("SE", "Sweden", ("sv_SE",), ("sv",)),
            Country("TR", "Türkiye", ("tr_TR",), ("tr",)),
            Country("UA", "Ukraine", ("uk_UA",), ("uk",)),
            Country("US", "United States"),
        ]
    }
)
"""Every supported country by its ISO 3166-1 alpha-2 code."""
