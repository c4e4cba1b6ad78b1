"""One way to reach a broker: URL, credentials, TLS, keepalive, and clear words where it refuses."""

from __future__ import annotations

import queue
import ssl
from urllib.parse import urlsplit

import paho.mqtt.client as paho
from paho.mqtt.enums import CallbackAPIVersion
from paho.mqtt.reasoncodes import ReasonCode

from sagittal.errors import BrokerError
from sagittal.settings import Broker, Settings, secret

_PORTS = {"mqtt": 1883, "mqtts": 8883}
LOOPBACK = ("127.0.0.1", "::1", "localhost")


def make_client(client_id: str, settings: Settings) -> paho.Client:
    """A client for the broker in the settings, not yet connected: MQTT 3.1.1, which every broker speaks.

    Raises
    ------
    BrokerError
        Where the URL is none of `mqtt://host[:port]`, `mqtts://host[:port]`, or the certificate file is unusable.
    """
    host_port(settings)
    client = paho.Client(CallbackAPIVersion.VERSION2, client_id=client_id, protocol=paho.MQTTv311, clean_session=True)
    broker = settings.broker
    url = urlsplit(settings.broker_url)
    username = url.username or broker.username
    password = url.password or secret(broker.password, broker.password_file, "broker password")
    if username:
        client.username_pw_set(username, password)
    if url.scheme == "mqtts":
        client.tls_set_context(_context(broker))
    client.reconnect_delay_set(min_delay=1, max_delay=5)
    client.max_inflight_messages_set(100)
    return client


def host_port(settings: Settings) -> tuple[str, int]:
    """Host and port of the broker in the settings."""
    url = urlsplit(settings.broker_url)
    try:
        port = url.port
    except ValueError:
        port = 0
    if url.scheme not in _PORTS or not url.hostname or port == 0:
        raise BrokerError(f"broker {settings.broker_url!r} can't be used: write mqtt://host:port or mqtts://host:port")
    return url.hostname, port or _PORTS[url.scheme]


def connect(client: paho.Client, settings: Settings) -> None:
    """Connect once, now.

    Raises
    ------
    BrokerError
        Where nothing listens there.
    """
    host, port = host_port(settings)
    try:
        client.connect(host, port, keepalive=settings.broker.keepalive_s)
    except (OSError, ValueError) as error:
        raise BrokerError(f"no broker answers at {host}:{port} ({error}): start it, or set broker.url") from None


def check(settings: Settings, timeout_s: float = 5.0) -> None:
    """Return if the broker takes these credentials.

    Raises
    ------
    BrokerError
        Where nothing listens there, it is no MQTT broker, or it refuses.
    """
    answers: queue.SimpleQueue[str] = queue.SimpleQueue()

    def connected(_client: paho.Client, _data: object, _flags: object, reason: ReasonCode, *_: object) -> None:
        answers.put(str(reason) if reason.is_failure else "")

    client = make_client("", settings)
    client.on_connect = connected
    connect(client, settings)
    client.loop_start()
    try:
        refusal = answers.get(timeout=timeout_s)
    except queue.Empty:
        refusal = "it does not speak MQTT"
    finally:
        client.disconnect()
        client.loop_stop()
    if refusal:
        host, port = host_port(settings)
        raise BrokerError(f"the broker at {host}:{port} refuses ({refusal}): check user, password and broker.url")


def start(client: paho.Client, settings: Settings) -> None:
    """Connect in the background and keep trying; for those who can wait for a broker."""
    host, port = host_port(settings)
    client.connect_async(host, port, keepalive=settings.broker.keepalive_s)
    client.loop_start()


def _context(broker: Broker) -> ssl.SSLContext:
    try:
        return ssl.create_default_context(cafile=str(broker.ca_file) if broker.ca_file else None)
    except (OSError, ssl.SSLError) as error:
        raise BrokerError(f"certificate file {broker.ca_file} can't be used ({error}): check broker.ca_file") from None
