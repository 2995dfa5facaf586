"""send-emails: who is written to, what refuses a list, and what the table says afterwards."""

from __future__ import annotations

import base64
from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from email import message_from_bytes, policy
from heapq import heappop, heappush
from typing import Any

import pyarrow as pa
import pytest
from sqlalchemy import delete, func, select

from engine.durable import control
from engine.durable.chunks import INSERT, encode
from engine.durable.clock import to_ms
from engine.durable.contract import Done, JobRef, Json, Plan, Snooze
from engine.durable.database import Database
from engine.durable.files import FakeFiles, StoredFile, files_of
from engine.durable.queries import get
from engine.durable.schema import output_schema
from engine.durable.sources import InputReader
from engine.durable.stored_ledger import FakeLedger
from engine.durable.submit import Request, submit
from engine.durable.tables import chunks, jobs
from engine.durable.vault import Vault
from engine.errors import InvalidInput
from engine.jobs import registry
from engine.jobs.send_emails import Params, process
from engine.net.submission import FakeTransport, Receipt, Result
from engine.sending import sender
from engine.sending.parcels import Route, Turn
from engine.sending.recipients import Recipients
from engine.sending.sender import Sender
from engine.sending.stationery import Stationery
from tests.durable.store import complete

SEND = registry()["send-emails"]
NOW = datetime(2030, 1, 1, tzinfo=UTC)
MESSAGE = {
    "from": "Ada <ada@sender.test>",
    "subject": "Hello {{ first_name }}",
    "text": "Dear {{ first_name }}",
    "postalAddress": "1 High Street, London",
    "consentBasis": "customer",
}


@dataclass
class Tools:
    transport: FakeTransport = field(default_factory=FakeTransport)
    ledger: FakeLedger = field(default_factory=FakeLedger)
    files: FakeFiles = field(default_factory=FakeFiles)
    secrets: Mapping[str, str] = field(default_factory=dict)
    at: float = NOW.timestamp()

    def __post_init__(self) -> None:
        self.ledger = FakeLedger(self.ledger.listed, self.ledger.rows, lambda: round(self.at * 1000))
        self.restart()
        self.stationery = Stationery(Vault("key").sign, "https://post.test", self.files)

    @property
    def doors(self) -> Mapping[str, Any]:
        return {"sender": self.sender, "stationery": self.stationery}

    def restart(self) -> None:
        """As a new engine begins, which remembers nothing."""
        self.sender = Sender(self.ledger, dict.fromkeys(Route, self.transport), first_wait=300.0)

    def now(self) -> datetime:
        return datetime.fromtimestamp(self.at, UTC)

    async def save(self, state: Json) -> None:
        """Nothing is saved: the ledger knows."""


def asked(recipients: list[Any] | None = None, **more: Any) -> Request:
    params = {**MESSAGE, **({} if recipients is None else {"recipients": recipients}), **more}
    return Request(SEND, {name: value for name, value in params.items() if value is not None}, unset=frozenset({"smtp_url"}))


def submitted(database: Database, vault: Vault, request: Request) -> str:
    return submit(database, vault, request).job_id


async def outcome(database: Database, job_id: str, tools: Tools, number: int | None = None) -> Done | Snooze:
    """What a batch comes to, or the whole list in one."""
    job, reader = get(database, job_id), InputReader(database, job_id)
    plan = Plan(job.total_items, job.total_items if number is None else job.batch_size)
    batch = replace(reader.batch(plan, number or 0, None), job=JobRef(job_id, NOW, 1))
    return await process(batch, Params.model_validate(job.params), tools)


async def table(database: Database, vault: Vault, request: Request, tools: Tools) -> list[dict[str, Any]]:
    done = await outcome(database, submitted(database, vault, request), tools)
    assert isinstance(done, Done)
    rows: list[dict[str, Any]] = done.rows.to_pylist()
    assert done.succeeded == sum(row["status"] == "sent" for row in rows) and done.succeeded + done.failed == len(rows)
    return rows


