"""bleak's own BlueZ backend and our supervisor, against a bluetoothd, a bus and an adapter that fail."""

from __future__ import annotations

import asyncio
import json
import os
import sys
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager
from dataclasses import replace
from pathlib import Path

import pytest

if sys.platform != "linux":
    pytest.skip("BlueZ is Linux", allow_module_level=True)

from sagittal.blocks import GapReason
from sagittal.messages import DeviceState, SilenceReason
from sagittal.names import Site
from sagittal.settings import Device
from sensor_bridge.bluetooth import BluetoothSource, Radio, RadioLost, survey
from sensor_bridge.bluetooth._adapter import cycle_power
from sensor_bridge.wearables import wanted, wearable
from tests.bridge.air import QUICK, Outlet, until
from tests.bridge.fake_bluez import Bus, FakeBlueZ, Worn, private_bus

ADDRESS = "C4:11:22:33:44:55"
ROOT = Path(__file__).parents[2]


@pytest.fixture
def bus(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Bus]:
    with private_bus(tmp_path) as made:
        monkeypatch.setenv("DBUS_SYSTEM_BUS_ADDRESS", made.address)
        yield made


@asynccontextmanager
async def daemon(bus: Bus) -> AsyncIterator[FakeBlueZ]:
    made = FakeBlueZ(bus)
    await made.start()
    try:
        yield made
    finally:
        await made.daemon_dies()


@asynccontextmanager
async def streaming(bluez: FakeBlueZ, **found_by: str) -> AsyncIterator[tuple[Worn, Outlet]]:
    """A wearable of our own profile, read by a source that is stopped in the end."""
    worn = bluez.wear(wearable("sagittal"), ADDRESS)
    device = Device(name="d", driver="sagittal", **(found_by or {"address": ADDRESS}))  # type: ignore[arg-type]
    source = BluetoothSource(
        wearer="w",
        site=Site.LOWER_BACK,
        device="d",
        driver="sagittal",
        wearable=wearable("sagittal"),
        settings=device,
        wanted=wanted(device),
        radio=Radio(power_cycle=False),
        patience=replace(QUICK, connect_s=10.0),
    )
    outlet, stop = Outlet(), asyncio.Event()
    running = asyncio.create_task(source.run(outlet, stop))
    try:
        yield worn, outlet
    finally:
        stop.set()
        await asyncio.wait_for(running, 20)


async def resumes(outlet: Outlet, seconds: float = 30.0) -> None:
    before = outlet.n
    await until(lambda: outlet.n > before + 50, seconds)
    outlet.times()


async def test_a_link_drop_is_told_and_healed(bus: Bus) -> None:
    async with daemon(bus) as bluez, streaming(bluez) as (worn, outlet):
        await resumes(outlet)
        bluez.drop_link(worn)
        await until(lambda: (DeviceState.WAITING, SilenceReason.LINK_LOST) in outlet.told)
        await resumes(outlet)
        assert [gap.reason for gap in outlet.gaps] == [GapReason.RECONNECT]


async def test_the_death_of_bluetoothd_is_seen_by_the_silence_and_survived(bus: Bus) -> None:
    async with daemon(bus) as bluez, streaming(bluez) as (_, outlet):
        await resumes(outlet)
        await bluez.daemon_dies()
        await until(lambda: bool({SilenceReason.NO_DATA, SilenceReason.LINK_LOST} & outlet.reasons))
        await until(lambda: SilenceReason.NO_ADAPTER in outlet.reasons)
        await bluez.start()
        await resumes(outlet)


async def test_the_death_of_the_bus_is_survived(bus: Bus) -> None:
    async with daemon(bus) as bluez, streaming(bluez) as (_, outlet):
        await resumes(outlet)
        bus.kill()
        await until(lambda: SilenceReason.NO_ADAPTER in outlet.reasons)
        await bluez.daemon_dies()
        bus.start()
        await bluez.start()
        await resumes(outlet)


