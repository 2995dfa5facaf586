"""The Python client: inputs of every kind, progress, results, and a server that goes away."""

from __future__ import annotations

import json
import signal
import subprocess
import sys
from typing import Any

import httpx
import pandas as pd
import pyarrow as pa
import pytest

from engine.client import Client, Job, parse_events
from engine.errors import ClientError
from tests.api.conftest import ROOT, make_server, server

__all__ = ["make_server", "server"]


class Recorder:
    """A server that remembers what it was sent."""

    def __init__(self, *answers: httpx.Response) -> None:
        self.sent: list[httpx.Request] = []
        self.answers = list(answers)

    def __call__(self, request: httpx.Request) -> httpx.Response:
        self.sent.append(request)
        return self.answers.pop(0) if self.answers else httpx.Response(201, json={"success": True, "jobId": "j1"})

    @property
    def body(self) -> dict[str, Any]:
        return dict(json.loads(self.sent[-1].content))


@pytest.fixture
def recorder():
    return Recorder()


@pytest.fixture
def client(recorder):
    with Client("http://server", token="t", transport=httpx.MockTransport(recorder)) as made:
        yield made


FRAME = pd.DataFrame({"email": ["a@x.org", "b@x.org"], "n": [1.0, None]})
ROWS = [{"email": "a@x.org", "n": 1.0}, {"email": "b@x.org", "n": None}]


@pytest.mark.parametrize(
    ("given", "sent"),
    [
        (["a@x.org"], {"emails": ["a@x.org"]}),
        ("a@x.org", {"emails": ["a@x.org"]}),
        (FRAME, {"emails": ROWS}),
        (FRAME["email"], {"emails": ["a@x.org", "b@x.org"]}),
        (pa.Table.from_pylist(ROWS), {"emails": ROWS}),
        (iter(["a@x.org"]), {"emails": ["a@x.org"]}),
    ],
)
def test_a_list_may_be_of_any_kind(client, recorder, given, sent):
    job = client.verify_emails(given, service="dns", max_age_days=3)
    assert recorder.body == {**sent, "service": "dns", "maxAgeDays": 3}
    assert recorder.sent[0].url.path == "/api/verify-emails-job"
    assert recorder.sent[0].headers["authorization"] == "Bearer t" and recorder.sent[0].headers["idempotency-key"]
    assert job.url == "http://server/verify-emails?job_id=j1"


def test_every_type_has_its_method(client, recorder):
    source = Job(client, "j0")
    client.verify_emails(source, where="status:valid")
    assert recorder.body == {"fromJob": {"id": "j0", "where": "status:valid"}}
    client.generate_verified_emails(5, age_range="18-30")
    assert recorder.body == {"count": 5, "ageRange": "18-30"}
    client.scrape_emails(pd.DataFrame({"domain": ["x.org"], "n": [1]}), max_pages_per_domain=3)
    assert recorder.body == {"domains": ["x.org"], "maxPagesPerDomain": 3}
    client.find_emails([{"firstName": "A", "lastName": "B", "domain": "x.org"}], domains=["y.org"])
    assert set(recorder.body) == {"people", "domains"}
    client.ai_generate("write", source=source, mode="drafts")
    assert recorder.body == {"brief": "write", "mode": "drafts", "fromJob": {"id": "j0", "where": None}}
    client.ai_generate("write", FRAME, mode="drafts")
    assert recorder.body == {"brief": "write", "mode": "drafts", "contacts": ROWS}
    client.send_emails(FRAME, from_="a@x.org", user_id="ann", run_after="2030-01-01")
    assert recorder.body == {"recipients": ROWS, "from": "a@x.org", "userId": "ann", "runAfter": "2030-01-01"}


def test_a_lost_answer_makes_no_second_job(monkeypatch):
    monkeypatch.setattr("time.sleep", lambda _: None)
    away = httpx.Response(503, json={"success": False, "error": {"code": "database_unavailable", "message": "m", "details": []}})
    recorder = Recorder(away)
    with Client("http://server", transport=httpx.MockTransport(recorder)) as client:
        assert client.generate_emails(5).id == "j1"
    assert len({request.headers["idempotency-key"] for request in recorder.sent}) == 1 and len(recorder.sent) == 2


def test_events_are_parsed_by_the_book():
    lines = [": ping", "", "id: 7", 'data: {"a":', "data: 1}", "", "retry: 5", "", 'data:{"b": 2}', ""]
    assert list(parse_events(iter(lines))) == [("7", {"a": 1}), ("7", {"b": 2})]


def answered(**body: Any) -> httpx.Response:
    return httpx.Response(200, json={"success": True, **body})


@pytest.mark.parametrize(
    ("given", "sent"),
    [
        ("a@x.org", ["a@x.org"]),
        (iter(["a@x.org", "b@x.org"]), ["a@x.org", "b@x.org"]),
        (FRAME, ["a@x.org", "b@x.org"]),
        (FRAME.rename(columns={"email": "address"}), ["a@x.org", "b@x.org"]),
        (FRAME["email"], ["a@x.org", "b@x.org"]),
        (pa.Table.from_pylist(ROWS), ["a@x.org", "b@x.org"]),
        (pa.array(["a@x.org", None]), ["a@x.org", None]),
    ],
)
def test_addresses_of_any_kind_are_suppressed(client, recorder, given, sent):
    recorder.answers = [answered(added=1, known=1, notAddresses=0, message="m", details=[])]
    assert client.suppress(given, "asked to") == {"added": 1, "known": 1, "notAddresses": 0}
    assert recorder.body == {"addresses": sent, "reason": "asked to"}
    assert recorder.sent[-1].url.path == "/api/suppressions"