def lender_of(database: Database, vault: Vault, rows: pa.Table) -> str:
    """A completed job with these rows."""
    job_id = complete(database, vault)
    values = {"job_id": job_id, "stream": "output", "number": 0, "last": 0, "row_count": rows.num_rows, "payload": encode(rows)}
    with database.write() as connection:
        connection.execute(delete(chunks).where(chunks.c.job_id == job_id, chunks.c.stream == "output"))
        connection.execute(INSERT, values)
    return job_id


def refusal(database: Database, vault: Vault, request: Request) -> dict[str, str]:
    """What is wrong, by field."""
    with pytest.raises(InvalidInput) as caught:
        submit(database, vault, request)
    return {problem.field: problem.message for problem in caught.value.problems}


async def test_each_recipient_gets_the_message_written_for_them(database: Database, vault: Vault):
    tools = Tools()
    people = [
        {"email": "jane@one.test", "first_name": "Jane", "n": 1},
        {"email": "Bob <bob@two.test>", "first_name": "Bob", "n": 2},
    ]
    rows = await table(database, vault, asked(people), tools)
    assert [(row["email"], row["n"], row["status"], row["attempts"]) for row in rows] == [
        ("jane@one.test", 1, "sent", 1),
        ("Bob <bob@two.test>", 2, "sent", 1),
    ]
    letters = {letter.recipient: message_from_bytes(letter.data, policy=policy.default) for letter in tools.transport.taken}
    assert set(letters) == {"jane@one.test", "bob@two.test"}
    jane = letters["jane@one.test"]
    assert (jane["Subject"], jane["To"], jane["From"]) == ("Hello Jane", "jane@one.test", "Ada <ada@sender.test>")
    text = jane.get_content()
    assert text.startswith("Dear Jane\r\n") and "1 High Street, London" in text
    link = jane["List-Unsubscribe"].strip("<>")
    assert link.startswith("https://post.test/api/unsubscribe/") and link in text
    assert jane["List-Unsubscribe-Post"] == "List-Unsubscribe=One-Click" and jane["Message-ID"] == rows[0]["message_id"]


async def test_columns_come_back_and_only_those(database: Database, vault: Vault):
    job_id = submitted(database, vault, asked([{"email": "jane@one.test", "first_name": "Jane", "status": "vip"}]))
    source = InputReader(database, job_id).source
    assert source is not None
    assert output_schema(SEND.columns, source.schema).names == [
        *("email", "first_name", "input_status"),
        *("status", "message_id", "attempts", "smtp_code", "smtp_reply", "sent_at", "error"),
    ]


async def test_who_is_left_out_has_a_row_that_says_why(database: Database, vault: Vault):
    tools = Tools(ledger=FakeLedger({"no@one.test": "unsubscribed"}))
    people = [
        {"email": "jane@one.test", "synthetic": False},
        {"email": "JANE@one.test", "synthetic": False},
        {"email": "made@up.test", "synthetic": True},
        {"email": "made@up.test", "synthetic": False},
        {"email": "no@one.test", "synthetic": False},
        {"email": "nobody", "synthetic": False},
        {"email": None, "synthetic": False},
        {"email": "ann.lee@acme.synthetic.example", "synthetic": False},
    ]
    rows = await table(database, vault, asked(people, subject="Hi", text="Hi"), tools)
    said = [(row["status"], (row["error"] or "").partition(":")[0]) for row in rows]
    assert said[0] == ("sent", "") and said[1] == ("suppressed", "Given before, in row 1")
    assert said[2] == said[3] == said[7] == ("suppressed", "Made up")
    assert said[4][0] == "suppressed" and "unsubscribed" in rows[4]["error"]
    assert said[5][0] == said[6][0] == "failed" and rows[5]["error"]
    assert rows[1]["error"] == "Given before, in row 1: a mailbox gets one message."
    assert [letter.recipient for letter in tools.transport.taken] == ["jane@one.test"]


