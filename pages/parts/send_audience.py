"""Who of a list is written to, and who is left out and why: found out once for each list."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, TypeAlias

import pyarrow as pa
import streamlit as st

from engine.durable import suppressions
from engine.durable.filters import Where
from engine.durable.schema import visible
from engine.sending.recipients import Why, recipients_of, vouched
from engine.workbench import workbench
from pages.parts import figures, lender, markup, words
from pages.parts.form import Given
from pages.parts.lender import Loan
from pages.parts.topics import RECIPIENTS

LOOKED_AT = 50_000
"""So many rows are looked at while a form is filled in; a submit looks at all of them."""
SAMPLE_ROWS = 1_000
"""So many rows tell what the statuses of a list are about."""
List: TypeAlias = pa.Table | Loan


@dataclass(frozen=True)
class Audience:
    """A list looked through: `places` are the rows that get a message, `left_out` counts the others by reason.

    `rows` is how many rows there are, `looked` how many of them were looked at.
    """

    source: List
    rows: int
    looked: int
    places: Sequence[int]
    left_out: Mapping[str, int]

    @property
    def columns(self) -> list[str]:
        """The names of the list's columns."""
        return columns_of(self.source)

    @property
    def expected(self) -> int:
        """How many messages there will be; of a long list an estimate."""
        return len(self.places) if self.whole else round(len(self.places) * self.rows / self.looked)

    @property
    def whole(self) -> bool:
        """Whether every row was looked at."""
        return self.looked >= self.rows

    def values(self, place: int) -> dict[str, Any]:
        """A row by its number."""
        return self.head([place])[0]

    def head(self, places: Sequence[int]) -> list[dict[str, Any]]:
        """Rows by their numbers, in one reading."""
        if not places:
            return []
        first = min(places)
        table = rows_of(self.source, first, max(places) - first + 1)
        return [table.slice(place - first, 1).to_pylist()[0] for place in places]


def columns_of(source: List) -> list[str]:
    """The names of the columns that a message can tell."""
    names: list[str] = visible(source.sample if isinstance(source, Loan) else source).column_names
    return names


def verified(source: List) -> bool:
    """Whether the statuses of a list are verdicts on its addresses, so that who is left has been verified."""
    return vouched(visible(source.sample if isinstance(source, Loan) else source.slice(0, SAMPLE_ROWS)))


def list_of(slot: str, given: Given) -> List | None:
    """The list of a form; None while there is none. `slot` is where the form keeps its loan."""
    if given.from_job:
        return lender.borrow(slot, given.from_job, given.where or "", RECIPIENTS)
    return given.rows


def rows_of(source: List, first: int, limit: int) -> pa.Table:
    """Some rows of a list."""
    if not isinstance(source, Loan):
        return visible(source).slice(first, limit)
    bench = workbench()
    schema = bench.results.schema(source.job, bench.job_type(source.job.type))
    return visible(bench.results.page(source.job.id, schema, first, limit, Where.parse(source.where)).table)


def audience(slot: str, source: List, column: str, verified_only: bool) -> Audience:
    """Look through a list; the last one of a session is kept in `slot`, until the list of suppressed addresses changes.

    Raises:
        InvalidInput: a field holds several addresses; the rows are named.
    """
    mark = column, verified_only, figures.last_change(workbench().database)
    kept = st.session_state.get(slot)
    if isinstance(kept, tuple) and kept[0] == mark and kept[1].source is source:
        found: Audience = kept[1]
        return found
    with st.spinner("Looking through the list …", show_time=False):
        found = _looked_through(source, column, verified_only)
    st.session_state[slot] = mark, found
    return found


def _looked_through(source: List, column: str, verified_only: bool) -> Audience:
    table = rows_of(source, 0, LOOKED_AT)
    recipients = recipients_of(table, column, verified_only)
    written = {place: recipients.keys[place] for place, out in enumerate(recipients.left_out) if out is None}
    listed = suppressions.find(workbench().database, list(written.values()))
    places = [place for place, key in written.items() if key not in listed]
    left_out = Counter(out.why.value for out in recipients.left_out if out is not None)
    if listed:
        left_out[Why.SUPPRESSED.value] = len(written) - len(places)
    rows = source.rows if isinstance(source, Loan) else source.num_rows
    return Audience(source, rows, table.num_rows, places, left_out)


def line(found: Audience) -> str:
    """`1,204 will be written to`, and how many are left out and why, as HTML."""
    count = words.plural(found.expected, "recipient")
    said = f"<b>{'' if found.whole else 'About '}{count}</b> will be written to"
    if not found.whole:
        said += f' <span class="pb-quiet">from the first {found.looked:,} rows; a submit looks at all {found.rows:,}</span>'
    names = _NAMES if verified(found.source) else {**_NAMES, Why.UNVERIFIED: "ruled out by their status"}
    chips = {name: words.number(found.left_out[why]) for why, name in names.items() if found.left_out.get(why)}
    parts = [f'<div class="pb-line"><span>{said}</span></div>']
    if chips:
        parts.append(f'<div class="pb-left-out"><span class="pb-quiet">Left out</span>{markup.facts(chips)}</div>')
    if not found.places:
        parts.append(markup.notice("amber", "Nobody on this list can be written to.", _nobody(found)))
    return f'<div class="pb-read">{"".join(parts)}</div>'


_NAMES: Mapping[str, str] = {
    Why.SYNTHETIC: "made up",
    Why.UNVERIFIED: "not verified as valid",
    Why.REPEATED: "given before",
    Why.NO_ADDRESS: "no address",
    Why.SUPPRESSED: "on the suppression list",
}
_REMEDIES: Mapping[str, str] = {
    Why.SYNTHETIC: "Made up addresses are never written to: they may belong to somebody.",
    Why.UNVERIFIED: "Verify the list first, or let them in with the switch above.",
    Why.NO_ADDRESS: "Choose the column that holds the addresses.",
    Why.SUPPRESSED: "They asked not to be written to, or their mailboxes are gone; see Suppressions.",
}


def _nobody(found: Audience) -> str:
    """The remedy for what most rows are left out for."""
    most = max(found.left_out, key=lambda why: found.left_out[why], default="")
    return _REMEDIES.get(most, "")