def test_a_table_without_addresses_is_not_sent(client, recorder):
    with pytest.raises(ValueError, match="email or address"):
        client.suppress(FRAME[["n"]])
    assert recorder.sent == []


def test_an_address_is_unsuppressed_with_a_reason(client, recorder):
    recorder.answers = [answered(message="ok")]
    client.unsuppress("a/b+c@x.org", "a new mailbox")
    assert recorder.sent[0].url.raw_path == b"/api/suppressions/a%2Fb%2Bc@x.org?reason=a+new+mailbox"
    assert recorder.sent[0].method == "DELETE"


def test_deliveries_come_page_by_page(client, recorder):
    pages = [
        {"deliveries": [{"recipient": f"u{n}@x.org", "state": "sent"}], "nextCursor": next_} for n, next_ in ((0, "c"), (1, None))
    ]
    recorder.answers = [answered(**page) for page in pages]
    frame = Job(client, "j1").deliveries(state="sent")
    assert list(frame["recipient"]) == ["u0@x.org", "u1@x.org"]
    assert dict(recorder.sent[1].url.params) == {"state": "sent", "limit": "500", "cursor": "c"}
    recorder.answers = [answered(deliveries=[], nextCursor=None)]
    assert Job(client, "j1").deliveries().empty


def test_messages_in_doubt_are_decided(client, recorder):
    job = Job(client, "j1", "send-emails")
    recorder.answers = [answered(count=3, message="m"), answered(jobId="j2", count=2, message="m")]
    assert job.treat_as_sent() == 3 and recorder.body == {"action": "treatAsSent"}
    again = job.resend(["a@x.org"])
    assert recorder.body == {"action": "resend", "recipients": ["a@x.org"]} and recorder.sent[-1].headers["idempotency-key"]
    assert (type(again), again.id, again.type, again.client) == (Job, "j2", "send-emails", client)


@pytest.mark.slow
def test_the_list_of_suppressed_addresses(server):
    with Client(server.url) as client:
        assert client.suppress(["J.Doe@gmail.com", "nonsense"], "asked to") == {"added": 1, "known": 0, "notAddresses": 1}
        assert client.suppressions(q="jdoe@gmail.com")[["address", "reason", "source"]].values.tolist() == [
            ["J.Doe@gmail.com", "asked to", "api"]
        ]
        client.unsuppress("jdoe+tag@gmail.com", "a mistake")
        assert client.suppressions().empty
        with pytest.raises(ClientError, match="not suppressed"):
            client.unsuppress("jdoe@gmail.com", "again")
        with pytest.raises(ClientError, match="source"):
            client.suppressions(source="nowhere")


@pytest.mark.slow
def test_from_submit_to_table(server):
    seen: list[dict[str, Any]] = []
    with Client(server.url) as client:
        job = client.generate_emails(20_000, providers=["gmail.com", "outlook.com"], country="US")
        assert job.wait(on_progress=seen.append) is job
        assert job.status == "completed" and seen[-1]["metadata"]["processedItems"] == 20_000
        frame = job.dataframe()
        assert len(frame) == frame["email"].nunique() == 20_000
        some = job.arrow(where="provider:gmail.com")
        assert set(some["provider"].to_pylist()) == {"gmail.com"} and 0 < some.num_rows < 20_000
        assert job.save(server.folder / "rows.csv").read_text().count("\n") == 20_001
        again = job.rerun().wait()
        assert again.id != job.id and again.dataframe().equals(frame)
        assert {found.id for found in client.jobs(limit=1)} >= {job.id, again.id}
        assert client.job(job.id).events[-1]["to"] == "completed"
        later = client.generate_emails(5, run_after="2999-01-01T00:00:00Z")
        assert [later.pause().status, later.cancel().status] == ["paused", "cancelled"]
        assert later.resume().wait().status == "completed"
        job.delete()
        for call in (job.wait, job.dataframe, job.cancel, lambda: job.status):
            with pytest.raises(ClientError, match="no job") as caught:
                call()
            assert caught.value.status == 404
        with pytest.raises(ClientError, match="count"):
            client.generate_emails(0)
        waiting = client.generate_emails(5, run_after="2999-01-01T00:00:00Z")
        with pytest.raises(TimeoutError):
            waiting.wait(on_progress=lambda _: None, timeout=0.3)


@pytest.mark.slow
def test_waiting_survives_a_restart_of_the_server(make_server):
    server = make_server()
    with Client(server.url) as client:
        job = client.generate_emails(1_000_000)
    program = (
        f"import sys; sys.path.insert(0, {str(ROOT)!r})\n"
        "from engine.client import Client\n"
        f"job = Client({server.url!r}).job({job.id!r})\n"
        "job.wait(on_progress=lambda e: print(e['progress'], flush=True))\n"
        "print(job.status, job.info['metadata']['processedItems'])\n"
    )
    with subprocess.Popen([sys.executable, "-c", program], stdout=subprocess.PIPE, text=True) as watching:
        assert watching.stdout is not None
        assert float(watching.stdout.readline()) < 100
        server.stop(signal.SIGKILL)
        server.start()
        rest = watching.stdout.read().splitlines()
    assert rest[-1] == "completed 1000000"
    progress = [float(line) for line in rest[:-1]]
    assert progress == sorted(progress) and progress[-1] == 100


def test_the_client_needs_nothing_of_the_server():
    program = (
        "import sys, engine.client; print(sorted(m for m in sys.modules if m.startswith(('engine.', 'fastapi', 'sqlalchemy'))))"
    )
    found = subprocess.run([sys.executable, "-c", program], cwd=ROOT, capture_output=True, text=True, check=True).stdout
    assert found.strip() == "['engine.client', 'engine.client_lists', 'engine.errors']"
