"""The way between Sagittal's broker and the household's: state out, presses in, nothing of wearers not named."""

from __future__ import annotations

import secrets
import ssl
import threading
import time
from collections.abc import Callable, Mapping
from typing import Any
from urllib.parse import urlsplit

from paho.mqtt import client as mqtt
from paho.mqtt.enums import CallbackAPIVersion
from pydantic import ValidationError

from dashboards.doors.homeassistant import (
    PREFIX,
    STATUS_TOPIC,
    discovery,
    home_state,
    link_state,
    nudge_event,
    wish_of,
    withdrawal,
)
from sagittal.errors import BrokerError, SagittalError
from sagittal.messages import Command, DeviceHealth
from sagittal.results import Day, Event, Posture, is_correction
from sagittal.schema import from_json
from sagittal.settings import Home, secret
from sagittal.topics import command_topic, parse

_STATE_EVERY_S = 2.0
_ANSWER_S = 5.0
_RETAINED_S = 0.7


class HomeLink:
    """Publishes the named wearers to Home Assistant and hands presses on as wishes.

    `publish` sends a message to Sagittal's own broker; `modes` are the wearers' modes at the start. Fast state is not
    retained, so that a restart of Home Assistant never shows an old tilt as fresh; availability and discovery are.
    """

    def __init__(
        self,
        home: Home,
        publish: Callable[[str, bytes], None],
        monotonic: Callable[[], float] = time.monotonic,
        modes: Mapping[str, str] | None = None,
    ) -> None:
        self._home = home
        self._publish = publish
        self._monotonic = monotonic
        self._lock = threading.Lock()
        self._postures: dict[str, Posture] = {}
        self._days: dict[str, Day] = {}
        self._health: dict[str, DeviceHealth] = {}
        self._modes: dict[str, str] = dict(modes or {})
        self._sent: dict[str, float] = {}
        self._client = mqtt.Client(CallbackAPIVersion.VERSION2, protocol=mqtt.MQTTv5)
        self._client.will_set(f"{PREFIX}/state", b"offline", qos=1, retain=True)
        self._client.on_connect = self._connected
        self._client.on_message = self._pressed
        self._client.reconnect_delay_set(1, 30)

    def start(self) -> None:
        """Connect; returns at once and goes on trying.

        Raises
        ------
        BrokerError
            Where no household broker is set.
        """
        self._client.connect_async(*_prepared(self._client, self._home), keepalive=10)
        self._client.loop_start()

    def stop(self) -> None:
        """Say goodbye and end; may be called twice."""
        if self._client.is_connected():
            self._client.publish(f"{PREFIX}/state", b"offline", qos=1, retain=True).wait_for_publish(2)
        self._client.disconnect()
        self._client.loop_stop()

    def take(self, topic: str, payload: bytes) -> None:
        """Take one message of Sagittal's own broker; what can't be read or is of nobody named is left."""
        place = parse(topic)
        if place is None or place.wearer not in self._home.wearers or not payload:
            return
        try:
            if place.kind == "device":
                self._take_health(place.wearer, DeviceHealth.model_validate_json(payload))
            elif place.kind in ("posture", "day", "event"):
                self._take_result(place.wearer, from_json(payload))
        except (SagittalError, ValidationError):
            return

    def _take_health(self, wearer: str, health: DeviceHealth) -> None:
        with self._lock:
            self._health[wearer] = health
        topic, payload = link_state(wearer, health)
        self._client.publish(topic, payload, qos=1, retain=True)

    def _take_result(self, wearer: str, result: object) -> None:
        match result:
            case Posture() if is_correction(result, self._postures.get(wearer)):
                pass
            case Posture():
                self._postures[wearer] = result
                self._send_state(wearer)
            case Day():
                self._days[wearer] = result
            case Event(event="mode", tags=[mode, *_]):
                self._modes[wearer] = mode
                self._client.publish(f"{PREFIX}/{wearer}/mode", mode.encode(), qos=1, retain=True)
            case Event():
                nudge = nudge_event(wearer, result)
                if nudge is not None:
                    self._client.publish(*nudge, qos=1)

    def _send_state(self, wearer: str) -> None:
        now = self._monotonic()
        if now - self._sent.get(wearer, -1e9) < _STATE_EVERY_S:
            return
        self._sent[wearer] = now
        with self._lock:
            health = self._health.get(wearer)
        topic, payload = home_state(wearer, self._postures.get(wearer), self._days.get(wearer), health)
        self._client.publish(topic, payload, qos=0)

    def _announce(self) -> None:
        self._client.publish(f"{PREFIX}/state", b"online", qos=1, retain=True)
        for wearer in self._home.wearers:
            topic, payload = discovery(wearer)
            self._client.publish(topic, payload, qos=1, retain=True)
            with self._lock:
                link = link_state(wearer, self._health.get(wearer))
            self._client.publish(*link, qos=1, retain=True)
            mode = self._modes.get(wearer, "track")
            self._client.publish(f"{PREFIX}/{wearer}/mode", mode.encode(), qos=1, retain=True)
        self._sent.clear()

    def _connected(self, client: mqtt.Client, _data: Any, _flags: Any, code: Any, _props: Any) -> None:
        if code.is_failure:
            return
        client.subscribe([(STATUS_TOPIC, 0), (f"{PREFIX}/+/set/+", 1)])
        self._announce()

    def _pressed(self, _client: mqtt.Client, _data: Any, message: mqtt.MQTTMessage) -> None:
        if message.topic == STATUS_TOPIC:
            if bytes(message.payload) == b"online":
                self._announce()
            return
        wish = None if message.retain else wish_of(message.topic, bytes(message.payload))
        if wish is None or wish[0] not in self._home.wearers:
            return
        wearer, verb, values = wish
        fields = {"id": secrets.token_hex(8), "t_ns": time.time_ns(), "wearer": wearer, "verb": verb, "values": values}
        try:
            self._publish(command_topic(wearer, verb), Command.model_validate(fields).to_json())
        except BrokerError:
            return


