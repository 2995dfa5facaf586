"""Scrapy fetching the URLs of its standard input; run by fetch.py with a Python that has Scrapy. Argument: requests at once."""

from __future__ import annotations

import json
import sys
import time
from typing import Any
from urllib.parse import urlsplit

import scrapy  # type: ignore[import-not-found,unused-ignore]
from scrapy.crawler import CrawlerProcess  # type: ignore[import-not-found,unused-ignore]
from scrapy.resolver import dnscache  # type: ignore[import-not-found,unused-ignore]

URLS = sys.stdin.read().split()
TOLD: dict[str, float] = {"pages": 0, "seconds": 0.0}


class Pages(scrapy.Spider):  # type: ignore[misc,unused-ignore]
    """Fetches every URL and looks at none."""

    name = "pages"

    async def start(self) -> Any:
        """The URLs."""
        TOLD["begin"] = time.perf_counter()
        for url in URLS:
            yield scrapy.Request(url, dont_filter=True)

    def parse(self, response: Any) -> None:
        """Count it."""
        TOLD["pages"] += response.status == 200
        TOLD["seconds"] = time.perf_counter() - TOLD["begin"]


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
    process.crawl(Pages)
    process.start()
    print(json.dumps(TOLD))


if __name__ == "__main__":
    main()