async def test_an_adapter_that_is_pulled_out_is_told_and_taken_again(bus: Bus) -> None:
    async with daemon(bus) as bluez, streaming(bluez) as (_, outlet):
        await resumes(outlet)
        bluez.unplug()
        await until(lambda: SilenceReason.NO_ADAPTER in outlet.reasons)
        assert any("adapter" in detail for detail in outlet.details)
        bluez.plug()
        await resumes(outlet)


@pytest.mark.parametrize(
    ("error", "reason"),
    [
        ("org.bluez.Error.InProgress", SilenceReason.BUSY),
        ("org.bluez.Error.NotPermitted", SilenceReason.NO_PERMISSION),
        ("org.bluez.Error.NotReady", SilenceReason.ADAPTER_OFF),
    ],
)
async def test_a_refused_connection_says_why(bus: Bus, error: str, reason: SilenceReason) -> None:
    async with daemon(bus) as bluez:
        bluez.refuse_connect = error
        async with streaming(bluez) as (_, outlet):
            await until(lambda: reason in outlet.reasons)
            bluez.refuse_connect = None
            await resumes(outlet)


async def test_a_wearable_out_of_reach_is_not_found_until_it_is_near(bus: Bus) -> None:
    async with daemon(bus) as bluez, streaming(bluez, local_name="Sagittal") as (worn, outlet):
        worn.near = False
        await until(lambda: SilenceReason.NOT_FOUND in outlet.reasons)
        worn.near = True
        await resumes(outlet)


async def test_an_adapter_is_switched_off_and_on(bus: Bus) -> None:
    async with daemon(bus) as bluez:
        assert await cycle_power("hci0")
        assert bluez.power == [False, True]
    assert not await cycle_power("hci0")


async def test_a_scan_without_bluetoothd_says_what_to_start(bus: Bus) -> None:
    with pytest.raises(RadioLost, match="bluetoothd does not run"):
        await survey(Radio(power_cycle=False), 1.0)


async def cli(*arguments: str, settings: Path | None = None) -> tuple[int, str, str]:
    environment = {**os.environ, "PYTHONPATH": str(ROOT), "COLUMNS": "200"}
    if settings is not None:
        environment["SAGITTAL_SETTINGS"] = str(settings)
    process = await asyncio.create_subprocess_exec(
        sys.executable,
        "-m",
        "sagittal.cli",
        *arguments,
        env=environment,
        stdin=asyncio.subprocess.DEVNULL,
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.PIPE,
    )
    out, err = await asyncio.wait_for(process.communicate(), 60)
    assert process.returncode is not None
    return process.returncode, out.decode(), err.decode()


async def test_scan_and_pair_as_a_person_uses_them(bus: Bus, tmp_path: Path) -> None:
    settings = tmp_path / "s.toml"
    settings.write_text('# mine\nbridge_name = "den"  # kept\n')
    choice = ("--address", ADDRESS, "--name", "back", "--wearer", "me", "--site", "lower_back")
    async with daemon(bus) as bluez:
        bluez.wear(wearable("sagittal"), ADDRESS)
        code, out, _ = await cli("scan", "--seconds", "1", "--battery", "--json")
        (near,) = json.loads(out)
        assert (code, near["driver"], near["address"], near["rssi_dbm"]) == (0, "sagittal", ADDRESS, -55.0)
        assert 0 <= near["battery_percent"] <= 100
        code, out, err = await cli("pair", "--seconds", "1", *choice, settings=settings)
        assert code == 0, err
        text = settings.read_text()
        assert "# mine" in text
        assert "# kept" in text
        assert ADDRESS in text
        again = await cli("pair", "--seconds", "1", *choice, settings=settings)
        assert again[0] == 2
        assert "--replace" in again[2]
        assert settings.read_text() == text
        assert (await cli("pair", "--seconds", "1", *choice, "--replace", settings=settings))[0] == 0
        assert settings.read_text() == text
    bus.kill()
    code, _, err = await cli("scan", "--seconds", "1")
    assert code == 2
    assert "/run/dbus" in err
