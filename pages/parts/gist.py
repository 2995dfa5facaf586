"""What a job of verifying or crawling tells beside its rows: what was found, who was asked, what was in the way."""

from __future__ import annotations

from collections.abc import Mapping

from engine.durable.tables import Job
from pages.parts import markup, words

KEPT = frozenset({"mailbox_exists", "domain_accepts_mail"})
"""The reasons of a valid verdict."""
ASKED = {"dns": "DNS", "smtp": "mail servers", "mailsso": "mails.so"}
SHOWN_REASONS = 5


def gist(job: Job) -> str:
    """All of it as HTML; nothing for a job that counts none of it."""
    told = _crawled(job) | _asked(job)
    said = [_trouble(job.tallies.get("trouble", {})), _fallen(job), markup.facts(told) if told else ""]
    return "".join(f'<div class="pb-gap">{part}</div>' for part in said if part)


def verifies(job: Job) -> bool:
    """Whether the job looks addresses up."""
    return "maxAgeDays" in job.params


def crawls(job: Job) -> bool:
    """Whether the items of the job are sites to read."""
    return "maxPagesPerDomain" in job.params and not verifies(job)


def finds(job: Job) -> bool:
    """Whether the job looks for addresses that are not in its list."""
    return "maxPagesPerDomain" in job.params and verifies(job)


def sends(job: Job) -> bool:
    """Whether the items of the job are messages: what became of them is told by the ledger, also between two batches."""
    return "transport" in job.params


def outcomes(job: Job) -> Mapping[str, int]:
    """What became of the items, by status; of sites, as their rows are addresses; of messages the ledger tells."""
    if sends(job):
        return {}
    return job.tallies.get("outcome", {}) if crawls(job) else job.counts


def sought(job: Job) -> str:
    """`100 found of 100 wanted`; empty where the job has no goal."""
    if job.goal is None:
        return ""
    found = f"<b>{words.number(job.success_count)}</b> found of {words.number(job.goal)} wanted"
    return f"{found}</span><span>{words.plural(job.processed_items, 'candidate')} tried"


def _trouble(trouble: Mapping[str, int]) -> str:
    """One notice, whatever was in the way."""
    if not trouble:
        return ""
    ordered = sorted(trouble, key=lambda text: -trouble[text])
    rest = " ".join(words.sentence(text) for text in ordered[1:])
    return markup.notice("amber", words.sentence(ordered[0]), f"{rest} What could not be asked is unknown, not invalid.".strip())


def _fallen(job: Job) -> str:
    """Why the other candidates fell out."""
    reasons = {name: n for name, n in job.tallies.get("reason", {}).items() if name not in KEPT}
    if job.goal is None or not reasons:
        return ""
    ordered = sorted(reasons, key=lambda name: -reasons[name])
    shown = [f"{reasons[name]:,} {name.replace('_', ' ')}" for name in ordered[:SHOWN_REASONS]]
    left = sum(reasons[name] for name in ordered[SHOWN_REASONS:])
    return f'<div class="pb-quiet">The others: {", ".join(shown + ([f"{left:,} for other reasons"] if left else []))}</div>'


def _crawled(job: Job) -> dict[str, str]:
    """Addresses and pages of a crawl."""
    if not crawls(job):
        return {}
    told = {"addresses": job.counts.get("found", 0), "pages read": job.tallies.get("pages", {}).get("fetched", 0)}
    return {name: words.number(value) for name, value in told.items() if value}


def _asked(job: Job) -> dict[str, str]:
    """What was known before, and the questions asked."""
    cache, calls = job.tallies.get("cache", {}), job.tallies.get("calls", {})
    asked = {f"asked {ASKED.get(name, name)}": words.number(n) for name, n in calls.items() if n}
    if not cache:
        return asked
    return {"known already": words.number(cache.get("known", 0)), "looked up": words.number(cache.get("asked", 0)), **asked}
