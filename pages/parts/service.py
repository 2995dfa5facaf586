"""The fields that say how to verify: the service, its key, and what becomes of verdicts that are known already."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

import streamlit as st

from engine.verifying.ask import Service
from engine.workbench import workbench
from pages.parts.form import Raw, Slots

NAMES: Mapping[Service, str] = {Service.DNS: "Domain (DNS)", Service.SMTP: "Mailbox (SMTP)", Service.MAILSSO: "mails.so"}
TELLS: Mapping[Service, str] = {
    Service.DNS: "Does the domain accept mail? Quick; no mail server is contacted. Cannot tell whether the mailbox exists.",
    Service.SMTP: "Asks the mail server for each mailbox and sends nothing. Slower; needs outgoing port 25; some never tell.",
    Service.MAILSSO: "A paid outside service checks each mailbox. Needs a key; the addresses leave this machine.",
}
KNOWN = {
    "use": ("Use what is known", "No question is asked twice; only unknown ones are asked again."),
    "young": ("Use it if it is recent", "Older verdicts are asked for anew."),
    "again": ("Verify again anyway", "Every address is asked about, whatever is known."),
}
"""What to do where the verdict about an address is known."""
USUAL_DAYS = 90


@dataclass(frozen=True)
class ServiceFields:
    """The fields; `name` keeps them apart from those of other pages."""

    name: str

    def draw(self, slots: Slots, more: Callable[[Slots], Raw] | None = None) -> Raw:
        """The fields, side by side where there is room, and on the right `more`; returns wire names and values."""
        for part, value in {"service": Service.DNS, "known": "use", "days": USUAL_DAYS}.items():
            st.session_state.setdefault(self._key(part), value)
        left, right = st.columns(2, gap="medium")
        with left:
            raw = self._service(slots)
        with right:
            raw |= self._known(slots) | (more(slots) if more else {})
        return raw

    def load(self, params: Mapping[str, Any]) -> None:
        """Fill them from a job's parameters; a key is never kept."""
        days = params.get("maxAgeDays")
        st.session_state[self._key("service")] = Service(params.get("service") or Service.DNS)
        st.session_state[self._key("known")] = "use" if days is None else "young" if days else "again"
        st.session_state[self._key("days")] = days or USUAL_DAYS

    def _service(self, slots: Slots) -> Raw:
        service = st.radio(
            "Service", list(Service), format_func=NAMES.__getitem__, captions=list(TELLS.values()), **self._lasting("service")
        )
        slots.under("service")
        service = service or Service.DNS
        return {"service": service.value} | (self._api_key(slots) if service == Service.MAILSSO else {})

    def _api_key(self, slots: Slots) -> Raw:
        """Typed anew each time: it is not kept in the session."""
        own = workbench().settings.mailsso_api_key is not None
        text = st.text_input(
            "API key",
            type="password",
            placeholder="empty: the server's own key" if own else "your mails.so key",
            autocomplete="off",
            key=self._key("api_key"),
        )
        slots.under("apiKey", "Kept encrypted, and only until the job ends")
        return {"apiKey": text.strip()} if text and text.strip() else {}

    def _known(self, slots: Slots) -> Raw:
        policy = st.radio(
            "Addresses verified before",
            list(KNOWN),
            format_func=lambda name: KNOWN[name][0],
            captions=[hint for _, hint in KNOWN.values()],
            **self._lasting("known"),
        )
        if policy != "young":
            slots.under("maxAgeDays")
            return {} if policy == "use" else {"maxAgeDays": 0}
        days = st.number_input("At most so many days old", step=1, value=None, width=220, **self._lasting("days"))
        slots.under("maxAgeDays")
        return {"maxAgeDays": days}

    def _lasting(self, part: str) -> dict[str, Any]:
        """A field that outlives a change of page."""
        return {"key": self._key(part), "persist_state": "session"}

    def _key(self, part: str) -> str:
        return f"{self.name}_{part}"


def brief(params: Mapping[str, Any]) -> dict[str, str]:
    """The parameters in a few words."""
    days = params.get("maxAgeDays")
    known = "" if days is None else f"used up to {days} days" if days else "verified again"
    said = {"service": NAMES[Service(params["service"])], "known verdicts": known, "column": params.get("column") or ""}
    return {name: value for name, value in said.items() if value}
