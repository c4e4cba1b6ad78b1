"""Virtual wearables on a virtual link, found, set up and read by a foreign Bluetooth stack."""

from __future__ import annotations

import asyncio
import math
import os
import subprocess
import sys
from collections.abc import AsyncIterator, Iterator, Sequence
from contextlib import asynccontextmanager
from itertools import count
from pathlib import Path
from typing import Any

import pytest

pytest.importorskip("bumble")

from bumble.controller import Controller
from bumble.device import Device, Peer
from bumble.hci import Address
from bumble.host import Host
from bumble.link import LocalLink
from bumble.transport import open_transport

from sagittal.blocks import unpack_int16
from sensor_bridge.virtual import Motion, Peripheral, Sample, serve
from sensor_bridge.wearable import (
    Action,
    Ask,
    Char,
    Event,
    Notification,
    Packet,
    Read,
    Script,
    Session,
    Sleep,
    Subscribe,
    Wanted,
    Wearable,
    WearableRefused,
)
from sensor_bridge.wearables import WEARABLES, wearable
from tests.conftest import free_port


def swaying(rate_hz: float = 200.0, seconds: float = math.inf) -> Iterator[Sample]:
    for i in count() if math.isinf(seconds) else range(round(seconds * rate_hz)):
        phase = 2 * math.pi * 0.3 * i / rate_hz
        yield Sample(round(i * 1e9 / rate_hz), (math.sin(phase), 0.0, 9.80665), (math.cos(phase), 0.1, 0.0))


class Central:
    """Another program's side: connects, and performs a session's scripts."""

    def __init__(self, device: Device) -> None:
        self.device = device
        self.chars: dict[Char, Any] = {}
        self.events: list[Event] = []
        self.log: list[tuple[Char, bytes]] = []
        self.session: Session | None = None
        self._heard: list[tuple[Char, bytes]] = []
        self._news = asyncio.Event()

    async def connect(self, kind: Wearable, name: str) -> None:
        found: asyncio.Future[Any] = asyncio.get_running_loop().create_future()

        def seen(advertisement: Any) -> None:
            from bumble.core import AdvertisingData

            said = advertisement.data.get(AdvertisingData.Type.COMPLETE_LOCAL_NAME) or (
                advertisement.data.get(AdvertisingData.Type.SHORTENED_LOCAL_NAME)
            )
            if said and name.startswith(said) and not found.done():
                found.set_result(advertisement.address)

        self.device.on("advertisement", seen)
        await self.device.start_scanning(active=True)
        address = await asyncio.wait_for(found, 10)
        await self.device.stop_scanning()
        self.device.remove_listener("advertisement", seen)
        peer = Peer(await self.device.connect(address))
        await peer.request_mtu(247)
        await peer.discover_services()
        gatt: dict[Char, frozenset[str]] = {}
        for service in peer.services:
            await service.discover_characteristics()
            for one in service.characteristics:
                char = Char(text(service.uuid), text(one.uuid))
                self.chars[char] = one
                flags = (("read", 2), ("write-without-response", 4), ("write", 8), ("notify", 16), ("indicate", 32))
                gatt[char] = frozenset(word for word, bit in flags if int(one.properties) & bit)
        self.session = kind.open(gatt, Wanted(rate_hz=100, accelerometer_only=True))

    def hear(self, char: Char, data: bytes) -> None:
        assert self.session is not None
        self._heard.append((char, data))
        self.log.append((char, data))
        self._news.set()
        self.events += self.session.feed(char, data)

    async def until(self, samples: int) -> None:
        async with asyncio.timeout(20):
            while sum(event.n for event in self.events if isinstance(event, Packet)) < samples:
                self._news.clear()
                await self._news.wait()

    async def run(self, script: Script) -> None:
        answer: bytes | None = None
        try:
            while True:
                action = script.send(answer)
                answer = await self._perform(action)
        except StopIteration:
            return

    async def _perform(self, action: Action) -> bytes | None:
        if isinstance(action, Sleep):
            await asyncio.sleep(action.seconds)
            return None
        remote = self.chars[action.char]
        if isinstance(action, Subscribe):
            await remote.subscribe(lambda data: self.hear(action.char, bytes(data)))
            return None
        if isinstance(action, Read):
            value = bytes(await remote.read_value())
            self.hear(action.char, value)
            return value
        self._heard.clear()
        await remote.write_value(action.data, with_response=action.response)
        if not isinstance(action, Ask):
            return None
        async with asyncio.timeout(action.timeout_s):
            while True:
                while self._heard:
                    char, data = self._heard.pop(0)
                    if char == action.reply and action.match(data):
                        return data
                self._news.clear()
                await self._news.wait()


def text(uuid: Any) -> str:
    raw = uuid.uuid_bytes
    short = f"{int.from_bytes(raw, 'little'):08x}-0000-1000-8000-00805f9b34fb"
    return short if len(raw) < 16 else str(uuid.to_hex_str("-")).lower()


@asynccontextmanager
async def central_on(link: LocalLink) -> AsyncIterator[Central]:
    host = Host()
    host.controller = Controller("central", link=link)
    device = Device("central", address=Address("F0:F1:F2:F3:F4:F5"), host=host)
    await device.power_on()
    yield Central(device)
    await device.power_off()


