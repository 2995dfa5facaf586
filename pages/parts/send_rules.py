"""What goes for the sending of a message: the sender's address and reason, how fast, and by which way."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import streamlit as st

from engine.jobs.send_emails import MAX_RATE, ConsentBasis, Params
from engine.sending.parcels import Route
from engine.workbench import workbench
from pages.parts.form import Raw, Slots

TRANSPORT = "send_transport"
USUAL_RATE = 600
WAYS: Mapping[Route, tuple[str, str]] = {
    Route.OUTBOX: (
        "Outbox (dry run)",
        "Writes the messages into files, to be looked at here. Nothing leaves this machine.",
    ),
    Route.SMTP: ("Relay", "Sends them through the mail server of this installation. This cannot be taken back."),
}
SET_UP = (
    "To send for real, set POSTBENCH_SMTP_URL to your mail server, such as smtp://user:password@mail.example.com:587, and restart"
)
CONSENT: Mapping[ConsentBasis, tuple[str, str]] = {
    ConsentBasis.CONSENT: ("Consent", "They asked for this kind of mail, and you can show when and how"),
    ConsentBasis.CUSTOMER: ("Customers", "They bought from you, could object then, and this is about similar things of yours"),
    ConsentBasis.CONTRACT: ("Contract", "The message belongs to a contract with them: an invoice, a notice, a change"),
    ConsentBasis.LEGITIMATE_INTEREST: (
        "Legitimate interest",
        "You weighed your interest against theirs and wrote down why; many countries want consent for advertising",
    ),
    ConsentBasis.INTERNAL: ("Internal", "Colleagues, or members of your own organisation"),
}


def draw(slots: Slots) -> Raw:
    """The fields, in two columns."""
    for name, value in {"rate": USUAL_RATE, "transport": Route.OUTBOX.value}.items():
        st.session_state.setdefault(_key(name), value)
    left, right = st.columns(2, gap="medium")
    with left:
        raw = _legal(slots)
    with right:
        way = _way(slots)
        raw |= way | _rates(slots, dry=way["transport"] == Route.OUTBOX)
    return raw


def load(params: Mapping[str, Any]) -> None:
    """Fill them from a job's parameters. A dry run without rates says nothing of them: what the form had stays."""
    transport = params.get("transport") or Route.OUTBOX.value
    given = {
        "postal": params.get("postalAddress") or "",
        "consent": params.get("consentBasis"),
        "transport": transport,
    }
    rates = {"rate": params.get("ratePerMinute"), "domain_rate": params.get("ratePerDomainPerMinute")}
    if transport == Route.SMTP or any(rates.values()):
        given |= rates
    for name, value in given.items():
        st.session_state[_key(name)] = value


def has_relay() -> bool:
    """Whether this installation can send for real."""
    return "smtp_url" not in workbench().settings.unset


def _legal(slots: Slots) -> Raw:
    postal = st.text_area(
        "Postal address", height=96, placeholder="Harbour Ltd\n1 Quay Street, Bristol, UK", **_lasting("postal", "postal_address")
    )
    slots.under("postalAddress", "Stands at the end of every message, with the link to unsubscribe")
    basis = st.selectbox(
        "Consent basis",
        [basis.value for basis in ConsentBasis],
        index=None,
        format_func=lambda value: CONSENT[ConsentBasis(value)][0],
        placeholder="Why may these people be written to?",
        **_lasting("consent", "consent_basis"),
    )
    slots.under("consentBasis", CONSENT[ConsentBasis(basis)][1] if basis else "Kept with the job; the message does not say it")
    raw: Raw = {"consentBasis": basis} if basis else {}
    return raw | ({"postalAddress": postal} if postal and postal.strip() else {})


def _way(slots: Slots) -> Raw:
    """Where messages go; the relay can only be chosen where there is one."""
    ways = list(WAYS) if has_relay() else [Route.OUTBOX]
    if st.session_state[TRANSPORT] not in [way.value for way in ways]:
        st.session_state[TRANSPORT] = Route.OUTBOX.value
    way = st.radio(
        "Transport",
        [way.value for way in ways],
        format_func=lambda value: WAYS[Route(value)][0],
        captions=[WAYS[way][1] for way in ways],
        **_lasting("transport", "transport"),
    )
    slots.under("transport", "" if has_relay() else SET_UP)
    return {"transport": way or Route.OUTBOX.value}


def _rates(slots: Slots, dry: bool) -> Raw:
    """How fast the relay gets them. A dry run is written at once: nobody waits an hour to look at messages."""
    left, right = st.columns(2, gap="small")
    with left:
        rate = st.number_input(
            "Messages per minute",
            step=100,
            value=None,
            placeholder="no limit",
            disabled=dry,
            **_lasting("rate", "rate_per_minute"),
        )
        hint = f"Empty: as fast as the relay takes them; up to {MAX_RATE:,}"
        slots.under("ratePerMinute", "For the relay; a dry run is written at once" if dry else hint)
    with right:
        domain_rate = st.number_input(
            "Per recipient's domain",
            step=10,
            value=None,
            placeholder="no limit",
            disabled=dry,
            **_lasting("domain_rate", "rate_per_domain_per_minute"),
        )
        slots.under("ratePerDomainPerMinute", "Messages per minute to one domain")
    given = {} if dry else {"ratePerMinute": rate, "ratePerDomainPerMinute": domain_rate}
    return {name: value for name, value in given.items() if value is not None}


def _lasting(name: str, field: str) -> dict[str, Any]:
    """A field that outlives a change of page."""
    return {"key": _key(name), "persist_state": "session", "help": Params.model_fields[field].description}


def _key(name: str) -> str:
    return f"send_{name}"
