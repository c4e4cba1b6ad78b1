"""A simulated wearer's samples and truth on the clock of the world: what a bridge and a file take."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np

from sagittal.names import Site
from sagittal.truth import TrueBehaviour, TrueContact, TrueSegment, TrueSpan, Truth
from sagittal.units import NS_PER_S
from simulators.scenarios import Scenario
from simulators.sensors import Reading, Sensor, part
from simulators.wearer import Wearer

TRUTH_S = 10.0
_TRUTH_STEP_S = 0.1
_OFF_S = 60.0


@dataclass(frozen=True, slots=True)
class Chunk:
    """Consecutive samples: UTC of each, ns, and little-endian int16 rows of acc and gyr in the sensor frame.

    `lost` samples are missing before them; `off_ns` is how long the sensor was not worn before them, if it was not.
    """

    t_ns: list[int]
    acc: bytes
    gyr: bytes
    lost: int = 0
    off_ns: int = 0


def chunks(
    sensor: Sensor, start_ns: int, from_ns: int, size: int = 10, worn: Scenario | None = None
) -> Iterator[Chunk]:
    """Samples of a wearer whose plan began at `start_ns`, from `from_ns` on, `size` at a time, for ever.

    Packets that the sensor drops are missing; outside the scenario's `worn_s` there is nothing at all.
    """
    expected: int | None = None
    end_ns = from_ns
    for reading in _worn(sensor, (from_ns - start_ns) / NS_PER_S, worn):
        kept = _arrived(sensor, reading) if sensor.flaws.drop else [reading]
        t_ns = (start_ns + np.rint(reading.time_s * NS_PER_S).astype(np.int64)).tolist()
        for one in kept:
            for begin in range(0, len(one.time_s), size):
                number = one.number + begin
                rows = slice(begin, begin + size)
                first = number - reading.number
                stamps = t_ns[first : first + len(one.time_s[rows])]
                lost = 0 if expected is None else number - expected
                off_ns = stamps[0] - end_ns if lost > _OFF_S * sensor.rate_hz else 0
                yield Chunk(stamps, one.acc[rows].tobytes(), one.gyr[rows].tobytes(), 0 if off_ns else lost, off_ns)
                expected = number + len(stamps)
                end_ns = stamps[-1]


def _worn(sensor: Sensor, from_s: float, scenario: Scenario | None) -> Iterator[Reading]:
    if scenario is None or scenario.worn_s == (0.0, scenario.period_s):
        yield from sensor.readings(from_s)
        return
    on, off = scenario.worn_s
    period = int(max(0.0, from_s) // scenario.period_s)
    while True:
        begin, end = (period * scenario.period_s + edge for edge in (on, off))
        if from_s < end:
            for reading in sensor.readings(max(from_s, begin)):
                count = int(np.searchsorted(reading.time_s, end))
                if count:
                    yield part(reading, 0, count)
                if count < len(reading.time_s):
                    break
        period += 1


def _arrived(sensor: Sensor, reading: Reading) -> list[Reading]:
    """What of a reading came through the air, each packet once."""
    seen: dict[int, Reading] = {}
    for packet in sensor.packets_of(reading):
        seen.setdefault(packet.number, packet.reading)
    return list(seen.values())


def truth(
    name: str, wearer: Wearer, sites: Sequence[Site], start_ns: int, from_s: float, seconds: float = TRUTH_S
) -> Truth:
    """What is true of a wearer for some seconds from `from_s` after the plan's start."""
    t = np.asarray(from_s + np.arange(round(seconds / _TRUTH_STEP_S)) * _TRUTH_STEP_S, dtype=np.float64)

    def ns(time_s: float) -> int:
        return start_ns + round(time_s * NS_PER_S)

    found = wearer.segments(t, sites)
    spans = wearer.spans(from_s, from_s + seconds)
    active = {(one.name, one.side): one for span in spans for one in span.behaviours if one.severity > 0}
    return Truth(
        wearer=name,
        t_ns=ns(from_s),
        end_ns=ns(from_s + seconds),
        dt_ns=round(_TRUTH_STEP_S * NS_PER_S),
        segments={
            name: TrueSegment(
                flexion_deg=np.round(one.flexion_deg, 2).tolist(),
                lateral_deg=np.round(one.lateral_deg, 2).tolist(),
                quat_wxyz=np.round(one.quat, 5).tolist(),
            )
            for name, one in found.items()
        },
        postures=[
            TrueSpan(start_ns=ns(one.start_s), end_ns=ns(one.end_s), posture=one.posture, detail=one.detail)
            for one in spans
        ],
        contacts=[
            TrueContact(
                t_ns=ns(one.t_s), off_ns=ns(one.off_s), side=one.side, step_length_m=round(one.step_length_m, 3)
            )
            for one in wearer.contacts(from_s, from_s + seconds)
        ],
        behaviours=[
            TrueBehaviour(name=one.name, severity=round(one.severity, 3), side=one.side) for one in active.values()
        ],
    )
