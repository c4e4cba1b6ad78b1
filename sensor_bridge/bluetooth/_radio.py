"""One Bluetooth adapter: a scanner that runs while somebody searches, one connection at a time, and what heals it."""

from __future__ import annotations

import asyncio
import contextlib
import logging
import sys
import time
from collections.abc import AsyncIterator, Callable
from dataclasses import dataclass, field
from typing import Any

from bleak import BleakScanner
from bleak.backends.client import BaseBleakClient
from bleak.backends.device import BLEDevice
from bleak.backends.scanner import AdvertisementData, BaseBleakScanner

from sagittal.messages import SilenceReason
from sensor_bridge.bluetooth._why import FAILURES, why
from sensor_bridge.source import SourceLost
from sensor_bridge.wearable import Advertisement

_log = logging.getLogger(__name__)

START_S = 10.0
SILENCE_S = 90.0
"""A scanner that hears nobody for so long is replaced (habluetooth: 90 s)."""
MAX_FAILURES = 3


class RadioLost(SourceLost):
    """Bluetooth stays broken after all that can be done from here: the process should be started anew."""


@dataclass(frozen=True, slots=True)
class Backends:
    """Other classes for bleak to use than those of the platform; in tests, virtual radios."""

    scanner: type[BaseBleakScanner] | None = None
    client: type[BaseBleakClient] | None = None


@dataclass(frozen=True, slots=True)
class Sighting:
    """A wearable as last heard: `at` on the monotonic clock, signal in dBm."""

    device: BLEDevice
    advertisement: Advertisement
    rssi_dbm: float
    at: float


