"""A real InfluxDB for a test run, and a sink on it with buckets of its own for every test."""

from __future__ import annotations

import itertools
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest

from analytics.sinks._setup import initialise
from analytics.sinks.influx import InfluxSink, from_settings
from sagittal.settings import Settings
from tests.sinks.servers import ADMIN, InfluxServer, settings_for

_names = itertools.count()


@dataclass
class Place:
    """A sink, the server behind it, and its settings."""

    sink: InfluxSink
    server: InfluxServer
    settings: Settings

    def rows(self, measurement: str) -> list[dict[str, object]]:
        """What stands in a measurement, in whatever bucket."""
        influx = self.settings.influx
        return [
            row
            for bucket in (influx.bucket_detail, influx.bucket_minutes, influx.bucket_days)
            for row in self.server.rows(bucket, f'SELECT * FROM "{measurement}"')
        ]

    def content(self) -> dict[str, list[dict[str, object]]]:
        """Everything."""
        names = ("posture", "minute", "walk", "walk_pattern", "event", "gap", "day", "day_pattern", "day_change")
        return {name: self.rows(name) for name in names}


def place_on(server: InfluxServer, folder: Path) -> Place:
    """Buckets and tokens of their own on a server, and a sink that uses them."""
    name = f"t{next(_names)}"
    plain = settings_for(server.url, folder, name)
    initialise(plain, ADMIN, folder / "tokens")
    settings = settings_for(server.url, folder, name, token_file=folder / "tokens" / "worker.token")
    sink = from_settings(settings)
    assert isinstance(sink, InfluxSink)
    return Place(sink, server, settings)


@pytest.fixture(scope="session")
def shared_server(influxd: str, tmp_path_factory: pytest.TempPathFactory) -> Iterator[InfluxServer]:
    """One server for every test that does it no harm."""
    server = InfluxServer(influxd, tmp_path_factory.mktemp("influx"))
    yield server
    server.stop()


@pytest.fixture
def place(shared_server: InfluxServer, tmp_path: Path) -> Iterator[Place]:
    """A sink on the shared server."""
    found = place_on(shared_server, tmp_path)
    yield found
    found.sink.close()


@pytest.fixture
def own_place(influxd: str, tmp_path: Path) -> Iterator[Place]:
    """A sink on a server that the test may kill."""
    server = InfluxServer(influxd, tmp_path / "influx")
    found = place_on(server, tmp_path)
    yield found
    found.sink.close()
    server.stop()