def test_two_addresses_in_a_field_refuse_the_list_and_name_the_rows(database: Database, vault: Vault):
    people = [{"email": "a@one.test"}, {"email": "b@one.test, c@one.test"}, {"email": "d@one.test;e@one.test"}]
    said = refusal(database, vault, asked(people, subject="Hi", text="Hi"))
    assert set(said) == {"recipients"} and said["recipients"].startswith("rows 2 and 3: ")


@pytest.mark.parametrize("value", ["Jane\r\nBcc: all@two.test", "Jane\nX", "Jane\x00"])
def test_a_line_break_in_a_header_refuses_the_list(database: Database, vault: Vault, value: str):
    people = [{"email": "a@one.test", "first_name": "Ann"}, {"email": "b@one.test", "first_name": value}]
    assert refusal(database, vault, asked(people))["recipients"].startswith("row 2: ")
    people = [{"email": "a@one.test", "first_name": "Ann"}, {"email": f"b@one.test{value[4:]}", "first_name": "Bob"}]
    assert refusal(database, vault, asked(people))["recipients"].startswith("row 2: ")


def test_a_missing_variable_refuses_the_list_before_anything_is_sent(database: Database, vault: Vault):
    people = [{"email": f"r{n}@one.test", "first_name": "x" if n % 2 else None} for n in range(30)]
    said = refusal(database, vault, asked(people))["recipients"]
    assert said.startswith("rows 1, 3, 5,") and "and 5 more: " in said and "first_name" in said and "default" in said
    with database.read() as connection:
        assert connection.execute(select(func.count()).select_from(jobs)).scalar() == 0


async def test_a_row_that_gets_no_message_need_not_have_its_values(database: Database, vault: Vault):
    people = [{"email": "a@one.test", "first_name": "Ann", "synthetic": False}, {"email": "b@one.test", "synthetic": True}]
    rows = await table(database, vault, asked(people), Tools())
    assert [row["status"] for row in rows] == ["sent", "suppressed"]


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("subject", "{{ ''.__class__.__mro__ }}"),
        ("text", "{% for a in range(9) %}x{% endfor %}"),
        ("html", "<p>{{ cycler.__init__.__globals__ }}</p>"),
        ("from", "ada@sender.test, bob@sender.test"),
        ("from", "ada@sender.test\r\nBcc: x@y.test"),
        ("replyTo", "nobody"),
        ("postalAddress", ""),
        ("consentBasis", "because"),
        ("ratePerMinute", 0),
        ("ratePerMinute", 100_001),
        ("transport", "pigeon"),
        ("attachments", [{"name": "run.exe", "data": base64.b64encode(b"MZ").decode()}]),
        ("attachments", [{"name": "a.pdf", "data": "!"}]),
    ],
)
def test_a_wrong_field_is_named(database: Database, vault: Vault, field: str, value: Any):
    said = refusal(database, vault, asked([{"email": "a@one.test", "first_name": "Ann"}], **{field: value}))
    assert [name.partition(".")[0] for name in said] == [field]


def test_a_message_is_needed_from_somewhere(database: Database, vault: Vault):
    assert set(refusal(database, vault, asked(["a@one.test"], subject=None))) == {"subject"}
    assert set(refusal(database, vault, asked(["a@one.test"], subject=None, text=None))) == {"subject", "text"}
    blank = {name: refusal(database, vault, asked(["a@one.test"], **{name: " \n"})) for name in ("subject", "text")}
    assert {name: set(said) for name, said in blank.items()} == {"subject": {"subject"}, "text": {"text"}}


def test_a_field_that_is_not_known_within_another_is_not_told_the_names_of_the_whole(database: Database, vault: Vault):
    file = {"name": "a.txt", "data": "aGk=", "type": "text/plain"}
    said = refusal(database, vault, asked(["a@one.test"], subject="Hi", text="Hi", attachments=[file]))
    assert said == {"attachments.0.type": "is not a known field"}
    assert set(refusal(database, vault, asked(["a@one.test"], subject="Hi", text=None))) == {"text"}


