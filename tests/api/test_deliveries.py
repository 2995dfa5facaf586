"""Messages of a job over HTTP, and what is decided about those in doubt."""

from __future__ import annotations

import asyncio
import base64
from typing import Any

import pytest
from sqlalchemy import insert, update

from engine.decisions import resend, treat_as_sent
from engine.durable import control, suppressions
from engine.durable.chunks import stream_tables
from engine.durable.files import files_of
from engine.durable.queries import get
from engine.durable.sending_tables import deliveries
from engine.durable.suppressions import NewSuppression
from engine.durable.tables import jobs
from engine.durable.timeline import timeline
from engine.errors import WrongState

PEOPLE = ["ann@x.org", "Bob@x.org", "cay@y.org", "dan@y.org", "nonsense", "bob@x.org"]
STATES = {"ann@x.org": "sent", "bob@x.org": "in_doubt", "cay@y.org": "in_doubt", "dan@y.org": "failed"}
FILE = {"name": "a.txt", "contentType": "text/plain", "data": base64.b64encode(b"hello").decode()}


async def submit(http, **more: Any) -> str:
    body = {
        "recipients": [{"email": address, "name": address[:3]} for address in PEOPLE],
        "from": "Shop <shop@us.org>",
        "subject": "Hello {{ name }}",
        "text": "Dear {{ name }}, hello.",
        "postalAddress": "1 High Street, Town",
        "consentBasis": "customer",
        "attachments": [FILE],
    }
    answer = await http.post("/api/send-emails-job", json={**body, **more})
    assert answer.status_code == 201, answer.text
    return str(answer.json()["jobId"])


def fare(bench, job_id: str, states: dict[str, str], status: str = "failed") -> None:
    """The job has ended, and this became of its messages."""
    rows = [
        {
            "job_id": job_id,
            "recipient": recipient,
            "item": place,
            "domain": recipient.partition("@")[2],
            "state": state,
            "attempts": 1,
            "message_id": f"<{place}@us.org>",
            "smtp_code": 550 if state == "failed" else None,
            "hard": state == "failed",
            "sent_at": 5_000 if state == "sent" else None,
            "settled_at": 5_000,
            "updated_at": 6_000,
        }
        for place, (recipient, state) in enumerate(states.items())
    ]
    bench.database.transact(lambda c: c.execute(insert(deliveries), rows))
    ended = {"status": status, "started_at": 1, "completed_at": 2, "error_message": "it broke"}
    bench.database.transact(lambda c: c.execute(update(jobs).where(jobs.c.id == job_id).values(**ended)))


@pytest.fixture
async def job_id(http, bench) -> str:
    """A job that ended with two messages in doubt."""
    found = await submit(http)
    fare(bench, found, STATES)
    return found


async def recipients(http, job_id: str, **query: Any) -> list[str]:
    answer = await http.get(f"/api/jobs/{job_id}/deliveries", params=query)
    assert answer.status_code == 200, answer.text
    return [one["recipient"] for one in answer.json()["deliveries"]]


def rows_of(bench, job_id: str) -> list[dict[str, Any]]:
    return [row for table in stream_tables(bench.database, job_id, "input") for row in table.to_pylist()]


async def test_every_message_is_told(http, job_id):
    body = (await http.get(f"/api/jobs/{job_id}/deliveries")).json()
    assert body["counts"] == {"sent": 1, "failed": 1, "in_doubt": 2} and (body["count"], body["nextCursor"]) == (4, None)
    sent = body["deliveries"][0]
    assert sent == {
        "recipient": "ann@x.org",
        "domain": "x.org",
        "state": "sent",
        "attempts": 1,
        "dueAt": None,
        "messageId": "<0@us.org>",
        "smtpCode": None,
        "smtpReply": None,
        "error": None,
        "hard": False,
        "sentAt": "1970-01-01T00:00:05.000Z",
        "settledAt": "1970-01-01T00:00:05.000Z",
        "resolution": None,
        "updatedAt": "1970-01-01T00:00:06.000Z",
    }
    failed = body["deliveries"][3]
    assert (failed["smtpCode"], failed["hard"], failed["sentAt"]) == (550, True, None)


async def test_messages_are_filtered_and_paged(http, job_id):
    assert await recipients(http, job_id, state="in_doubt") == ["bob@x.org", "cay@y.org"]
    assert await recipients(http, job_id, q="@Y.org") == ["cay@y.org", "dan@y.org"]
    assert await recipients(http, job_id, q=" <BOB@x.org> ", state="") == ["bob@x.org"]
    seen: list[str] = []
    cursor: str | None = ""
    while cursor is not None:
        body = (await http.get(f"/api/jobs/{job_id}/deliveries", params={"limit": 3, "cursor": cursor})).json()
        seen += [one["recipient"] for one in body["deliveries"]]
        cursor = body["nextCursor"]
    assert seen == list(STATES)


