"""The fields that say who writes, with which key, and what it may cost."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any
from urllib.parse import urlsplit

import streamlit as st

from engine.jobs.ai_generate import Params, Provider, usual_provider
from engine.mail.drafting import TEMPLATE_MODEL
from engine.settings import Settings
from engine.workbench import workbench
from pages.parts.form import Raw, Slots

NAMES = {
    Provider.OPENAI: "AI service",
    Provider.ANTHROPIC: "Anthropic",
    Provider.LOCAL: "On this server",
    Provider.TEMPLATE: "Template, not AI",
}
_KEYED = {Provider.OPENAI: "ai_api_key", Provider.ANTHROPIC: "anthropic_api_key"}
_LEAVES = " What the model is told leaves this machine."
_MORE = "OpenAI, Ollama, llama.cpp, vLLM and their like are set up on the server, with POSTBENCH_AI_URL"
_HERE = ("127.0.0.1", "localhost", "::1")
_COSTS = {"maxRequests": "max_requests", "maxTokens": "max_tokens"}


def draw(slots: Slots) -> Raw:
    """The provider and what it needs; returns wire names and values."""
    settings = workbench().settings
    told = _told(settings)
    if st.session_state.get(_key("provider")) not in told:
        st.session_state[_key("provider")] = usual_provider(settings.unset)
    chosen = st.radio(
        "Who writes", list(told), format_func=NAMES.__getitem__, captions=list(told.values()), **_lasting("provider")
    )
    slots.under("provider", "" if settings.ai_url else _MORE)
    provider = chosen or Provider.TEMPLATE
    raw: Raw = {"provider": provider.value}
    return raw | _model(slots, provider, settings) | _api_key(slots, provider, settings) if provider in _KEYED else raw


def load(params: Mapping[str, Any]) -> None:
    """Fill them from a job's parameters."""
    st.session_state[_key("provider")] = Provider(params.get("provider") or Provider.TEMPLATE)
    model = params.get("model") or ""
    st.session_state[_key("model")] = "" if model == TEMPLATE_MODEL else model
    for name in ("temperature", "maxRequests", "maxTokens", "priceIn", "priceOut"):
        st.session_state[_key(name)] = params.get(name)
    st.session_state[_key("seed")] = None


def advanced(slots: Slots) -> Raw:
    """Caps, prices, and how lively to write."""
    for wire, name in _COSTS.items():
        st.session_state.setdefault(_key(wire), Params.model_fields[name].default)
    with st.expander("Caps, prices and details", icon=":material/tune:", key="advanced"):
        grid = st.grid(3, min_column_width=200, gap="small")
        fields = (
            ("maxRequests", "Most requests", 100, "The rest of the rows says so when it is reached"),
            ("maxTokens", "Most tokens", 100_000, "Of prompts and answers together"),
            ("temperature", "Temperature", 0.1, "0 is sober, 1 lively; the model's own when empty"),
            ("priceIn", "Price of a million prompt tokens", 0.1, "In any currency; costs are then counted"),
            ("priceOut", "Price of a million answer tokens", 0.1, "In the same currency"),
            ("seed", "Seed", 1, "Drawn when empty"),
        )
        raw: Raw = {}
        for name, label, step, hint in fields:
            with grid.cell():
                value = st.number_input(label, step=step, value=None, placeholder="", **_lasting(name))
                slots.under(name, hint)
            raw |= {name: value} if value is not None else {}
    return raw


def _told(settings: Settings) -> dict[Provider, str]:
    """The providers that can be chosen here, each with a line about it."""
    told: dict[Provider, str] = {}
    if settings.ai_url:
        host = urlsplit(settings.ai_url).hostname or ""
        told[Provider.OPENAI] = f"The server's own, at {host}.{'' if host in _HERE else _LEAVES}"
    told[Provider.ANTHROPIC] = f"Claude models. Needs a key.{_LEAVES}"
    if settings.ai_model_file:
        told[Provider.LOCAL] = f"{settings.ai_model_file.stem}, on the engine's processor. Slow; nothing leaves this machine."
    told[Provider.TEMPLATE] = "The brief itself as a letter, people from lists of names. No key, no cost, and no intelligence."
    return told


def _model(slots: Slots, provider: Provider, settings: Settings) -> Raw:
    own = settings.ai_model if provider is Provider.OPENAI or not settings.ai_url else ""
    text = st.text_input(
        "Model", placeholder=f"empty: {own}" if own else "name of a model of this service", max_chars=200, **_lasting("model")
    )
    slots.under("model", "As the service calls it")
    return {"model": text.strip()} if text and text.strip() else {}


def _api_key(slots: Slots, provider: Provider, settings: Settings) -> Raw:
    """Typed anew each time: it is not kept in the session."""
    own = getattr(settings, _KEYED[provider]) is not None
    without = "empty: without a key" if provider is Provider.OPENAI else "your key"
    text = st.text_input(
        "API key",
        type="password",
        placeholder="empty: the server's own key" if own else without,
        autocomplete="off",
        live=True,  # the Tab key leads to the eye beside the text, and the text alone would not be sent
        key=_key("api_key"),
    )
    slots.under("apiKey", "Kept encrypted, and only until the job ends")
    return {"apiKey": text.strip()} if text and text.strip() else {}


def _lasting(part: str) -> dict[str, Any]:
    """A field that outlives a change of page."""
    return {"key": _key(part), "persist_state": "session"}


def _key(part: str) -> str:
    return f"ai_{part}"
