"""What is looked at before anything is sent: a short list of what is right and what is not, with the remedy."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from html import escape

import streamlit as st

from engine.jobs.send_emails import ConsentBasis
from engine.mail.message import ALWAYS, Design, variable_of
from engine.mail.policies import Finding, Level
from engine.sending.parcels import Route
from engine.sending.preflight import unsubscribe_finding
from engine.workbench import workbench
from pages.parts import markup, send_domain, send_files, words
from pages.parts.form import Draft
from pages.parts.send_audience import Audience

CLIPPED = 100_000
"""Bytes of HTML above which Gmail shows only the beginning (102 kB, its text says "Message clipped")."""
HEAVY = 5_000_000
"""Bytes of a message from which on some servers refuse it."""
PROBLEMS = "send_problems"
"""Session key: how many problems were found last."""
_TONES = {"ok": "green", "warning": "amber", "problem": "red", "unknown": "gray"}
_SIGNS = {"ok": "✓", "warning": "!", "problem": "✕", "unknown": "?"}
_ORDER = ("problem", Level.WARNING, "unknown", "ok")


def checks(draft: Draft, found: Audience | None, design: Design | None) -> None:
    """The list; the questions to the DNS only where messages go to the relay."""
    if found is None or design is None:
        return
    real = draft.raw.get("transport") == Route.SMTP and draft.raw.get("from")
    with st.container(border=True, key="send_checks"):
        with st.container(horizontal=True, vertical_alignment="center", gap="small"):
            title = st.empty()
            if real:
                st.space("stretch")
                st.button("Check again", icon=":material/refresh:", type="tertiary", on_click=send_domain.again, key="send_check")
        asked = send_domain.of_sender(design.sender.address) if real else [_link()]
        findings = [*_own(draft, found, design), *asked]
        st.session_state[PROBLEMS] = sum(finding.level is Level.PROBLEM for finding in findings)
        title.html(f'<h3 class="pb-h2">Before it goes<span class="pb-quiet">{_summary(findings)}</span></h3>', width="content")
        st.html(listed(findings))


def listed(findings: Sequence[Finding]) -> str:
    """Findings as HTML, the worst first."""
    ordered = sorted(findings, key=lambda finding: _ORDER.index(finding.level))
    return f'<ul class="pb-checks">{"".join(_line(finding) for finding in ordered)}</ul>'


def _line(finding: Finding) -> str:
    remedy = f'<span class="pb-quiet">{markup.ticked(finding.remedy)}</span>' if finding.remedy else ""
    sign = f'<i class="pb-{_TONES[finding.level]}" role="img" aria-label="{finding.level}">{_SIGNS[finding.level]}</i>'
    return f"<li>{sign}<em>{escape(finding.name)}</em><span>{markup.ticked(finding.sentence)} {remedy}</span></li>"


def _summary(findings: Sequence[Finding]) -> str:
    counts = {level: sum(finding.level == level for finding in findings) for level in (Level.PROBLEM, "warning")}
    said = [words.plural(count, level) for level, count in counts.items() if count]
    return ", ".join(said) or "nothing stands in the way"


def _own(draft: Draft, found: Audience, design: Design) -> list[Finding]:
    """What can be told without asking anybody."""
    given = (_variables(found, design), _size(design), _consent(draft))
    return [finding for finding in given if finding is not None]


def _variables(found: Audience, design: Design) -> Finding | None:
    known = {*found.columns, *map(variable_of, found.columns), *ALWAYS}
    lost = sorted(name for name in design.names if name not in known and variable_of(name) not in known)
    if not design.names:
        return None
    if not lost:
        return Finding("Variables", Level.OK, "Every variable is a column of the list.")
    names = ", ".join(f"`{{{{ {name} }}}}`" for name in lost)
    said = f"{names} {'are no columns' if len(lost) > 1 else 'is no column'} of the list"
    needed = any(name in design.required for name in lost)
    if needed:
        return Finding("Variables", Level.PROBLEM, f"{said}.", "Take a name from above, or add the column to the list.")
    return Finding("Variables", Level.WARNING, f"{said} and always empty.", "Take a name from above, or take it out.")


def _size(design: Design) -> Finding:
    files = send_files.size()
    html = len(design.html.source.encode()) if design.html else 0
    if files > HEAVY:
        return Finding(
            "Size", Level.WARNING, f"The files make {words.size(files)} of each message.", "Link to large files instead."
        )
    if html > CLIPPED:
        return Finding("Size", Level.WARNING, f"The HTML has {words.size(html)}: Gmail cuts it off.", "Keep it below 100 kB.")
    return Finding("Size", Level.OK, "Small enough for every mail program.")


_BASES: Mapping[str, tuple[Level, str, str]] = {
    ConsentBasis.LEGITIMATE_INTEREST: (
        Level.WARNING,
        "Legitimate interest carries no advertising in many countries, Germany among them.",
        "Keep the assessment, and be ready to stop at the first objection.",
    ),
    ConsentBasis.CUSTOMER: (Level.OK, "Customers may be told about similar things, if they could object.", ""),
}


def _consent(draft: Draft) -> Finding:
    basis = draft.raw.get("consentBasis")
    if not basis:
        return Finding("Consent", Level.UNKNOWN, "Not said yet why these people may be written to.", "Choose the consent basis.")
    level, sentence, remedy = _BASES.get(basis, (Level.OK, "There is a reason to write to these people.", ""))
    return Finding("Consent", level, sentence, remedy)


def _link() -> Finding:
    """A dry run may be made wherever; what is wrong with the link has to be right when it is meant."""
    found = unsubscribe_finding(workbench().settings.base_url)
    return replace(found, level=Level.WARNING) if found.level is Level.PROBLEM else found