@pytest.mark.parametrize(
    ("kind", "variant"),
    [pytest.param(one, variant, id=f"{one.driver}-{variant}") for one in WEARABLES for variant in one.variants],
)
async def test_it_is_found_set_up_and_read_and_nothing_is_lost(kind: Wearable, variant: str) -> None:
    link = LocalLink()
    sent: list[tuple[Char, bytes]] = []

    def tap(_number: int, _t_ns: int, notifications: Sequence[Notification]) -> None:
        sent.extend((one.char, one.data) for one in notifications)

    peripheral = Peripheral(kind, Motion(swaying()), link=link, variant=variant, tap=tap)
    await peripheral.start()
    async with central_on(link) as central:
        await central.connect(kind, peripheral.name)
        assert central.session is not None
        await central.run(central.session.start())
        await central.until(max(8, kind.capabilities.samples_per_packet + 1))
        await central.run(central.session.stop())
        peripheral.silent = True
        await asyncio.sleep(0.1)
        await peripheral.stop()
    known = set(sent)
    assert [one for one in central.log if one in known] == sent
    packets = [event for event in central.events if isinstance(event, Packet)]
    vertical = [value * one.acc_scale for one in packets for value in unpack_int16(one.acc)[2::3]]
    assert vertical == pytest.approx([9.80665] * len(vertical), abs=0.02)


@asynccontextmanager
async def streaming(driver: str, **how: Any) -> AsyncIterator[tuple[Peripheral, Central]]:
    link = LocalLink()
    kind = wearable(driver)
    peripheral = Peripheral(kind, Motion(swaying()), link=link, **how)
    await peripheral.start()
    async with central_on(link) as central:
        await central.connect(kind, peripheral.name)
        assert central.session is not None
        await central.run(central.session.start())
        await central.until(3)
        yield peripheral, central
        await peripheral.stop()


async def test_a_reboot_drops_the_link_and_begins_the_clock_anew() -> None:
    async with streaming("sagittal", clock_start_ns=5_000_000_000) as (peripheral, central):
        await peripheral.reboot()
        before = [event.ticks for event in central.events if isinstance(event, Packet)]
        central.events.clear()
        await central.connect(wearable("sagittal"), peripheral.name)
        assert central.session is not None
        await central.run(central.session.start())
        await central.until(3)
        after = [event.ticks for event in central.events if isinstance(event, Packet)]
        assert before[0] is not None
        assert after[0] is not None
        assert before[0] >= 5_000_000 > after[0]


async def test_a_silent_one_stays_connected() -> None:
    async with streaming("witmotion") as (peripheral, central):
        peripheral.silent = True
        await asyncio.sleep(0.1)
        central.events.clear()
        await asyncio.sleep(0.2)
        assert not central.events
        assert peripheral.device.connections
        peripheral.silent = False
        await central.until(3)


async def test_an_adapter_on_loopback_sees_the_served_wearable() -> None:
    port = free_port()
    stop = asyncio.Event()
    serving = asyncio.create_task(
        serve("movesense", swaying(), f"tcp-server:127.0.0.1:{port}", name="Movesense 42", stop=stop)
    )
    await asyncio.sleep(0.2)
    async with await open_transport(f"tcp-client:127.0.0.1:{port}") as hci:
        device = Device.with_hci("central", Address("F0:F1:F2:F3:F4:F5"), hci.source, hci.sink)
        await device.power_on()
        central = Central(device)
        kind = wearable("movesense")
        await central.connect(kind, "Movesense 42")
        assert central.session is not None
        await central.run(central.session.start())
        await central.until(3)
    stop.set()
    assert await serving > 0


async def test_it_sends_on_a_radio_that_is_not_its_own() -> None:
    port, link, stop = free_port(), LocalLink(), asyncio.Event()
    radio = await open_transport(f"tcp-server:127.0.0.1:{port}")
    Controller("radio", host_source=radio.source, host_sink=radio.sink, link=link)
    serving = asyncio.create_task(serve("polar", swaying(), f"tcp-client:127.0.0.1:{port}", stop=stop))
    async with central_on(link) as central:
        kind = wearable("polar")
        await central.connect(kind, "Polar Sense 1A2B3C4D")
        assert central.session is not None
        await central.run(central.session.start())
        await central.until(30)
        await central.run(central.session.stop())
    stop.set()
    assert await serving > 0
    radio.server.close()
    await radio.close()


async def test_samples_that_end_end_the_service() -> None:
    port = free_port()
    said: list[str] = []
    transport = f"tcp-server:127.0.0.1:{port}"
    assert await serve("witmotion:sdcl", swaying(seconds=0.5), transport, told=said.append) == 5
    assert said[0].startswith("WTSDCL67 is on the air as ")


@pytest.mark.parametrize("transport", ["tcp-server:_:9001", "tcp-server:0.0.0.0:9001", "ws-server:_:9001"])
async def test_nothing_listens_on_the_network(transport: str) -> None:
    with pytest.raises(WearableRefused, match="would listen"):
        await serve("witmotion", swaying(seconds=1), transport)


async def test_a_transport_that_is_not_there_is_told() -> None:
    with pytest.raises(WearableRefused, match="can't be opened"):
        await serve("witmotion", swaying(seconds=1), "tcp-client:127.0.0.1:1")


def test_where_bumble_is_missing_the_cure_is_told() -> None:
    program = (
        "import importlib.util as u; find = u.find_spec; "
        "u.find_spec = lambda name, *more: None if name == 'bumble' else find(name, *more); "
        "import sensor_bridge.virtual"
    )
    run = subprocess.run(
        [sys.executable, "-c", program],
        check=False,
        capture_output=True,
        text=True,
        env={**os.environ, "PYTHONPATH": str(Path(__file__).parents[2])},
    )
    assert run.returncode != 0
    assert "pip install 'sagittal[virtual]'" in run.stderr
