"""A nudge on the broker makes the wearable signal: once, while it is fresh, and only its own wearer's."""

from __future__ import annotations

import asyncio
import json
import subprocess
import sys
import time
from pathlib import Path

import paho.mqtt.client as paho
import pytest

from sagittal.mqtt import connect, make_client
from sagittal.results import Event
from sagittal.settings import Settings
from sagittal.topics import wearer_topic
from sensor_bridge._haptics import Haptics
from sensor_bridge.bridge import Bridge
from sensor_bridge.wearables import wearable
from tests.bridge.air import Air, until


class Able:
    wearer, site, device, driver = "me", "waist", "d", "x"

    def __init__(self) -> None:
        self.signals = 0

    def haptic(self, on_ms: int) -> None:  # noqa: ARG002  # the socket's name
        self.signals += 1


INFINITE = b'{"event":"nudge","t_ns":Infinity}'


def nudge(t_ns: int, name: str = "nudge") -> bytes:
    return json.dumps({"kind": "event", "event": name, "t_ns": t_ns}).encode()


def test_only_a_fresh_nudge_of_its_wearer_is_passed_on_and_only_once() -> None:
    able, now = Able(), time.time_ns()
    haptics = Haptics([able])  # type: ignore[list-item]
    assert haptics.wearers == ["me"]
    assert not haptics.take("me", nudge(now - 11 * 10**9))
    assert not haptics.take("me", nudge(now, "break_due"))
    assert haptics.take("me", nudge(now))
    assert not haptics.take("me", nudge(now))
    haptics.take("you", nudge(now))
    for rubbish in (
        b"",
        b"{",
        b"[]",
        b'{"event":"nudge"}',
        b'{"event":"nudge","t_ns":"x"}',
        b"\xff",
        INFINITE,
        b"[" * 10**6,
    ):
        assert not haptics.take("me", rubbish)
    assert able.signals == 1


async def test_a_nudge_travels_from_the_broker_to_the_wearable(mosquitto: str, tmp_path: Path) -> None:
    settings = Settings.model_validate({"data_dir": tmp_path, "broker": {"url": mosquitto}})
    async with Air() as air:
        worn = await air.wear(wearable("sagittal"), start=True)
        air.tasks.pop().cancel()
        bridge = Bridge(settings, [worn.source])
        running = asyncio.create_task(bridge.run(drain_s=0))
        await until(lambda: worn.source.connections > 0)
        client = make_client("", settings)
        await asyncio.to_thread(connect, client, settings)
        client.loop_start()
        event = Event(t_ns=time.time_ns(), event="nudge", version="1")
        client.publish(wearer_topic("w0", "event"), nudge(event.t_ns), qos=1).wait_for_publish(5)
        await until(lambda: bool(getattr(worn.peripheral.virtual, "signals_ms", [])))
        stop(client)
        bridge.stop()
        await running


def stop(client: paho.Client) -> None:
    client.disconnect()
    client.loop_stop()


@pytest.mark.parametrize("module", ["sensor_bridge.bridge", "sensor_bridge.bluetooth", "sensor_bridge.wearables"])
def test_a_bridge_needs_no_numerics(module: str) -> None:
    blocked = "import sys; sys.modules.update(dict.fromkeys(('numpy', 'scipy', 'vqf', 'bumble')))"
    code = f"{blocked}; import {module}"
    subprocess.run([sys.executable, "-c", code], check=True, cwd=Path(__file__).parents[2])