def test_what_is_to_leave_needs_a_relay(database: Database, vault: Vault):
    said = refusal(database, vault, asked(["a@one.test"], subject="Hi", text="Hi", transport="smtp"))
    assert "POSTBENCH_SMTP_URL" in said["transport"]


async def test_drafts_bring_their_own_words_which_are_not_rendered_again(database: Database, vault: Vault):
    tools = Tools()
    people = [{"email": "a@one.test", "subject": "For {{ you }}", "body": "{% for %} and {{ 7 * 7 }}"}]
    await table(database, vault, asked(people, subject=None, text=None), tools)
    message = message_from_bytes(tools.transport.taken[0].data, policy=policy.default)
    assert message["Subject"] == "For {{ you }}" and "{% for %} and {{ 7 * 7 }}" in message.get_content()


async def test_of_another_job_only_what_is_valid_is_written_to(database: Database, vault: Vault):
    found = pa.table(
        {
            "email": [f"{status}@one.test" for status in ("valid", "risky", "invalid", "unknown", "found", "ok")],
            "status": ["valid", "risky", "invalid", "unknown", "found", "ok"],
        }
    )
    lender = lender_of(database, vault, found)
    request = asked(subject="Hi", text="Hi")
    rows = await table(database, vault, Request(SEND, request.params, from_job=lender), Tools())
    assert [row["status"] for row in rows] == ["sent", *["suppressed"] * 4, "sent"]
    assert rows[1]["error"] == "Not verified: its status is risky." and rows[1]["input_status"] == "risky"
    tools = Tools()
    unchecked = asked(subject="Hi", text="Hi", verifiedOnly=False)
    await table(database, vault, Request(SEND, unchecked.params, from_job=lender), tools)
    assert len(tools.transport.taken) == 6


async def test_a_deferred_recipient_parks_the_batch(database: Database, vault: Vault):
    tools = Tools(FakeTransport({"b@one.test": [Receipt(Result.RETRY, 451, "4.3.0 Later")]}))
    job_id = submitted(database, vault, asked(["a@one.test", "b@one.test"], subject="Hi", text="Hi"))
    found = await outcome(database, job_id, tools)
    assert isinstance(found, Snooze) and (found.until - NOW).total_seconds() == 300


async def test_files_go_with_every_message_and_not_among_the_parameters(database: Database, vault: Vault):
    files = [{"name": "terms.pdf", "data": base64.b64encode(b"%PDF terms").decode()}]
    job_id = submitted(database, vault, asked(["a@one.test"], subject="Hi", text="Hi", attachments=files))
    assert "attachments" not in get(database, job_id).params
    assert files_of(database, job_id) == (StoredFile("terms.pdf", "", b"%PDF terms"),)
    tools = Tools(files=FakeFiles({job_id: files_of(database, job_id)}))
    await outcome(database, job_id, tools)
    message = message_from_bytes(tools.transport.taken[0].data, policy=policy.default)
    (attached,) = message.iter_attachments()
    assert (attached.get_filename(), attached.get_content()) == ("terms.pdf", b"%PDF terms")


async def test_a_resend_keeps_the_message_id(database: Database, vault: Vault):
    first, second = Tools(), Tools()
    one = await table(database, vault, asked(["a@one.test"], subject="Hi", text="Hi", resends="the-first"), first)
    two = await table(database, vault, asked(["a@one.test"], subject="Hi", text="Hi", resends="the-first"), second)
    assert one[0]["message_id"] == two[0]["message_id"]
    other = await table(database, vault, asked(["a@one.test"], subject="Hi", text="Hi"), Tools())
    assert other[0]["message_id"] != one[0]["message_id"]


def test_turns_count_those_that_get_a_message(database: Database, vault: Vault):
    people = ["a@one.test", "nobody", "A@one.test", "b@two.test", "c@one.test", "ann@acme.synthetic.example", "d@two.test"]
    job_id = submitted(database, vault, asked(people, subject="Hi", text="Hi"))
    rows = InputReader(database, job_id).batch(Plan(7, 7), 0, None).rows
    assert rows is not None
    turns = [Turn(0, 0), Turn(1, 0), Turn(1, 1), Turn(1, 0), Turn(2, 1), Turn(3, 0), Turn(3, 1)]
    assert Recipients.of_table(rows).turns == turns


