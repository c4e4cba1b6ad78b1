"""Sources without a radio: a simulated body and a recording, paced like the real thing."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, replace

from sagittal.blocks import Block, ClockKind, Gap, GapReason
from sagittal.messages import DeviceState
from sagittal.names import Site
from sagittal.units import NS_PER_S
from sensor_bridge._builder import Samples
from sensor_bridge.source import Outlet

MAX_BLOCK_GAP_NS = NS_PER_S // 2
STOP_S = 0.5
"""How soon a feed that waits sees that it should stop; thousands of them wait in one process."""


@dataclass(slots=True)
class Feed:
    """Samples from anywhere, each handed over when its time has come.

    `speed` 1 is real time; 0 is as fast as they come. `driver` says what the samples are; `samples` were
    handed over so far, the last ones `late_s` after their time. `battery_percent` tells the charge at a time, UTC ns.
    """

    wearer: str
    site: Site
    device: str
    driver: str
    stream: Iterable[Samples]
    speed: float = 1.0
    battery_percent: Callable[[int], float] | None = None
    late_s: float = 0.0
    samples: int = 0

    async def run(self, outlet: Outlet, stop: asyncio.Event) -> None:
        """Deliver until the stream ends or `stop` is set."""
        begun: tuple[float, int] | None = None
        charge: int | None = None
        for samples in self.stream:
            begun = begun or (time.monotonic(), samples.t_ns[0])
            if self.speed > 0:
                due = begun[0] + (samples.t_ns[-1] - begun[1]) / NS_PER_S / self.speed
                left_s = due - time.monotonic()
                self.late_s = max(0.0, -left_s)
                while left_s > 0 and not stop.is_set():
                    await asyncio.sleep(min(left_s, STOP_S))
                    left_s = due - time.monotonic()
            if self.speed <= 0 or self.late_s:
                await asyncio.sleep(0)
            if stop.is_set():
                return
            self.samples += len(samples.t_ns)
            outlet.samples(samples)
            if self.battery_percent is not None and (left := round(self.battery_percent(samples.t_ns[-1]))) != charge:
                charge = left
                outlet.state(DeviceState.STREAMING, battery_percent=float(left))


def recorded(blocks: Iterable[Block]) -> Iterator[Samples]:
    """A recording's blocks as samples with their own times and gaps; the numbering is made anew."""
    end_ns: int | None = None
    for block in blocks:
        gap = block.gap_before
        if gap is None and end_ns is not None and block.t0_ns - end_ns > MAX_BLOCK_GAP_NS:
            gap = Gap(GapReason.RECORDING, None, block.t0_ns - end_ns)
        elif gap is not None:
            gap = replace(gap, since=None)  # a place in a numbering that is over
        end_ns = block.end_ns
        yield Samples(
            t_ns=block.times_ns(),
            acc=block.acc,
            acc_scale=block.acc_scale,
            gyr=block.gyr,
            gyr_scale=block.gyr_scale,
            clock=ClockKind.RECORDED,
            gap_before=gap,
        )
