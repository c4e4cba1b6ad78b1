"""Every query of every dashboard against the limit of 1 s: `INFLUXD=… python -m benchmarks.dashboards`.

A clinic of 200 wearers today, and 30 days of one of them, seconds included. A panel's queries run one after another
here; Grafana sends them at once.
"""

from __future__ import annotations

import argparse
import itertools
import os
import random
import sys
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path

from analytics.sinks._backfill import BATCH
from analytics.sinks.influx import InfluxSink
from dashboards.grafana._build import dashboards
from dashboards.grafana._names import DAYS, DETAIL, MINUTES
from sagittal.names import PostureLabel
from sagittal.protocols import Row
from sagittal.results import Posture
from sagittal.units import NS_PER_S
from tests.grafana.asking import Asked, ask_all
from tests.grafana.population import MINUTE_S, Person, readings, rows
from tests.sinks.conftest import place_on
from tests.sinks.servers import InfluxServer

LIMIT_S = 1.0
DAY_S = 86_400
ASKED = (
    ("clinic", 1), ("devices", 0.25), ("service", 0.25), ("day", 1), ("day", 30), ("walking", 7), ("walking", 30),
    ("compensation", 30),
)  # fmt: skip


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--wearers", type=int, default=200)
    parser.add_argument("--days-of-seconds", type=float, default=30.0)
    parser.add_argument("--readings-every", type=int, default=10, help="seconds")
    chosen = parser.parse_args()
    path = os.environ.get("INFLUXD")
    if path is None:
        sys.exit("INFLUXD names no InfluxDB server: set it to one, such as /usr/bin/influxd")
    with tempfile.TemporaryDirectory() as folder:
        server = InfluxServer(path, Path(folder) / "influx")
        try:
            measure(server, Path(folder), chosen)
        finally:
            server.stop()


def measure(server: InfluxServer, folder: Path, chosen: argparse.Namespace) -> None:
    place = place_on(server, folder)
    now_s = int(time.time()) // 60 * 60
    began = time.perf_counter()
    count = fill(place.sink, now_s, chosen)
    place.sink.close()
    influx = place.settings.influx
    buckets = {DETAIL: influx.bucket_detail, MINUTES: influx.bucket_minutes, DAYS: influx.bucket_days}
    token = (folder / "tokens" / "grafana.token").read_text().strip()
    print(f"{count:,} results written in {time.perf_counter() - began:.0f} s; load {os.getloadavg()[0]:.1f}")
    values = {"wearer": "anna", "pattern": "asymmetric_gait", "metric": "cadence_spm"}
    values |= {"detail": buckets[DETAIL], "minutes": buckets[MINUTES]}
    worst = 0.0
    for name, days in ASKED:
        everyone = {**values, "wearer": ".*"} if name == "devices" else values
        turns = [
            ask_all(dashboards()[name], server, buckets, token, now_s, round(days * DAY_S), everyone) for _ in range(3)
        ]
        best = [min(turn, key=lambda one: one.seconds) for turn in zip(*turns, strict=True)]
        slowest = max(best, key=lambda one: one.seconds)
        first = max(turns[0], key=lambda one: one.seconds)
        worst = max(worst, slowest.seconds)
        report(name, days, best, slowest, first)
    print(f"slowest / limit of {LIMIT_S:.0f} s: {worst / LIMIT_S:.2f}")


def report(name: str, days: float, best: list[Asked], slowest: Asked, first: Asked) -> None:
    times = sorted(one.seconds for one in best)
    print(
        f"{name:13} {days:5g} d  {len(best):3} queries  median {times[len(times) // 2] * 1000:6.0f} ms  "
        f"slowest {slowest.seconds * 1000:6.0f} ms ({slowest.title})  first time {first.seconds * 1000:6.0f} ms"
    )


def fill(sink: InfluxSink, now_s: int, chosen: argparse.Namespace) -> int:
    anna = Person("anna", 30, worse=True, every_s=MINUTE_S)
    people = [anna, *(Person(f"w{n:03d}", 1, worse=n % 5 == 0, every_s=MINUTE_S) for n in range(1, chosen.wearers))]
    count = 0
    for source in (*(rows(person, now_s) for person in people), seconds(now_s, chosen.days_of_seconds)):
        while batch := list(itertools.islice(source, BATCH)):
            sink.write(batch)
            count += len(batch)
    told = readings(people, now_s, hours=24.0, every_s=chosen.readings_every)
    while part := list(itertools.islice(told, BATCH)):
        sink.observe(part)
        count += len(part)
    return count


def seconds(now_s: int, days: float) -> Iterator[Row]:
    rng = random.Random(7)
    labels = (PostureLabel.SITTING, PostureLabel.WALKING, PostureLabel.STANDING)
    for t_s in range(now_s - round(days * DAY_S), now_s):
        lean = rng.gauss(12.0, 3.0)
        yield Row(
            0, "anna", None,
            Posture(
                t_ns=t_s * NS_PER_S, posture=labels[t_s // 600 % 3], since_ns=0, confidence=0.9,
                flexion_deg=lean, flexion_min_deg=lean - 2, flexion_max_deg=lean + 2, lateral_deg=1.0, version="1.0.0",
            ),
        )  # fmt: skip


if __name__ == "__main__":
    main()