@dataclass(slots=True)
class Radio:
    """What several wearables share: scanner, connection lock, and escalation.

    `adapter` is a name such as hci1; empty is the system's first. Escalation goes from a new scanner over switching the
    adapter off and on (Linux, while no wearable is streaming) to `RadioLost`, upon which the process should end and be
    started anew by its service manager.
    """

    adapter: str = ""
    backends: Backends = field(default_factory=Backends)
    power_cycle: bool = True
    silence_s: float = SILENCE_S
    streaming: set[str] = field(default_factory=set)
    claimed: set[str] = field(default_factory=set)
    _lock: asyncio.Lock = field(default_factory=asyncio.Lock)
    _searching: int = 0
    _scanner: BleakScanner | None = None
    _gate: asyncio.Lock = field(default_factory=asyncio.Lock)
    _seen: dict[str, Sighting] = field(default_factory=dict)
    _heard: asyncio.Condition = field(default_factory=asyncio.Condition)
    _heard_at: float | None = None
    _ever_heard: bool = False
    _failures: int = 0
    _level: int = 0

    @property
    def _adapter_options(self) -> dict[str, Any]:
        return {"bluez": {"adapter": self.adapter}} if self.adapter and sys.platform == "linux" else {}

    @property
    def client_options(self) -> dict[str, Any]:
        """What every client of this radio must be made with."""
        backend = self.backends.client
        return self._adapter_options if backend is None else {"backend": backend}

    @contextlib.asynccontextmanager
    async def search(self) -> AsyncIterator[None]:
        """Scan while inside; several may be inside at once."""
        self._searching += 1
        try:
            await self._adjust()
            yield
        finally:
            self._searching -= 1
            await self._adjust()

    async def find(self, accept: Callable[[Sighting], bool], timeout_s: float) -> Sighting | None:
        """The strongest accepted wearable heard since the search began; None after `timeout_s`."""
        begun = time.monotonic()
        async with self.search():
            while True:
                fresh = [one for one in self._seen.values() if one.at >= begun and accept(one)]
                if fresh:
                    return max(fresh, key=lambda one: one.rssi_dbm)
                left = begun + timeout_s - time.monotonic()
                if left <= 0:
                    if self._heard_at is None or self._heard_at <= begun:
                        await self._renew()
                    return None
                with contextlib.suppress(TimeoutError):
                    async with self._heard, asyncio.timeout(min(left, 1.0)):
                        await self._heard.wait()
                await self._check_silence()

    @contextlib.asynccontextmanager
    async def connecting(self) -> AsyncIterator[None]:
        """The one that may connect now; scanning pauses, for many adapters can't do both."""
        async with self._lock:
            held, self._searching = self._searching, -1_000_000
            await self._adjust()
            try:
                yield
            finally:
                self._searching += 1_000_000 + held
                with contextlib.suppress(*FAILURES):
                    await self._adjust()

    def heard(self, address: str) -> Sighting | None:
        """The last sighting of an address."""
        return self._seen.get(address)

    def worked(self) -> None:
        """A wearable streams: whatever was wrong is over."""
        self._failures = self._level = 0

    async def failed(self, error: BaseException) -> None:
        """A set-up or a scan failed; after three in a row that only Bluetooth itself explains a remedy is tried."""
        if why(error)[0] not in (SilenceReason.LINK_LOST, SilenceReason.NOT_FOUND):
            return
        self._failures += 1
        if self._failures >= MAX_FAILURES:
            await self._escalate("three failures in a row")

    # -- the scanner --------------------------------------------------------------------------------------------------

    async def _adjust(self) -> None:
        """Start or stop the scanner as it is wanted."""
        async with self._gate:
            if self._searching > 0 and self._scanner is None:
                scanner = self._make()
                await asyncio.wait_for(scanner.start(), START_S)
                self._scanner = scanner
                self._heard_at = time.monotonic()
            elif self._searching <= 0 and self._scanner is not None:
                await self._drop()

    def _make(self) -> BleakScanner:
        backend = self.backends.scanner
        options = self._adapter_options if backend is None else {"backend": backend}
        return BleakScanner(self._on_advertisement, **options)

    async def _renew(self) -> None:
        """A scanner that hears nobody may have died with its adapter; making it anew tells."""
        async with self._gate:
            await self._drop()
        await self._adjust()

    async def _drop(self) -> None:
        scanner, self._scanner = self._scanner, None
        if scanner is not None:
            try:
                await asyncio.wait_for(scanner.stop(), START_S)
            except FAILURES as error:
                _log.debug("scanner does not stop: %s", error)

    def _on_advertisement(self, device: BLEDevice, data: AdvertisementData) -> None:
        self._heard_at = time.monotonic()
        self._ever_heard = True
        advertisement = Advertisement(
            local_name=data.local_name or device.name,
            service_uuids=tuple(one.lower() for one in data.service_uuids),
            manufacturer_data=dict(data.manufacturer_data),
        )
        self._seen[device.address] = Sighting(device, advertisement, float(data.rssi), self._heard_at)
        if len(self._seen) > 500:
            del self._seen[min(self._seen, key=lambda address: self._seen[address].at)]
        asyncio.get_running_loop().call_soon(self._tell)

    def _tell(self) -> None:
        task = asyncio.ensure_future(self._notify())
        _tasks.add(task)
        task.add_done_callback(_tasks.discard)

    async def _notify(self) -> None:
        async with self._heard:
            self._heard.notify_all()

    # -- remedies -----------------------------------------------------------------------------------------------------

    async def _check_silence(self) -> None:
        heard = self._heard_at
        if self._scanner is not None and heard is not None and time.monotonic() - heard > self.silence_s:
            self._heard_at = time.monotonic()
            await self._escalate(f"nobody heard for {self.silence_s:.0f} s")

    async def _escalate(self, cause: str) -> None:
        self._failures = 0
        self._level += 1
        _log.warning("bluetooth: %s; remedy %d", cause, self._level)
        async with self._gate:
            await self._drop()
        if self._level >= 2 and not self.streaming and self.power_cycle and self.backends.scanner is None:
            from sensor_bridge.bluetooth._adapter import cycle_power

            await cycle_power(self.adapter or "hci0")
        if self._level >= 4 and self._ever_heard and not self.streaming:
            raise RadioLost(f"Bluetooth stays broken ({cause}): start the bridge anew, or restart bluetoothd")
        await self._adjust()


_tasks: set[asyncio.Future[None]] = set()


async def survey(radio: Radio, seconds: float) -> list[Sighting]:
    """Everything heard within a time, the strongest first.

    Raises
    ------
    RadioLost
        Where nothing can be heard at all: says why, and what to do.
    """
    found: dict[str, Sighting] = {}

    def note(sighting: Sighting) -> bool:
        found[sighting.device.address] = sighting
        return False

    try:
        await radio.find(note, seconds)
    except FAILURES as error:
        raise RadioLost(why(error)[1]) from None
    return sorted(found.values(), key=lambda one: -one.rssi_dbm)
