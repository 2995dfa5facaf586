"""Python client for notebooks and scripts: submit a job, wait with a progress bar, read the result as a table.

It speaks HTTP only and needs nothing of the server's code::

    job = Client("http://localhost:8501").verify_emails(frame, service="dns")
    job.wait()
    job.dataframe()
"""

from __future__ import annotations

import json
import time
import uuid
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from io import BytesIO
from pathlib import Path
from typing import TYPE_CHECKING, Any, Self
from urllib.parse import quote

import httpx

from engine.client_lists import DeliveryCalls, ListCalls
from engine.errors import ClientError

if TYPE_CHECKING:
    import pandas as pd
    import pyarrow as pa

Progress = Callable[[dict[str, Any]], object]
"""Called with `{"status", "progress", "metadata", …}` whenever something was committed."""
ENDED = frozenset({"completed", "failed", "cancelled"})
MAX_DELAY = 5.0
_READ_SECONDS = 40.0  # the stream says something at least every 15 s
_ATTEMPTS = 5
_MAY_PASS = frozenset({429, 502, 503, 504})


class Client(ListCalls):
    """A Postbench server. `token` is its POSTBENCH_API_TOKEN, if it has one."""

    def __init__(
        self,
        url: str = "http://127.0.0.1:8501",
        token: str | None = None,
        timeout: float = 60.0,
        transport: httpx.BaseTransport | None = None,
    ) -> None:
        self.url = url.rstrip("/")
        headers = {"Authorization": f"Bearer {token}"} if token else {}
        self._http = httpx.Client(base_url=self.url, headers=headers, timeout=timeout, transport=transport)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def close(self) -> None:
        """Close the connections."""
        self._http.close()

    def submit(
        self,
        type: str,  # noqa: A002 - the name on the wire
        *,
        from_job: Job | str | None = None,
        where: str | None = None,
        user_id: str | None = None,
        run_after: datetime | str | None = None,
        idempotency_key: str | None = None,
        **params: Any,
    ) -> Job:
        """Submit a job of any type; parameters in snake_case or camelCase. Safe to repeat: a lost answer makes no second job.

        Raises:
            ClientError: the server refuses; the message names the field.
        """
        body = {_camel(name): value for name, value in params.items() if value is not None}
        if from_job is not None:
            body["fromJob"] = {"id": from_job if isinstance(from_job, str) else from_job.id, "where": where}
        if user_id is not None:
            body["userId"] = user_id
        if run_after is not None:
            body["runAfter"] = run_after if isinstance(run_after, str) else run_after.astimezone().isoformat()
        key = {"Idempotency-Key": idempotency_key or uuid.uuid4().hex}
        return Job(self, self.call("POST", f"/{type}-job", json=body, headers=key)["jobId"], type)

    def generate_emails(self, count: int, **params: Any) -> Job:
        """Generate synthetic addresses."""
        return self.submit("generate-emails", count=count, **params)

    def generate_verified_emails(self, count: int, **params: Any) -> Job:
        """Generate addresses until `count` of them are verified."""
        return self.submit("generate-verified-emails", count=count, **params)

    def verify_emails(self, emails: Any, **params: Any) -> Job:
        """Verify a list, a DataFrame, an Arrow table, or another job's result."""
        return self.submit("verify-emails", **_input("emails", emails), **params)

    def scrape_emails(self, domains: Any, **params: Any) -> Job:
        """Find the addresses that websites publish; `domains` may be a list, a Series, or another job."""
        return self.submit("scrape-emails", **_input("domains", domains, "domain"), **params)

    def find_emails(self, people: Any = None, domains: Any = None, **params: Any) -> Job:
        """Find people's addresses; `people` has `firstName`, `lastName` and `domain`."""
        return self.submit("find-emails", **_input("people", people), **_input("domains", domains, "domain"), **params)

    def ai_generate(self, brief: str, source: Any = None, **params: Any) -> Job:
        """Have a model write contacts, or with `mode="drafts"` a draft for each row of a list, a DataFrame, or another job."""
        return self.submit("ai-generate", brief=brief, **_input("contacts", source), **params)

    def send_emails(self, recipients: Any, **params: Any) -> Job:
        """Send a message to a list, a DataFrame, or another job's rows; `from_` is the sender."""
        return self.submit("send-emails", **_input("recipients", recipients), **params)

    def job(self, job_id: str) -> Job:
        """A job that exists."""
        return Job(self, job_id)

    def jobs(self, **filters: Any) -> Iterator[Job]:
        """All jobs that fit `type`, `status`, `q`, `user_id`, newest first, page by page."""
        for page in self.pages("/jobs/list", filters):
            yield from (Job(self, found["id"], found["type"]) for found in page["jobs"])

    def verified(self, **filters: Any) -> Iterator[dict[str, Any]]:
        """What is known of all addresses that fit `q`, `status`, `reason`, `level`, newest verified first, page by page."""
        for page in self.pages("/verified-emails", filters):
            yield from page["verifiedEmails"]

    def forget(self, address: str) -> None:
        """Forget what is known of an address, with its history.

        Raises:
            ClientError: 404, it was never verified.
        """
        self.call("DELETE", f"/verified-emails/{quote(address, safe='@')}")

    def pages(self, path: str, filters: Mapping[str, Any]) -> Iterator[dict[str, Any]]:
        """The answers of a list, page by page, for filters in snake_case."""
        query = {_camel(name): value for name, value in filters.items() if value is not None}
        while True:
            page = self.call("GET", path, params=query)
            yield page
            if not page["nextCursor"]:
                return
            query["cursor"] = page["nextCursor"]

    def call(self, method: str, path: str, **options: Any) -> dict[str, Any]:
        """One call below `/api`, repeated while the server is away if that can do no harm; the parsed answer."""
        harmless = method == "GET" or "Idempotency-Key" in options.get("headers", {})
        for delay in _delays(_ATTEMPTS if harmless else 1):
            try:
                response = self._http.request(method, f"/api{path}", **options)
            except httpx.TransportError:
                if delay is None:
                    raise
            else:
                if response.status_code not in _MAY_PASS or delay is None:
                    return _checked(response)
            time.sleep(delay)
        raise AssertionError("unreachable")

    def stream(self, path: str, headers: Mapping[str, str], patience: float = _READ_SECONDS) -> Any:
        """An open response below `/api`, as a context manager; silence for `patience` seconds breaks it off."""
        timeout = httpx.Timeout(10.0, read=patience)
        return self._http.stream("GET", f"/api{path}", headers=dict(headers), timeout=timeout)

    def download(self, path: str, write: Callable[[bytes], object]) -> None:
        """Hand on the bytes of a file below `/api` as they come.

        Raises:
            ClientError: the server refuses.
        """
        with self.stream(path, {}) as response:
            if response.is_error:
                response.read()
                _checked(response)
            for part in response.iter_bytes():
                write(part)


