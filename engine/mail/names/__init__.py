"""First names and surnames by country, with how common they are."""

from __future__ import annotations

from functools import cache

from engine.mail.names.census import united_states
from engine.mail.names.countries import COUNTRIES, Country
from engine.mail.names.merged import merged
from engine.mail.names.model import COHORTS, Cohorts, CountryNames, Gender, Names

__all__ = ["COHORTS", "COUNTRIES", "Cohorts", "Country", "CountryNames", "Gender", "Names", "load"]


@cache
def load(code: str) -> CountryNames:
    """The names of a country by its ISO 3166-1 alpha-2 code; read from the installed packages at first use, then kept."""
    return united_states() if code == "US" else merged(COUNTRIES[code])
