"""Lists of domains and of people: told from tables with headings, pasted or uploaded."""

from __future__ import annotations

import pytest

from engine.errors import InvalidInput
from engine.uploads import looks_like_domain, no_column, read_file, read_text
from engine.uploads.matter import MATTERS


@pytest.mark.parametrize(
    "text",
    [
        "example.com",
        "EXAMPLE.com.",
        "https://www.example.com/contact?x=1#y",
        "bücher.example",
        "xn--bcher-kva.example",
        "example.xn--p1ai",
        "example.com:8080",
        "intranet:8080",
        "localhost",
        "10.0.0.1",
        "10.0.0.1:80/x",
        "a-b.co.uk",
    ],
)
def test_domains_look_so(text):
    assert looks_like_domain(text)


@pytest.mark.parametrize(
    "text", ["", "domain", "Ann Hill", "foo bar", "ann@example.com", "1.2.3", "-a.com", "a..com", "a.com b.com", "x" * 3000]
)
def test_others_do_not(text):
    assert not looks_like_domain(text)


def test_a_glance_is_linear():
    for text in ("a." * 900, "-" * 2000, "a-" * 1000, "1." * 990, "a" * 1999 + "!"):
        looks_like_domain(text)


@pytest.mark.parametrize(
    ("text", "domains"),
    [
        ("example.com\nexample.org\n", ["example.com", "example.org"]),
        ("a.com, b.com; c.de", ["a.com", "b.com", "c.de"]),
        ("a.com b.com\nhttps://c.de/x?y=1", ["a.com", "b.com", "https://c.de/x?y=1"]),
        ("a.com,b.com\nc.com,d.com", ["a.com", "b.com", "c.com", "d.com"]),
        ("wiki.corp\nnot one\n", ["wiki.corp", "not one"]),
        ("localhost:8080", ["localhost:8080"]),
    ],
)
def test_lists_of_domains(text, domains):
    upload = read_text(text, expects="domains")
    assert upload.table.to_pydict() == {"domain": domains}
    assert upload.columns == ["domain"]


def test_a_table_of_companies_keeps_its_columns():
    upload = read_file("c.csv", b"company,Website\nAcme,acme.com\nBolt,https://bolt.org\n", expects="domains")
    assert upload.table.column_names == ["company", "Website"]
    assert upload.columns == ["Website"]


def test_a_heading_that_looks_like_a_domain_is_one():
    upload = read_text("company.name;contact.site\nAcme;a.com\nBolt;b.com\nCrow;c.com", expects="domains")
    assert upload.table.column_names == ["column_1", "domain"]
    upload = read_text("company.name;contact.mail\nAcme;x@a.com\nBolt;x@b.com\nCrow;x@c.com", expects="domains")
    assert upload.table.column_names == ["company.name", "contact.mail"]


@pytest.mark.parametrize(
    ("text", "names"),
    [
        ("Ann,Hill,example.com\nBen,Ray,example.org", ["first_name", "last_name", "domain"]),
        ("Ann Hill\texample.com", ["name", "domain"]),
        ("example.com\nexample.org", ["domain"]),
        ("1;Ann;Hill;example.com", ["column_1", "column_2", "column_3", "domain"]),
        ("Vorname;Name;Webseite\nAnn;Hill;a.de", ["Vorname", "Name", "Webseite"]),
        ("a.com,b.com\nc.com,d.com", ["domain", "column_2"]),
    ],
)
def test_people_are_rows_of_a_table(text, names):
    assert read_text(text, expects="people").table.column_names == names


def test_words_say_what_was_expected():
    with pytest.raises(InvalidInput, match="give at least one domain"):
        read_text(" ", expects="domains")
    with pytest.raises(InvalidInput, match="with a row for each person"):
        read_text("first,last,domain\n", expects="people")
    upload = read_text("a,b\n1,2", expects="domains")
    assert "none holds domains; expected one named domain, website or url" in no_column(upload, MATTERS["domains"])
