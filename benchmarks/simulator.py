"""How fast bodies move: times real time on one core for one sensor, and how many wearers two cores carry live.

`python -m benchmarks.simulator`. The limits are those of the project: 1,000 times real time for one sensor on one core,
and 2,000 wearers live on two. Processor time counts, so other programs disturb little.
"""

from __future__ import annotations

import sys
import tempfile
import time
from pathlib import Path

from sagittal.cli._simulate import blocks
from sagittal.names import Site
from sagittal.units import NS_PER_S
from sensor_bridge._spool import Spool
from simulators import Act, Person, Sensor, Wearer, hold, walk
from simulators.fleet import Wish, fleet

LIMIT_X = 1000.0
WEARERS, CORES = 2000, 2
_SECONDS = 1200
_SAMPLE = 60
_START_NS = 1_760_000_000 * NS_PER_S
_ALL_SITES = (Site.LOWER_BACK, Site.UPPER_TRUNK, Site.THIGH_LEFT, Site.THIGH_RIGHT, Site.SHANK_LEFT, Site.SHANK_RIGHT)


def main() -> int:
    good = True
    print(f"one sensor, 100 Hz, one core; limit {LIMIT_X:.0f} x real time")
    for name, act in (("walking, nothing else", walk(3600)), ("sitting", hold("sit_at_desk", 3600))):
        sensor = _doing(act)
        good &= _said(name, _SECONDS, _timed(sensor))
    for scenario in ("office", "warehouse"):
        one = fleet(Wish(scenario=scenario), 1)[0]
        good &= _said(f"{scenario} day", _SECONDS, _timed(one.sensors[Site.LOWER_BACK], one.begin_s))
    one = fleet(Wish(scenario="warehouse", sites=_ALL_SITES), 1)[0]
    took = sum(_timed(sensor, one.begin_s) for sensor in one.sensors.values())
    print(f"  {'six sensors on one body, warehouse':36s} {_SECONDS / took:8.0f} x")
    return 0 if _live() and good else 1


def _doing(act: Act) -> Sensor:
    return Sensor(Wearer(Person(), lambda _: [act], 1))


def _timed(sensor: Sensor, from_s: float = 0.0) -> float:
    begun = time.process_time()
    for made in sensor.readings(from_s):
        if made.time_s[-1] >= from_s + _SECONDS:
            break
    return time.process_time() - begun


def _said(name: str, seconds: float, took: float) -> bool:
    ratio = seconds / took
    print(f"  {name:36s} {ratio:8.0f} x   {ratio / LIMIT_X:5.2f} of the limit")
    return ratio >= LIMIT_X


def _live() -> bool:
    """Generation, blocks and the disk spool for a share of the fleet, in processor time for each second lived."""
    members = fleet(Wish(scenario="office"), _SAMPLE)
    for one in members:
        next(one.sensors[Site.LOWER_BACK].readings(one.begin_s))
    with tempfile.TemporaryDirectory(dir="/dev/shm" if Path("/dev/shm").is_dir() else None) as folder:
        spool = Spool(Path(folder) / "spool.sqlite", 2e9, 86_400)
        begun = time.process_time()
        for one in members:
            spool.start(one.name, Site.LOWER_BACK)
            for block in blocks(one, Site.LOWER_BACK, _START_NS, one.begin_s, one.begin_s + _SAMPLE):
                spool.append(block)
        spool.close()
        took = time.process_time() - begun
    carried = CORES * _SAMPLE * _SAMPLE / took
    print(f"live, office, through blocks and spool: {carried:.0f} wearers on {CORES} cores; limit {WEARERS}")
    return carried >= WEARERS


if __name__ == "__main__":
    sys.exit(main())