@dataclass
class Job(DeliveryCalls):
    """A job on the server. Nothing is remembered here but its id: every property asks."""

    client: Client = field(repr=False)
    id: str
    type: str | None = None

    @property
    def info(self) -> dict[str, Any]:
        """The job as the API shows it."""
        found: dict[str, Any] = self.client.call("GET", f"/jobs/{self.id}/status")["job"]
        self.type = found["type"]
        return found

    @property
    def status(self) -> str:
        """pending, running, paused, completed, failed or cancelled."""
        return str(self.info["status"])

    @property
    def url(self) -> str:
        """The page that shows the job to anybody with access."""
        return f"{self.client.url}/{self.type or self.info['type']}?job_id={self.id}"

    @property
    def events(self) -> list[dict[str, Any]]:
        """The timeline."""
        return list(self.client.call("GET", f"/jobs/{self.id}/events")["events"])

    def wait(self, on_progress: Progress | None = None, timeout: float | None = None) -> Self:
        """Return when the job has ended. Survives restarts of the server.

        Without `on_progress` a progress bar is shown, in a terminal or in Jupyter.

        Raises:
            ClientError: there is no such job, or the token is wrong.
            TimeoutError: it has not ended after `timeout` seconds.
        """
        if on_progress is not None:
            _follow(self, on_progress, timeout)
            return self
        from tqdm.auto import tqdm

        with tqdm(desc=self.type, unit=" rows", disable=None) as bar:
            _follow(self, lambda event: _draw(bar, event), timeout)
        return self

    def cancel(self) -> Self:
        """Cancel; the rows so far stay."""
        return self._do("cancel")

    def pause(self) -> Self:
        """Hold the job until it is resumed."""
        return self._do("pause")

    def resume(self) -> Self:
        """Go on with a paused, failed or cancelled job."""
        return self._do("resume")

    def rerun(self) -> Job:
        """A new job with the same parameters and input."""
        key = {"Idempotency-Key": uuid.uuid4().hex}
        return Job(self.client, self.client.call("POST", f"/jobs/{self.id}/rerun", headers=key)["jobId"], self.type)

    def delete(self) -> None:
        """Delete an ended job with its rows."""
        self.client.call("DELETE", f"/jobs/{self.id}")

    def dataframe(self, where: str | None = None) -> pd.DataFrame:
        """The rows committed so far, as pandas; `where` such as `status:valid`."""
        return self.arrow(where).to_pandas()

    def arrow(self, where: str | None = None) -> pa.Table:
        """The rows committed so far, as an Arrow table: the frugal choice for millions."""
        import pyarrow.parquet as pq

        whole = BytesIO()
        self._download("parquet", where, whole.write)
        whole.seek(0)
        return pq.read_table(whole)

    def save(self, path: str | Path, where: str | None = None) -> Path:
        """Download to a file; its name's extension (.csv, .json, .parquet, .xlsx) chooses the format."""
        target = Path(path)
        with target.open("wb") as file:
            self._download(target.suffix.lstrip("."), where, file.write)
        return target

    def _download(self, form: str, where: str | None, write: Callable[[bytes], object]) -> None:
        query = f"?{httpx.QueryParams(where=where)}" if where else ""
        self.client.download(f"/jobs/{self.id}/results.{form}{query}", write)

    def _do(self, action: str) -> Self:
        self.client.call("POST", f"/jobs/{self.id}/{action}")
        return self


