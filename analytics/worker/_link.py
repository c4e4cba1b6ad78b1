"""The worker's side of the broker: what it listens to, and what it says."""

from __future__ import annotations

import logging
import queue
import threading
import time
from collections import deque
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import paho.mqtt.client as paho
from paho.mqtt.enums import MQTTErrorCode
from paho.mqtt.reasoncodes import ReasonCode

from sagittal import __version__
from sagittal.codec import MAX_BLOCK_BYTES
from sagittal.errors import BrokerError
from sagittal.messages import DeviceHealth, Status, Watermark
from sagittal.mqtt import host_port, make_client, start
from sagittal.names import Site
from sagittal.protocols import Row
from sagittal.results import Angles
from sagittal.schema import to_json
from sagittal.settings import Settings
from sagittal.topics import ALL_COMMANDS, ALL_DEVICES, ALL_IMU, ROOT, site_topic, status_topic, wearer_topic

_log = logging.getLogger(__name__)

ALL_BRIDGES = f"{ROOT}/$bridge/+/status"
MAX_WAITING_BYTES = 32_000_000
"""What may wait between network and pipeline; more stays with the bridge, which sends it again."""
MAX_IN_FLIGHT = 200
READER = "mqtt"


@dataclass(frozen=True, slots=True)
class Message:
    """One message as it arrived; an empty topic says that the subscriptions have just been granted."""

    topic: str
    payload: bytes


class Link:
    """A connection that subscribes anew whenever it comes back; messages wait in `inbox`."""

    def __init__(self, settings: Settings, worker: str) -> None:
        self._settings = settings
        self._status = status_topic("worker", settings.worker.name)
        self._lock = threading.Lock()
        self._waiting_bytes = 0
        self._refusal: str | None = None
        self._subscription = 0
        self.inbox: queue.SimpleQueue[Message] = queue.SimpleQueue()
        self.overflowed = 0
        self.client = make_client(f"sagittal-worker-{settings.worker.name}-{worker}", settings)
        self.client.max_queued_messages_set(2 * MAX_IN_FLIGHT)
        self.client.will_set(self._status, _status("offline", {}), qos=1, retain=True)
        self.client.on_connect = self._on_connect
        self.client.on_subscribe = self._on_subscribe
        self.client.on_disconnect = self._on_disconnect
        self.client.on_message = self._on_message
        self.client.on_publish = self._on_publish
        self._acknowledged: Callable[[int], None] = lambda _mid: None

    @property
    def connected(self) -> bool:
        """Whether the broker is there now."""
        return self.client.is_connected()

    def start(self, patience_s: float, stop: threading.Event) -> None:
        """Connect, and stay connected from then on.

        Raises
        ------
        BrokerError
            Where the first connection does not come about within the time, or the broker refuses.
        """
        start(self.client, self._settings)
        deadline = time.monotonic() + patience_s
        while not self.connected and not stop.is_set():
            if self._refusal is not None or time.monotonic() > deadline:
                self.client.loop_stop()
                host, port = host_port(self._settings)
                why = "no answer" if self._refusal is None else self._refusal
                raise BrokerError(f"the broker at {host}:{port} can't be used ({why}): start it, or mend broker.*")
            stop.wait(0.05)

    def get(self, timeout_s: float) -> Message | None:
        """The next message; None where none came in time."""
        try:
            message = self.inbox.get(timeout=max(0.0, timeout_s))
        except queue.Empty:
            return None
        with self._lock:
            self._waiting_bytes -= len(message.payload)
        return message

    def tell_mark(self, wearer: str, site: Site, mark: Watermark) -> None:
        """Publish a watermark, retained."""
        self._publish(site_topic(wearer, site, "stored"), mark.to_json(), retain=True)

    def tell_health(self, wearer: str, health: DeviceHealth) -> None:
        """Publish a wearable's health in place of its bridge, retained."""
        self._publish(site_topic(wearer, health.site, "device"), health.to_json(), retain=True)

    def tell_live(self, rows: Sequence[tuple[str, Angles]]) -> None:
        """Publish what only goes live, at most once."""
        if self.connected:
            for wearer, angles in rows:
                self.client.publish(wearer_topic(wearer, "angles"), to_json(angles), qos=0)

    def tell_status(self, state: str, detail: dict[str, Any]) -> None:
        """Publish the worker's own status, retained."""
        self._publish(self._status, _status(state, detail), retain=True)

    def stop(self, detail: dict[str, Any]) -> None:
        """Say goodbye and disconnect."""
        if self.connected:
            last = self.client.publish(self._status, _status("offline", detail), qos=1, retain=True)
            try:
                last.wait_for_publish(2)
            except (RuntimeError, ValueError) as error:
                _log.debug("no goodbye: %s", error)
        self.client.disconnect()
        self.client.loop_stop()

    def _publish(self, topic: str, data: bytes, *, retain: bool = False) -> paho.MQTTMessageInfo | None:
        if not self.connected:
            return None
        info = self.client.publish(topic, data, qos=1, retain=retain)
        return info if info.rc == MQTTErrorCode.MQTT_ERR_SUCCESS else None

    def _on_connect(self, client: paho.Client, _data: object, _flags: object, reason: ReasonCode, _p: object) -> None:
        if reason.is_failure:
            self._refusal = str(reason)
            return
        self._refusal = None
        _rc, mid = client.subscribe([(topic, 1) for topic in (ALL_DEVICES, ALL_BRIDGES, ALL_COMMANDS, ALL_IMU)])
        self._subscription = mid or 0

    def _on_subscribe(self, _client: paho.Client, _data: object, mid: int, *_: object) -> None:
        if mid == self._subscription:
            self.inbox.put(Message("", b""))

    def _on_disconnect(self, *_: object) -> None:
        self._acknowledged(-1)

    def _on_publish(self, _client: paho.Client, _data: object, mid: int, *_: object) -> None:
        self._acknowledged(mid)

    def _on_message(self, _client: paho.Client, _data: object, message: paho.MQTTMessage) -> None:
        size = len(message.payload)
        with self._lock:
            if size > MAX_BLOCK_BYTES or self._waiting_bytes + size > MAX_WAITING_BYTES:
                self.overflowed += 1
                return
            self._waiting_bytes += size
        self.inbox.put(Message(message.topic, bytes(message.payload)))


