"""A message reads at the other end as it was written, and no address or line becomes a command."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from engine.net.submission import Letter
from engine.net.submission_envelope import DOT, mail, recipient, stuffed, unfit

LINES = st.lists(st.text(".ab\x00é", max_size=5).map(str.encode), max_size=8).map(
    lambda lines: b"".join(x + b"\r\n" for x in lines)
)


@given(LINES, st.integers(1, 9))
def test_the_dot_ends_a_message_and_nothing_in_it_does(data: bytes, size: int):
    sent = b"".join(stuffed(data, size)) + DOT
    assert (b"\r\n" + sent).find(b"\r\n" + DOT) == len(sent) - len(DOT)
    read = [line.removeprefix(b".") for line in sent.removesuffix(DOT).split(b"\r\n")]
    assert b"\r\n".join(read) == data


def test_a_last_line_without_an_end_gets_one():
    assert b"".join(stuffed(b"one\r\n.two", 100)) == b"one\r\n..two\r\n"
    assert list(stuffed(b"", 100)) == []


@given(st.text(max_size=40), st.text(max_size=40), st.binary(max_size=60), st.booleans())
def test_what_passes_is_one_command_and_one_message(sender: str, address: str, data: bytes, utf8: bool):
    letter = Letter(sender, address, data, utf8, "x")
    if unfit(letter) is None:
        for command in (mail(letter, {}), recipient(letter)):
            assert command.isprintable()
            assert utf8 or command.isascii()
        assert b"\n" not in data.replace(b"\r\n", b"")
        assert b"\r" not in data.replace(b"\r\n", b"")


@given(st.from_regex(r"[a-z.+]{1,10}@[a-z]{1,8}\.test", fullmatch=True))
def test_plain_addresses_pass(address: str):
    assert unfit(Letter("", address, b"x\r\n", False, "x")) is None
    assert recipient(Letter("", address, b"", False, "x")) == f"RCPT TO:<{address}>"


def test_quoted_local_parts_pass():
    assert unfit(Letter('"a b>c"@one.test', '"x@y"@two.test', b"", False, "x")) is None
    assert unfit(Letter("", '"a"> <b"@two.test', b"", False, "x")) is not None
