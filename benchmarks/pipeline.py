"""`python -m benchmarks.pipeline [--hours 24] [--only cpu|memory]`: what an hour of one sensor costs the worker.

CPU seconds per recorded hour, everything on, as a ratio to VQF's own time for the same samples in the same run, taken
as `sagittal analyze` and a worker that catches up take it; the same live, second by second, and the longest second;
and how much memory a worker takes and gains over a day. Exit status 1 where a limit is missed.
"""

from __future__ import annotations

import argparse
import json
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import vqf

from analytics import analyze
from analytics.pipeline import initial_state, step, steps
from benchmarks._feeds import FEEDS, Feed, feed
from sagittal.codec import encode_block
from sagittal.collector import collect_seldom
from sagittal.names import Site
from sagittal.settings import Wearer

MOST_VQF = 5.5
MOST_P99_MS = 20.0
MOST_RSS_MB, MOST_GROWTH_MB = 150.0, 5.0
PEERS = (
    "Peers, per recorded hour of one lower-back sensor at 100 Hz: mobgap's full pipeline 14.0 s of walking, 2.7 s of a "
    "day (offline, gait only); skdh 0.99 s (partial: gait by LightGBM 0.14, sit-to-stand 0.57, CWT gait 0.28); VQF 0.09"
)


@dataclass(frozen=True)
class Cost:
    """CPU seconds of an hour as a recording, with `analyze` around it, live, and in VQF alone; of each live block."""

    recorded_s: float
    analyzed_s: float
    vqf_s: float
    block_s: list[float]
    wall_s: list[float]


def main() -> int:
    """Measure, print, and say whether the limits hold."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.pipeline", description=__doc__)
    parser.add_argument("--hours", type=float, default=24.0, help="simulated hours of the memory run (24)")
    parser.add_argument("--only", choices=("cpu", "memory"), help="one part alone")
    wish = parser.parse_args()
    collect_seldom()  # as the worker and `sagittal analyze` do
    kept: list[bool] = []
    if wish.only != "memory":
        for name in FEEDS:
            kept += _cpu(name, cost(feed(name)))
        print(PEERS)
    if wish.only != "cpu":
        kept += _memory(wish.hours)
    return 0 if all(kept) else 1


def cost(one: Feed) -> Cost:
    """An hour through the pipeline as it is analysed, the same in blocks of a second, and through VQF alone.

    Of what runs as a whole the best of three counts, of VQF as of the pipeline: other load takes caches from either.
    """
    block_s, wall_s = [], []
    state = initial_state(Wearer(id="bench"))
    for block in one.hours(1.0):
        wall, cpu = time.perf_counter(), time.process_time()
        state, _ = step(state, block)
        block_s.append(time.process_time() - cpu)
        wall_s.append(time.perf_counter() - wall)
    blocks, recording = list(one.hours(1.0)), one.recording(1.0)
    recorded_s = _best_s(lambda: steps(initial_state(Wearer(id="bench")), blocks))
    analyzed_s = _best_s(lambda: analyze({str(Site.LOWER_BACK): recording}))
    repeats = round(360_000 / len(one.acc))
    acc, gyr = np.tile(one.acc, (repeats, 1)), np.tile(one.gyr, (repeats, 1))
    vqf_s = _best_s(lambda: vqf.VQF(0.01).updateBatch(gyr, acc))
    return Cost(recorded_s, analyzed_s, vqf_s * 360_000 / len(acc), block_s, wall_s)


def _best_s(work: Callable[[], object]) -> float:
    """Processor time of the best of three runs."""
    found = []
    for _ in range(3):
        began = time.process_time()
        work()
        found.append(time.process_time() - began)
    return min(found)


def _cpu(name: str, found: Cost) -> list[bool]:
    p50, p99 = (1000 * float(np.percentile(found.block_s, share)) for share in (50, 99))
    wall = 1000 * float(np.percentile(found.wall_s, 99))
    live_s = sum(found.block_s)
    print(
        f"{name}: CPU per recorded hour {found.recorded_s:.2f} s = {found.recorded_s / found.vqf_s:.1f} x VQF alone "
        f"({found.vqf_s:.3f} s); from arrays with `analyze` {found.analyzed_s:.2f} s; "
        f"live, in blocks of 1 s, {live_s:.2f} s = {live_s / found.vqf_s:.1f} x: "
        f"{p50:.2f} ms median, {p99:.1f} ms p99, {1000 * max(found.block_s):.0f} ms longest "
        f"(wall clock p99 {wall:.1f} ms)"
    )
    return [
        _limit(f"{name}: ratio to VQF, recorded", found.recorded_s / found.vqf_s, MOST_VQF, "x"),
        _limit(f"{name}: p99 of a 1 s block", p99, MOST_P99_MS, " ms"),
    ]


def _memory(hours: float) -> list[bool]:
    """A worker's session with its store, in a process of its own, as memory is counted by process."""
    with tempfile.TemporaryDirectory() as folder:
        with (Path(folder) / "blocks.cborseq").open("wb") as out:
            out.writelines(encode_block(block) for block in feed("day").blocks)
        wish = [sys.executable, "-m", "benchmarks._worker_day", folder, str(hours)]
        seen = json.loads(subprocess.run(wish, check=True, capture_output=True, text=True).stdout)
    growth = seen[-1] - seen[min(1, len(seen) - 1)]
    print(f"worker: {max(seen):.0f} MB at most over {hours:g} h, {growth:+.1f} MB after the first hour")
    return [
        _limit("worker memory", max(seen), MOST_RSS_MB, " MB"),
        _limit("growth over the run", growth, MOST_GROWTH_MB, " MB"),
    ]


def _limit(what: str, value: float, most: float, unit: str) -> bool:
    held = value <= most
    print(f"  {'ok    ' if held else 'MISSED'} {what}: {value:.1f}{unit}, limit {most:g}{unit}")
    return held


if __name__ == "__main__":
    sys.exit(main())
