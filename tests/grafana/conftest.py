"""A clinic's week in a real InfluxDB: twenty wearers, one of them with a month."""

from __future__ import annotations

import itertools
import time
from collections.abc import Iterator
from dataclasses import dataclass

import pytest

from dashboards.grafana._names import DAYS, DETAIL, MINUTES
from tests.grafana import population
from tests.sinks.conftest import place_on
from tests.sinks.servers import InfluxServer


@dataclass
class Clinic:
    """The server, which bucket is behind which data source, a token that may only read, and now."""

    server: InfluxServer
    buckets: dict[str, str]
    token: str
    now_s: int


@pytest.fixture(scope="session")
def clinic(influxd: str, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Clinic]:
    """Filled once a run."""
    folder = tmp_path_factory.mktemp("clinic")
    server = InfluxServer(influxd, folder / "influx")
    try:
        place = place_on(server, folder)
        now_s = int(time.time()) // 60 * 60
        people = population.clinic(now_s)
        for person in people:
            results = population.rows(person, now_s)
            while batch := list(itertools.islice(results, 20_000)):
                assert place.sink.write(batch).refused == []
        place.sink.observe(list(population.readings(people, now_s)))
        place.sink.close()
        influx = place.settings.influx
        buckets = {DETAIL: influx.bucket_detail, MINUTES: influx.bucket_minutes, DAYS: influx.bucket_days}
        yield Clinic(server, buckets, (folder / "tokens" / "grafana.token").read_text().strip(), now_s)
    finally:
        server.stop()
