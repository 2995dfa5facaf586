"""Scrapy crawling the sites of its standard input for addresses; run by scrape.py with a Python that has Scrapy.

Arguments: requests at once, pages of a site. Each page is searched for links of its site and for addresses, as simply as it goes.
"""

from __future__ import annotations

import json
import re
import sys
import time
from collections import Counter
from typing import Any
from urllib.parse import urlsplit

import scrapy  # type: ignore[import-not-found,unused-ignore]
from scrapy.crawler import CrawlerProcess  # type: ignore[import-not-found,unused-ignore]
from scrapy.linkextractors import LinkExtractor  # type: ignore[import-not-found,unused-ignore]
from scrapy.resolver import dnscache  # type: ignore[import-not-found,unused-ignore]

URLS = sys.stdin.read().split()
MOST = int(sys.argv[2])
ASKED: Counter[str] = Counter()
TOLD: dict[str, float] = {"pages": 0, "addresses": 0, "seconds": 0.0}
_address = re.compile(r"[A-Za-z0-9._+-]{1,64}@[A-Za-z0-9.-]{1,253}\.[a-z]{2,24}")


class Addresses(scrapy.Spider):  # type: ignore[misc,unused-ignore]
    """Follows the links of each site up to so many pages."""

    name = "addresses"
    links = LinkExtractor()

    async def start(self) -> Any:
        """The home pages."""
        TOLD["begin"] = time.perf_counter()
        for url in URLS:
            ASKED[url] += 1
            yield scrapy.Request(url, meta={"home": url})

    def parse(self, response: Any) -> Any:
        """Addresses, and links to follow."""
        home = response.meta["home"]
        TOLD["pages"] += response.status == 200
        TOLD["addresses"] += len(set(_address.findall(response.text)))
        TOLD["seconds"] = time.perf_counter() - TOLD["begin"]
        for link in self.links.extract_links(response):
            if ASKED[home] < MOST and link.url.startswith(home):
                ASKED[home] += 1
                yield scrapy.Request(link.url, meta={"home": home})


def main() -> None:
    """Crawl and tell."""
    for host in {urlsplit(url).hostname for url in URLS}:
        dnscache[host] = "127.0.0.1"
    settings = {
        "CONCURRENT_REQUESTS": int(sys.argv[1]),
        "CONCURRENT_REQUESTS_PER_DOMAIN": 1,
        "DOWNLOAD_DELAY": 0,
        "RANDOMIZE_DOWNLOAD_DELAY": False,
        "ROBOTSTXT_OBEY": True,
        "COOKIES_ENABLED": False,
        "RETRY_ENABLED": False,
        "TELNETCONSOLE_ENABLED": False,
        "LOG_LEVEL": "ERROR",
    }
    process = CrawlerProcess(settings)
    process.crawl(Addresses)
    process.start()
    print(json.dumps(TOLD))


if __name__ == "__main__":
    main()
