"""`sagittal health` for parts that are not well."""

from __future__ import annotations

import subprocess
import sys
import time

import paho.mqtt.client as paho
import pytest
from paho.mqtt.enums import CallbackAPIVersion

from sagittal.messages import Status
from sagittal.topics import status_topic
from sagittal.units import NS_PER_S


def health(part: str, url: str) -> tuple[int, str]:
    done = subprocess.run(
        [sys.executable, "-m", "sagittal.cli", "health", part, "--broker", url], capture_output=True, text=True
    )
    return done.returncode, done.stdout


def tell(url: str, part: str, name: str, payload: bytes) -> None:
    client = paho.Client(CallbackAPIVersion.VERSION2)
    client.connect("127.0.0.1", int(url.rsplit(":", 1)[1]))
    client.loop_start()
    client.publish(status_topic(part, name), payload, qos=1, retain=True).wait_for_publish(5)
    client.disconnect()
    client.loop_stop()


@pytest.mark.mosquitto
def test_silent_stale_offline_and_well(mosquitto: str) -> None:
    assert health("worker", mosquitto)[1].startswith("worker: has said nothing on the broker")
    old = Status(state="online", t_ns=time.time_ns() - 300 * NS_PER_S)
    tell(mosquitto, "worker", "worker", old.to_json())
    code, said = health("worker", mosquitto)
    assert code == 1
    assert "has said nothing for 3" in said
    tell(mosquitto, "bridge", "bridge", Status(state="offline", t_ns=time.time_ns()).to_json())
    assert health("bridge", mosquitto) == (1, "bridge: is offline\n")
    tell(mosquitto, "bridge", "bridge", Status(state="online", t_ns=time.time_ns()).to_json())
    assert health("bridge", mosquitto) == (0, "bridge: alive\n")


def test_a_broker_that_is_away() -> None:
    code, said = health("worker", "mqtt://127.0.0.1:9")
    assert code == 1
    assert "no broker answers" in said