class Outgoing:
    """Rows of the outbox on their way to the broker: at least once, in order, a bounded number at a time."""

    def __init__(self, link: Link, position: int) -> None:
        self.position = position
        self._link = link
        self._lock = threading.Lock()
        self._flight: deque[tuple[int, int]] = deque()
        self._done: set[int] = set()
        self._sent = position
        self._early: set[int] = set()
        link._acknowledged = self._acknowledged  # noqa: SLF001  # two halves of one module

    def send(self, read: Callable[[int, int], list[Row]]) -> int:
        """Publish what comes next as far as there is room; the number of rows sent."""
        with self._lock:
            room, after = MAX_IN_FLIGHT - len(self._flight), self._sent
        if room <= 0 or not self._link.connected:
            return 0
        rows = read(after, room)
        for row in rows:
            kind = row.result.kind
            topic, retain = wearer_topic(row.wearer, kind), kind == "posture"
            info = self._link._publish(topic, to_json(row.result), retain=retain)  # noqa: SLF001  # likewise
            if info is None:
                break
            with self._lock:
                self._flight.append((info.mid, row.id))
                self._sent = row.id
                if info.mid in self._early:
                    self._early.discard(info.mid)
                    self._done.add(info.mid)
                self._advance()
        return len(rows)

    def _acknowledged(self, mid: int) -> None:
        with self._lock:
            if mid < 0:
                self._flight.clear()
                self._done.clear()
                self._early.clear()
                self._sent = self.position
            elif any(mid == one for one, _ in self._flight):
                self._done.add(mid)
                self._advance()
            else:
                self._early.add(mid)
                if len(self._early) > 2 * MAX_IN_FLIGHT:
                    self._early.clear()

    def _advance(self) -> None:
        while self._flight and self._flight[0][0] in self._done:
            mid, row_id = self._flight.popleft()
            self._done.discard(mid)
            self.position = row_id


def _status(state: str, detail: dict[str, Any]) -> bytes:
    return Status(
        state="online" if state == "online" else "offline", t_ns=time.time_ns(), version=__version__, detail=detail
    ).to_json()
