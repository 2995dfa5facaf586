"""find-emails: which columns of a list name people and domains, and in which form the job works on them."""

from __future__ import annotations

from typing import Any

import pyarrow as pa
import pytest

from engine.durable.contract import Source
from engine.durable.database import Database
from engine.durable.schema import output_schema, visible
from engine.durable.submit import Request, submit
from engine.durable.validate import read_params
from engine.durable.vault import Vault
from engine.errors import InvalidInput
from engine.jobs import registry
from engine.jobs._rivals import rivals_in, with_rivals
from engine.jobs.find_emails import Params, plan

FIND = registry()["find-emails"]


def test_people_come_before_domains_and_unknown_keys_stay():
    people = [{"firstName": "Jane", "lastName": "Doe", "domain": "https://www.A.test/x", "id": 7}]
    params = Params(people=people, domains=["b.test", "B.TEST", "c.test"])
    table = params.items_table()
    assert table is not None
    fitted = params.fitted(Source(table.num_rows, table.schema, table))
    rows = fitted.condensed(table)
    assert rows.column_names == ["first_name", "last_name", "domain", "id"]
    assert rows.to_pylist() == [
        {"first_name": "Jane", "last_name": "Doe", "domain": "a.test", "id": 7},
        {"first_name": None, "last_name": None, "domain": "b.test", "id": None},
        {"first_name": None, "last_name": None, "domain": "c.test", "id": None},
    ]
    assert output_schema(FIND.columns, rows.schema).names == ["id", *FIND.columns.names]
    assert not {"people", "domains"} & fitted.stored().keys()
    assert Params.model_validate(fitted.stored()).columns == fitted.columns


@pytest.mark.parametrize(
    ("names", "first", "last", "full", "domain"),
    [
        (["firstName", "lastName", "domain"], "firstName", "lastName", None, "domain"),
        (["Vorname", "Nachname", "Firma-Website"], "Vorname", "Nachname", None, "Firma-Website"),
        (["Vorname", "Name", "Webseite"], "Vorname", "Name", None, "Webseite"),
        (["Prénom", "Nom", "Site web"], "Prénom", "Nom", None, "Site web"),
        (["Nombre", "Apellidos", "Sitio web"], "Nombre", "Apellidos", None, "Sitio web"),
        (["Nome", "Cognome", "Dominio"], "Nome", "Cognome", None, "Dominio"),
        (["Imię", "Nazwisko", "url"], "Imię", "Nazwisko", None, "url"),
        (["Naam", "Website"], None, None, "Naam", "Website"),
        (["Ansprechpartner", "Firma", "Homepage"], None, None, "Ansprechpartner", "Homepage"),
        (["full name", "company", "Company Domain"], None, None, "full name", "Company Domain"),
        (["domain"], None, None, None, "domain"),
    ],
)
def test_columns_are_found_by_their_names(names: list[str], first: str, last: str, full: str, domain: str):
    table = pa.table({name: ["a.test"] for name in names})
    columns = Params().fitted(Source(1, table.schema, table)).columns
    assert (columns.first_name, columns.last_name, columns.full_name, columns.domain) == (first, last, full, domain)


@pytest.mark.parametrize(
    ("name", "first", "last"),
    [
        ("Jane Doe", "Jane", "Doe"),
        ("Doe, Jane", "Jane", "Doe"),
        ("Dr. Anna van der Berg", "Anna", "van der Berg"),
        ("Jean-Luc Picard", "Jean-Luc", "Picard"),
        ("Cher", "Cher", None),
        ("", None, None),
    ],
)
def test_a_full_name_is_divided(name: str, first: str, last: str):
    table = pa.table({"Name": [name, "Someone Else"], "Website": ["a.test", "b.test"]})
    rows = Params().fitted(Source(2, table.schema, table)).condensed(table)
    assert rows.column_names == ["first_name", "last_name", "domain", "Name"]
    assert (rows["first_name"][0].as_py(), rows["last_name"][0].as_py()) == (first, last)


def test_the_chosen_columns_count_and_ours_are_not_hidden():
    table = pa.table({"first_name": ["X"], "Rufname": ["Jane"], "last": ["Doe"], "domain": ["x.test"], "www": ["a.test"]})
    params = Params.model_validate({"columns": {"firstName": "Rufname", "lastName": "last", "domain": "www"}})
    rows = params.fitted(Source(1, table.schema, table)).condensed(table)
    assert rows.to_pylist() == [
        {"first_name": "Jane", "last_name": "Doe", "domain": "a.test", "input_first_name": "X", "input_domain": "x.test"}
    ]


