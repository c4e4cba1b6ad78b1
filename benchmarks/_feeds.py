"""Simulated hours for the benchmarks: blocks of one second, as a bridge sends them."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace
from functools import cache

import numpy as np
from numpy.typing import NDArray

from analytics.analysis import SensorRecording, blocks_of
from sagittal.blocks import Block
from sagittal.names import Site
from sagittal.units import NS_PER_S
from simulators import Act, hold, record, there_and_back, walk

PERIOD_S = 600
_PLANS: dict[str, list[Act]] = {
    "day": [hold("sit", 200), walk(60), hold("stand", 60), hold("bend", 6), there_and_back(90, 15), hold("sit", 184)],
    "walking": [there_and_back(PERIOD_S, 40)],
}
FEEDS = tuple(_PLANS)
"""`day`: sitting, standing, bending and a quarter of walking; `walking`: nothing but walking, the dearest hour."""
_START_NS = 1_760_000_000 * NS_PER_S


@dataclass(frozen=True)
class Feed:
    """Ten minutes of one simulated wearer, 100 Hz, that can be repeated without end."""

    acc: NDArray[np.float64]
    gyr: NDArray[np.float64]
    blocks: tuple[Block, ...]

    def hours(self, hours: float) -> Iterator[Block]:
        """So many hours of blocks, the ten minutes over and over."""
        for n in range(round(hours * 3600 / PERIOD_S)):
            for block in self.blocks:
                t0_ns = _START_NS + block.t0_ns + n * PERIOD_S * NS_PER_S
                yield replace(block, t0_ns=t0_ns, seq=block.seq + n * len(self.blocks))


@cache
def feed(name: str) -> Feed:
    """The feed of that name."""
    made = record(_PLANS[name], seed=3).sites[Site.LOWER_BACK]
    blocks = blocks_of(SensorRecording(made.time_s, made.acc, made.gyr), Site.LOWER_BACK, wearer="bench")
    return Feed(np.ascontiguousarray(made.acc), np.ascontiguousarray(made.gyr), tuple(blocks))
