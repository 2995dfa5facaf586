"""What ai-generate is asked: what to write, who writes it, and how much it may cost."""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping
from enum import StrEnum
from typing import Annotated, Any, ClassVar, Self

from pydantic import AfterValidator, Field, SecretStr

from engine.durable.contract import JobParams, Source
from engine.errors import InvalidInput, Problem
from engine.jobs._columns import listed
from engine.mail.drafting import TEMPLATE_MODEL, Length, Style
from engine.mail.drafting.texts import text_lines

MAX_COUNT = 10_000
USUAL_COUNT = 10
OWN_COLUMNS = frozenset(
    """
    normalized status reason score level cached disposable role free relay catch_all smtputf8 mx provider suggestion checked_at
    detail synthetic confidence pattern sources why candidates_tried found_as first_seen model attempts error
    """.split()
)
"""Columns that jobs write about their own work: of another job's rows these are not told to a model unless it is said."""


class Mode(StrEnum):
    """What is written."""

    CONTACTS = "contacts"
    DRAFTS = "drafts"


class Provider(StrEnum):
    """Who writes."""

    OPENAI = "openai"
    ANTHROPIC = "anthropic"
    LOCAL = "local"
    TEMPLATE = "template"


def _said(text: str) -> str:
    if not text:
        raise ValueError("is empty; say what is to be written")
    return text


def _sendable(key: SecretStr) -> SecretStr | None:
    """A key that a header can hold; a blank one is none. Raises `ValueError`."""
    bare = key.get_secret_value().strip()
    if not all("!" <= char <= "~" for char in bare):
        raise ValueError("holds characters that no key has; copy it again")
    return key if bare else None


