"""Generate e-mails: distinct synthetic addresses at real providers, each with the person behind it."""

from __future__ import annotations

import asyncio
import re
from collections.abc import Callable, Mapping
from typing import Annotated, Any, Literal, Self

import pyarrow as pa
import pyarrow.compute as pc
from pydantic import BaseModel, BeforeValidator, ConfigDict, Field, field_validator

from engine.durable.contract import Batch, Chart, Done, JobParams, JobRow, Plan, Source, Tools
from engine.durable.schema import arrow_schema, category
from engine.errors import InvalidInput, SpaceTooSmall
from engine.mail.names import COUNTRIES, Gender
from engine.mail.pattern import DEFAULT_PATTERN, PLACEHOLDERS, parse
from engine.mail.providers import DEFAULT_PROVIDERS, ascii_domain
from engine.mail.synthesis import Recipe, Synthesis, synthesis

TYPE = "generate-emails"
TITLE = "Generate e-mails"
ICON = ":material/auto_awesome:"
PLACE = 10
BATCH = 25_000
CPU_BOUND = True
CHARTS = (
    Chart("provider", "Providers"),
    Chart("age", "Ages", "line"),
    Chart("gender", "Genders"),
    Chart("country", "Countries"),
)

MAX_COUNT = 10_000_000
MAX_PROVIDERS = 1000
AGES = 13, 110
"""Youngest age at which providers open accounts, and a little above the oldest."""
YEARS = 2000, 2100
REFERENCE_YEAR = 2026
"""The year ages are counted in unless a job says otherwise; a constant, because a batch knows no clock."""

_AGE_RANGE = re.compile(r"\s*(\d{1,3})\s*-\s*(\d{1,3})\s*")


