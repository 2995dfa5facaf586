"""Composed messages: read back as they were meant, to one recipient, in the same bytes every time."""

from __future__ import annotations

import re
from email import message_from_bytes
from email.header import decode_header, make_header
from email.headerregistry import AddressHeader
from email.message import Message
from email.utils import parseaddr

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from engine.errors import InvalidInput
from engine.mail.message import Filled, RowFlaw, compose, enclosed, fill, message_id
from engine.mail.message.enclosures import MAX_ATTACHMENTS_BYTES, content_type, name_flaw
from engine.mail.message.recipients import is_unsafe
from tests.mail.message.letters import DATE, MESSAGE_ID, URL, address, composed, design, opened, sign

SIMPLE = Filled("Hi", "Hello\n")
_line = (
    st.text(min_size=1, max_size=300).map(lambda text: text.strip(" ")).filter(lambda text: text.strip() and not is_unsafe(text))
)
_body = st.text().map(lambda text: text.replace("\r\n", "\n").replace("\r", "\n").rstrip("\n") + "\n")


class File:
    def __init__(self, name: str, payload: bytes = b"data", declared: str = "") -> None:
        self.name, self.payload, self.content_type = name, payload, declared


def test_a_plain_message_byte_for_byte():
    assert composed(SIMPLE, name="Bob").data == (
        b"From: Ann <ann@example.com>\r\n"
        b"To: Bob <bob@example.org>\r\n"
        b"Subject: Hi\r\n"
        b"Date: Tue, 06 May 2031 07:08:09 +0000\r\n"
        b"Message-ID: <0123456789abcdef0123456789abcdef@example.com>\r\n"
        b"List-Unsubscribe: <https://lists.example/api/unsubscribe/dG9rZW4.c2ln>\r\n"
        b"List-Unsubscribe-Post: List-Unsubscribe=One-Click\r\n"
        b"MIME-Version: 1.0\r\n"
        b'Content-Type: text/plain; charset="utf-8"\r\n'
        b"Content-Transfer-Encoding: 7bit\r\n"
        b"\r\n"
        b"Hello\r\n"
    )


def _check_wire(data: bytes) -> None:
    """CRLF everywhere and only there, short lines, no NUL."""
    assert not re.search(rb"(?<!\r)\n|\r(?!\n)|\0", data)
    assert data.endswith(b"\r\n")
    assert max(map(len, data.split(b"\r\n"))) <= 998


def _text(part: Message) -> str:
    payload = part.get_payload(decode=True)
    assert isinstance(payload, bytes)
    return payload.decode().replace("\r\n", "\n")


def _addresses(header: AddressHeader) -> list[tuple[str, str]]:
    return [(each.display_name, each.addr_spec) for each in header.addresses]


def _shown(data: bytes) -> str:
    """The recipient's name. The library's newer parser puts a space between encoded words, against RFC 2047 section 6.2."""
    name, _ = parseaddr(message_from_bytes(data)["To"])
    return str(make_header(decode_header(name)))


@given(_line, _body, _body | st.none(), st.just("") | _line.filter(lambda text: len(text) <= 200))
@example("0", "", None, "\u0800" + 10 * "\U00010000")
def test_what_is_composed_is_read_back(subject, text, html, name):
    filled = Filled(subject, text, html)
    data = composed(filled, name=name).data
    assert data.isascii()
    _check_wire(data)
    message = opened(data)
    assert message["Subject"] == subject
    assert [spec for _, spec in _addresses(message["To"])] == ["bob@example.org"]
    assert _shown(data) == " ".join(name.split())
    for kind, expected in (("plain", text), ("html", html)):
        part = message.get_body((kind,))
        assert (None if part is None else _text(part)) == (
            None if expected is None else expected.encode("utf-8", "replace").decode()
        )
    assert composed(filled, name=name).data == data