@pytest.mark.parametrize("query", [{"state": "s3cret"}, {"cursor": "s3cret"}, {"limit": 0}, {"limit": 501}])
async def test_a_wrong_filter_is_named_not_echoed(http, job_id, query):
    answer = await http.get(f"/api/jobs/{job_id}/deliveries", params=query)
    assert answer.status_code == 422 and answer.json()["error"]["details"][0]["field"] == next(iter(query))
    assert "s3cret" not in answer.text


async def test_there_must_be_such_a_job(http):
    assert (await http.get("/api/jobs/nowhere/deliveries")).status_code == 404
    for action in ("resend", "treatAsSent"):
        assert (await http.post("/api/jobs/nowhere/in-doubt", json={"action": action})).status_code == 404


@pytest.mark.parametrize(
    ("body", "field"),
    [
        ({}, "action"),
        ({"action": "s3cret"}, "action"),
        ({"action": "resend", "recipients": []}, "recipients"),
        ({"action": "resend", "recipients": ["bob@x.org", "s3cret"]}, "recipients.1"),
        ({"action": "resend", "recipients": "bob@x.org"}, "recipients"),
        ({"action": "resend", "who": "s3cret"}, "who"),
    ],
)
async def test_a_wrong_body_is_named_not_echoed(http, job_id, body, field):
    answer = await http.post(f"/api/jobs/{job_id}/in-doubt", json=body)
    assert answer.status_code == 422 and answer.json()["error"]["details"][0]["field"] == field
    assert "s3cret" not in answer.text and await recipients(http, job_id, state="in_doubt") == ["bob@x.org", "cay@y.org"]


async def test_messages_in_doubt_are_sent_again_by_a_new_job(http, bench, job_id):
    answer = await http.post(f"/api/jobs/{job_id}/in-doubt", json={"action": "resend"})
    body = answer.json()
    assert answer.status_code == 201 and body["count"] == 2 and body["jobId"] != job_id
    assert answer.headers["location"] == f"/api/jobs/{body['jobId']}/status"
    old, new = get(bench.database, job_id), get(bench.database, body["jobId"])
    assert new.params == {**old.params, "resends": job_id} and (new.status, new.total_items) == ("pending", 2)
    rows = rows_of(bench, new.id)
    assert [(row["email"], row["name"], row["_recipient"]) for row in rows] == [
        ("Bob@x.org", "Bob", "bob@x.org"),
        ("cay@y.org", "cay", "cay@y.org"),
    ]
    assert [(file.name, file.payload) for file in files_of(bench.database, new.id)] == [("a.txt", b"hello")]
    assert timeline(bench.database, new.id)[0].reason == f"messages in doubt of {job_id}"
    told = (await http.get(f"/api/jobs/{job_id}/deliveries?state=in_doubt")).json()["deliveries"]
    assert {one["resolution"] for one in told} == {f"resent:{new.id}"}


async def test_nothing_is_sent_a_third_time(http, bench, job_id):
    url, body = f"/api/jobs/{job_id}/in-doubt", {"action": "resend", "recipients": ["BOB@x.org"]}
    first = await http.post(url, json=body)
    assert first.status_code == 201 and first.json()["count"] == 1
    again = await http.post(url, json=body)
    assert again.status_code == 409 and again.json()["error"]["code"] == "wrong_state"
    assert (await http.post(url, json={"action": "resend", "recipients": ["bob@x.org", "cay@y.org"]})).status_code == 409
    assert (await http.post(url, json={"action": "resend", "recipients": ["ann@x.org"]})).status_code == 409, "it was sent"
    rest = await http.post(url, json={"action": "resend"})
    assert [row["email"] for row in rows_of(bench, rest.json()["jobId"])] == ["cay@y.org"]
    assert (await http.post(url, json={"action": "resend"})).status_code == 409
    assert (await http.get("/api/jobs/list?stats=true")).json()["stats"]["total"] == 3


