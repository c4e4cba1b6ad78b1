"""`sagittal bridge` as a service runs it: BlueZ on one side, a broker on the other, health with its reason between."""

from __future__ import annotations

import asyncio
import os
import signal
import sys
from collections.abc import Iterator
from pathlib import Path

import paho.mqtt.client as paho
import pytest

if sys.platform != "linux":
    pytest.skip("BlueZ is Linux", allow_module_level=True)

from sagittal.codec import decode_block
from sagittal.messages import DeviceHealth, DeviceState, SilenceReason
from sagittal.mqtt import connect, make_client
from sagittal.settings import Settings
from sensor_bridge.wearables import wearable
from tests.bridge.air import until
from tests.bridge.fake_bluez import Bus, FakeBlueZ, private_bus

ROOT = Path(__file__).parents[2]
ADDRESS = "C4:11:22:33:44:55"
SETTINGS = f"""
[[wearers]]
id = "me"
[[wearers.devices]]
name = "back"
site = "lower_back"
driver = "sagittal"
address = "{ADDRESS}"
[[wearers.devices]]
name = "leg"
site = "thigh_left"
driver = "witmotion"
serial = "none such"
"""


@pytest.fixture
def bus(tmp_path: Path) -> Iterator[Bus]:
    with private_bus(tmp_path) as made:
        yield made


class Listener:
    """What the broker is told about one wearer."""

    def __init__(self, url: str) -> None:
        self.health: dict[str, DeviceHealth] = {}
        self.samples = 0
        settings = Settings.model_validate({"broker": {"url": url}})
        self.client = make_client("", settings)
        self.client.on_message = self._take
        connect(self.client, settings)
        self.client.subscribe("sagittal/v1/me/+/+", qos=1)
        self.client.loop_start()

    def _take(self, _client: paho.Client, _data: object, message: paho.MQTTMessage) -> None:
        if message.topic.endswith("/device"):
            health = DeviceHealth.model_validate_json(message.payload)
            self.health[health.device] = health
        elif message.topic.endswith("/imu"):
            self.samples += decode_block(bytes(message.payload)).n

    def stop(self) -> None:
        self.client.disconnect()
        self.client.loop_stop()


async def test_health_says_why_and_a_stop_is_clean(bus: Bus, mosquitto: str, tmp_path: Path) -> None:
    (tmp_path / "s.toml").write_text(SETTINGS)
    environment = {
        **os.environ,
        "PYTHONPATH": str(ROOT),
        "DBUS_SYSTEM_BUS_ADDRESS": bus.address,
        "SAGITTAL_SETTINGS": str(tmp_path / "s.toml"),
    }
    bluez = FakeBlueZ(bus)
    await bluez.start()
    bluez.wear(wearable("sagittal"), ADDRESS)
    listener = Listener(mosquitto)
    process = await asyncio.create_subprocess_exec(
        sys.executable,
        "-m",
        "sagittal.cli",
        "bridge",
        "--broker",
        mosquitto,
        "--data-dir",
        str(tmp_path),
        env=environment,
    )

    def told(device: str, state: DeviceState, reason: SilenceReason | None) -> bool:
        health = listener.health.get(device)
        return health is not None and (health.state, health.reason) == (state, reason)

    try:
        await until(lambda: told("back", DeviceState.STREAMING, None) and listener.samples > 100)
        await until(lambda: told("leg", DeviceState.SCANNING, SilenceReason.NOT_FOUND))
        await until(lambda: listener.health["back"].battery_percent is not None)
        assert listener.health["back"].rssi_dbm == -55
        bluez.unplug()
        await until(lambda: told("back", DeviceState.WAITING, SilenceReason.NO_ADAPTER))
        assert "adapter" in listener.health["back"].detail
        bluez.plug()
        await until(lambda: told("back", DeviceState.STREAMING, None))
        await until(lambda: listener.health["back"].reconnects == 1 and listener.health["back"].samples_lost > 0)
        process.send_signal(signal.SIGTERM)
        assert await asyncio.wait_for(process.wait(), 30) == 0
        await until(lambda: told("back", DeviceState.OFFLINE, SilenceReason.STOPPED))
    finally:
        if process.returncode is None:
            process.kill()
            await process.wait()
        listener.stop()
        await bluez.daemon_dies()
