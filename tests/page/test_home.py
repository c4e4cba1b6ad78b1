"""The household's broker, with a real one: what is shown, to whom, and what a press becomes."""

from __future__ import annotations

import json
import queue
from collections.abc import Callable, Iterator

import pytest
from paho.mqtt import client as mqtt
from paho.mqtt.enums import CallbackAPIVersion

from dashboards.doors import HomeLink, erase_home, lint_discovery
from sagittal.errors import BrokerError
from sagittal.messages import Command
from sagittal.results import Event
from sagittal.schema import to_json
from sagittal.settings import Home
from sagittal.topics import site_topic, wearer_topic
from tests.page.fakes import NOW_NS, VERSION, health, posture

pytestmark = pytest.mark.mosquitto
Heard = tuple[str, bytes, bool]


@pytest.fixture
def house(mosquitto: str) -> Iterator[tuple[mqtt.Client, Callable[[str], Heard]]]:
    arrived: queue.Queue[Heard] = queue.Queue()
    client = mqtt.Client(CallbackAPIVersion.VERSION2, protocol=mqtt.MQTTv5)
    client.on_message = lambda _client, _data, m: arrived.put((m.topic, bytes(m.payload), m.retain))
    client.connect("127.0.0.1", int(mosquitto.rpartition(":")[2]))
    client.subscribe([("homeassistant/#", 1), ("sagittal/#", 1)])
    client.loop_start()

    def hear(topic: str) -> Heard:
        while True:
            found = arrived.get(timeout=10)
            if found[0] == topic:
                return found

    yield client, hear
    client.disconnect()
    client.loop_stop()


@pytest.fixture
def link(mosquitto: str) -> Iterator[tuple[HomeLink, queue.Queue[tuple[str, bytes]]]]:
    wishes: queue.Queue[tuple[str, bytes]] = queue.Queue()
    link = HomeLink(Home(url=mosquitto, wearers=["w1"]), lambda topic, payload: wishes.put((topic, payload)))
    yield link, wishes
    link.stop()


def test_a_wearer_is_announced_followed_and_taken_out(
    house: tuple[mqtt.Client, Callable[[str], Heard]],
    link: tuple[HomeLink, queue.Queue[tuple[str, bytes]]],
) -> None:
    client, hear = house
    home, wishes = link
    home.start()
    topic, payload, _retained = hear("homeassistant/device/sagittal_w1/config")
    assert lint_discovery(topic, payload) == []
    assert hear("sagittal/ha/w1/link")[1] == b"offline"
    home.take(site_topic("w1", "lower_back", "device"), health(NOW_NS).to_json())
    assert hear("sagittal/ha/w1/link")[1] == b"online"
    home.take(wearer_topic("w2", "posture"), to_json(posture(NOW_NS)))
    home.take(wearer_topic("w1", "posture"), b"rubbish")
    home.take(wearer_topic("w1", "posture"), to_json(posture(NOW_NS)))
    assert json.loads(hear("sagittal/ha/w1/state")[1])["posture"] == "sitting"
    home.take(wearer_topic("w1", "event"), to_json(Event(t_ns=NOW_NS, event="nudge", text="Up?", version=VERSION)))
    assert json.loads(hear("sagittal/ha/w1/nudge")[1])["event_type"] == "posture"
    client.publish("sagittal/ha/w2/set/snooze", b"PRESS", qos=1)
    client.publish("sagittal/ha/w1/set/snooze", b"PRESS", qos=1)
    wish_topic, wish = wishes.get(timeout=10)
    assert wish_topic == "sagittal/v1/w1/cmd/snooze"
    assert Command.model_validate_json(wish).values == {"minutes": 60}
    client.publish("homeassistant/status", b"online")
    assert hear("homeassistant/device/sagittal_w1/config")[1] == payload
    assert wishes.empty()


def test_the_mode_is_known_from_the_start(house: tuple[mqtt.Client, Callable[[str], Heard]], mosquitto: str) -> None:
    _client, hear = house
    link = HomeLink(Home(url=mosquitto, wearers=["w1"]), lambda *_: None, modes={"w1": "train"})
    link.start()
    assert hear("sagittal/ha/w1/mode")[1] == b"train"
    link.stop()


def test_an_erased_wearer_leaves_nothing_behind_in_the_household(
    house: tuple[mqtt.Client, Callable[[str], Heard]], mosquitto: str
) -> None:
    _client, hear = house
    home = Home(url=mosquitto, wearers=["w1", "w2"])
    link = HomeLink(home, lambda *_: None)
    link.start()
    hear("sagittal/ha/w2/mode")
    link.stop()
    assert erase_home(home, "w1") == 3
    assert hear("homeassistant/device/sagittal_w1/config")[1] == b""
    assert erase_home(home, "w1") == 0
    assert erase_home(home, "w2") == 3, "another wearer's messages had stayed"
    with pytest.raises(BrokerError, match="can't be reached"):
        erase_home(Home(url="mqtt://127.0.0.1:1", wearers=[]), "w1")
