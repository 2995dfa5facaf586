"""Uploaded lists: every usual file becomes a table, and every other one an error that says what it is."""

from __future__ import annotations

import csv
import gzip
import io
import random
import string

import pyarrow as pa
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from engine.errors import InvalidInput
from engine.uploads import MAX_BYTES, Upload, no_column, read_file, read_text
from engine.uploads.delimited import read_delimited
from engine.uploads.grid import grid, headed

SIMPLE = "email,name,zip\nann@example.test,Ann,00501\nbob@example.test,Bob,\n"
ROWS = [
    {"email": "ann@example.test", "name": "Ann", "zip": "00501"},
    {"email": "bob@example.test", "name": "Bob", "zip": None},
]


def rows(data: str | bytes, name: str = "list.csv") -> list[dict[str, object]]:
    found: list[dict[str, object]] = read(data, name).table.to_pylist()
    return found


def read(data: str | bytes, name: str = "list.csv") -> Upload:
    return read_file(name, data.encode() if isinstance(data, str) else data)


def refused(data: str | bytes, name: str = "list.csv") -> str:
    with pytest.raises(InvalidInput) as caught:
        read(data, name)
    (problem,) = caught.value.problems
    assert problem.field == "file"
    return problem.message


def test_text_stays_text_and_empty_cells_are_null():
    upload = read(SIMPLE)
    assert upload.table.to_pylist() == ROWS
    assert upload.table.schema.types == [pa.string()] * 3
    assert (upload.kind, upload.columns) == ("CSV", ["email"])
    assert upload.notes == ["Columns separated by comma"]


@pytest.mark.parametrize("delimiter", [",", ";", "\t", "|"])
@pytest.mark.parametrize("end", ["\n", "\r\n", "\r"])
def test_delimiters_and_line_ends(delimiter, end):
    assert rows(SIMPLE.replace(",", delimiter).replace("\n", end)) == ROWS


@pytest.mark.parametrize(
    ("encoding", "note"),
    [
        ("utf-8", None),
        ("utf-8-sig", None),
        ("utf-16", "UTF-16"),
        ("utf-16-le", "UTF-16"),
        ("utf-16-be", "UTF-16"),
        ("utf-32", "UTF-32"),
        ("cp1252", "Windows-1252"),
    ],
)
def test_encodings(encoding, note):
    upload = read((SIMPLE + "jürgen@example.test,Jürgen – „é“,1\n").encode(encoding))
    assert upload.table.to_pylist()[2]["name"] == "Jürgen – „é“"
    assert upload.columns == ["email"]
    assert [text for text in upload.notes if "Encoding" in text] == ([f"Encoding {note}"] if note else [])


def test_delimiters_inside_quotes_do_not_count():
    data = 'name;email\n"Doe, John, Jr., PhD";a@b.test\n"Roe, Jane, x, y";c@d.test\n"two\nlines; ""q""";e@f.test\n'
    assert rows(data)[0] == {"name": "Doe, John, Jr., PhD", "email": "a@b.test"}
    assert rows(data)[2]["name"] == 'two\nlines; "q"'


def test_a_line_that_names_the_delimiter_is_obeyed():
    assert rows("sep=;\r\nemail;note\r\na@b.test;x,y\r\n") == [{"email": "a@b.test", "note": "x,y"}]


def test_a_first_row_with_an_address_is_data():
    upload = read("Ann,ann@example.test,1\nBob,bob@example.test,2\n")
    assert upload.table.column_names == ["column_1", "email", "column_3"]
    assert upload.table.num_rows == 2
    assert any("No header row" in note for note in upload.notes)
    assert rows("ann@example.test") == [{"email": "ann@example.test"}]
    assert len(rows("john@x.test John Smith\nbob@y.test Bob\n")) == 2


def test_names_are_made_unique_and_empty_columns_without_a_name_left_out():
    upload = read("email,email,,email_2, a \n\x00".replace("\x00", "x@y.test,1,,2,3\n"))
    assert upload.table.column_names == ["email", "email_3", "email_2", "a"]
    assert upload.table.to_pylist() == [{"email": "x@y.test", "email_3": "1", "email_2": "2", "a": "3"}]
    assert rows("email,,\nx@y.test,,1\n") == [{"email": "x@y.test", "column_3": "1"}]


