"""The bridge: sources on one side, spool and publisher on the other."""

from __future__ import annotations

import asyncio
import contextlib
import logging
import math
import random
import time
from collections.abc import Sequence
from dataclasses import dataclass

from sagittal.blocks import Block, GapReason
from sagittal.errors import SagittalError, StoreError
from sagittal.messages import DeviceHealth, DeviceState, SilenceReason
from sagittal.settings import Settings
from sensor_bridge._builder import BLOCK_NS, BlockBuilder, Samples
from sensor_bridge._haptics import Haptics
from sensor_bridge._losses import after_loss
from sensor_bridge._publisher import Publisher
from sensor_bridge._spool import Spool
from sensor_bridge.source import Source, SourceLost, offline

_log = logging.getLogger(__name__)

HEALTH_S = 5.0
HEALTHS_PER_S = 50
"""So many streams say how they are in a second; where there are more, each waits longer."""
STOPPED_DRAIN_S = 2.0
"""So long at most a bridge that was told to stop waits for the mark."""
RATE_WINDOW_S = 5.0
MAX_BACKOFF_S = 30.0
MAX_UNSPOOLED = 120
"""Blocks of a stream, a minute, that wait in memory while the disk takes none."""


@dataclass(frozen=True, slots=True)
class Totals:
    """Samples over all streams since the spool was made: taken in, dropped for want of room, still waiting (blocks)."""

    samples: int
    dropped: int
    waiting_blocks: int


class _Outlet:
    """One source's way into the spool, and its health."""

    def __init__(self, source: Source, bridge: Bridge) -> None:
        self._source, self._spool, self._publisher = source, bridge.spool, bridge.publisher
        self._health_s = bridge.health_s
        spool, publisher = self._spool, self._publisher
        boot_id, follows = spool.start(source.wearer, source.site)
        publisher.watch(source.wearer, source.site)
        self._builder = BlockBuilder(source.wearer, source.site, source.device, boot_id, follows, bridge.block_ns)
        self._unspooled: list[Block] = []
        self._trouble = self._logged = ""
        self._samples = self._lost = self._reconnects = 0
        self._window = (time.monotonic(), 0)
        self._said_at = 0.0
        self._health = DeviceHealth(
            t_ns=time.time_ns(),
            device=source.device,
            bridge=bridge.name,
            site=source.site,
            driver=source.driver,
            state=DeviceState.SCANNING,
        )

    def samples(self, samples: Samples) -> None:
        self._samples += len(samples.t_ns)
        gap = samples.gap_before
        if gap is not None:
            self._lost += gap.samples or 0
            self._reconnects += gap.reason is GapReason.RECONNECT
        self._take(self._builder.add(samples))
        if self._unspooled:
            self.state(DeviceState.STALLED, SilenceReason.NO_SPACE, detail=self._trouble)
        elif self._health.state is not DeviceState.STREAMING:
            self.state(DeviceState.STREAMING)
        elif time.monotonic() - self._said_at >= self._health_s:
            self._say()

    def state(
        self,
        state: DeviceState,
        reason: SilenceReason | None = None,
        *,
        detail: str = "",
        battery_percent: float | None = None,
        rssi_dbm: float | None = None,
        note: str | None = None,
    ) -> None:
        if state is not DeviceState.STREAMING and reason is not SilenceReason.NO_SPACE:
            self._take(self._builder.flush())  # who knows when the next sample comes
        old = self._health
        self._health = old.model_copy(
            update={
                "state": state,
                "reason": reason,
                "detail": detail,
                "battery_percent": old.battery_percent if battery_percent is None else battery_percent,
                "rssi_dbm": old.rssi_dbm if rssi_dbm is None else rssi_dbm,
                "notes": old.notes if note is None or note in old.notes else [*old.notes, note],
            }
        )
        self._log(state, detail or str(reason or ""))
        if (old.state, old.reason) != (state, reason) or time.monotonic() - self._said_at >= self._health_s:
            self._say()

    def _log(self, state: DeviceState, why: str) -> None:
        """Tell whoever looks at the terminal or the journal, once while the reason stays the same."""
        if why and why != self._logged:
            self._logged = why
            _log.warning("%s of %s: %s", self._source.device, self._source.wearer, why)
        elif state is DeviceState.STREAMING and self._logged:
            self._logged = ""
            _log.warning("%s of %s: it streams", self._source.device, self._source.wearer)

    def close(self, reason: SilenceReason) -> None:
        """Spool what is left and say that it is over."""
        self._take(self._builder.flush())
        self._health = offline(self._health, reason)
        self._say()

    def _take(self, blocks: Sequence[Block]) -> None:
        """Spool blocks; those that the disk does not take wait here, and beyond a minute the oldest are lost."""
        self._unspooled += blocks
        taken = 0
        try:
            for block in self._unspooled:
                self._spool.append(block)
                taken += 1
        except StoreError as error:
            self._trouble = str(error)[:200]
        del self._unspooled[:taken]
        while len(self._unspooled) > MAX_UNSPOOLED:
            lost = self._unspooled.pop(0)
            self._lost += lost.n
            self._unspooled[0] = after_loss(lost, self._unspooled[0])
        if taken:
            self._publisher.kick(self._source.wearer, self._source.site)

    def _say(self) -> None:
        now = time.monotonic()
        since, before = self._window
        rate = self._health.rate_hz
        if now - since >= RATE_WINDOW_S:
            rate = (self._samples - before) / (now - since)
            self._window = (now, self._samples)
        ledger = self._spool.ledger(self._source.wearer, self._source.site)
        self._health = self._health.model_copy(
            update={
                "t_ns": time.time_ns(),
                "rate_hz": rate,
                "samples": self._samples,
                "samples_lost": self._lost + ledger.dropped,
                "reconnects": self._reconnects,
                "spooled_blocks": ledger.blocks,
                "spooled_bytes": ledger.bytes,
            }
        )
        self._said_at = now
        self._publisher.health(self._source.wearer, self._health)


