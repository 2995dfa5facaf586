"""URLs of pages: one spelling for each, and which of them are no pages to read."""

from __future__ import annotations

import re
from collections.abc import Sequence
from functools import lru_cache
from urllib.parse import SplitResult, urljoin, urlsplit

import idna

from engine.mail.page.rejection import ASSETS

MAX_URL = 2_000
_MAX_SEGMENTS = 14
_REPEATING = 5
"""Slashes of the shortest path that may repeat itself."""
_PORTS = {"http": 80, "https": 443}
_PAGES = frozenset("htm html xhtml php phtml asp aspx jsp cgi txt".split())
"""Suffixes that are on the list of files and still pages."""
_blank = re.compile(r"[\x00-\x20\x7f]+")
_unsafe = re.compile(r"[^A-Za-z0-9._~:/?#\[\]@!$&'()*+,;=%-]")
_escape = re.compile(r"%([0-9a-fA-F]{2})|%")
_UNRESERVED = frozenset(b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-._~")
_tracking = re.compile(
    r"utm_\w+|gclid|gbraid|wbraid|dclid|fbclid|msclkid|yclid|igshid|mc_[ce]id|_ga|_gl|_hs\w+|ref_src|phpsessid|jsessionid|sid|sessionid|"
    r"session_id|cfid|cftoken|aspsessionid\w*|zanpid|vero_id|mkt_tok|trk|srsltid"
).fullmatch
_session = re.compile(r";jsessionid=[^/?#]*", re.I)
_host = re.compile(r"[a-z0-9_](?:[a-z0-9_.-]{0,251}[a-z0-9_])?\.?|\[[0-9a-f:.]{2,45}\]").fullmatch
# Already canonical, whatever the host, but for parameters that only track.
_simple = re.compile(r"((?:/(?!/)(?:[A-Za-z0-9_~-][A-Za-z0-9._~-]*+)?+)++)(?:\?([A-Za-z0-9._~=&:;-]*+))?+(?:#.*)?\Z", re.S).match
_path_trap = re.compile(
    r"/(?:(?:log|sign)-?(?:out|off)\b|abmelden\b|deconnexion\b|cdn-cgi/|wp-(?:json|admin)\b|wp-login|xmlrpc\.php|(?:feed|rss)/?$|trackback\b"
    r"|(?:calendar|kalender|calendrier|calendario|events?|veranstaltungen|termine|agenda)/.*\d{4}[/-]\d{1,2}|\d{4}/\d{1,2}/\d{1,2}/?$)"
).search
_ZEROS = bytes.maketrans(b"123456789", b"000000000")
_query_trap = re.compile(
    r"(?:^|&)(?:replytocom|add-to-cart|add_to_cart|share|action=(?:logout|edit|history)|do=(?:logout|edit|diff|recent)|logout|print|ical"
    r"|outlook-ical|tribe-bar-date|eventdisplay|month|week|year|date|cal(?:endar)?_?(?:month|date|id)?|tx_cal\w*|oldid|diff|sort(?:by)?"
    r"|order(?:by)?|filter\w*|per_page|redirect(?:_to)?|return(?:_?to|url)?|s|q)(?:=|&|$)"
).search


@lru_cache(maxsize=16_384)
def canonical_url(url: str) -> str | None:
    """The one spelling of an absolute http(s) URL, or None for anything else (RFC 3986 section 6).

    Scheme and host in lower case and ASCII (IDNA 2008), without the default port, the fragment, dot segments, session ids and
    parameters that only track; escapes in upper case and only where needed. A URL with a user is refused.
    """
    if len(url) > 2 * MAX_URL:
        return None
    try:
        parts = urlsplit(_blank.sub("", url))
        host = _ascii_host(parts.hostname or "")
        port = parts.port
    except ValueError:
        return None
    if parts.scheme not in _PORTS or not host or parts.username is not None:
        return None
    place = host if port in (None, _PORTS[parts.scheme]) else f"{host}:{port}"
    path = _path(_session.sub("", parts.path))
    query = _query(parts.query)
    found = f"{parts.scheme}://{place}{path}" + (f"?{query}" if query else "")
    return found if len(found) <= MAX_URL else None


def absolute(href: str, base: str) -> str | None:
    """The canonical URL of a link on a page whose base is that URL, or None where it leads to no page."""
    if len(href) < MAX_URL and (origin := origin_of(base)):
        simple = _simple(href[len(origin) :] if href.startswith(origin + "/") else href)
        if simple is not None:
            path, query = simple.groups()
            return origin + path + (f"?{query}" if query and (query := _query(query)) else "")
    href = _blank.sub("", href) if len(href) < 2 * MAX_URL else ""
    if not href or href[0] == "#":
        return None
    try:
        return canonical_url(urljoin(base, href))
    except ValueError:
        return None


@lru_cache(maxsize=1_024)
def origin_of(url: str) -> str | None:
    """Scheme and host of a URL in their canonical spelling."""
    canonical = canonical_url(url)
    return "/".join(canonical.split("/", 3)[:3]) if canonical else None


def is_worth_reading(url: str) -> bool:
    """Whether a canonical URL may lead to a page with text: no file, no way out, no calendar without end, no loop."""
    rest = url[url.find("/", 8) :].lower()
    path = rest.partition("?")[0]
    suffix = path.rpartition(".")[2]
    if (suffix in ASSETS and suffix not in _PAGES) or _loops(path):
        return False
    return not _is_trap(without_numbers(rest))


@lru_cache(maxsize=4_096)
def _is_trap(rest: str) -> bool:
    path, _, query = rest.partition("?")
    return bool(_path_trap(path) or (query and _query_trap(query)))


def series_of(hrefs: Sequence[str], origin: str) -> list[tuple[str, str]]:
    """Each `href` without the origin, and its series: the same with every digit a 0. In one go, since there are thousands."""
    text = "".join(["\n" + href.replace("\n", "") for href in hrefs]).replace(f"\n{origin}/", "\n/")
    return list(zip(text.split("\n")[1:], without_numbers(text).split("\n")[1:], strict=True))


def are_alike(series: str, origin: str) -> bool:
    """Whether all links of a series are canonical as they stand behind the origin, and worth reading or not all together."""
    if series[:1] != "/" or series.count("/") >= _REPEATING or absolute(series, origin) != origin + series:
        return False
    suffix = series.partition("?")[0].rpartition(".")[2]
    return "0" not in suffix or "/" in suffix  # `mp3` and `mp4` are files, and `mp0` is none


def without_numbers(text: str) -> str:
    """The text with every digit a 0: what is found out about one page of a numbered series holds for all of them."""
    return text.encode("utf-8", "surrogatepass").translate(_ZEROS).decode("utf-8", "surrogatepass")


def host_of(url: str) -> str:
    """The host of an absolute URL, "" without one."""
    try:
        split: SplitResult = urlsplit(url)
        return split.hostname or ""
    except ValueError:
        return ""


def _ascii_host(host: str) -> str:
    host = host.lower().rstrip(".")
    if not host.isascii():
        host = idna.encode(host, uts46=True).decode("ascii")
    elif ":" in host:
        host = f"[{host}]"
    return host if _host(host) else ""


def _path(path: str) -> str:
    """Without dot segments (RFC 3986 section 5.2.4), with the escapes it needs."""
    path = _escaped(path)
    if "/." in path:
        kept: list[str] = []
        segments = path.split("/")[1:]
        for segment in segments:
            if segment == "..":
                del kept[-1:]
            elif segment != ".":
                kept.append(segment)
        path = "/" + "/".join(kept) + ("/" if segments[-1] in (".", "..") and kept else "")
    return path if path.startswith("/") else "/" + path


@lru_cache(maxsize=4_096)
def _query(query: str) -> str:
    if not query:
        return ""
    return "&".join(part for part in _escaped(query).split("&") if part and not _tracking(part.partition("=")[0].lower()))


def _escaped(text: str) -> str:
    if "%" in text:
        text = _escape.sub(_one_escape, text)
    if _unsafe.search(text):
        text = _unsafe.sub(lambda found: "".join(f"%{byte:02X}" for byte in found[0].encode("utf-8", "replace")), text)
    return text


def _one_escape(found: re.Match[str]) -> str:
    if found[1] is None:
        return "%25"
    code = int(found[1], 16)
    return chr(code) if code in _UNRESERVED else f"%{code:02X}"


def _loops(path: str) -> bool:
    """Whether a path repeats itself, as relative links on pages that exist under any name make it."""
    if path.count("/") < _REPEATING:
        return False
    segments = [segment for segment in path.split("/") if segment]
    if len(segments) > _MAX_SEGMENTS:
        return True
    return any(segments.count(segment) > 2 for segment in set(segments))
