"""Lines a second into a real InfluxDB, against the limit of 100,000: `INFLUXD=… python -m benchmarks.influx`.

Server and client share the machine's cores. Three rates over the same seconds of posture: results made into lines
(client alone), lines already made and sent by bare urllib3 (server alone), and the whole sink from results to stored.
"""

from __future__ import annotations

import os
import shutil
import statistics
import sys
import tempfile
import time
from collections.abc import Callable
from functools import partial
from pathlib import Path

import psutil
import urllib3

from analytics.sinks._backfill import BATCH
from analytics.sinks._lines import posture_line
from analytics.sinks.influx import MAX_LINES, InfluxSink
from sagittal.names import PostureLabel
from sagittal.protocols import Row
from sagittal.results import Posture
from sagittal.units import NS_PER_S
from tests.sinks.conftest import place_on
from tests.sinks.servers import ADMIN, ORG, InfluxServer

LIMIT = 100_000.0
ROWS = 100_000
WEARERS = 50
ROUNDS = 5
BODY = MAX_LINES


def main() -> None:
    server_path = os.environ.get("INFLUXD") or shutil.which("influxd")
    if server_path is None:
        sys.exit("INFLUXD names no InfluxDB server: set it to one, such as /usr/bin/influxd")
    with tempfile.TemporaryDirectory() as folder:
        server = InfluxServer(server_path, Path(folder) / "influx")
        try:
            measure(server, Path(folder))
        finally:
            server.stop()


def measure(server: InfluxServer, folder: Path) -> None:
    place = place_on(server, folder)
    sink = place.sink
    assert server.process is not None
    process = psutil.Process(server.process.pid)
    bucket = place.settings.influx.bucket_detail
    rates: dict[str, list[float]] = {"format": [], "server": [], "sink": []}
    own = of_server = 0.0
    for turn in range(ROUNDS):
        rows = seconds(turn * ROWS // WEARERS)
        bodies = ["\n".join(lines(part, "bare")) for part in parts(rows, BODY)]
        rates["format"].append(timed(partial(lines, rows, "worker")))
        rates["server"].append(timed(partial(post, server.url, bucket, bodies)))
        began, server_began = time.process_time(), cpu_s(process)
        rates["sink"].append(timed(partial(write, sink, rows)))
        own, of_server = own + time.process_time() - began, of_server + cpu_s(process) - server_began
    sink.close()
    stored = server.rows(bucket, 'SELECT count("confidence") FROM "posture" WHERE "source" = \'worker\'')
    report(rates, own, of_server, bodies[0].split("\n")[0].count("=") - 2, int(stored[0]["count"]))


def report(rates: dict[str, list[float]], own_s: float, server_s: float, fields: int, stored: int) -> None:
    lines_sent = ROUNDS * ROWS
    cores, load = os.cpu_count() or 1, os.getloadavg()[0]
    print(f"{cores} cores, load {load:.1f}, {ROUNDS} rounds of {ROWS:,} lines of {fields} fields; {stored:,} stored")
    for name, found in rates.items():
        print(f"{name:8} {statistics.median(found):10,.0f} lines/s (best {max(found):,.0f})")
    print(f"CPU a line: {own_s / lines_sent * 1e6:.1f} µs here, {server_s / lines_sent * 1e6:.1f} µs in the server")
    whole, alone = max(rates["sink"]), max(rates["server"])
    print(f"best sink / limit of {LIMIT:,.0f}: {whole / LIMIT:.2f}; / server alone: {whole / alone:.2f}")
    busy = cores * lines_sent / (own_s + server_s)
    print(f"with both cores to itself at most {busy:,.0f} lines/s, {busy / LIMIT:.2f} of the limit")


def cpu_s(process: psutil.Process) -> float:
    times = process.cpu_times()
    return float(times.user + times.system)


def lines(rows: list[Row], source: str) -> list[str]:
    return [posture_line(row.wearer, source, row.result) for row in rows if isinstance(row.result, Posture)]


def write(sink: InfluxSink, rows: list[Row]) -> None:
    for part in parts(rows, BATCH):
        sink.write(part)


def seconds(first: int) -> list[Row]:
    """Seconds of many wearers, as a worker commits them."""
    start = int(time.time()) // 86_400 * 86_400 - 40 * 86_400
    return [
        Row(
            number,
            f"wearer-{number % WEARERS:03d}",
            None,
            Posture(
                t_ns=(start + first + number // WEARERS) * NS_PER_S,
                posture=PostureLabel.SITTING,
                since_ns=start * NS_PER_S,
                confidence=0.9,
                flexion_deg=12.5 + number % 37 / 10,
                flexion_min_deg=11.0 + number % 31 / 10,
                flexion_max_deg=14.0 + number % 29 / 10,
                lateral_deg=number % 23 / 10,
                version="1.0.0",
            ),
        )
        for number in range(ROWS)
    ]


def parts(rows: list[Row], size: int) -> list[list[Row]]:
    return [rows[start : start + size] for start in range(0, len(rows), size)]


def post(url: str, bucket: str, bodies: list[str]) -> None:
    pool = urllib3.PoolManager()
    for body in bodies:
        answer = pool.request(
            "POST",
            f"{url}/api/v2/write?org={ORG}&bucket={bucket}&precision=ns",
            body=body.encode(),
            headers={"Authorization": f"Token {ADMIN}"},
        )
        assert answer.status == 204, answer.data
    pool.clear()


def timed(work: Callable[[], object]) -> float:
    began = time.perf_counter()
    work()
    return ROWS / (time.perf_counter() - began)


if __name__ == "__main__":
    main()