def erase_home(home: Home, wearer: str) -> int:
    """Take a wearer out of Home Assistant; how many retained messages were deleted. Its recorder is out of reach.

    Raises
    ------
    BrokerError
        Where the household's broker can't be reached, or still holds one of them.
    """
    topics = [topic for topic, _payload in withdrawal(wearer)]
    client = mqtt.Client(CallbackAPIVersion.VERSION2, protocol=mqtt.MQTTv5)
    ready, found = threading.Event(), set[str]()
    client.on_connect = lambda c, *_: c.subscribe([(topic, 1) for topic in topics])
    client.on_subscribe = lambda *_: ready.set()
    client.on_message = lambda _c, _d, message: found.add(message.topic) if message.payload else None
    try:
        client.connect(*_prepared(client, home), keepalive=10)
    except OSError as error:
        raise BrokerError(f"the household's broker {home.url} can't be reached ({error}): try again later") from None
    client.loop_start()
    try:
        if not ready.wait(_ANSWER_S):
            raise BrokerError(f"the household's broker {home.url} does not answer, or refuses: check [home]")
        time.sleep(_RETAINED_S)
        held = set(found)
        found.clear()
        for topic in topics:
            client.publish(topic, b"", qos=1, retain=True).wait_for_publish(_ANSWER_S)
        client.unsubscribe(topics)
        client.subscribe([(topic, 1) for topic in topics])
        time.sleep(_RETAINED_S)
        if found:
            raise BrokerError(f"{min(found)} comes back on {home.url}: stop `sagittal home` first")
        return len(held)
    finally:
        client.disconnect()
        client.loop_stop()


def _prepared(client: mqtt.Client, home: Home) -> tuple[str, int]:
    """Give a client its credentials and TLS; host and port."""
    if not home.url:
        raise BrokerError("no household broker is set: name it as [home] url, such as mqtt://homeassistant.local")
    url = urlsplit(home.url)
    if home.username is not None:
        client.username_pw_set(home.username, secret(None, home.password_file, "the household broker's password"))
    if url.scheme == "mqtts":
        ca = None if home.ca_file is None else str(home.ca_file)
        client.tls_set(ca_certs=ca, cert_reqs=ssl.CERT_REQUIRED)
    return url.hostname or "127.0.0.1", url.port or (8883 if url.scheme == "mqtts" else 1883)
