"""Hours for the benchmarks, simulated or real: blocks of one second, as a bridge sends them."""

from __future__ import annotations

import os
from collections.abc import Iterator
from dataclasses import dataclass, replace
from functools import cache
from pathlib import Path

import numpy as np

from analytics.analysis import SensorRecording, blocks_of
from benchmarks.validate._recordings import FloatArray, reader, sensors
from sagittal.blocks import Block
from sagittal.names import Site
from sagittal.units import NS_PER_S
from simulators import Act, hold, record, there_and_back, walk

PERIOD_S = 600
_PLANS: dict[str, list[Act]] = {
    "day": [hold("sit", 200), walk(60), hold("stand", 60), hold("bend", 6), there_and_back(90, 15), hold("sit", 184)],
    "walking": [there_and_back(PERIOD_S, 40)],
}
FEEDS = (*_PLANS, *(["home"] if "SAGITTAL_DATA" in os.environ else []))
"""`day`: sitting, standing, bending and a quarter of walking; `walking`: nothing but walking; `home`: household tasks
without a rest, real ones (mobilised_lab), the dearest hour, where `SAGITTAL_DATA` names the recordings."""
_HOME_PAUSE_S = 2
_START_NS = 1_760_000_000 * NS_PER_S


@dataclass(frozen=True)
class Feed:
    """Some minutes of one wearer, 100 Hz, that can be repeated without end."""

    acc: FloatArray
    gyr: FloatArray
    blocks: tuple[Block, ...]
    period_s: int = PERIOD_S

    def hours(self, hours: float) -> Iterator[Block]:
        """So many hours of blocks, the same minutes over and over."""
        for n in range(round(hours * 3600 / self.period_s)):
            for block in self.blocks:
                t0_ns = _START_NS + block.t0_ns + n * self.period_s * NS_PER_S
                yield replace(block, t0_ns=t0_ns, seq=block.seq + n * len(self.blocks))

    def recording(self, hours: float) -> SensorRecording:
        """The same samples as a recording."""
        repeats = round(hours * 3600 / self.period_s)
        one_s = np.array([t_ns for block in self.blocks for t_ns in block.times_ns()]) / NS_PER_S
        time_s = (one_s + self.period_s * np.arange(repeats)[:, None]).reshape(-1)
        return SensorRecording(time_s, np.tile(self.acc, (repeats, 1)), np.tile(self.gyr, (repeats, 1)))


@cache
def feed(name: str) -> Feed:
    """The feed of that name."""
    if name == "home":
        return _home(Path(os.environ["SAGITTAL_DATA"]))
    made = record(_PLANS[name], seed=3).sites[Site.LOWER_BACK]
    blocks = blocks_of(SensorRecording(made.time_s, made.acc, made.gyr), Site.LOWER_BACK, wearer="bench")
    return Feed(np.ascontiguousarray(made.acc), np.ascontiguousarray(made.gyr), tuple(blocks))


def _home(data: Path) -> Feed:
    """The recordings of household tasks one after another, a short pause between them."""
    known = reader(data)
    acc: list[FloatArray] = []
    gyr: list[FloatArray] = []
    blocks: list[Block] = []
    start_s = 0
    for name in known.names("mobilised_lab"):
        one = sensors(known.load(name), "mobilised_lab")[Site.LOWER_BACK]
        found = blocks_of(one, Site.LOWER_BACK, wearer="bench", base_ns=start_s * NS_PER_S)
        blocks += [replace(block, seq=len(blocks) + at) for at, block in enumerate(found)]
        acc.append(np.asarray(one.acc))
        gyr.append(np.asarray(one.gyr))
        start_s = blocks[-1].t0_ns // NS_PER_S + 1 + _HOME_PAUSE_S
    return Feed(np.concatenate(acc), np.concatenate(gyr), tuple(blocks), start_s)
