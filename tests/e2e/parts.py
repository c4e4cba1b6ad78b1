"""Worker and bridge as processes of their own, with a pipeline that can be checked by hand and a source that counts."""

from __future__ import annotations

import asyncio
import signal
import sys
import time
from collections.abc import Iterator

from analytics.worker import Worker
from sagittal.blocks import ClockKind, pack_int16
from sagittal.names import Site
from sagittal.settings import load_settings
from sagittal.units import NS_PER_S
from sensor_bridge.bridge import Bridge
from sensor_bridge.feeds import Feed
from sensor_bridge.source import Samples
from tests.worker.fakes import SumPipeline

RATE_HZ = 200
CHUNK = 20


def counting() -> Iterator[Samples]:
    """Samples from now on for ever, each holding its own number."""
    dt_ns = NS_PER_S // RATE_HZ
    number = time.time_ns() // dt_ns
    while True:
        rows = [entry for i in range(CHUNK) for entry in ((number + i) % 30_000, 1, 2)]
        yield Samples(
            t_ns=[(number + i) * dt_ns for i in range(CHUNK)],
            acc=pack_int16(rows),
            acc_scale=0.001,
            clock=ClockKind.TRUE,
        )
        number += CHUNK


def bridge() -> None:
    """Feed the spool in real time until told to stop; then wait for the mark."""
    bridging = Bridge(load_settings(), [Feed("w1", Site.LOWER_BACK, "fake", "fake", counting(), speed=1.0)])

    async def run() -> None:
        asyncio.get_running_loop().add_signal_handler(signal.SIGTERM, bridging.stop)
        await bridging.run()
        totals = await Bridge(load_settings(), []).run(drain_s=30)
        sys.stdout.write(f"{totals.samples} {totals.dropped} {totals.waiting_blocks}\n")

    asyncio.run(run())


def worker() -> None:
    """Work until told to stop."""
    working = Worker(load_settings(), SumPipeline())
    signal.signal(signal.SIGTERM, lambda *_: working.stop())
    working.run(patience_s=30)


if __name__ == "__main__":
    {"bridge": bridge, "worker": worker}[sys.argv[1]]()