def test_rows_of_people_are_never_left_out():
    names = {"firstName": ["J", "J", "", ""], "lastName": ["D", "D", "", ""]}
    table = pa.table({**names, "domain": ["a.test"] * 4, "id": [1, 1, 2, 3]})
    assert Params().fitted(Source(4, table.schema, table)).condensed(table).num_rows == 4


@pytest.mark.parametrize(
    ("columns", "field"),
    [({}, "columns.domain"), ({"firstName": "nope", "domain": "first"}, "columns.firstName")],
)
def test_a_list_that_does_not_fit_is_refused(columns: dict[str, str], field: str):
    table = pa.table({"first": ["Jane"], "phone": ["1"]})
    with pytest.raises(InvalidInput) as caught:
        Params.model_validate({"columns": columns}).fitted(Source(1, table.schema, table))
    [problem] = caught.value.problems
    assert problem.field == field and "phone" in problem.message


@pytest.mark.parametrize(
    ("wrong", "field"),
    [
        ({"service": "guess"}, "service"),
        ({"people": ["Jane"]}, "people.0"),
        ({"domains": [1]}, "domains.0"),
        ({"maxPagesPerDomain": 0}, "maxPagesPerDomain"),
        ({"columns": {"vorname": "x"}}, "columns.vorname"),
    ],
)
def test_wrong_parameters_name_their_field(wrong: dict[str, Any], field: str):
    with pytest.raises(InvalidInput) as caught:
        read_params(FIND, wrong)
    assert caught.value.problems[0].field.startswith(field)


@pytest.mark.parametrize(("rows", "batch"), [(1, 10), (10_000, 10), (1_000_000, 50)])
def test_batches_are_small(rows: int, batch: int):
    assert plan(Params(), Source(rows, pa.schema([]))).batch == batch


def test_a_column_that_is_cleared_is_not_looked_for():
    table = pa.table({"Name": ["Jane Doe"], "Vorname": ["Jane"], "Website": ["a.test"]})
    source = Source(1, table.schema, table)
    columns = Params.model_validate({"columns": {"firstName": "", "lastName": "", "fullName": ""}}).fitted(source)
    assert columns.condensed(table).to_pylist() == [
        {"first_name": None, "last_name": None, "domain": "a.test", "Name": "Jane Doe", "Vorname": "Jane"}
    ]
    again = Params.model_validate(columns.stored()).fitted(source)
    assert again == columns and not columns.columns.has_names
    one = Params.model_validate({"columns": {"firstName": ""}}).fitted(source).columns
    assert (one.first_name, one.last_name, one.full_name) == ("", None, "Name")


def test_a_list_beside_another_list_is_refused(database: Database, vault: Vault):
    table = pa.table({"first_name": ["Jane"], "domain": ["a.test"]})
    for field, items in (("domains", ["b.test"]), ("people", [{"domain": "b.test"}])):
        with pytest.raises(InvalidInput) as caught:
            submit(database, vault, Request(FIND, {field: items}, rows=table))
        [problem] = caught.value.problems
        assert problem.field == field and "uploaded list" in problem.message
        with pytest.raises(InvalidInput, match="not both"):
            submit(database, vault, Request(FIND, {field: items}, from_job="some"))
    assert submit(database, vault, Request(FIND, {}, rows=table)).created


def test_who_may_have_the_same_address_is_known_of_the_whole_list():
    names = [
        ("Jane", "Doe"),
        ("John", "Doe"),
        ("Ann", "Lee"),
        ("Jane", "Doe"),
        ("", ""),
        ("Jürgen", "Mahler"),
        ("Juergen", "Mahler"),
    ]
    firsts, lasts = zip(*names, strict=True)
    table = pa.table({"first_name": firsts, "last_name": lasts, "domain": ["a.test"] * 6 + ["b.test"]})
    rows = Params().fitted(Source(7, table.schema, table)).condensed(table)
    assert [[one.first for one in rivals] for rivals in rivals_in(rows)] == [["John"], ["Jane"], [], ["John"], [], [], []]
    assert output_schema(FIND.columns, rows.schema).names == FIND.columns.names
    assert "_rivals" not in visible(rows).column_names and with_rivals(rows).equals(rows)


def test_few_rivals_are_named_however_long_the_list():
    table = pa.table({"first_name": [f"J{n}ane" for n in range(300)], "last_name": ["Smith"] * 300, "domain": ["a.test"] * 300})
    rows = Params().fitted(Source(300, table.schema, table)).condensed(table)
    assert {1 <= len(rivals) <= 6 for rivals in rivals_in(rows)} == {True}