@given(st.text(max_size=80), st.text(max_size=80), st.text(max_size=300))
def test_whatever_comes_no_header_is_injected(subject, name, value):
    made = design(subject="{{ s | default('-') }}", text="{{ v | default('-') }}", html="<p>{{ v | default('-') }}</p>")
    try:
        data = composed(fill(made, {"s": subject, "v": value}, URL), made, name=name).data
    except RowFlaw:
        assert is_unsafe(subject) or is_unsafe(name) or not subject.strip()
        return
    _check_wire(data)
    message = opened(data)
    fields = "From To Subject Date Message-ID List-Unsubscribe List-Unsubscribe-Post MIME-Version Content-Type"
    assert list(message.keys()) == fields.split()
    assert [spec for _, spec in _addresses(message["To"])] == ["bob@example.org"]
    assert [part.get_content_type() for part in message.iter_parts()] == ["text/plain", "text/html"]


@pytest.mark.parametrize("name", ["A\nBcc: x@y.test", "A\r\n\r\nbody", "A\0", "A\u2028B", "A" * 201])
def test_a_name_can_not_reach_into_the_head(name):
    with pytest.raises(RowFlaw, match="name is one line"):
        composed(SIMPLE, name=name)


@pytest.mark.parametrize(
    "name", ["Smith, Ann", 'A "B" C', "back\\slash", "x@y.test", "<a@b.test>", "=?utf-8?q?x?=", "Jörg, Ä <x>", "O'Neil"]
)
def test_awkward_names(name):
    assert _shown(composed(SIMPLE, name=name).data) == name


@pytest.mark.parametrize(
    "subject",
    ["=?utf-8?q?Bcc?=", "two  spaces", "word " * 50 + "end", "x" * 998, "grüße " * 60 + ".", "日本語" * 100, "👩‍👩‍👧 family"],
)
def test_awkward_subjects(subject):
    data = composed(Filled(subject, "x\n")).data
    assert opened(data)["Subject"] == subject
    _check_wire(data)


@pytest.mark.parametrize("url", [URL, "https://lists.example/api/unsubscribe/" + "a" * 600])
def test_the_unsubscribe_link_is_never_folded_or_encoded(url):
    data = compose(design(), SIMPLE, address("bob@example.org"), "", MESSAGE_ID, DATE, url).data
    assert f"\r\nList-Unsubscribe: <{url}>\r\n".encode() in data
    assert b"\r\nList-Unsubscribe-Post: List-Unsubscribe=One-Click\r\n" in data


@pytest.mark.parametrize(
    "url", ["https://x.test/a b", "https://x.test/\r\nBcc: x", "https://x.test/ü", "https://x.test/" + "a" * 1000]
)
def test_a_link_that_no_header_can_carry_is_refused(url):
    with pytest.raises(ValueError, match="List-Unsubscribe"):
        compose(design(), SIMPLE, address("bob@example.org"), "", MESSAGE_ID, DATE, url)


def test_reply_to():
    made = design(reply_to="Jörg <jo@example.net>")
    assert _addresses(opened(composed(SIMPLE, made).data)["Reply-To"]) == [("Jörg", "jo@example.net")]


@pytest.mark.parametrize(
    ("sender", "to", "utf8"),
    [
        ("ann@bücher.test", "bob@müller.test", False),
        ("ann@x.test", "jörg@bücher.test", True),
        ("jörg@x.test", "bob@x.test", True),
    ],
)
def test_smtputf8_only_where_a_local_part_needs_it(sender, to, utf8):
    made = composed(SIMPLE, design(sender=sender), to)
    assert made.utf8 is utf8
    assert made.data.isascii() is not utf8
    assert f"To: {to.partition('@')[0]}@xn--".encode() in made.data or "x.test" in to


def test_long_lines_and_odd_characters_are_encoded():
    for text in ("x" * 5_000 + "\n", "a\0b\x0c\n", "grün " * 500 + "\n", "trailing \t\n.\nFrom x\n", "日本" * 800 + "\n"):
        data = composed(Filled("Hi", text, "<p>" + text)).data
        _check_wire(data)
        part = opened(data).get_body(("plain",))
        assert part is not None
        assert _text(part) == text


