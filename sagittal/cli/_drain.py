"""Everything spooled reaches the store before a run ends, and the ledger shows it."""

from __future__ import annotations

import asyncio
import contextlib
import math
import threading
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import asdict, dataclass
from typing import TYPE_CHECKING

from sagittal.cli._glance import Glance
from sagittal.settings import Settings
from sagittal.units import NS_PER_S

if TYPE_CHECKING:
    from sensor_bridge.bridge import Totals
    from sensor_bridge.source import Source


@dataclass(frozen=True, slots=True)
class Summary:
    """What a run came to.

    Samples sent are those that a bridge took into its spool; received and stored are those that a worker took from
    the broker and those in blocks whose results are committed; lost is sent minus stored.
    """

    samples_sent: int
    samples_received: int
    samples_stored: int
    samples_lost: int
    first_posture_s: float | None
    bouts: int
    posture_minutes: dict[str, float]

    def as_dict(self) -> dict[str, object]:
        """The summary as it is written."""
        return asdict(self)


def serve(
    settings: Settings,
    sources: Sequence[Source],
    tick: Callable[[], None],
    drain_s: float,
    stopping: threading.Event | None = None,
    *,
    unheard_s: float = math.inf,
    block_ns: int = NS_PER_S // 2,
) -> Totals:
    """Run a bridge inside this process until its sources are done and the watermark covers what they gave.

    `tick` is called a few times a second meanwhile; `stopping` ends the sources early.
    """
    from sensor_bridge.bridge import Bridge

    async def run() -> Totals:
        bridging = Bridge(settings, sources, block_ns=block_ns)
        loop = asyncio.get_running_loop()
        handle = loop.create_task(_relay(stopping, bridging.stop))
        try:
            return await bridging.run(drain_s=drain_s, unheard_s=unheard_s)
        finally:
            handle.cancel()

    with ThreadPoolExecutor(1) as pool:
        running = pool.submit(asyncio.run, run())
        while not running.done():
            tick()
            with contextlib.suppress(TimeoutError):
                running.exception(0.1)
        return running.result()


async def _relay(stopping: threading.Event | None, stop: Callable[[], None]) -> None:
    while stopping is not None and not stopping.is_set():  # noqa: ASYNC110  # set by a signal, outside the loop
        await asyncio.sleep(0.1)
    if stopping is not None:
        stop()


def drain(settings: Settings, tick: Callable[[], None], drain_s: float) -> int:
    """Send what still lies in the spool until the watermark covers it; samples that ever entered the spool."""
    return serve(settings, [], tick, drain_s).samples


def summarize(glance: Glance, sent: int, first_posture_s: float | None) -> Summary:
    """The sums over the whole store."""
    stored = glance.samples()
    return Summary(
        samples_sent=sent,
        samples_received=stored,
        samples_stored=stored,
        samples_lost=sent - stored,
        first_posture_s=None if first_posture_s is None else round(first_posture_s, 2),
        bouts=len(glance.walks()),
        posture_minutes=glance.posture_minutes(),
    )