class Bridge:
    """Runs sources until told to stop; what they deliver is on disk first and delivered as long as it takes.

    A block holds `block_ns`: half a second, unless there are very many sources.

    Raises
    ------
    StoreError
        Where the spool can't be opened.
    BrokerError
        Where the broker's URL is unusable; an absent broker is waited for.
    """

    def __init__(self, settings: Settings, sources: Sequence[Source], *, block_ns: int = BLOCK_NS) -> None:
        self._sources = sources
        self.name = settings.bridge_name
        self.block_ns = block_ns
        self.health_s = max(HEALTH_S, len(sources) / HEALTHS_PER_S)
        self.spool = Spool(settings.spool_path, settings.spool.max_mb * 1e6, settings.spool.max_days * 86400)
        try:
            self.publisher = Publisher(settings, self.spool, settings.bridge_name)
        except BaseException:
            self.spool.close()
            raise
        haptics = Haptics(sources)
        self.publisher.hear(haptics.wearers, haptics.take)
        self._stop = asyncio.Event()
        self._lost: SourceLost | None = None

    def stop(self) -> None:
        """End `run` soon; safe from a signal handler of the same loop."""
        self._stop.set()

    def totals(self) -> Totals:
        """The ledger over all streams."""
        ledgers = [self.spool.ledger(wearer, site) for wearer, site in self.spool.streams()]
        return Totals(
            sum(one.samples for one in ledgers), sum(one.dropped for one in ledgers), sum(one.blocks for one in ledgers)
        )

    async def run(self, *, drain_s: float = 2.0, unheard_s: float = math.inf) -> Totals:
        """Serve every source until all are done or `stop` is called, then wait up to `drain_s` for the mark.

        Where no worker was ever heard, up to `unheard_s`; after `stop` 2 s at most.

        Raises
        ------
        SourceLost
            Where a source says that only a new process can help; all sources have ended in order, the spool is whole.
        """
        with contextlib.closing(self.spool):
            self.publisher.start()
            try:
                await asyncio.gather(*(self._serve(source) for source in self._sources))
                await self._drain(drain_s, unheard_s)
                if self._lost is not None:
                    raise self._lost
                return self.totals()
            finally:
                await asyncio.to_thread(self.publisher.stop)

    async def _drain(self, drain_s: float, unheard_s: float) -> None:
        begun = time.monotonic()
        while not self.publisher.drained():
            most_s = drain_s if self.publisher.marked else min(drain_s, unheard_s)
            if time.monotonic() - begun >= (min(most_s, STOPPED_DRAIN_S) if self._stop.is_set() else most_s):
                return
            await asyncio.sleep(0.05)  # what it waits for is told by a thread

    async def _serve(self, source: Source) -> None:
        outlet = _Outlet(source, self)
        backoff_s = 1.0
        try:
            while not self._stop.is_set():
                try:
                    await source.run(outlet, self._stop)
                    return
                except SourceLost as lost:
                    self._lost = lost
                    self._stop.set()
                    return
                except Exception as error:  # noqa: BLE001  # one wearable's trouble must not silence the others
                    if not isinstance(error, SagittalError | OSError | EOFError | TimeoutError):
                        _log.exception("%s of %s failed", source.device, source.wearer)
                    outlet.state(DeviceState.WAITING, SilenceReason.LINK_LOST, detail=str(error)[:200])
                with contextlib.suppress(TimeoutError):
                    await asyncio.wait_for(self._stop.wait(), backoff_s * random.uniform(0.8, 1.2))
                backoff_s = min(2 * backoff_s, MAX_BACKOFF_S)
        finally:
            outlet.close(SilenceReason.STOPPED)
