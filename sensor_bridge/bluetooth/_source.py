"""The supervisor of one wearable: search, connect, set up, stream, and begin again after whatever goes wrong."""

from __future__ import annotations

import asyncio
import logging
import random
import sys
import time
from collections.abc import Callable
from dataclasses import dataclass, field

from bleak import BleakClient

from sagittal.messages import DeviceState, SilenceReason
from sagittal.names import Site
from sagittal.settings import Device
from sensor_bridge._clock import SampleClock
from sensor_bridge.bluetooth._link import Link
from sensor_bridge.bluetooth._radio import Radio, RadioLost, Sighting
from sensor_bridge.bluetooth._stream import Handed, Stream, utc_offset_ns
from sensor_bridge.bluetooth._why import FAILURES, why
from sensor_bridge.source import Outlet
from sensor_bridge.wearable import Script, Wanted, Wearable

_log = logging.getLogger(__name__)

CONNECT_ATTEMPTS = 2


@dataclass(frozen=True, slots=True)
class Patience:
    """How long each thing may take, s; the defaults suit real radios.

    `stall_s` without a decoded sample is told, `dead_s` ends the connection (a dead bluetoothd is never reported by
    bleak, so this is the only sign of it). A wait between attempts doubles from `backoff_s` to `max_backoff_s` and
    starts anew after `good_s` of streaming.
    """

    search_s: float = 15.0
    connect_s: float = 45.0
    setup_s: float = 15.0
    stall_s: float = 2.0
    dead_s: float = 5.0
    stop_s: float = 3.0
    poll_s: float = 60.0
    backoff_s: float = 1.0
    max_backoff_s: float = 30.0
    good_s: float = 60.0


@dataclass(slots=True)
class _Silent(Exception):
    """A connection ended: why, what a person should know, and whether an advertisement may end the wait."""

    reason: SilenceReason
    detail: str
    hasty: bool = True