def _follow(job: Job, on_progress: Progress, timeout: float | None) -> None:
    """Read the stream, again from where it broke off, until it says `complete`."""
    deadline = time.monotonic() + (float("inf") if timeout is None else timeout)
    last, failures = "", 0
    while (left := deadline - time.monotonic()) > 0:
        try:
            for number, event in _events(job, last, min(left, _READ_SECONDS)):
                last, failures = number or last, 0
                if event["type"] == "progress":
                    on_progress(event)
                if event["type"] == "complete":
                    return
                if time.monotonic() > deadline:
                    break
        except httpx.TransportError:  # the server is away, or restarts
            failures += 1
        time.sleep(min(_delay(failures), max(0.0, deadline - time.monotonic())))
    raise TimeoutError(f"The job has not ended after {timeout} s")


def _events(job: Job, last: str, patience: float) -> Iterator[tuple[str, dict[str, Any]]]:
    headers = {"Accept": "text/event-stream", **({"Last-Event-ID": last} if last else {})}
    with job.client.stream(f"/jobs/{job.id}/stream", headers, patience) as response:
        if response.is_error:
            response.read()
            if response.status_code in _MAY_PASS:
                raise httpx.ReadError("the server is not ready")
            _checked(response)
        yield from parse_events(response.iter_lines())


def parse_events(lines: Iterator[str]) -> Iterator[tuple[str, dict[str, Any]]]:
    """(id, data) of each server-sent event; comments are skipped (WHATWG HTML § 9.2.6)."""
    number, data = "", []
    for line in lines:
        name, _, value = line.partition(":")
        value = value.removeprefix(" ")
        if name == "id":
            number = value
        elif name == "data":
            data.append(value)
        elif not line and data:
            yield number, json.loads("\n".join(data))
            data = []


def _draw(bar: Any, event: dict[str, Any]) -> None:
    figures = event["metadata"]
    bar.total = figures["totalItems"]
    bar.set_postfix_str(" ".join(f"{status} {number:,}" for status, number in figures["counts"].items()), refresh=False)
    bar.update(figures["processedItems"] - bar.n)


def _input(name: str, data: Any, column: str | None = None) -> dict[str, Any]:
    """The keyword arguments of `submit` for an input list of whatever kind; `column` takes that column alone."""
    if data is None:
        return {}
    if isinstance(data, Job):
        return {"from_job": data}
    if hasattr(data, "to_pylist"):  # pyarrow: a table gives rows, an array values
        data = data.to_pylist()
    elif hasattr(data, "to_json"):  # pandas: a frame gives rows, a series values
        data = json.loads(data.to_json(orient="records", date_format="iso"))
    items = [data] if isinstance(data, str | Mapping) else list(data)
    if column is not None:
        items = [item.get(column) if isinstance(item, Mapping) else item for item in items]
    return {name: items}


def _camel(name: str) -> str:
    head, *rest = name.rstrip("_").split("_")
    return head + "".join(part[:1].upper() + part[1:] for part in rest)


def _delay(failures: int) -> float:
    return float(min(0.1 * 2 ** min(failures, 10), MAX_DELAY))


def _delays(attempts: int) -> Iterator[float | None]:
    """Seconds to wait after each attempt; None after the last."""
    yield from (_delay(number) for number in range(attempts - 1))
    yield None


def _checked(response: httpx.Response) -> dict[str, Any]:
    """The parsed body of an answer that is no error."""
    try:
        body: dict[str, Any] = response.json()
    except ValueError:
        body = {}
    if response.is_success:
        return body
    error = body.get("error", {})
    raise ClientError(response.status_code, error.get("code", "unknown"), error.get("message", response.reason_phrase))