@pytest.mark.parametrize("name", ["_recipient", "_why", "_turn"])
def test_a_column_that_bears_the_name_of_a_hidden_one_is_refused_and_not_lost(database: Database, vault: Vault, name: str):
    people = [{"email": "a@one.test", name: "mine"}]
    assert name in refusal(database, vault, asked(people, subject="Hi", text="Hi"))["recipients"]


async def test_a_long_list_at_a_slow_rate_goes_out_in_its_order_and_costs_little(
    database: Database, vault: Vault, monkeypatch: pytest.MonkeyPatch
):
    monkeypatch.setattr(sender, "PATIENCE_SECONDS", 0.0)  # or moments that are near would be waited for in real time
    people = [f"r{n}@{n % 3}.test" for n in range(1_000)]
    job_id = submitted(database, vault, asked(people, subject="Hi", text="Hi", ratePerMinute=6))
    tools, looks = Tools(), Counter[int]()
    waiting = [(to_ms(NOW), number) for number in range(40)]
    while waiting:
        due, number = heappop(waiting)
        tools.at = max(tools.at, due / 1000)
        if sum(looks.values()) % 200 == 199:
            tools.restart()
        looks[number] += 1
        found = await outcome(database, job_id, tools, number)
        if isinstance(found, Snooze):
            heappush(waiting, (to_ms(found.until), number))
    order = [int(letter.recipient.partition("@")[0][1:]) for letter in tools.transport.taken]
    assert sorted(order) == list(range(1_000))
    assert max(abs(place - number) for place, number in enumerate(order)) <= 60, "nobody far behind overtakes"
    assert 9_990 <= tools.at - NOW.timestamp() <= 10_500, "at the rate, and without gaps"
    assert max(looks.values()) < 25 + 15, "each message once, and a few times in vain"


async def test_a_rerun_of_messages_in_doubt_is_a_mailing_of_its_own(database: Database, vault: Vault):
    resent = submitted(database, vault, asked(["a@one.test"], subject="Hi", text="Hi", resends="an-older-job"))
    again = control.rerun(database, vault, resent, SEND)
    ids = []
    for job_id in (resent, again):
        done = await outcome(database, job_id, Tools())
        assert isinstance(done, Done)
        ids += done.rows["message_id"].to_pylist()
    assert len(set(ids)) == 2, "or mail programs would take the second for the first and hide it"


async def test_half_a_character_makes_no_address_of_somebody_else(database: Database, vault: Vault):
    tools = Tools()
    rows = await table(database, vault, asked(["a\ud800@one.test", "b@one.test"], subject="Hi", text="Hi"), tools)
    assert [row["status"] for row in rows] == ["failed", "sent"]
    assert [letter.recipient for letter in tools.transport.taken] == ["b@one.test"]


async def test_an_address_column_may_bear_the_name_of_one_of_ours(database: Database, vault: Vault):
    for name in ("status", "message_id", "error"):
        tools = Tools()
        rows = await table(database, vault, asked([{name: "a@one.test"}], subject="Hi", text="Hi", column=name), tools)
        assert (rows[0][f"input_{name}"], rows[0]["status"]) == ("a@one.test", "sent")


async def test_addresses_that_a_job_here_made_up_are_counted_as_such(database: Database, vault: Vault):
    tools = Tools(ledger=FakeLedger({"no@one.test": "unsubscribed"}))
    tools.ledger.made_up.add("made@one.test")
    job_id = submitted(database, vault, asked(["made@one.test", "no@one.test", "a@one.test"], subject="Hi", text="Hi"))
    done = await outcome(database, job_id, tools)
    assert isinstance(done, Done) and done.tallies["left_out"] == {"made up": 1, "on the suppression list": 1}
