"""Fuzz the reader of pages: no exception, bounded results, true addresses, and no page that takes longer than its size allows.

    PYTHONPATH=. python bench/fuzz_page.py [--minutes 10] [--seed 1]

With Atheris installed the fuzzer is led by coverage; without, pages of the lab are mutated at random. The parser itself is native
code: a crash of it ends this process, which is what this script would then show.
"""

from __future__ import annotations

import argparse
import random
import sys
import time
from collections.abc import Iterator
from typing import Any

from engine.mail.address import Address, parse
from engine.mail.page import MAX_LINKS, MAX_SIGHTINGS, canonical_url, read_page, read_sitemap, read_text
from engine.mail.page.domains import is_public

URL = "https://www.kestrelworks.com/a/page.html"
# Seconds of processor time: a start that any page may take, and what each of its bytes may add.
START, EACH = 1.5, 30e-6
CHARSETS = (None, "utf-8", "iso-8859-1", "shift_jis", "gbk", "utf-16", "utf-7", "koi8-r", "no such thing", "idna", "rot13")
DICTIONARY = """
@ ＠ . com [at] (at) {at} at [dot] (punkt) dot mailto: mailto&#58; &#64; &amp;#64; &commat; %40 \\x40 \\u0040 <b> </b> <i> <a
href=" <a> </a> <div> </div> <p> <br> <wbr> <!-- --> <!-- --> <script> </script> <style> </style> {display:none}
style="display:none" hidden dir="rtl" <bdo data-cfemail=" data-user=" data-domain=" data-email=" itemprop="email" {"email":"
type="application/ld+json" atob(" String.fromCharCode( unescape(' .join(' .reverse() rot13 kestrelworks.com
jane@kestrelworks.com jane /cdn-cgi/l/email-protection# <title> <base href=" <meta charset=" <table> <td> <svg> <math>
<template> <select> content:" unicode-bidi:bidi-override;direction:rtl; \u200b \u00ad \u202e \x00 \x01 \x02 \ufffd
\ud83d\ude00 İ ß ﷺ <iframe src=" <loc> </loc> xn-- ://
""".split()


class Failure(Exception):
    """What the reader must not do."""


def check(data: bytes) -> None:
    """Read the bytes as every kind of page."""
    started = time.process_time()
    charset = CHARSETS[data[0] % len(CHARSETS)] if data else None
    page = read_page(data[1:], URL, charset)
    if len(page.sightings) > MAX_SIGHTINGS or len(page.links) > MAX_LINKS:
        raise Failure("more results than promised")
    sightings = [*page.sightings, *read_text(data.decode("utf-8", "surrogateescape"))]
    for sighting in sightings:
        found = parse(sighting.email)
        if not isinstance(found, Address) or found.normalized != sighting.email or not is_public(found.domain):
            raise Failure(f"not an address: {sighting}")
    for link in page.links:
        if canonical_url(link.url) != link.url:
            raise Failure(f"not canonical: {link}")
    for url in read_sitemap(data, URL):
        if canonical_url(url) != url:
            raise Failure(f"not canonical: {url}")
    if (taken := time.process_time() - started) > START + EACH * len(data):
        raise Failure(f"{taken:.1f} s for {len(data):,} bytes")


def seeds() -> list[bytes]:
    """Pages of the lab, without what they have in common."""
    from tests.lab.planted import PLANTED
    from tests.lab.planted_codes import CODED
    from tests.lab.traps import TRAPS

    return [b"\0" + row[1].encode() for row in (*PLANTED, *CODED)] + [b"\0" + row[0].encode() for row in TRAPS]


def mutated(chance: random.Random, pages: list[bytes]) -> Iterator[bytes]:
    """Pages without end: spliced, cut, repeated, with bytes changed and pieces of the dictionary put in."""
    words = [word.encode("utf-8", "surrogatepass") for word in DICTIONARY]
    while True:
        page = bytearray(chance.choice(pages))
        for _ in range(chance.randrange(1, 12)):
            place, kind = chance.randrange(len(page) + 1), chance.randrange(6)
            if kind == 0:
                page[place:place] = chance.choice(words)
            elif kind == 1:
                page[place : place + chance.randrange(1, 30)] = b""
            elif kind == 2:
                other = chance.choice(pages)
                page[place:place] = other[chance.randrange(len(other)) :]
            elif kind == 3:
                page[place:place] = bytes(page[place : place + chance.randrange(1, 60)]) * chance.choice((2, 3, 10, 300))
            elif kind == 4 and page:
                page[place % len(page)] = chance.randrange(256)
            else:
                page[place:place] = chance.randbytes(chance.randrange(1, 8))
            if len(page) > 200_000:
                del page[200_000:]
        yield bytes(page)


def at_random(options: argparse.Namespace) -> None:
    """Mutate pages until the time is over."""
    until, number, slowest = time.monotonic() + 60 * options.minutes, 0, 0.0
    for page in mutated(random.Random(options.seed), seeds()):
        started = time.process_time()
        try:
            check(page)
        except Exception:
            print(f"failed on {page[:2_000]!r}", flush=True)
            raise
        slowest = max(slowest, time.process_time() - started)
        number += 1
        if number % 2_000 == 0:
            print(f"{number:,} pages, slowest {slowest:.2f} s", flush=True)
        if time.monotonic() > until:
            break
    print(f"{number:,} pages in {options.minutes} minutes, no failure, slowest {slowest:.2f} s")


def by_coverage(atheris: Any, options: argparse.Namespace) -> None:
    """Let Atheris find pages; ends with its own report."""
    import tempfile
    from pathlib import Path

    folder = tempfile.mkdtemp(prefix="postbench-fuzz-")
    for place, page in enumerate(seeds()):
        (Path(folder) / f"{place}").write_bytes(page)
    words = Path(folder).with_suffix(".dict")
    lines = ("".join(f"\\x{byte:02x}" for byte in word.encode("utf-8", "surrogatepass")) for word in DICTIONARY)
    words.write_text("".join(f'"{line}"\n' for line in lines))
    atheris.instrument_all()
    limits = [f"-max_total_time={int(60 * options.minutes)}", "-timeout=60", "-max_len=20000", f"-seed={options.seed}"]
    atheris.Setup([sys.argv[0], *limits, f"-dict={words}", "-print_final_stats=1", folder], check)
    atheris.Fuzz()


def main() -> None:
    """Fuzz for some minutes."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--minutes", type=float, default=10)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--plain", action="store_true", help="mutate at random even where Atheris is installed")
    options = parser.parse_args()
    try:
        import atheris  # type: ignore[import-not-found]
    except ImportError:
        atheris = None
    if atheris is None or options.plain:
        at_random(options)
    else:
        by_coverage(atheris, options)


if __name__ == "__main__":
    main()
