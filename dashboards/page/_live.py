"""Where live messages come from and wishes go to: MQTT, or whatever a test plugs in."""

from __future__ import annotations

import logging
import ssl
import threading
from collections.abc import Callable
from typing import Any, Protocol
from urllib.parse import urlsplit

from paho.mqtt import client as mqtt
from paho.mqtt.enums import CallbackAPIVersion
from paho.mqtt.properties import Properties
from paho.mqtt.reasoncodes import ReasonCode

from sagittal.errors import BrokerError
from sagittal.settings import Settings, secret
from sagittal.topics import ROOT

_log = logging.getLogger(__name__)

OnMessage = Callable[[str, bytes], None]
OnLink = Callable[[bool, str], None]

_TOPICS = tuple(
    f"{ROOT}/{rest}" for rest in ("+/posture", "+/angles", "+/event", "+/walk", "+/day", "+/+/device", "+/+/status")
)
_PUBLISH_TIMEOUT_S = 5.0


class LiveSource(Protocol):
    """A source of live messages that also takes wishes; its callbacks may come from any thread.

    `tells_parts`: it tells the status of bridges and workers too, so that one who is not heard of is not there.
    """

    tells_parts: bool

    def start(self, on_message: OnMessage, on_link: OnLink) -> None:
        """Begin; returns at once, whether or not the broker is there."""
        ...

    def publish(self, topic: str, payload: bytes) -> None:
        """Send one message at QoS 1.

        Raises
        ------
        BrokerError
            Where the broker did not take it.
        """
        ...

    def stop(self) -> None:
        """End; may be called twice."""
        ...


class MqttLive:
    """Live messages from the broker of the settings; reconnects by itself for ever."""

    tells_parts = True

    def __init__(self, settings: Settings) -> None:
        self._settings = settings
        self._client: mqtt.Client | None = None
        self._lock = threading.Lock()

    def start(self, on_message: OnMessage, on_link: OnLink) -> None:
        """Begin listening; returns at once, whether or not the broker is there."""
        url = urlsplit(self._settings.broker_url)
        client = mqtt.Client(CallbackAPIVersion.VERSION2, client_id="", clean_session=True)
        client.reconnect_delay_set(1, 10)
        _authenticate(client, self._settings)
        if url.scheme == "mqtts":
            client.tls_set(ca_certs=_text(self._settings.broker.ca_file), cert_reqs=ssl.CERT_REQUIRED)

        def connected(
            client: mqtt.Client, _data: Any, _flags: mqtt.ConnectFlags, code: ReasonCode, _props: Properties | None
        ) -> None:
            if code.is_failure:
                on_link(False, str(code))
                return
            client.subscribe([(topic, 0) for topic in _TOPICS])
            on_link(True, "")

        def lost(
            _client: mqtt.Client, _data: Any, _flags: mqtt.DisconnectFlags, code: ReasonCode, _props: Properties | None
        ) -> None:
            on_link(False, str(code))

        def arrived(_client: mqtt.Client, _data: Any, message: mqtt.MQTTMessage) -> None:
            on_message(message.topic, bytes(message.payload))

        client.on_connect = connected
        client.on_disconnect = lost
        client.on_message = arrived
        client.connect_async(
            url.hostname or "127.0.0.1",
            url.port or (8883 if url.scheme == "mqtts" else 1883),
            keepalive=self._settings.broker.keepalive_s,
        )
        client.loop_start()
        self._client = client

    def publish(self, topic: str, payload: bytes) -> None:
        """Send one message at QoS 1 and wait for the broker's word.

        Raises
        ------
        BrokerError
            Where the broker is away or does not answer within 5 s.
        """
        with self._lock:
            if self._client is None or not self._client.is_connected():
                raise BrokerError(f"the broker at {self._settings.broker_url} can't be reached: nothing was sent")
            info = self._client.publish(topic, payload, qos=1)
        info.wait_for_publish(_PUBLISH_TIMEOUT_S)
        if not info.is_published():
            raise BrokerError(f"the broker at {self._settings.broker_url} did not answer: try again")

    def stop(self) -> None:
        """End; may be called twice."""
        with self._lock:
            client, self._client = self._client, None
        if client is not None:
            client.disconnect()
            client.loop_stop()


def _authenticate(client: mqtt.Client, settings: Settings) -> None:
    broker = settings.broker
    password = secret(broker.password, broker.password_file, "the broker's password")
    if broker.username is not None:
        client.username_pw_set(broker.username, password)


def _text(path: object) -> str | None:
    return None if path is None else str(path)
