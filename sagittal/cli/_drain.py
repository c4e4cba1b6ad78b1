"""Everything spooled reaches the store before a run ends, and the ledger shows it."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import asdict, dataclass

from sagittal.cli._glance import Glance
from sagittal.settings import Settings


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


def drain(settings: Settings, tick: Callable[[], None], drain_s: float) -> int:
    """Send what still lies in the spool until the watermark covers it; samples that ever entered the spool.

    `tick` is called a few times a second meanwhile.
    """
    from sensor_bridge.bridge import Bridge

    async def empty() -> int:
        return (await Bridge(settings, []).run(drain_s=drain_s)).samples

    with ThreadPoolExecutor(1) as pool:
        running = pool.submit(asyncio.run, empty())
        while not running.done():
            tick()
            try:
                running.exception(0.1)
            except TimeoutError:
                continue
        return running.result()


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
