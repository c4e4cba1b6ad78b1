"""How far the bridge's sample times are from the truth, beside raw arrival times and the device's own clock.

`python -m benchmarks.clock [--minutes 30]` prints rms and largest error in ms for crystals 20, 200 and 7000 ppm off: a
peripheral that measures at known times sends on a 30 ms connection grid with jitter, retransmissions and stalls of 0.2
to 0.8 s. The constant least delay of the link is taken off (no estimator can see it); the first two minutes count too.
"""

from __future__ import annotations

import argparse
import random
import statistics
from collections.abc import Iterator
from dataclasses import dataclass
from itertools import pairwise

from sagittal.units import NS_PER_S
from sensor_bridge._clock import SampleClock
from sensor_bridge.wearable import Clock, Packet

PPM = (20.0, 200.0, 7000.0)
INTERVAL_S = 0.030
_ROW = bytes(6)


@dataclass(frozen=True)
class Case:
    """A wearable: rate, samples a packet, the error of its crystal, and its clock if it has one."""

    name: str
    rate_hz: float
    batch: int
    ppm: float
    clock: Clock | None


def arrivals(case: Case, seconds: float, rng: random.Random) -> Iterator[tuple[list[float], float]]:
    """True times of a packet's samples and when it arrives, s."""
    ready = 0.0
    stall_from = rng.expovariate(1 / 20)
    stall_to = stall_from + rng.uniform(0.2, 0.8)
    last = 0.0
    period = 1 / case.rate_hz * (1 - case.ppm * 1e-6)
    for index in range(int(seconds * case.rate_hz / case.batch)):
        times = [(index * case.batch + i) * period for i in range(case.batch)]
        ready = times[-1] + 0.004
        event = (int(ready / INTERVAL_S) + 1) * INTERVAL_S
        while rng.random() < 0.02:
            event += INTERVAL_S
        while event > stall_to:
            stall_from = stall_to + rng.expovariate(1 / 20)
            stall_to = stall_from + rng.uniform(0.2, 0.8)
        if event > stall_from:
            event = stall_to
        last = max(last, event + rng.expovariate(1 / 0.002))
        yield times, last


def errors(case: Case, seconds: float, seed: int = 7) -> dict[str, list[float]]:
    """Errors of three ways to time the same samples, ms, each without its median."""
    rng = random.Random(seed)
    sut = SampleClock(case.rate_hz, 0)
    true: list[float] = []
    arrived: list[float] = []
    device: list[float] = []
    found: list[float] = []
    for times, arrival in arrivals(case, seconds, rng):
        n = len(times)
        ticks = None
        if case.clock is not None:
            span = 1 << case.clock.bits
            ticks = int(times[-1] * (1 + case.ppm * 1e-6) * NS_PER_S / case.clock.tick_ns) % span
        packet = Packet(
            acc=_ROW * n, acc_scale=1.0, clock=case.clock, ticks=ticks, anchor=n - 1 if ticks is not None else 0
        )
        found += [t / NS_PER_S for one in sut.take(packet, round(arrival * NS_PER_S)) for t in one.t_ns]
        true += times
        arrived += [arrival] * n
        device += [t * (1 + case.ppm * 1e-6) for t in times]
    found += [t / NS_PER_S for one in sut.flush() for t in one.t_ns]
    assert len(found) == len(true)
    assert all(b > a for a, b in pairwise(found))
    ways = {"arrival": arrived, "own clock": device, "Sagittal": found}
    out = {}
    for name, times in ways.items():
        raw = [(a - b) * 1e3 for a, b in zip(times, true, strict=True)]
        middle = statistics.median(raw)
        out[name] = [one - middle for one in raw]
    return out


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--minutes", type=float, default=30.0)
    seconds = parser.parse_args().minutes * 60
    us32, ms32 = Clock(1000, 32), Clock(1_000_000, 32)
    print(f"{'case':34}{'ppm':>6}   rms (largest), ms: arrival, own clock, Sagittal")
    for ppm in PPM:
        for case in (
            Case("device clock, us, 100 Hz", 100, 1, ppm, us32),
            Case("device clock, us, 50 Hz by 5", 50, 5, ppm, us32),
            Case("device clock, ms, 52 Hz by 4", 52, 4, ppm, ms32),
            Case("no clock, 100 Hz", 100, 1, ppm, None),
        ):
            row = [
                f"{(sum(e * e for e in one) / len(one)) ** 0.5:9.2f} ({max(map(abs, one)):7.1f})"
                for one in errors(case, seconds).values()
            ]
            print(f"{case.name:34}{ppm:6.0f}   " + "  ".join(row))


if __name__ == "__main__":
    main()