def test_a_text_with_the_boundary_in_it_stays_whole():
    boundary = opened(composed(Filled("Hi", "x\n", "<p>x\n")).data).get_boundary()
    text = f"--{boundary}\nContent-Type: text/html\n\n--{boundary}--\n"
    message = opened(composed(Filled("Hi", text, "<p>x\n")).data)
    assert [part.get_content_type() for part in message.iter_parts()] == ["text/plain", "text/html"]


@pytest.mark.parametrize("html", [None, "<p>x</p>\n"])
def test_files_go_with_the_message(html):
    files = [
        File("Prices 2031.pdf", b"\0\xff" * 5_000),
        File("Größe, 'neu' " + "ü" * 120 + ".csv", b"a;b\r\n"),
        File("n\u00e4me", b""),
    ]
    data = composed(Filled("Hi", "Hello\n", html), files=enclosed(files)).data
    _check_wire(data)
    message = opened(data)
    assert message.get_content_type() == "multipart/mixed"
    found = list(message.iter_attachments())
    assert [part.get_filename() for part in found] == [file.name for file in files]
    assert [part.get_payload(decode=True) for part in found] == [file.payload for file in files]
    assert [part.get_content_type() for part in found] == ["application/pdf", "text/csv", "application/octet-stream"]
    assert (message.get_body(("html",)) is not None) is (html is not None)


@pytest.mark.parametrize(
    "name",
    [
        "",
        " ",
        "..",
        ".bashrc",
        "../x.pdf",
        "a/b.pdf",
        "a\\b.pdf",
        "c:x.pdf",
        "a\nb.pdf",
        "a\0.pdf",
        "run.exe",
        "RUN.EXE. ",
        "a.js",
        "x" * 201,
    ],
)
def test_file_names_that_are_refused(name):
    assert name_flaw(name)
    with pytest.raises(InvalidInput) as caught:
        enclosed([File("ok.pdf"), File(name)])
    assert [problem.field for problem in caught.value.problems] == ["attachments.1.name"]


def test_files_have_a_limit_together():
    half = b"x" * (MAX_ATTACHMENTS_BYTES // 2)
    assert len(enclosed([File("a.bin", half), File("b.bin", half)])) == 2
    with pytest.raises(InvalidInput, match="10 MB together"):
        enclosed([File("a.bin", half), File("b.bin", half + b"x")])


@pytest.mark.parametrize(
    ("name", "declared", "told"),
    [
        ("a.PDF", "text/html", "application/pdf"),
        ("a.xyz", "application/x-custom", "application/x-custom"),
        ("a.xyz", "multipart/mixed", "application/octet-stream"),
        ("a.xyz", "text/plain\r\nBcc: x", "application/octet-stream"),
        ("a", "", "application/octet-stream"),
    ],
)
def test_types_of_files(name, declared, told):
    assert content_type(File(name, b"", declared)) == told


@given(st.text(max_size=150), st.binary(max_size=200))
def test_any_name_that_is_taken_is_read_back(name, payload):
    if not name_flaw(name):
        data = composed(SIMPLE, files=enclosed([File(name, payload)])).data
        _check_wire(data)
        (part,) = opened(data).iter_attachments()
        assert part.get_payload(decode=True) == payload


def test_message_ids_depend_on_job_and_recipient_alone():
    one = message_id(sign, "job1", "bob@example.org", "example.com")
    assert one == message_id(sign, "job1", "bob@example.org", "example.com")
    assert re.fullmatch(r"<[0-9a-f]{32}@example\.com>", one)
    assert (
        len(
            {
                one,
                message_id(sign, "job2", "bob@example.org", "example.com"),
                message_id(sign, "job1", "eve@example.org", "example.com"),
            }
        )
        == 3
    )