@pytest.mark.parametrize("away", ["DELETE", "cleanup"])
async def test_what_a_deleted_job_did_not_send_again_is_to_be_decided_about_anew(http, bench, job_id, away):
    url = f"/api/jobs/{job_id}/in-doubt"
    again = (await http.post(url, json={"action": "resend"})).json()["jobId"]
    fare(bench, again, {"bob@x.org": "sent", "cay@y.org": "in_doubt"}, status="cancelled")
    third = (await http.post(f"/api/jobs/{again}/in-doubt", json={"action": "resend"})).json()["jobId"]
    assert (await http.post(f"/api/jobs/{third}/cancel")).status_code == 200
    assert get(bench.database, third).params["resends"] == job_id
    assert await open_to_decision(http, job_id) == await open_to_decision(http, again) == []
    if away == "DELETE":
        assert (await http.delete(f"/api/jobs/{third}")).status_code == 200
        assert await open_to_decision(http, again) == ["cay@y.org"]
        assert await open_to_decision(http, job_id) == [], "what becomes of it is told there"
        assert (await http.delete(f"/api/jobs/{again}")).status_code == 200
    else:
        held = update(jobs).where(jobs.c.id == job_id).values(status="paused", completed_at=None)
        bench.database.transact(lambda c: c.execute(held))
        assert (await http.post("/api/jobs/cleanup", json={"olderThanDays": 0})).json()["deleted"] == 2
    assert await open_to_decision(http, job_id) == ["cay@y.org"], "bob's was sent"
    assert (await http.post(url, json={"action": "resend"})).json()["count"] == 1


async def open_to_decision(http, job_id: str) -> list[str]:
    told = (await http.get(f"/api/jobs/{job_id}/deliveries?state=in_doubt")).json()["deliveries"]
    return [one["recipient"] for one in told if one["resolution"] is None]


async def test_decisions_at_once_are_one_decision(bench, job_id):
    """A double click, in several threads of the web process."""
    ways = 3 * [lambda: resend(bench, job_id).count, lambda: treat_as_sent(bench, job_id)]
    told = await asyncio.gather(*(asyncio.to_thread(way) for way in ways), return_exceptions=True)
    assert [type(one) for one in told if isinstance(one, Exception)] in (3 * [WrongState], 2 * [WrongState])
    assert sum(one for one in told if isinstance(one, int)) == 2, "each message is decided about once"


async def test_the_same_key_makes_one_job(http, job_id):
    url, key = f"/api/jobs/{job_id}/in-doubt", {"Idempotency-Key": "k1"}
    first = await http.post(url, json={"action": "resend"}, headers=key)
    again = await http.post(url, json={"action": "resend"}, headers=key)
    assert (first.status_code, again.status_code) == (201, 200) and first.json()["jobId"] == again.json()["jobId"]
    assert again.json()["count"] == 2
    other = await http.post(url, json={"action": "resend", "recipients": ["cay@y.org"]}, headers=key)
    assert other.status_code == 409 and other.json()["error"]["code"] == "idempotency_conflict"


async def test_a_resend_in_doubt_keeps_the_message_ids_of_the_first_job(http, bench, job_id):
    second = (await http.post(f"/api/jobs/{job_id}/in-doubt", json={"action": "resend"})).json()["jobId"]
    fare(bench, second, {"bob@x.org": "sent", "cay@y.org": "armed"})
    control.remove(bench.database, job_id)
    third = (await http.post(f"/api/jobs/{second}/in-doubt", json={"action": "resend"})).json()
    assert third["count"] == 1 and get(bench.database, third["jobId"]).params["resends"] == job_id


async def test_messages_in_doubt_count_as_sent(http, job_id):
    url = f"/api/jobs/{job_id}/in-doubt"
    body = {"action": "treatAsSent", "recipients": ["Cay@y.org"]}
    assert (await http.post(url, json=body)).json() == {
        "success": True,
        "message": "1 count as sent",
        "count": 1,
        "jobId": None,
    }
    assert await recipients(http, job_id, state="sent") == ["ann@x.org", "cay@y.org"]
    assert [(await http.post(url, json={"action": "treatAsSent"})).json()["count"] for _ in range(2)] == [1, 0]
    assert (await http.post(url, json={"action": "resend"})).status_code == 409


async def test_a_job_that_sends_nothing_has_no_messages(http, bench):
    answer = await http.post("/api/jobs", json={"type": "probe-things", "metadata": {"params": {}}})
    other = answer.json()["jobId"]
    assert await recipients(http, other) == []
    assert (await http.post(f"/api/jobs/{other}/in-doubt", json={"action": "resend"})).status_code == 409
    assert (await http.post(f"/api/jobs/{other}/in-doubt", json={"action": "treatAsSent"})).json()["count"] == 0


async def test_who_is_suppressed_meanwhile_is_still_on_the_new_list(http, bench, job_id):
    """The ledger looks at the list when the message is to be sent; the row then says why it was not."""
    suppressions.add(bench.database, [NewSuppression("bob@x.org", "bob@x.org", "left", "unsubscribe")])
    assert (await http.post(f"/api/jobs/{job_id}/in-doubt", json={"action": "resend"})).json()["count"] == 2


async def test_the_calls_are_described(http):
    schema = (await http.get("/api/openapi.json")).json()
    assert set(schema["paths"]["/jobs/{job_id}/deliveries"]) == {"get"} and "/jobs/{job_id}/in-doubt" in schema["paths"]
    assert set(schema["components"]["schemas"]["DecisionBody"]["properties"]) == {"action", "recipients"}
