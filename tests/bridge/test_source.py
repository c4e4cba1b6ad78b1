"""The supervisor over a virtual link: how a wearable is found, kept, checked, and left."""

from __future__ import annotations

import asyncio
from typing import Any

import pytest

from sagittal.messages import DeviceState, SilenceReason
from sensor_bridge.bluetooth import RadioLost
from sensor_bridge.virtual import Motion, Peripheral
from sensor_bridge.wearable import Vector
from sensor_bridge.wearables import wearable
from tests.bridge.air import Air, G, swaying, until

OWN = wearable("sagittal")


@pytest.mark.parametrize(
    "found_by",
    [
        {},
        {"address": "own"},
        {"local_name": "Sagittal"},
        {"serial": "gitt"},
        {"service": OWN.services[0].upper()},
        {"local_name": "Sagittal", "service": OWN.services[0]},
    ],
    ids=["driver alone", "address", "name", "serial", "service", "name and service"],
)
async def test_a_wearable_is_found_by_whatever_the_settings_name(found_by: dict[str, Any]) -> None:
    async with Air() as air:
        other = await air.wear(wearable("witmotion"))
        if found_by.get("address") == "own":
            found_by = {"address": (await _shy(air)).lower()}
        worn = await air.wear(OWN, found_by=found_by)
        await until(lambda: worn.source.connections > 0)
        assert other.source.driver == "witmotion"


async def _shy(air: Air) -> str:
    """The address that the next wearable of our own kind will have."""
    return Peripheral(OWN, Motion(swaying()), link=air.link).address


async def test_two_of_a_kind_are_not_taken_twice() -> None:
    async with Air() as air:
        first = await air.wear(OWN, name="Sagittal A", found_by={})
        second = await air.wear(OWN, name="Sagittal B", found_by={})
        await until(lambda: first.outlet.n > 0 and second.outlet.n > 0)
        assert len(air.radio.streaming) == 2


async def test_what_is_not_there_is_told_and_taken_when_it_comes() -> None:
    async with Air() as air:
        worn = await air.wear(OWN, start=False)
        await until(lambda: SilenceReason.NOT_FOUND in worn.outlet.reasons)
        await worn.peripheral.start()
        await until(lambda: worn.outlet.n > 0)


async def test_a_device_clock_that_stands_still_is_no_stream() -> None:
    async with Air() as air:
        worn = await air.wear(OWN)
        await until(lambda: worn.outlet.n > 0)
        virtual = vars(worn.peripheral.virtual)
        measure = worn.peripheral.virtual.sample
        virtual["sample"] = lambda _t_ns, acc, gyr: measure(10**9, acc, gyr)
        await until(lambda: SilenceReason.NO_DATA in worn.outlet.reasons)


async def test_wrong_units_send_nothing_on_and_say_so() -> None:
    async with Air() as air:
        worn = await air.wear(OWN, motion=Motion(swaying(scale=1 / G)))
        await until(lambda: SilenceReason.UNITS in worn.outlet.reasons)
        assert worn.outlet.n == 0
        assert any("g taken for m/s²" in detail for detail in worn.outlet.details)


class Switched(Motion):
    """A sensor that can be set to other units."""

    scale = 1.0

    def at(self, t_ns: int) -> tuple[Vector, Vector] | None:
        now = super().at(t_ns)
        return None if now is None else ((now[0][0] * self.scale, now[0][1] * self.scale, 0.0), now[1])


async def test_what_was_held_back_for_its_units_is_part_of_the_gap() -> None:
    async with Air() as air:
        motion = Switched(swaying())
        worn = await air.wear(OWN, motion=motion)
        await until(lambda: worn.outlet.n > 0)
        motion.scale = 1 / G
        await worn.peripheral.drop_link()
        await until(lambda: SilenceReason.UNITS in worn.outlet.reasons)
        motion.scale, n = 1.0, worn.outlet.n
        await until(lambda: worn.outlet.n > n)
        assert any(gap.samples is None for gap in worn.outlet.gaps)
        last_ns = worn.outlet.got[0].t_ns[-1]
        for one in worn.outlet.got[1:]:
            told_ns = one.gap_before.duration_ns if one.gap_before else 0
            assert one.t_ns[0] - last_ns - told_ns < 100_000_000
            last_ns = one.t_ns[-1]


async def test_a_sensor_somewhat_off_goes_on_with_a_note() -> None:
    async with Air() as air:
        worn = await air.wear(OWN, motion=Motion(swaying(scale=1.12)))
        await until(lambda: worn.outlet.n > 0)
        assert any("calibrate" in note for note in worn.outlet.notes)


async def test_a_clean_stop_ends_the_stream_of_the_wearable_and_disconnects() -> None:
    async with Air() as air:
        worn = await air.wear(OWN)
        await until(lambda: worn.outlet.n > 0)
        air.stop.set()
        await asyncio.wait_for(asyncio.gather(*air.tasks), 30)
        assert vars(worn.peripheral.virtual)["_streaming"] is False
        assert not worn.peripheral.device.connections


async def test_a_stop_while_searching_ends_at_once() -> None:
    async with Air() as air:
        worn = await air.wear(OWN, start=False)
        await until(lambda: (DeviceState.SCANNING, None) in worn.outlet.told)
        air.stop.set()
        await asyncio.wait_for(asyncio.gather(*air.tasks), 10)


async def test_when_nothing_helps_the_process_is_asked_to_end() -> None:
    async with Air() as air:
        worn = await air.wear(OWN)
        await until(lambda: worn.outlet.n > 0)
        air.radio.streaming.clear()
        for _ in range(11):
            await air.radio.failed(TimeoutError())
        with pytest.raises(RadioLost, match="start the bridge anew"):
            await air.radio.failed(TimeoutError())
