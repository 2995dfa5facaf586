"""Sitemaps: the pages that a site names, whatever the shape of the file."""

from __future__ import annotations

import gzip

from hypothesis import given
from hypothesis import strategies as st

from engine.mail.page import read_sitemap

URL = "https://kestrelworks.com/sitemap.xml"
ONE, TWO = "https://kestrelworks.com/a", "https://www.kestrelworks.com/b?x=1&y=2"
XML = f"""<?xml version="1.0" encoding="UTF-8"?>
<urlset xmlns="http://www.sitemaps.org/schemas/sitemap/0.9" xmlns:image="http://www.google.com/schemas/sitemap-image/1.1">
<url><loc> {ONE} </loc><image:image><image:loc>https://kestrelworks.com/p.png</image:loc></image:image></url>
<url><loc>{TWO.replace("&", "&amp;")}</loc></url><url><loc>{ONE}#again</loc></url><url><loc>https://other.com/</loc></url></urlset>"""


def test_pages_of_the_site_in_order_each_once() -> None:
    assert read_sitemap(XML.encode(), URL) == [ONE, TWO]


def test_compressed_and_other_encodings() -> None:
    assert read_sitemap(gzip.compress(XML.encode()), URL) == [ONE, TWO]
    assert read_sitemap(XML.encode("utf-16"), URL) == [ONE, TWO]
    assert read_sitemap(b"\xef\xbb\xbf" + XML.encode(), URL) == [ONE, TWO]


def test_an_index_names_other_sitemaps() -> None:
    xml = b"<sitemapindex><sitemap><loc>https://kestrelworks.com/s1.xml.gz</loc></sitemap></sitemapindex>"
    assert read_sitemap(xml, URL) == ["https://kestrelworks.com/s1.xml.gz"]


def test_prefixes_sections_lists_and_feeds() -> None:
    assert read_sitemap(f"<s:url><s:loc><![CDATA[{ONE}]]></s:loc>".encode(), URL) == [ONE]
    assert read_sitemap(f"{ONE}\r\n{TWO}\nhttps://other.com/\n".encode(), URL) == [ONE, TWO]
    assert read_sitemap(f'<rss><channel><link>{ONE}</link></channel></rss><entry><link href="{TWO}"/></entry>'.encode(), URL) == [
        ONE,
        TWO,
    ]


def test_entities_are_never_expanded() -> None:
    bomb = '<!DOCTYPE x [<!ENTITY a "aaaaaaaaaa"><!ENTITY b "&a;&a;&a;">]><loc>https://kestrelworks.com/&b;</loc>'
    assert read_sitemap(bomb.encode(), URL) == ["https://kestrelworks.com/&b"]


def test_broken_gzip_and_bombs_are_bounded() -> None:
    assert read_sitemap(b"\x1f\x8b garbage", URL) == []
    assert read_sitemap(gzip.compress(b" " * 50_000_000), URL) == []


@given(st.binary(max_size=300))
def test_any_bytes_are_a_sitemap(data: bytes) -> None:
    assert isinstance(read_sitemap(b"<loc>" + data, URL), list)