class Provider(BaseModel):
    """A mailbox provider and its weight among the others."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    domain: str = Field(description="Domain after the @; an internationalised one is turned into its ASCII form.")
    weight: float = Field(1.0, gt=0, le=1e9, allow_inf_nan=False, description="Share relative to the other providers.")

    @field_validator("domain")
    @classmethod
    def _ascii(cls, domain: str) -> str:
        return ascii_domain(domain)


def _provider(value: Any) -> Any:
    return {"domain": ascii_domain(value)} if isinstance(value, str) else value


def _listed(value: Any) -> Any:
    return (value,) if isinstance(value, str) else value


class Params(JobParams):
    """What addresses to generate."""

    count: int = Field(1000, ge=1, le=MAX_COUNT, title="Count", description="How many distinct addresses to generate.")
    providers: tuple[Annotated[Provider, BeforeValidator(_provider, json_schema_input_type=str | Provider)], ...] = Field(
        tuple(Provider(domain=domain, weight=weight) for domain, weight in DEFAULT_PROVIDERS),
        max_length=MAX_PROVIDERS,
        title="Providers",
        description="Domains, or domains with weights. By default a mix of consumer providers.",
    )
    country: Annotated[tuple[str, ...], BeforeValidator(_listed, json_schema_input_type=str | tuple[str, ...])] = Field(
        ("US",),
        title="Country",
        description="Whose names to use: ISO 3166-1 alpha-2 codes, one or a list; several get equal shares.",
        examples=[["US"], ["DE", "FR"]],
    )
    age_range: str = Field(
        "18-65",
        title="Age range",
        description=f'Youngest and oldest age, "low-high", between {AGES[0]} and {AGES[1]}. For the United States first names '
        "follow the birth year; elsewhere it shapes ages, birth years and suffixes only.",
    )
    gender: Literal["any", "male", "female"] = Field("any", title="Gender", description="Whose first names to use.")
    pattern: str = Field(
        DEFAULT_PATTERN,
        title="Pattern",
        description=f"The part before the @: text and placeholders ({', '.join(f'{{{name}}}' for name in PLACEHOLDERS)}).",
    )
    suffix: Literal["auto", "never"] = Field(
        "auto",
        title="Suffix",
        description="auto: digits are appended where the plain address is taken; never: only plain addresses are made.",
    )
    seed: int | None = Field(
        None,
        ge=-(2**63),
        lt=2**63,
        title="Seed",
        description="The same seed and settings give the same list again. Drawn at random when left out.",
    )
    year: int = Field(
        REFERENCE_YEAR,
        ge=YEARS[0],
        le=YEARS[1],
        title="Reference year",
        description="The year ages are counted in: birth year = this year - age. Fixed, so that a list can be made again later.",
    )

    @field_validator("providers")
    @classmethod
    def _folded(cls, providers: tuple[Provider, ...]) -> tuple[Provider, ...]:
        if not providers:
            raise ValueError("the list of providers is empty; give a domain such as gmail.com")
        weights: dict[str, float] = {}
        for provider in providers:
            weights[provider.domain] = weights.get(provider.domain, 0.0) + provider.weight
        return tuple(Provider(domain=domain, weight=weight) for domain, weight in weights.items())

    @field_validator("country")
    @classmethod
    def _known(cls, codes: tuple[str, ...]) -> tuple[str, ...]:
        upper = tuple(dict.fromkeys(code.strip().upper() for code in codes))
        if not upper or not all(code in COUNTRIES for code in upper):
            raise ValueError(f"unknown country; use one of {', '.join(COUNTRIES)}")
        return upper

    @field_validator("age_range")
    @classmethod
    def _ages(cls, text: str) -> str:
        match = _AGE_RANGE.fullmatch(text)
        if match is None:
            raise ValueError('write two ages as "low-high", such as 18-65')
        low, high = int(match[1]), int(match[2])
        if low > high:
            raise ValueError("the lower age comes first, such as 18-65")
        if low < AGES[0] or high > AGES[1]:
            raise ValueError(f"ages lie between {AGES[0]} and {AGES[1]}")
        return f"{low}-{high}"

    @field_validator("pattern")
    @classmethod
    def _parsed(cls, text: str) -> str:
        parse(text)
        return text

    def settled(self, draw: Callable[[], int]) -> Self:
        """With a seed drawn where none was given."""
        return self if self.seed is not None else self.model_copy(update={"seed": draw()})

    @property
    def recipe(self) -> Recipe:
        """The parameters as the synthesis takes them: all but count and seed."""
        low, high = map(int, self.age_range.split("-"))
        return Recipe(
            providers=tuple((provider.domain, provider.weight) for provider in self.providers),
            countries=self.country,
            genders=tuple(Gender) if self.gender == "any" else (Gender(self.gender),),
            ages=(low, high),
            year=self.year,
            pattern=self.pattern,
            suffix=self.suffix == "auto",
        )


class Row(JobRow):
    """A synthetic address and its person."""

    email: str = Field(description="The address; no two rows have the same.")
    first_name: str = Field(description="First name, romanised where its script is not Latin.")
    last_name: str = Field(description="Surname, romanised where its script is not Latin.")
    gender: str = Field(**category("female or male, as the first name is used."))
    age: int = Field(description="Age in years, counted in the reference year.")
    country: str = Field(**category("Country of the names, ISO 3166-1 alpha-2."))
    provider: str = Field(**category("Domain of the address."))
    synthetic: bool = Field(description="Always true: made up, never to be sent to.")


def plan(params: Params, _source: Source | None) -> Plan:
    """One item per address. Raises `SpaceTooSmall` where fewer distinct addresses exist than wanted."""
    available = prepared(params).capacity
    if params.count > available:
        raise SpaceTooSmall(
            "count",
            available,
            f"only {available} distinct addresses exist for these settings; ask for fewer, or add providers or countries, "
            "widen the pattern or allow a suffix",
        )
    return Plan(params.count, BATCH)


async def process(batch: Batch, params: Params, _tools: Tools) -> Done:
    """The batch's slice of the list."""
    rows = await asyncio.to_thread(_rows, params, batch.start, batch.stop)
    return Done(rows, succeeded=rows.num_rows, counts={"generated": rows.num_rows}, tallies=_tallies(rows))


def preview(params: Params, n: int = 5) -> list[dict[str, Any]]:
    """The first rows that a job with these parameters would give; seed 0 where none is set. Raises `InvalidInput`."""
    settled = params.settled(lambda: 0)
    items = plan(settled, None).items
    rows: list[dict[str, Any]] = _rows(settled, 0, min(n, items)).to_pylist()
    return rows


def prepared(params: Params) -> Synthesis:
    """The synthesis of these parameters, kept between calls. Raises `InvalidInput` naming the field."""
    try:
        return synthesis(params.recipe)
    except ValueError as error:
        raise InvalidInput.of("pattern", str(error)) from None


def _rows(params: Params, start: int, stop: int) -> pa.Table:
    return prepared(params).rows(params.count, params.seed or 0, start, stop).cast(arrow_schema(Row))


def _tallies(rows: pa.Table) -> Mapping[str, Mapping[str, int]]:
    return {chart.tally: _counted(rows[chart.tally]) for chart in CHARTS}


def _counted(column: pa.ChunkedArray) -> dict[str, int]:
    return {str(pair["values"]): pair["counts"] for pair in pc.value_counts(column).to_pylist()}
