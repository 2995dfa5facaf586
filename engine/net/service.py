"""What every client of a paid HTTP service does alike: its base URL, and the body of an answer within a limit."""

from __future__ import annotations

import httpx

from engine.errors import ConfigError


def base_of(url: str, setting: str, expected: str = "https://host/v1") -> str:
    """The base of a service without its last slash. `setting` names the variable it came from, `expected` shows a right one.

    Raises:
        ConfigError: it is not the URL of an HTTP service.
    """
    try:
        parsed = httpx.URL(url)
    except (httpx.InvalidURL, UnicodeError):
        parsed = httpx.URL("")
    if parsed.scheme not in ("http", "https") or not parsed.host or parsed.query or parsed.fragment:
        raise ConfigError(f"{setting} is not the base of an HTTP service; expected {expected}")
    return str(parsed).rstrip("/")


async def body_of(response: httpx.Response, most: int) -> bytes | None:
    """The body, decoded; None when it has more than `most` bytes.

    Raises:
        httpx.HTTPError: the connection broke, or it is not compressed as it says.
    """
    body = bytearray()
    async for part in response.aiter_bytes():
        body += part
        if len(body) > most:
            return None
    return bytes(body)