@dataclass(slots=True)
class BluetoothSource:
    """One wearable over Bluetooth Low Energy, found by address, name, serial number or service.

    Every attempt makes a fresh client and a fresh session and sends the whole configuration again. `run` returns when
    it is told to stop, with the wearable's stream ended.

    Raises (from `run`)
    ------
    RadioLost
        Where Bluetooth stays broken and the process should be started anew.
    """

    wearer: str
    site: Site
    device: str
    driver: str
    wearable: Wearable
    settings: Device
    wanted: Wanted
    radio: Radio
    patience: Patience = field(default_factory=Patience)
    clock: SampleClock | None = None
    connections: int = 0
    early: int = 0
    _handed: Handed = field(default_factory=Handed)
    _link: Link | None = None
    _loop: asyncio.AbstractEventLoop | None = None
    _wishes: set[asyncio.Task[None]] = field(default_factory=set)

    async def run(self, outlet: Outlet, stop: asyncio.Event) -> None:
        """Keep the wearable streaming until `stop` is set."""
        self._loop = asyncio.get_running_loop()
        wait_s = self.patience.backoff_s
        while not stop.is_set():
            begun = time.monotonic()
            try:
                await self._once(outlet, stop)
                return
            except _Silent as silent:
                reason, detail, hasty = silent.reason, silent.detail, silent.hasty
            except RadioLost:
                raise
            except FAILURES as error:
                reason, detail = why(error)
                hasty = reason is SilenceReason.LINK_LOST
                _log.info("%s of %s: %r", self.device, self.wearer, error)
            outlet.state(DeviceState.WAITING, reason, detail=detail)
            if time.monotonic() - begun > self.patience.good_s:
                wait_s = self.patience.backoff_s
            await self._wait(stop, wait_s * random.uniform(0.8, 1.2), hasty)
            wait_s = min(2 * wait_s, self.patience.max_backoff_s)

    def haptic(self, on_ms: int) -> None:
        """Let the wearable vibrate or light up, if it can and is connected; safe from any thread, returns at once."""
        if self._loop is not None and self.wearable.capabilities.haptic:
            self._loop.call_soon_threadsafe(self._wish, on_ms)

    def _wish(self, on_ms: int) -> None:
        link = self._link
        if link is None or link.session is None:
            return
        task = asyncio.ensure_future(self._try(link, link.session.haptic(on_ms), self.patience.stop_s))
        self._wishes.add(task)
        task.add_done_callback(self._wishes.discard)

    # -- one connection -----------------------------------------------------------------------------------------------

    async def _once(self, outlet: Outlet, stop: asyncio.Event) -> None:
        """One connection from search to end; returns only because of `stop`."""
        try:
            sighting = await self._find(outlet, stop)
        except FAILURES as error:
            await self.radio.failed(error)
            raise
        if sighting is None:
            return
        address = sighting.device.address
        self.radio.claimed.add(address)
        outlet.state(DeviceState.CONNECTING, rssi_dbm=sighting.rssi_dbm)
        lost = asyncio.Event()
        link: Link | None = None
        try:
            try:
                async with self.radio.connecting():
                    link = await self._connect(sighting, lost.set)
                outlet.state(DeviceState.SETTING_UP)
                await self._set_up(link, lost)
            except FAILURES as error:
                await self.radio.failed(error)
                raise
            self._link = link
            self.connections += 1
            self.radio.streaming.add(address)
            await self._stream(link, outlet, stop, lost)
        finally:
            self._link = None
            self.radio.streaming.discard(address)
            self.radio.claimed.discard(address)
            if link is not None:
                await self._close(link)

    async def _find(self, outlet: Outlet, stop: asyncio.Event) -> Sighting | None:
        outlet.state(DeviceState.SCANNING)
        searching = asyncio.ensure_future(self._search(outlet))
        stopping = asyncio.ensure_future(stop.wait())
        try:
            await asyncio.wait((searching, stopping), return_when=asyncio.FIRST_COMPLETED)
            return searching.result() if searching.done() else None
        finally:
            for task in (searching, stopping):
                task.cancel()
            await asyncio.gather(searching, stopping, return_exceptions=True)

    async def _search(self, outlet: Outlet) -> Sighting:
        while True:
            found = await self.radio.find(self.is_it, self.patience.search_s)
            if found is not None:
                return found
            outlet.state(
                DeviceState.SCANNING,
                SilenceReason.NOT_FOUND,
                detail="it is not heard: charge it, switch it on, bring it near, and close other apps that hold it",
            )

    def is_it(self, sighting: Sighting) -> bool:
        """Whether a sighting is this wearable and nobody else's."""
        settings, heard = self.settings, sighting.advertisement
        address = sighting.device.address
        if address in self.radio.claimed:
            return False
        name = heard.local_name or ""
        if settings.address is not None and settings.address.lower() != address.lower():
            return False
        if settings.local_name is not None and settings.local_name != name:
            return False
        if settings.serial is not None and settings.serial.lower() not in name.lower():
            return False
        if settings.service is not None and settings.service.lower() not in heard.service_uuids:
            return False
        named = (settings.address, settings.local_name, settings.serial, settings.service)
        return any(one is not None for one in named) or self.wearable.recognise(heard) is not None

    async def _connect(self, sighting: Sighting, lost: Callable[[], None]) -> Link:
        options = self.radio.client_options
        if sys.platform == "linux" and self.radio.backends.client is None:
            from bleak_retry_connector import establish_connection

            client = await asyncio.wait_for(
                establish_connection(
                    BleakClient,
                    sighting.device,
                    self.device,
                    disconnected_callback=lambda _: lost(),
                    max_attempts=CONNECT_ATTEMPTS,
                    **options,
                ),
                self.patience.connect_s,
            )
            return Link(client)
        client = BleakClient(sighting.device, lambda _: lost(), timeout=self.patience.connect_s, **options)
        try:
            await asyncio.wait_for(client.connect(), self.patience.connect_s)
        except BaseException:
            await Link(client).close()
            raise
        return Link(client)

    async def _set_up(self, link: Link, lost: asyncio.Event) -> None:
        link.session = self.wearable.open(link.gatt(), self.wanted)
        setting_up = asyncio.ensure_future(link.perform(link.session.start()))
        losing = asyncio.ensure_future(lost.wait())
        try:
            done, _ = await asyncio.wait(
                (setting_up, losing), timeout=self.patience.setup_s, return_when=asyncio.FIRST_COMPLETED
            )
            if setting_up in done:
                setting_up.result()
            elif losing in done:
                raise _Silent(SilenceReason.LINK_LOST, "the link broke while the wearable was set up", hasty=False)
            else:
                raise TimeoutError
        finally:
            for task in (setting_up, losing):
                task.cancel()
            await asyncio.gather(setting_up, losing, return_exceptions=True)

    async def _stream(self, link: Link, outlet: Outlet, stop: asyncio.Event, lost: asyncio.Event) -> None:
        assert link.session is not None
        if self.clock is None:
            self.clock = SampleClock(link.session.rate_hz, utc_offset_ns())
        stream = Stream(link, self.clock, outlet, self._handed)
        self.early += stream.early
        chores = asyncio.ensure_future(self._chores(link, stream))
        try:
            while not stop.is_set() and not lost.is_set():
                await _any(self.patience.stall_s / 4, link.arrived, stop, lost)
                stream.pump()
                if stream.ended is not None:
                    raise _Silent(*stream.ended, hasty=False)
                if stream.good:
                    self.radio.worked()
                self._watch(stream, outlet)
            stream.pump()
            if not stop.is_set():
                raise _Silent(SilenceReason.LINK_LOST, "the link broke: out of reach, or the battery is empty")
            await self._try(link, link.session.stop(), self.patience.stop_s)
            stream.pump()
        finally:
            chores.cancel()
            await asyncio.gather(chores, return_exceptions=True)
            stream.close()

    def _watch(self, stream: Stream, outlet: Outlet) -> None:
        silent_s = time.monotonic() - stream.decoded_at
        if silent_s > max(self.patience.dead_s, 3 * stream.spacing_s):
            detail = "connected, but no samples come: switch the wearable off and on"
            raise _Silent(SilenceReason.NO_DATA, detail, hasty=False)
        if silent_s > max(self.patience.stall_s, 2 * stream.spacing_s):
            outlet.state(DeviceState.STALLED, SilenceReason.NO_DATA, detail="connected, but no samples come")

    async def _chores(self, link: Link, stream: Stream) -> None:
        """What is asked while it streams: battery and time."""
        assert link.session is not None
        while True:
            if self.wearable.capabilities.two_way_time:
                for _ in range(3):
                    await self._try(link, link.session.ask_time(stream.question()), self.patience.stop_s)
            await self._try(link, link.session.poll(), self.patience.stop_s)
            await asyncio.sleep(self.patience.poll_s)

    async def _try(self, link: Link, script: Script, timeout_s: float) -> None:
        try:
            async with asyncio.timeout(timeout_s):
                await link.perform(script)
        except FAILURES as error:
            _log.debug("%s of %s: a wish failed: %r", self.device, self.wearer, error)

    async def _close(self, link: Link) -> None:
        await asyncio.shield(asyncio.ensure_future(link.close()))

    async def _wait(self, stop: asyncio.Event, seconds: float, hasty: bool) -> None:
        """Wait before the next attempt; a fresh advertisement ends it where haste may help."""
        if not hasty:
            await _any(seconds, stop)
            return
        stopping = asyncio.ensure_future(stop.wait())
        searching = asyncio.ensure_future(self.radio.find(self.is_it, seconds))
        await asyncio.wait((stopping, searching), return_when=asyncio.FIRST_COMPLETED)
        for task in (stopping, searching):
            task.cancel()
        results = await asyncio.gather(stopping, searching, return_exceptions=True)
        if isinstance(results[1], RadioLost):
            raise results[1]
        if isinstance(results[1], Exception):
            await _any(seconds, stop)


async def _any(timeout_s: float, *events: asyncio.Event) -> None:
    """Return when one of the events is set, or after a while."""
    if any(event.is_set() for event in events):
        return
    tasks = [asyncio.ensure_future(event.wait()) for event in events]
    try:
        await asyncio.wait(tasks, timeout=timeout_s, return_when=asyncio.FIRST_COMPLETED)
    finally:
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
