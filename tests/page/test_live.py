"""The live source on a real broker: messages in, wishes out, and the broker going and coming back."""

from __future__ import annotations

import queue
import subprocess
from pathlib import Path

import pytest
from paho.mqtt import client as mqtt
from paho.mqtt.enums import CallbackAPIVersion

from dashboards.page import MqttLive
from sagittal.errors import BrokerError
from sagittal.schema import to_json
from sagittal.settings import Broker, Settings
from sagittal.topics import command_topic, status_topic, wearer_topic
from tests.conftest import free_port, stop, wait_for_port
from tests.page.fakes import NOW_NS, posture

pytestmark = pytest.mark.mosquitto


def start_broker(binary: str, folder: Path, port: int) -> subprocess.Popen[bytes]:
    config = folder / "mosquitto.conf"
    config.write_text(f"listener {port} 127.0.0.1\nallow_anonymous true\n")
    process = subprocess.Popen([binary, "-c", str(config)], stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    wait_for_port(port, process)
    return process


def test_messages_wishes_and_a_broker_that_goes_and_comes_back(mosquitto_binary: str, tmp_path: Path) -> None:
    port = free_port()
    heard: queue.Queue[tuple[str, bytes]] = queue.Queue()
    links: queue.Queue[bool] = queue.Queue()
    settings = Settings(data_dir=tmp_path, broker=Broker(url=f"mqtt://127.0.0.1:{port}", keepalive_s=2))
    live = MqttLive(settings)
    live.start(lambda topic, payload: heard.put((topic, payload)), lambda up, _detail: links.put(up))
    with pytest.raises(BrokerError, match="nothing was sent"):
        live.publish(command_topic("w1", "snooze"), b"{}")
    broker = start_broker(mosquitto_binary, tmp_path, port)
    while not links.get(timeout=20):
        pass
    other = mqtt.Client(CallbackAPIVersion.VERSION2)
    wishes: queue.Queue[tuple[str, bytes]] = queue.Queue()
    other.on_message = lambda _client, _data, m: wishes.put((m.topic, bytes(m.payload)))
    other.connect("127.0.0.1", port)
    other.subscribe("sagittal/v1/+/cmd/+", 1)
    other.loop_start()
    row = to_json(posture(NOW_NS))
    for topic in (wearer_topic("w1", "posture"), status_topic("worker", "worker")):
        other.publish(topic, row, qos=1, retain=True)
        assert heard.get(timeout=10) == (topic, row)
    live.publish(command_topic("w1", "snooze"), b'{"a":1}')
    assert wishes.get(timeout=10) == (command_topic("w1", "snooze"), b'{"a":1}')
    other.disconnect()
    other.loop_stop()
    stop(broker)
    while links.get(timeout=20):
        pass
    broker = start_broker(mosquitto_binary, tmp_path, port)
    while not links.get(timeout=30):
        pass
    live.stop()
    live.stop()
    stop(broker)
