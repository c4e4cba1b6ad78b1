"""Every driver through the bleak API: scanned, connected, set up, streamed at its rates, stopped; nothing lost."""

from __future__ import annotations

import asyncio
from functools import partial

import pytest

from sagittal.messages import DeviceState, SilenceReason
from sensor_bridge.wearable import Wearable
from sensor_bridge.wearables import WEARABLES, wearable
from tests.bridge.air import Air, Counting, Outlet, Worn, counted, until

STREAM_S = 2.0
HALVES = (WEARABLES[::2], WEARABLES[1::2])


def rates(one: Wearable) -> list[float]:
    """The lowest and the highest rate between 50 and 400 Hz; the highest of all where it has none of these."""
    offered = one.capabilities.rates_hz
    inside = sorted(rate for rate in offered if 50 <= rate <= 400)
    return [inside[0], inside[-1]] if len(inside) > 1 else inside or [max(offered)]


def whole(worn: Worn) -> None:
    """Every sample between the first and the last that were delivered, once; none but the last packets is missing."""
    found = [number for one in worn.outlet.got for number in counted(one)]
    assert found == list(range(found[0], found[-1] + 1)), worn.source.driver
    assert worn.numbers[-1] - found[-1] < max(2, 2 * worn.source.wearable.capabilities.samples_per_packet)
    assert worn.outlet.gaps == []
    assert len(worn.outlet.times()) == worn.outlet.n


@pytest.mark.parametrize(
    ("some", "which"), [(WEARABLES, 0), (HALVES[0], -1), (HALVES[1], -1)], ids=["all slow", "even fast", "odd fast"]
)
async def test_drivers_beside_each_other_lose_nothing(some: tuple[Wearable, ...], which: int) -> None:
    async with Air() as air:
        for one in some:
            await air.wear(one, rates(one)[which], motion=Counting())
        await until(lambda: all(worn.outlet.n > 0 for worn in air.worn), 60)
        await asyncio.sleep(STREAM_S)
        await air.hush()
        for worn in air.worn:
            whole(worn)
            assert worn.outlet.told[-1][0] is DeviceState.STREAMING, worn.source.driver
            has_gyr = bool(worn.source.wearable.capabilities.gyr_ranges_dps)
            assert (worn.outlet.got[-1].gyr is not None) == has_gyr, worn.source.driver
            assert (worn.outlet.battery is not None) >= worn.source.wearable.capabilities.battery, worn.source.driver


def _more(outlet: Outlet, before: int) -> bool:
    return outlet.n > before


def _another_gap(outlet: Outlet, before: int) -> bool:
    return len(outlet.gaps) > before


async def survives(worn: Worn) -> None:
    outlet, peripheral = worn.outlet, worn.peripheral
    for fault in ("link", "silence", "reboot"):
        await until(partial(_more, outlet, outlet.n))
        outlet.told.clear()
        if fault == "link":
            await peripheral.drop_link()
            await until(lambda: SilenceReason.LINK_LOST in outlet.reasons)
        elif fault == "silence":
            peripheral.silent = True
            await until(lambda: (DeviceState.WAITING, SilenceReason.NO_DATA) in outlet.told)
            peripheral.silent = False
        else:
            await peripheral.reboot()
            await until(lambda: SilenceReason.LINK_LOST in outlet.reasons)
        await until(partial(_another_gap, outlet, len(outlet.gaps)))


async def test_drivers_survive_link_loss_silence_and_reboot() -> None:
    async with Air() as air:
        for one in WEARABLES:
            await air.wear(one, 50.0)
        await asyncio.gather(*(survives(worn) for worn in air.worn))
        await air.hush()
        for worn in air.worn:
            worn.outlet.times()
            assert worn.source.connections >= 4, worn.source.driver


async def test_a_clock_that_wraps_while_streaming_leaves_no_trace() -> None:
    async with Air() as air:
        for driver in ("sagittal", "movesense", "movella_dot"):
            one = wearable(driver)
            clock = one.capabilities.clock
            assert clock is not None
            await air.wear(one, motion=Counting(), clock_start_ns=(1 << clock.bits) * clock.tick_ns - 3_000_000_000)
        await until(lambda: all(worn.outlet.n > 0 for worn in air.worn))
        await asyncio.sleep(STREAM_S)
        await air.hush()
        for worn in air.worn:
            whole(worn)