def test_no_ragged_row_is_lost():
    upload = read("email,name\na@b.test\nc@d.test,C,more,evenmore\ne@f.test,E\ng@h.test,G,,\n")
    assert upload.table.to_pylist() == [
        {"email": "a@b.test", "name": None, "column_3": None, "column_4": None},
        {"email": "c@d.test", "name": "C", "column_3": "more", "column_4": "evenmore"},
        {"email": "e@f.test", "name": "E", "column_3": None, "column_4": None},
        {"email": "g@h.test", "name": "G", "column_3": None, "column_4": None},
    ]
    assert "1 row longer than the first: the rest is in columns named column_3 and so on" in upload.notes
    assert "1 row shorter than the first: the missing cells are empty" in upload.notes


def test_a_very_long_row_shares_its_last_column():
    upload = read("email,name\na@b.test,A\n" + ",".join(["c@d.test", *map(str, range(1000))]) + "\n")
    assert upload.table.num_columns == 22
    assert upload.table.column(21)[1].as_py().endswith(",998,999")


def test_empty_rows_are_counted_and_left_out():
    upload = read("\n\nemail,name\n\na@b.test,A\n,\n  \nb@c.test,B\n\n\n")
    assert upload.table.num_rows == 2
    assert "7 empty rows left out" in upload.notes
    assert read("email\n\na@b.test\n\n\nc@d.test").table.num_rows == 2


def test_a_quotation_mark_that_is_never_closed_takes_nothing_with_it():
    upload = read('email,note\na@b.test,"unclosed\nb@c.test,x\nc@d.test,y\n')
    assert upload.table.column("email").to_pylist() == ["a@b.test", "b@c.test", "c@d.test"]
    assert any("never closed" in note for note in upload.notes)


def test_a_long_cell_is_read_where_it_is_regular_and_named_where_it_is_not():
    assert len(rows(f"email,note\na@b.test,{'x' * 3_000_000}\n")[0]["note"]) == 3_000_000  # type: ignore[arg-type]
    assert "longer than 131,072" in refused(f"email,note\na@b.test,{'x' * 200_000}\nc@d.test\n")


def test_gzip_is_unpacked_within_the_limit():
    upload = read(gzip.compress(SIMPLE.encode()) + gzip.compress(b"c@d.test,C,1\n"), "list.csv.gz")
    assert upload.table.num_rows == 3
    assert "Unpacked from gzip" in upload.notes
    bomb = gzip.compress(b"a@b.test\n" * 1_000_000)
    with pytest.raises(InvalidInput, match="larger than that when unpacked; at most"):
        read_file("list.csv.gz", bomb, limit=1 << 20)
    assert "ends too early" in refused(gzip.compress(SIMPLE.encode())[:-9])
    assert "damaged gzip" in refused(b"\x1f\x8b\x08\x00rubbish rubbish")
    assert "gzip archive in another" in refused(gzip.compress(gzip.compress(b"x")))


def test_the_format_is_told_by_the_content_and_a_wrong_name_is_noted():
    upload = read(SIMPLE, "list.xlsx")
    assert upload.kind == "CSV"
    assert upload.notes[0] == "The name says XLSX, the content is CSV: read as CSV"
    assert read(SIMPLE, "../../etc/list").notes == ["Columns separated by comma"]


