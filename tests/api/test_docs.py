"""OpenAPI, its page, health and metrics."""

from __future__ import annotations

import re

from prometheus_client.parser import text_string_to_metric_families

from engine.durable import engines
from tests.api.conftest import TYPES
from tests.api.kinds import complete
from tests.api.test_jobs import submit


async def test_every_type_has_its_call_with_a_described_body(http):
    schema = (await http.get("/api/openapi.json")).json()
    assert schema["servers"] == [{"url": "/api"}]
    for name, job_type in TYPES.items():
        operation = schema["paths"][f"/{name}-job"]["post"]
        reference = operation["requestBody"]["content"]["application/json"]["schema"]["$ref"]
        properties = schema["components"]["schemas"][reference.rpartition("/")[2]]["properties"]
        wire = {info.alias for info in job_type.params.model_fields.values()}
        assert wire | {"fromJob", "userId", "runAfter"} <= set(properties), name
        assert all("description" in properties[field] for field in wire), name


async def test_every_reference_in_the_schema_leads_somewhere(http):
    answer = await http.get("/api/openapi.json")
    names = set(re.findall(r'"#/components/schemas/([^"]+)"', answer.text))
    assert names and names <= set(answer.json()["components"]["schemas"])


async def test_every_call_of_the_specification_is_there(http):
    paths = (await http.get("/api/openapi.json")).json()["paths"]
    for path, method in {
        "/jobs": "post", "/jobs/{job_id}/status": "get", "/jobs/{job_id}/stream": "get", "/jobs/{job_id}/cancel": "post",
        "/jobs/{job_id}/pause": "post", "/jobs/{job_id}/resume": "post", "/jobs/{job_id}/rerun": "post", "/jobs/list": "get",
        "/jobs/{job_id}": "delete", "/jobs/cleanup": "post", "/jobs/{job_id}/results": "get", "/jobs/{job_id}/results.csv": "get",
        "/jobs/{job_id}/results.json": "get", "/jobs/{job_id}/results.parquet": "get", "/jobs/{job_id}/results.xlsx": "get",
        "/jobs/{job_id}/events": "get", "/health": "get", "/metrics": "get", "/session": "post",
    }.items():  # fmt: skip
        assert method in paths[path], path


async def test_the_docs_page_loads_nothing_from_elsewhere(http):
    page = await http.get("/api/docs")
    assert page.status_code == 200 and "http" not in page.text.replace("https://", "http://").partition("<body>")[2]
    assert "script-src 'self' 'sha256-" in page.headers["content-security-policy"]
    for asset in re.findall(r'(?:src|href)="([^"]+)"', page.text):
        assert asset.startswith("/api/static/") and (await http.get(asset)).status_code == 200
    assert (await http.get("/api/")).headers["location"] == "/api/docs"


async def test_health_without_an_engine_is_503(http):
    answer = await http.get("/api/health")
    body = answer.json()
    assert answer.status_code == 503 and body["success"] is False and body["status"] == "down"
    assert body["engines"] == [] and body["database"]["ok"] is True


async def test_health_shows_the_engines_and_marks_the_dead(http, bench):
    alive = engines.register(bench.database, "1.2.3")
    stopped = engines.register(bench.database, "1.2.3")
    engines.unregister(bench.database, stopped)
    answer = await http.get("/api/health")
    body = answer.json()
    assert answer.status_code == 200 and body["success"] is True and body["status"] in ("ok", "degraded")
    assert {engine["id"]: engine["alive"] for engine in body["engines"]} == {alive: True, stopped: False}
    assert {"id", "host", "pid", "startedAt", "heartbeatAt", "alive", "jobs"} <= set(body["engines"][0])


async def test_metrics_are_prometheus_text(http, bench):
    complete(bench, await submit(http))
    answer = await http.get("/api/metrics")
    assert answer.headers["content-type"].startswith("text/plain")
    found = {family.name: family for family in text_string_to_metric_families(answer.text)}
    jobs = {sample.labels["status"]: sample.value for sample in found["postbench_jobs"].samples}
    assert jobs["completed"] == 1 and jobs["pending"] == 0 and "total" not in jobs
    assert {"postbench_engines", "postbench_items_per_second", "postbench_streams", "process_resident_memory_bytes"} <= set(found)