class Params(JobParams):
    """What is written, by whom, and how much it may cost."""

    items_field: ClassVar[str | None] = "contacts"
    secret_fields: ClassVar[frozenset[str]] = frozenset({"api_key"})
    server_secrets: ClassVar[Mapping[str, str]] = {"api_key": "ai_api_key", "anthropic_api_key": "anthropic_api_key"}
    server_values: ClassVar[Mapping[str, str]] = {"model": "ai_model"}

    mode: Mode = Field(title="Mode", description="contacts: people who do not exist; drafts: a message for each row of a list.")
    brief: Annotated[str, AfterValidator(text_lines), AfterValidator(_said)] = Field(
        min_length=1,
        max_length=5_000,
        title="Brief",
        description="What kind of people, or what the message is to say and to achieve, and who signs it.",
    )
    count: int | None = Field(
        None, ge=1, le=MAX_COUNT, title="Count", description=f"How many contacts; {USUAL_COUNT} when left out. Not for drafts."
    )
    contacts: list[str | dict[str, Any] | int | float | None] | None = Field(
        None, title="List", description="For drafts: objects with an address and whatever the model may use, or addresses."
    )
    columns: tuple[str, ...] | None = Field(
        None,
        max_length=200,
        title="Columns",
        description="For drafts: the columns of the list that the model is told. All when left out; of another job's rows all "
        "but those that the job wrote about its work.",
    )
    language: Annotated[str, AfterValidator(text_lines)] | None = Field(
        None, max_length=60, title="Language", description="In which language to write; that of the brief when left out."
    )
    tone: Annotated[str, AfterValidator(text_lines)] | None = Field(
        None, max_length=120, title="Tone", description="For drafts: such as friendly or formal; the brief decides when left out."
    )
    length: Length | None = Field(None, title="Length", description="For drafts: how long; medium when left out.")
    provider: Provider | None = Field(
        None,
        title="Provider",
        description="openai: the server's OpenAI-compatible service; anthropic: Anthropic's; local: weights on the server; "
        "template: rules, not AI, no key. When left out the first of them that the server is set up for.",
    )
    model: str | None = Field(
        None, min_length=1, max_length=200, title="Model", description="A model of the service; the server's when left out."
    )
    temperature: float | None = Field(
        None, ge=0, le=2, title="Temperature", description="0 is sober, 1 lively; the model's own when left out."
    )
    seed: int | None = Field(
        None,
        ge=0,
        lt=2**53,
        title="Seed",
        description="Draws names and greetings; services that take one get it. Drawn when left out.",
    )
    api_key: Annotated[SecretStr, Field(max_length=500), AfterValidator(_sendable)] | None = Field(
        None,
        title="API key",
        description="Key of the service; kept encrypted until the job ends. Not needed where the server has one.",
    )
    own_key: bool = Field(
        False,
        title="Own key",
        description="Set by the server: the job came with a key of its own, and cannot run again without one.",
    )
    max_requests: int = Field(
        5_000, ge=1, le=1_000_000, title="Most requests", description="No more requests are made; rows left then say so."
    )
    max_tokens: int = Field(
        5_000_000,
        ge=1,
        le=10**10,
        title="Most tokens",
        description="No request begins once so many were counted, of prompts and answers; those under way may go beyond. "
        "Where a service counts none, four bytes are taken for one.",
    )
    price_in: float | None = Field(
        None,
        ge=0,
        le=10_000,
        title="Price of a million prompt tokens",
        description="In any currency; the page then shows the cost.",
    )
    price_out: float | None = Field(
        None, ge=0, le=10_000, title="Price of a million answer tokens", description="In the same currency."
    )

    @property
    def style(self) -> Style:
        """How to write."""
        return Style(self.tone or "", self.language or "", self.length or Length.MEDIUM)

    def settled(self, draw: Callable[[], int]) -> Self:
        """With a seed drawn where none was given."""
        return self if self.seed is not None else self.model_copy(update={"seed": draw()})

    def equipped(self, values: Mapping[str, str], unset: Collection[str]) -> Self:
        """With provider and model settled. Raises `InvalidInput` for what does not go together."""
        provider = self.provider or usual_provider(unset)
        model = self.model
        if provider is Provider.TEMPLATE:
            model = model or TEMPLATE_MODEL
        elif provider is Provider.OPENAI or (provider is Provider.ANTHROPIC and "ai_url" in unset):
            model = model or values.get("model")
        own_key = self.own_key or self.api_key is not None
        settled = self.model_copy(update={"provider": provider, "model": model, "own_key": own_key})
        if problems := [*settled._mode_problems(), *settled._provider_problems()]:
            raise InvalidInput(problems)
        return settled

    def fitted(self, source: Source) -> Self:
        """With the columns that the model is told. Raises `InvalidInput` where there are none such, or no list is wanted."""
        if self.mode is Mode.CONTACTS:
            field = "fromJob" if source.job_type else "contacts"
            raise InvalidInput.of(field, "is for drafts; leave it out, or choose the mode drafts")
        names = source.schema.names
        if self.columns is None:
            return self.model_copy(update={"columns": told_columns(source)})
        if missing := [name for name in self.columns if name not in names]:
            raise InvalidInput.of("columns", f"{len(missing)} of them are not in the list; it has {listed(names)}")
        return self

    def secrets(self) -> dict[str, str]:
        """The key under the name that its provider's has."""
        given = super().secrets()
        return {secret_name(self.provider): value for value in given.values()}

    @classmethod
    def needed_secrets(cls, stored: Mapping[str, Any]) -> frozenset[str]:
        """Anthropic answers nobody without a key; services that speak OpenAI's protocol may, unless a job came with one."""
        if stored.get("provider") == Provider.ANTHROPIC:
            return frozenset({"anthropic_api_key"})
        return frozenset({"api_key"}) if stored.get("provider") == Provider.OPENAI and stored.get("ownKey") else frozenset()

    @classmethod
    def wanted_secrets(cls, stored: Mapping[str, Any]) -> frozenset[str]:
        """The server's key for its own service."""
        return frozenset({"api_key"}) if stored.get("provider") == Provider.OPENAI else frozenset()

    @classmethod
    def needed_settings(cls, stored: Mapping[str, Any]) -> Mapping[str, str]:
        """Where the service is: never a job's to say."""
        needed = {str(Provider.OPENAI): "ai_url", str(Provider.LOCAL): "ai_model_file"}
        setting = needed.get(str(stored.get("provider")))
        return {"provider": setting} if setting else {}

    def _mode_problems(self) -> list[Problem]:
        if self.mode is Mode.DRAFTS:
            said = "is for contacts; the list decides how many drafts there are: leave it out"
            return [Problem("count", said)] if self.count is not None else []
        given = {"columns": self.columns, "tone": self.tone, "length": self.length}
        return [Problem(name, "is for drafts; leave it out") for name, value in given.items() if value is not None]

    def _provider_problems(self) -> list[Problem]:
        problems = []
        if self.api_key is not None and self.provider in (Provider.TEMPLATE, Provider.LOCAL):
            problems.append(Problem("apiKey", f"is not used by {self.provider}; leave it out, or choose openai or anthropic"))
        if self.provider in (Provider.OPENAI, Provider.ANTHROPIC) and not self.model:
            problems.append(Problem("model", f"is needed: name a model of {self.provider}; the server has none of its own"))
        if self.provider is Provider.TEMPLATE and self.model != TEMPLATE_MODEL:
            problems.append(Problem("model", "is for AI services; the provider template has none: leave it out"))
        if self.provider is Provider.TEMPLATE and self.mode is Mode.DRAFTS and "{{" in self.brief:
            said = "stands in every draft as it is, with any {{ name }} in it; write a message with variables in Send e-mails"
            problems.append(Problem("brief", f"{said}, or leave it out"))
        if self.provider is Provider.LOCAL and self.model:
            problems.append(Problem("model", "is the server's own file with the provider local; leave it out"))
        return problems


def told_columns(source: Source) -> tuple[str, ...]:
    """The columns of a list that a model is told where nothing else is said."""
    names = source.schema.names
    told = [name for name in names if not (source.job_type and name.removeprefix("input_") in OWN_COLUMNS)]
    return tuple(told or names)


def usual_provider(unset: Collection[str]) -> Provider:
    """The first provider that the server is set up for."""
    needed = {Provider.OPENAI: "ai_url", Provider.ANTHROPIC: "anthropic_api_key", Provider.LOCAL: "ai_model_file"}
    return next((provider for provider, setting in needed.items() if setting not in unset), Provider.TEMPLATE)


def secret_name(provider: Provider | None) -> str:
    """The name under which a job's key is kept."""
    return "anthropic_api_key" if provider is Provider.ANTHROPIC else "api_key"
