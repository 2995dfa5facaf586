"""Lists that a visitor gave: read once, kept for the session, and counted by column."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import BinaryIO

import streamlit as st

from engine import uploads
from engine.errors import InvalidInput
from engine.uploads import Expects, Upload
from pages.parts import words
from pages.parts.glance import Counts
from pages.parts.topics import Chosen, Topic


@dataclass
class Read:
    """A list, or why it was refused; `mark` tells which file or text it came from."""

    mark: str
    name: str
    upload: Upload | None = None
    problem: str = ""
    likely: Mapping[str, Sequence[str]] = field(default_factory=dict)
    counts: dict[str, Counts] = field(default_factory=dict)

    def counted(self, topic: Topic, chosen: Chosen) -> Counts:
        """The counts of the chosen columns; made once."""
        known = str(sorted(chosen.items()))
        if known not in self.counts and self.upload is not None:
            self.counts[known] = topic.count(self.upload.table, chosen)
        return self.counts[known]


def of_file(slot: str, mark: str, name: str, data: BinaryIO, topic: Topic) -> Read:
    """An uploaded file; one is kept for each slot of a session, and read only once."""
    return _kept(slot, mark, name, topic, lambda expects: uploads.read_file(name, data, expects=expects))


def of_text(slot: str, text: str, topic: Topic) -> Read:
    """Pasted text, likewise."""
    mark = hashlib.sha256(text.encode(errors="replace")).hexdigest()
    return _kept(slot, mark, "pasted text", topic, lambda expects: uploads.read_text(text, expects=expects))


def _kept(slot: str, mark: str, name: str, topic: Topic, read: Callable[[Expects], Upload]) -> Read:
    known = kept(slot)
    if known is not None and known.mark == mark:
        return known
    drop(slot)  # the old list goes before the new one comes
    with st.spinner("Reading the list …"):
        try:
            found = of_upload(mark, name, read(topic.expects), topic)
        except InvalidInput as error:
            found = Read(mark, name, problem=" ".join(words.sentence(problem.message) for problem in error.problems))
    keep(slot, found)
    return found


def of_upload(mark: str, name: str, upload: Upload, topic: Topic) -> Read:
    """A list that is there already."""
    names = upload.table.column_names
    return Read(mark, name, upload, likely=topic.likely(names, uploads.sampled(upload.table)))


def kept(slot: str) -> Read | None:
    """What this session keeps there."""
    found = st.session_state.get(slot)
    return found if isinstance(found, Read) else None


def keep(slot: str, read: Read) -> None:
    """Keep it there instead of what was."""
    st.session_state[slot] = read


def drop(slot: str) -> None:
    """Let go of what is kept there."""
    st.session_state.pop(slot, None)
