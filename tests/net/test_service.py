"""What the clients of paid services share."""

from __future__ import annotations

from collections.abc import AsyncIterator

import httpx
import pytest

from engine.errors import ConfigError
from engine.net.service import base_of, body_of


class Pieces(httpx.AsyncByteStream):
    """A body in pieces, which counts those that were asked for."""

    def __init__(self, *pieces: bytes) -> None:
        self.pieces, self.given = pieces, 0

    async def __aiter__(self) -> AsyncIterator[bytes]:
        for piece in self.pieces:
            self.given += 1
            yield piece


@pytest.mark.parametrize("url", ["https://ai.test/v1", "https://ai.test/v1/", "http://127.0.0.1:8080/v1"])
def test_a_base_loses_only_its_last_slash(url: str) -> None:
    assert base_of(url, "X_URL") == url.rstrip("/")


@pytest.mark.parametrize(
    "url", ["", "ai.test/v1", "ftp://ai.test", "https://", "https://ai.test/v1?x=1", "https://ai.test/#a", "http://[::1"]
)
def test_what_is_no_base_names_the_setting_and_a_right_one(url: str) -> None:
    with pytest.raises(ConfigError, match=r"X_URL .* expected https://host/v1"):
        base_of(url, "X_URL")


async def test_a_body_is_read_whole_up_to_the_limit() -> None:
    assert await body_of(httpx.Response(200, stream=Pieces(b"ab", b"cd")), 4) == b"abcd"


async def test_of_a_larger_body_no_more_is_read_than_shows_it() -> None:
    pieces = Pieces(b"ab", b"cd", b"ef", b"gh")
    assert await body_of(httpx.Response(200, stream=pieces), 3) is None
    assert pieces.given == 2
