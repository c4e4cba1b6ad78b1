"""Two wearers on a shared broker can't see each other: the lines of docs/api.md held to a real Mosquitto."""

from __future__ import annotations

import re
import subprocess
import time
from collections.abc import Iterator
from pathlib import Path

import pytest
from paho.mqtt import client as mqtt
from paho.mqtt.enums import CallbackAPIVersion

from sagittal.schema import to_json
from sagittal.topics import command_topic, wearer_topic
from tests.conftest import free_port, stop, wait_for_port
from tests.page.fakes import NOW_NS, posture

pytestmark = pytest.mark.mosquitto
ACCOUNTS = ("sagittal-service", "w1", "w2")
DOCS = Path(__file__).parents[2] / "docs" / "api.md"


@pytest.fixture
def shared(mosquitto_binary: str, tmp_path: Path) -> Iterator[int]:
    found = re.search(r"```\n# Mosquitto: acl_file\n(.*?)```", DOCS.read_text(), re.DOTALL)
    assert found is not None, "docs/api.md lost its lines for Mosquitto"
    (tmp_path / "acl").write_text(found.group(1))
    passwords = tmp_path / "passwords"
    passwords.write_text("".join(f"{name}:secret-{name}\n" for name in ACCOUNTS))
    hashing = Path(mosquitto_binary).with_name("mosquitto_passwd")
    passwd = str(hashing) if hashing.is_file() else "mosquitto_passwd"
    try:
        subprocess.run([passwd, "-U", str(passwords)], check=True, capture_output=True)
    except FileNotFoundError:
        pytest.skip("mosquitto_passwd is not here")
    passwords.chmod(0o700)
    (tmp_path / "acl").chmod(0o700)
    port = free_port()
    config = tmp_path / "mosquitto.conf"
    config.write_text(
        f"listener {port} 127.0.0.1\nallow_anonymous false\npassword_file {passwords}\nacl_file {tmp_path / 'acl'}\n"
        "user root\n"
    )
    quiet = subprocess.DEVNULL
    process = subprocess.Popen([mosquitto_binary, "-c", str(config)], stdout=quiet, stderr=quiet)
    wait_for_port(port, process)
    yield port
    stop(process)


class Account:
    """A client that keeps what it hears, and how often it was refused."""

    def __init__(self, port: int, name: str, password: str | None = None) -> None:
        self.heard: list[str] = []
        self.refused = 0
        self.asked = self.answers = 0
        self.client = mqtt.Client(CallbackAPIVersion.VERSION2, protocol=mqtt.MQTTv5)
        self.client.username_pw_set(name, password or f"secret-{name}")
        self.client.on_message = lambda _c, _d, message: self.heard.append(message.topic)
        self.client.on_subscribe = lambda _c, _d, _m, codes, _p: self._count(codes)
        self.client.on_publish = lambda _c, _d, _m, code, _p: self._count([code])
        self.client.on_connect = lambda _c, _d, _f, code, _p: self._count([code])
        self.client.connect("127.0.0.1", port)
        self.client.loop_start()
        self.wait()

    def _count(self, codes: list[object]) -> None:
        self.refused += sum(bool(getattr(code, "is_failure", False)) for code in codes)
        self.answers += 1

    def wait(self) -> None:
        self.asked += 1
        deadline = time.monotonic() + 10
        while self.answers < self.asked:
            assert time.monotonic() < deadline, "the broker does not answer"
            time.sleep(0.02)

    def subscribe(self, topic: str) -> None:
        self.client.subscribe(topic, 1)
        self.wait()

    def publish(self, topic: str, payload: bytes = b"{}", *, retain: bool = False) -> None:
        self.client.publish(topic, payload, qos=1, retain=retain)
        self.wait()

    def close(self) -> None:
        self.client.disconnect()
        self.client.loop_stop()


def test_two_wearers_cannot_see_each_other_by_mqtt(shared: int) -> None:
    service, one, two = (Account(shared, name) for name in ACCOUNTS)
    service.subscribe("sagittal/v1/#")
    for topic in ("sagittal/v1/#", "sagittal/v1/+/posture", "sagittal/v1/w2/#", "#", "sagittal/v1/w1/#"):
        one.subscribe(topic)
    for wearer in ("w1", "w2"):
        service.publish(wearer_topic(wearer, "posture"), to_json(posture(NOW_NS)), retain=True)
    one.publish(command_topic("w1", "snooze"))
    one.publish(command_topic("w2", "snooze"))
    one.publish(wearer_topic("w1", "posture"))
    two.publish(wearer_topic("w1", "posture"))
    deadline = time.monotonic() + 10
    while command_topic("w1", "snooze") not in service.heard:
        assert time.monotonic() < deadline
        time.sleep(0.02)
    assert {topic.split("/")[2] for topic in one.heard} == {"w1"}
    assert command_topic("w2", "snooze") not in service.heard
    assert service.heard.count(wearer_topic("w1", "posture")) == 1
    print(f"\nrefused by the broker: {one.refused} of w1's attempts, {two.refused} of w2's")
    assert one.refused >= 2
    assert two.refused == 1
    stranger = Account(shared, "w1", "guessed")
    assert stranger.refused == 1
    for account in (service, one, two, stranger):
        account.close()
