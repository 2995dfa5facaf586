"""Metrics for Prometheus, read from the database at each scrape."""

from __future__ import annotations

from collections.abc import Iterator

from fastapi import APIRouter, Request
from prometheus_client import CONTENT_TYPE_PLAIN_0_0_4, CollectorRegistry, PlatformCollector, ProcessCollector, generate_latest
from prometheus_client.core import GaugeMetricFamily, InfoMetricFamily
from prometheus_client.metrics_core import Metric
from starlette.responses import Response

from engine.api.context import Bench
from engine.api.hub import Hub
from engine.durable.engines import living
from engine.durable.queries import pace, stats
from engine.version import VERSION
from engine.workbench import Workbench

router = APIRouter(tags=["operations"])
PACE_MINUTES = 1


@router.get("/metrics", response_class=Response, responses={200: {"content": {"text/plain": {}}}}, summary="Prometheus text")
def metrics(bench: Bench, request: Request) -> Response:
    """Jobs by status, engines, throughput, open streams, and the web process itself."""
    registry = CollectorRegistry()
    registry.register(_Reading(bench, request.app.state.hub))
    ProcessCollector(registry=registry)
    PlatformCollector(registry=registry)
    return Response(generate_latest(registry), media_type=CONTENT_TYPE_PLAIN_0_0_4)


class _Reading:
    """One scrape."""

    def __init__(self, bench: Workbench, hub: Hub) -> None:
        self._bench, self._hub = bench, hub

    def collect(self) -> Iterator[Metric]:
        """The figures of now."""
        database = self._bench.database
        yield InfoMetricFamily("postbench", "Version of Postbench", {"version": VERSION})
        jobs = GaugeMetricFamily("postbench_jobs", "Jobs by status", labels=["status"])
        for status, number in stats(database).items():
            if status != "total":
                jobs.add_metric([status], number)
        yield jobs
        engines = living(database)
        yield GaugeMetricFamily("postbench_engines", "Engines alive", len(engines))
        yield GaugeMetricFamily("postbench_jobs_in_hand", "Jobs that engines hold", sum(engine.jobs for engine in engines))
        items = sum(number for _slot, number in pace(database, PACE_MINUTES))
        yield GaugeMetricFamily(
            "postbench_items_per_second", "Items committed, mean of the last minute", items / (60 * PACE_MINUTES)
        )
        yield GaugeMetricFamily("postbench_streams", "Open event streams", self._hub.streams)
