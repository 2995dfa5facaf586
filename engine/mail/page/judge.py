"""Is this an address that mail could reach? One answer for all techniques."""

from __future__ import annotations

import re

from engine.mail.address import Address, parse
from engine.mail.page.domains import is_public, is_top_level, registrable
from engine.mail.page.rejection import ASSETS, is_rejected

_MAX_DOMAIN = 253  # RFC 1035 section 2.3.4, without the dot of the root
_GLUED = re.compile(r"[a-z]{2,}(?=[A-Z0-9_-])|[A-Z]{2,}(?=[a-z0-9_-])")
_ascii = re.compile(r"[A-Za-z0-9.-]*").match


class Judge:
    """Decides on parts of texts; `extra_tlds` are top levels taken for public besides, such as `test` in a lab."""

    def __init__(self, extra_tlds: frozenset[str] = frozenset()) -> None:
        self._extra = frozenset(label.lower().strip(".") for label in extra_tlds)
        self._known: dict[str, Address | None] = {}

    def address(self, text: str) -> Address | None:
        """The address that a whole text is, or None for texts that are none and addresses that are nobody's."""
        if text not in self._known:
            self._known[text] = self._judged(text)
        return self._known[text]

    def is_domain(self, text: str) -> bool:
        """Whether a text, in any case, is a domain name with a public top level and no file name."""
        domain = text.lower()
        if "." not in domain or len(domain) > _MAX_DOMAIN:
            return False
        if domain.isascii():
            return domain.rpartition(".")[2] not in ASSETS and is_public(domain, self._extra)
        return self.address("x.y@" + text) is not None

    def domain_in(self, run: str) -> str:
        """The domain at the start of a run of domain characters, or "".

        What is glued to its end is cut off: the next word (`host.comPhone`, `host.com.Phone`), a number, another script.
        """
        run = run.rstrip(".-_")
        head, _, last = run.rpartition(".")
        if last[:1].isupper() and last[1:].islower() and head.islower() and self.is_domain(head):
            return head
        if self.is_domain(run):
            return run
        if not run.isascii():
            found = _ascii(run)
            return self.domain_in(found.group()) if found and found.end() < len(run) else ""
        if last.lower() in ASSETS:
            return ""
        for cut in _GLUED.finditer(last):
            shorter = f"{head}.{last[: cut.end()]}"
            if self.is_domain(shorter):
                return shorter
        return ""

    def is_top_level(self, label: str) -> bool:
        """Whether a label in any case is a top-level domain."""
        return label.isascii() and is_top_level(label.lower(), self._extra)

    def _judged(self, text: str) -> Address | None:
        found = parse(text)
        if not isinstance(found, Address) or not is_public(found.domain, self._extra):
            return None
        return None if is_rejected(found, registrable(found.domain)) else found
