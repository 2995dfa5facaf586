"""Replies are cut from bytes whatever their pieces, and nothing a server sends is taken for more than it is."""

from __future__ import annotations

from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from engine.net.smtp_wire import MAX_LINE, MAX_LINES, Replies, Reply, Trouble, printable

TWO = b"250-mx.test\r\n250-PIPELINING\r\n250 SMTPUTF8\r\n550 5.1.1 No such user\r\n"
EXPECTED = [Reply(250, ("mx.test", "PIPELINING", "SMTPUTF8")), Reply(550, ("5.1.1 No such user",))]


@given(st.lists(st.integers(0, len(TWO)), max_size=8))
def test_pieces_do_not_matter(cuts: list[int]) -> None:
    edges = [0, *sorted(cuts), len(TWO)]
    replies = Replies()
    found = [reply for start, end in pairwise(edges) for reply in replies.feed(TWO[start:end])]
    assert found == EXPECTED


@given(st.binary(max_size=300))
def test_any_bytes_are_replies_or_trouble(data: bytes) -> None:
    try:
        found = Replies().feed(data)
    except Trouble:
        return
    assert all(200 <= reply.code <= 599 and reply.lines for reply in found)


@pytest.mark.parametrize(
    "data",
    [
        b"HTTP/1.1 400 Bad Request\r\n",
        b"\r\n",
        b"099 no\r\n",
        b"150 no\r\n",
        b"25 no\r\n",
        b"250no\r\n",
        b"\x00\x00250 Ok\r\n",
        b"250 " + b"x" * MAX_LINE + b"\r\n",
        b"250-" + b"x" * (MAX_LINE + 1),
        b"250-x\r\n" * MAX_LINES + b"250 x\r\n",
    ],
)
def test_what_is_no_reply_is_trouble(data: bytes) -> None:
    with pytest.raises(Trouble):
        Replies().feed(data)


@pytest.mark.parametrize(
    ("data", "text"),
    [
        (b"250\r\n", ""),
        (b"250 Ok\n", "Ok"),
        (b"550-5.1.1 The account does\r\n550-5.1.1 not exist.\r\n550 5.1.1 Bye\r\n", "5.1.1 The account does not exist. Bye"),
        (b"550-first\r\n550 \r\n", "first"),
        ("550 Empfänger unbekannt\r\n".encode(), "Empfänger unbekannt"),
        ("550 Empfänger unbekannt\r\n".encode("latin-1"), "Empfänger unbekannt"),
        (b"550 no\x00body\r\n", "no\x00body"),
    ],
)
def test_a_reply_reads_as_one_text(data: bytes, text: str) -> None:
    [reply] = Replies().feed(data)
    assert reply.text == text


@given(st.text(max_size=2000))
def test_what_is_shown_is_short_and_printable(text: str) -> None:
    shown = printable(text)
    assert len(shown) <= 300
    assert shown.isprintable()


def test_controls_become_blanks() -> None:
    assert printable(" no\x00body\r\n  here\x1b[31m ") == "no body here [31m"
