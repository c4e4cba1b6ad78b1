"""A virtual link with wearables on it, and sources that read them through bleak."""

from __future__ import annotations

import asyncio
import math
import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from itertools import count, pairwise
from typing import Any, Self

import pytest

pytest.importorskip("bumble")

from bumble.link import LocalLink

from sagittal.blocks import Gap, unpack_int16
from sagittal.messages import DeviceState, SilenceReason
from sagittal.names import Site
from sagittal.settings import Device
from sensor_bridge.bluetooth import BluetoothSource, Patience, Radio
from sensor_bridge.source import Samples
from sensor_bridge.virtual import Motion, Peripheral, Sample
from sensor_bridge.wearable import Notification, Vector, Wearable
from sensor_bridge.wearables import wanted
from tests.bridge.bumble_backend import central

G = 9.80665
QUICK = Patience(
    search_s=1.0,
    connect_s=5.0,
    setup_s=5.0,
    stall_s=0.4,
    dead_s=1.0,
    stop_s=1.0,
    poll_s=5.0,
    backoff_s=0.1,
    max_backoff_s=0.4,
    good_s=5.0,
)


def swaying(scale: float = 1.0, rates_scale: float = 1.0) -> Iterator[Sample]:
    """A pendulum without translation: gravity turns in the sensor as the rates say."""
    for number in count():
        t = number / 500
        angle, rate = 0.1 * math.sin(t), 0.1 * math.cos(t)
        acc = (scale * G * math.cos(angle), scale * G * math.sin(angle), 0.0)
        yield Sample(number * 2_000_000, acc, (0.0, 0.0, -rate * rates_scale))


STEP_MPS2, BASE = 0.05, 64


class Counting(Motion):
    """A sensor whose readings hold how often it was read (up to 4096), in steps that every driver can tell apart."""

    def __init__(self) -> None:
        super().__init__(())
        self._read = 0

    def at(self, t_ns: int) -> tuple[Vector, Vector]:  # noqa: ARG002  # every reading counts, whenever it is
        low, high = (one * STEP_MPS2 for one in (self._read % BASE, self._read // BASE))
        self._read += 1
        return (math.sqrt(G**2 - low**2 - high**2), low, high), (0.0, 0.0, 0.0)


def counted(samples: Samples) -> list[int]:
    """The numbers that samples of a `Counting` sensor hold."""
    rows = [round(one * samples.acc_scale / STEP_MPS2) for one in unpack_int16(samples.acc)]
    return [low + BASE * high for low, high in zip(rows[1::3], rows[2::3], strict=True)]


@dataclass
class Outlet:
    """Keeps what a source delivers."""

    got: list[Samples] = field(default_factory=list)
    told: list[tuple[DeviceState, SilenceReason | None]] = field(default_factory=list)
    notes: list[str] = field(default_factory=list)
    details: list[str] = field(default_factory=list)
    battery: float | None = None

    def samples(self, samples: Samples) -> None:
        self.got.append(samples)
        if not self.told or self.told[-1][0] is not DeviceState.STREAMING:
            self.state(DeviceState.STREAMING)

    def state(
        self,
        state: DeviceState,
        reason: SilenceReason | None = None,
        *,
        detail: str = "",
        battery_percent: float | None = None,
        rssi_dbm: float | None = None,  # noqa: ARG002  # the signature is the socket's
        note: str | None = None,
    ) -> None:
        if not self.told or self.told[-1] != (state, reason):
            self.told.append((state, reason))
        self.notes += [note] if note else []
        self.details += [detail] if detail else []
        self.battery = battery_percent if battery_percent is not None else self.battery

    @property
    def n(self) -> int:
        return sum(len(one.t_ns) for one in self.got)

    @property
    def gaps(self) -> list[Gap]:
        return [one.gap_before for one in self.got if one.gap_before is not None]

    @property
    def reasons(self) -> set[SilenceReason | None]:
        return {reason for _, reason in self.told}

    def times(self) -> list[int]:
        times = [t for one in self.got for t in one.t_ns]
        assert all(b > a for a, b in pairwise(times))
        return times


@dataclass
class Worn:
    """One wearable on the link, read by one source."""

    peripheral: Peripheral
    source: BluetoothSource
    outlet: Outlet
    numbers: list[int] = field(default_factory=list)
    """Numbers of the samples that left the wearable, each as often as it left."""


class Air:
    """`async with Air() as air`: wearables, one central, sources running."""

    def __init__(self) -> None:
        self.link = LocalLink()
        self.stop = asyncio.Event()
        self.worn: list[Worn] = []
        self.tasks: list[asyncio.Task[None]] = []
        self.radio = Radio()

    async def __aenter__(self) -> Self:
        self.radio = Radio(backends=await central(self.link))
        return self

    async def __aexit__(self, *_: object) -> None:
        self.stop.set()
        await asyncio.gather(*self.tasks, return_exceptions=True)
        for one in self.worn:
            await one.peripheral.stop()

    async def wear(
        self,
        wearable: Wearable,
        rate_hz: float = 100.0,
        *,
        motion: Motion | None = None,
        name: str = "",
        clock_start_ns: int = 0,
        clock_ppm: float = 0.0,
        patience: Patience = QUICK,
        start: bool = True,
        found_by: dict[str, Any] | None = None,
    ) -> Worn:
        numbers: list[int] = []

        def tap(number: int, _t_ns: int, sent: Sequence[Notification]) -> None:
            if sent:
                numbers.append(number)

        peripheral = Peripheral(
            wearable,
            motion or Motion(swaying()),
            link=self.link,
            name=name,
            clock_start_ns=clock_start_ns,
            clock_ppm=clock_ppm,
            tap=tap,
        )
        options = {} if wearable.capabilities.gyr_ranges_dps else {"accelerometer_only": True}
        by = {"address": peripheral.address} if found_by is None else found_by
        device = Device(name=f"d{len(self.worn)}", driver=wearable.driver, rate_hz=rate_hz, options=options, **by)
        source = BluetoothSource(
            wearer=f"w{len(self.worn)}",
            site=Site.LOWER_BACK,
            device=device.name,
            driver=wearable.driver,
            wearable=wearable,
            settings=device,
            wanted=wanted(device),
            radio=self.radio,
            patience=patience,
        )
        worn = Worn(peripheral, source, Outlet(), numbers)
        self.worn.append(worn)
        if start:
            await peripheral.start()
        self.tasks.append(asyncio.create_task(source.run(worn.outlet, self.stop)))
        return worn

    async def hush(self) -> None:
        """No wearable sends any more; what is on its way arrives; every source ends."""
        for one in self.worn:
            one.peripheral.silent = True
        await asyncio.sleep(0.1)
        self.stop.set()
        await asyncio.wait_for(asyncio.gather(*self.tasks), 60)


async def until(true: Callable[[], bool], timeout_s: float = 45.0) -> None:
    deadline = time.monotonic() + timeout_s
    while not true():
        assert time.monotonic() < deadline, "it does not come about"
        await asyncio.sleep(0.02)
