"""Addresses found on the lab's planted pages, beside email-scraper and extract-emails; and the time for a megabyte of HTML.

    PYTHONPATH=. python bench/extract.py [--misses] [--sizes]

The peers are measured where they can be imported (`pip install email-scraper extract-emails`, into an environment of its own if
need be). They get the whole page as text, as their documentation shows; addresses are compared in lower case.
"""

from __future__ import annotations

import argparse
import random
import statistics
import time
from collections.abc import Callable
from dataclasses import dataclass
from importlib import metadata

from engine.mail.page import read_page
from tests.lab.pages import Planted, corpus, page_of
from tests.lab.unseen import UNSEEN, UNSEEN_TRAPS

Reader = Callable[[bytes], set[str]]
URL = "https://site.test/page.html"


@dataclass(frozen=True)
class Score:
    """True, false and missed addresses over all pages."""

    hits: int
    extra: int
    missed: int

    @property
    def precision(self) -> float:
        return self.hits / max(1, self.hits + self.extra)

    @property
    def recall(self) -> float:
        return self.hits / max(1, self.hits + self.missed)


def ours(html: bytes) -> set[str]:
    return {sighting.email for sighting in read_page(html, URL).sightings}


def readers() -> dict[str, Reader]:
    """Ours, and the peers that can be imported."""
    found: dict[str, Reader] = {"postbench": ours}
    try:
        from email_scraper import scrape_emails  # type: ignore[import-not-found]

        found[f"email-scraper {metadata.version('email-scraper')}"] = lambda html: set(scrape_emails(html.decode()))
    except ImportError:
        print("email-scraper is not installed: left out")
    try:
        from extract_emails.data_extractors import EmailExtractor  # type: ignore[import-not-found]

        extractor = EmailExtractor()
        found[f"extract-emails {metadata.version('extract-emails')}"] = lambda html: set(extractor.get_data(html.decode()))
    except ImportError:
        print("extract-emails is not installed: left out")
    return found


def score(reader: Reader, pages: list[Planted], *, misses: bool = False) -> Score:
    """What a reader finds on some pages."""
    hits = extra = missed = 0
    for page in pages:
        found, expected = {email.lower() for email in reader(page.html)}, {email.lower() for email in page.expected}
        hits += len(found & expected)
        extra += len(found - expected)
        missed += len(expected - found)
        if misses and found != expected:
            print(f"  {page.name}: missed {sorted(expected - found)}, extra {sorted(found - expected)}")
    return Score(hits, extra, missed)


def unseen() -> list[Planted]:
    """Pages that were written when the reader was done."""
    rows = [*UNSEEN, *((html, "") for html in UNSEEN_TRAPS)]
    return [
        Planted(f"unseen-{place:03}", page_of(html).encode(), frozenset(emails.split()))
        for place, (html, emails) in enumerate(rows)
    ]


def compare(pages: list[Planted], *, misses: bool) -> None:
    """The table."""
    print(f"{len(pages)} pages with {sum(len(page.expected) for page in pages)} planted addresses")
    print(f"{'':24}{'precision':>10}{'recall':>8}{'true':>6}{'false':>6}{'missed':>7}{'traps':>7}{'ms a page':>11}")
    for name, reader in readers().items():
        started = time.process_time()
        total = score(reader, pages, misses=misses)
        each = (time.process_time() - started) / len(pages) * 1e3
        fallen = sum(
            bool({email.lower() for email in reader(page.html)} & {lure.lower() for lure in page.traps}) for page in pages
        )
        counts = f"{total.hits:6}{total.extra:6}{total.missed:7}{fallen:7}"
        print(f"{name:24}{total.precision:10.3f}{total.recall:8.3f}{counts}{each:11.2f}")


def prose(chance: random.Random, count: int) -> str:
    """Words, with an `at` as often as English has one."""
    words = "harbour crane barge tide letter people work in the old yard and every rope tells where it was made long ago".split()
    return " ".join("at" if chance.random() < 0.006 else chance.choice(words) for _ in range(count))


def card(chance: random.Random, number: int) -> str:
    """Of a shop: many small elements, two links."""
    return (
        f'<div class="card"><h3><a href="/products/item-{number}.html?ref=list">Item {number}</a></h3>'
        f'<p class="muted">{prose(chance, 25)}</p><ul class="meta"><li>SKU {number}</li>'
        f'<li><a href="https://www.kestrelworks.com/cat/{number % 50}/">Rope</a></li></ul>'
        f'<img src="/img/p{number}@2x.png" alt="Picture {number}"></div>\n'
    )


def paragraph(chance: random.Random, number: int) -> str:
    """Of an article: prose and a link."""
    text = f"{prose(chance, 120)} <em>{prose(chance, 4)}</em> {prose(chance, 60)}"
    return f'<p>{text} <a href="/story/{number}">{prose(chance, 3)}</a>.</p>\n'


def program(chance: random.Random, number: int) -> str:
    """Of an application: scripts, hardly any text."""
    body = f'return e.map(n=>n.id+"{prose(chance, 3)}").filter(Boolean).join("-")+t'
    return f'<script>window.m{number}=function(e,t){{{body}}};{"var a=1;" * 300}</script><div id="d{number}"></div>\n'


def colleague(chance: random.Random, number: int) -> str:
    """Of a directory: an address in each row of a table."""
    name = f"{chance.choice('ada bo cy di ed flo gus hal ida jo'.split())}.{number}"
    link = f'<a href="mailto:{name}@kestrelworks.com">{name}@kestrelworks.com</a>'
    return f"<tr><td>{name}</td><td>{link}</td><td>{prose(chance, 60)}</td></tr>\n"


KINDS = {"shop": card, "article": paragraph, "application": program, "directory": colleague}


def large(kind: str, size: int = 1_000_000) -> bytes:
    """A page of about that many bytes."""
    chance = random.Random(kind)
    parts, length = ['<!DOCTYPE html><html lang="en"><head><meta charset="utf-8"><title>Large</title></head><body>'], 0
    while length < size:
        parts.append(KINDS[kind](chance, len(parts)))
        length += len(parts[-1])
    return "".join([*parts, "</body></html>"]).encode()


def sizes() -> None:
    """Time for a megabyte of several kinds of pages, the best and the median of 15 runs."""
    for kind in KINDS:
        page = large(kind)
        times = []
        for _ in range(15):
            started = time.process_time()
            found = read_page(page, "https://www.kestrelworks.com/")
            times.append(1e3 * (time.process_time() - started))
        held = f"{page.count(b'<'):,} tags, {len(found.links):,} links, {len(found.sightings):,} addresses"
        best, median = min(times), statistics.median(times)
        print(f"{kind:12}{len(page):,} bytes, {held}: best {best:.0f} ms, median {median:.0f} ms (asked ≤ 50 ms)")


def main() -> None:
    """Compare, then measure."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--misses", action="store_true", help="name what each reader missed or made up")
    parser.add_argument("--sizes", action="store_true", help="only the time for large pages")
    options = parser.parse_args()
    if not options.sizes:
        compare(corpus(), misses=options.misses)
        compare(unseen(), misses=options.misses)
    sizes()


if __name__ == "__main__":
    main()