@pytest.mark.parametrize(
    ("data", "told"),
    [
        (b"", "The file is empty; expected a list of addresses as CSV, XLSX, Parquet or text"),
        (b" \n\r\n\t\n", "The file is empty"),
        (b"name,phone\n", "The file has a header (name, phone) but no rows"),
        (b"\x89PNG\r\n\x1a\nxxxx", "This is a PNG image; expected a list of addresses as CSV"),
        (b"%PDF-1.7\n", "This is a PDF document"),
        (b"\xff\xd8\xff\xe0", "a JPEG image"),
        (b"<!DOCTYPE html><html>", "an HTML page"),
        (b"  <table><tr>", "an HTML page"),
        (b"<?xml version='1.0'?>", "an XML file"),
        (b'{"a": 1}', "a JSON file"),
        (b'[{"email": "a@b.test"}]', "a JSON file"),
        (b"Rar!\x1a\x07\x00", "a RAR archive"),
        (b"PK\x05\x06" + bytes(18), "an empty ZIP archive"),
        (b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1" + bytes(600) + "EncryptedPackage".encode("utf-16-le"), "protected by a password"),
        (b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1" + bytes(600) + "WordDocument".encode("utf-16-le"), "an old Word document"),
        (b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1" + bytes(600), "an old Office document"),
        (bytes(range(256)) * 40, "binary data of an unknown kind"),
        (random.Random(7).randbytes(5000), "binary data of an unknown kind"),
        (b"email\n" + bytes(1000), "binary data of an unknown kind"),
    ],
)
def test_what_is_no_list_is_named(data, told):
    assert told in refused(data)


def test_too_large_says_both_sizes():
    with pytest.raises(InvalidInput, match=r"The file is 12 MB; at most 10 MB can be read\. Split it"):
        read_file("list.csv", bytes(12 << 20), limit=10 << 20)
    with pytest.raises(InvalidInput, match="12 MB"):
        read_file("list.csv", io.BytesIO(bytes(12 << 20)), limit=10 << 20)
    assert MAX_BYTES == 200 << 20


def test_a_file_object_is_read_from_its_beginning():
    file = io.BytesIO(SIMPLE.encode())
    file.seek(0, io.SEEK_END)
    assert read_file("list.csv", file).table.to_pylist() == ROWS


def test_a_list_without_addresses_is_read_and_explained():
    upload = read("a,b,c\n1,2,3\n4,5,6\n")
    assert upload.columns == []
    told = no_column(upload)
    assert told.startswith("Found the columns a, b, c with 2 rows, but none holds e-mail addresses; expected one named email")
    alone = no_column(read("hello world\nx\n"))
    assert alone.startswith("Found the column hello world with 1 row, which holds no e-mail addresses; expected one named email")
    wide = read(",".join(f"col{i}" * 30 for i in range(100)) + "\n" + ",".join("x" * 100) + "\n")
    assert len(no_column(wide)) < 800


def test_errors_say_what_the_list_should_hold_and_never_what_a_cell_holds():
    with pytest.raises(InvalidInput, match="a list of domains as CSV"):
        read_file("x", b"", expects="domains")
    secret = "hunter2"
    for data in (f"email,x\n{secret},{'y' * 200_000}\nz\n", f'{{"{secret}": 1}}', f"%PDF-{secret}"):
        assert secret not in refused(data)


def test_too_many_columns_are_refused():
    assert "3,000 columns; at most 2,000" in refused(",".join(map(str, range(3000))) + "\n" + "x," * 2999 + "x\n")


def test_both_readers_of_delimited_text_agree():
    pick = random.Random(3)
    cells = ["", "a", "a@b.test", "x y", 'q"q', "two\nlines", "c,d", "é", "007", " s "]
    for _ in range(200):
        table = [[pick.choice(cells) for _ in range(3)] for _ in range(pick.randint(1, 6))]
        text = io.StringIO()
        csv.writer(text, lineterminator=pick.choice(["\n", "\r\n"])).writerows([["h1", "h2", "h3"], *table])
        quick = read_delimited(text.getvalue().encode(), [])
        slow, _ = grid(csv.reader(io.StringIO(text.getvalue(), newline="")))
        try:
            wanted = headed(slow, []).to_pylist()
        except InvalidInput:
            continue
        assert quick is not None
        assert headed(quick, []).to_pylist() == wanted


def test_a_hundred_thousand_rows_keep_their_order():
    data = "id,email\n" + "".join(f"{i:06},person{i}@example.test\n" for i in range(100_000))
    table = read(data).table
    assert table.column("id").to_pylist() == [f"{i:06}" for i in range(100_000)]
    ragged = read(data + "last\n").table
    assert ragged.num_rows == 100_001
    assert ragged.column("email")[99_999].as_py() == "person99999@example.test"


@settings(max_examples=150)
@given(
    st.one_of(
        st.binary(max_size=300),
        st.text(alphabet='a@.,;"<>\n\r\t \x00é|', max_size=80).map(str.encode),
        st.text(max_size=60).map(lambda text: text.encode("utf-16", "replace")),
        st.binary(max_size=60).map(gzip.compress),
        st.binary(max_size=100).map(b"PAR1".__add__),
        st.binary(max_size=100).map(b"PK\x03\x04".__add__),
    )
)
def test_any_bytes_are_a_list_or_an_explained_refusal(data):
    try:
        upload = read_file("x.csv", data)
    except InvalidInput as error:
        assert len(str(error)) < 1500
    else:
        assert upload.table.num_rows > 0
        assert len(set(upload.table.column_names)) == upload.table.num_columns > 0
        assert set(upload.columns) <= set(upload.table.column_names)


@settings(max_examples=150)
@given(st.text(alphabet=string.ascii_letters[:4] + '@.,;"<>\n\t é\ud800|', max_size=80))
def test_any_pasted_text_is_a_list_or_an_explained_refusal(text):
    try:
        upload = read_text(text)
    except InvalidInput as error:
        assert error.problems[0].field == "text"
    else:
        assert upload.kind == "pasted text"
        assert upload.table.num_rows > 0
