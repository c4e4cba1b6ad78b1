"""From the spool to the broker: live blocks first, the backlog beside them, and again whatever the mark lacks."""

from __future__ import annotations

import logging
import threading
import time
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass

import paho.mqtt.client as paho
from paho.mqtt.reasoncodes import ReasonCode
from pydantic import ValidationError

from sagittal import __version__
from sagittal.errors import StoreError
from sagittal.messages import DeviceHealth, Status, Watermark
from sagittal.mqtt import host_port, make_client, start
from sagittal.names import Site
from sagittal.settings import Settings
from sagittal.topics import ALL_STORED, parse, site_topic, status_topic, wearer_topic
from sensor_bridge._spool import Spool, Spooled

_log = logging.getLogger(__name__)

MAX_IN_FLIGHT = 100
BATCH = 50
STALL_S = 10.0
MAX_STALL_S = 300.0
CHECK_S = 0.5
"""How often streams are looked at whose mark may stand still; what is new is sent at once."""
MANY = 100
"""A bridge of more streams hears all marks with one subscription, for one each is dear to a broker, and looks for news
only 20 times a second, for every change of threads is dear."""
PAUSE_S = 0.05
RETRY_S = 1.0
"""So long nothing is sent after the spool could not be read or written."""
MARK_S = 3.0
"""After a connection the backlog waits this long for the retained mark, which may cover the first of it."""


@dataclass(slots=True)
class _Stream:
    wearer: str
    site: Site
    live: int = 0
    back: int = 0
    back_end: int = 0
    worker: str = ""
    moved: float = 0.0
    stall_s: float = STALL_S
    held_until: float = 0.0

    def topic(self, kind: str) -> str:
        """One of its topics."""
        return site_topic(self.wearer, self.site, kind)


class Publisher:
    """Sends what the spool holds and forgets what the watermark covers; keeps trying while the broker is away."""

    def __init__(self, settings: Settings, spool: Spool, name: str) -> None:
        self._spool = spool
        self._streams: dict[tuple[str, Site], _Stream] = {}
        self._fresh: dict[tuple[str, Site], _Stream] = {}
        self._wake = threading.Condition()
        self._in_flight: set[int] = set()
        self._acknowledged_early: set[int] = set()
        self._marked = False
        self._why_absent = ""
        self._stopping = False
        self._rate = settings.spool.replay_blocks_per_s
        self._status = status_topic("bridge", name)
        self._settings = settings
        self._health: dict[str, bytes] = {}
        self._heard: list[str] = []
        self._take_event: Callable[[str, bytes], object] | None = None
        self.client = make_client(f"sagittal-bridge-{name}", settings)
        self.client.will_set(self._status, self._state("offline"), qos=1, retain=True)
        self.client.on_connect = self._on_connect
        self.client.on_connect_fail = lambda *_: self._absent("nothing answers there, and all waits in the spool")
        self.client.on_disconnect = self._on_disconnect
        self.client.on_publish = self._on_publish
        self.client.on_message = self._on_message
        self._thread = threading.Thread(target=self._run, name="publisher", daemon=True)

    @property
    def marked(self) -> bool:
        """Whether any worker has said that it stored a block of ours."""
        return self._marked

    @property
    def connected(self) -> bool:
        """Whether the broker is there now."""
        return self.client.is_connected()

    def start(self) -> None:
        """Begin to send what waits and what comes."""
        for wearer, site in self._spool.streams():
            self.watch(wearer, site)
        start(self.client, self._settings)
        self._thread.start()

    def watch(self, wearer: str, site: Site) -> None:
        """Serve a stream: what waits in the spool is its backlog, what comes from now on is live."""
        with self._wake:
            if (wearer, site) in self._streams:
                return
            newest = self._spool.newest(wearer, site)
            stream = _Stream(wearer, site, live=newest, back_end=newest, moved=time.monotonic())
            self._streams[wearer, site] = stream
            many = len(self._streams) - MANY
        if self.connected and many <= 1:
            self.client.subscribe(stream.topic("stored") if many < 1 else ALL_STORED, qos=1)

    def hear(self, wearers: Sequence[str], take: Callable[[str, bytes], object]) -> None:
        """Pass every event of these wearers to `take`, which is called by the client's thread."""
        self._take_event = take
        self._heard = [wearer_topic(wearer, "event") for wearer in wearers]

    def kick(self, wearer: str, site: Site) -> None:
        """A block of a watched stream has come."""
        with self._wake:
            self._fresh[wearer, site] = self._streams[wearer, site]
            self._wake.notify_all()

    def health(self, wearer: str, health: DeviceHealth) -> None:
        """Publish a wearable's health, retained; kept for the next connection while the broker is away."""
        topic, data = site_topic(wearer, health.site, "device"), health.to_json()
        self._health[topic] = data
        if self.connected:
            self.client.publish(topic, data, qos=1, retain=True)

    def drained(self) -> bool:
        """Whether the watermarks cover everything that was spooled."""
        return self._spool.empty

    def stop(self) -> None:
        """Say goodbye and disconnect; the spool stays."""
        with self._wake:
            self._stopping = True
            self._wake.notify_all()
        self._thread.join(5)
        if self.connected:
            self.client.publish(self._status, self._state("offline"), qos=1, retain=True).wait_for_publish(2)
        self.client.disconnect()
        self.client.loop_stop()

    @staticmethod
    def _state(state: str) -> bytes:
        return Status(
            state="online" if state == "online" else "offline", t_ns=time.time_ns(), version=__version__
        ).to_json()

    def _on_connect(self, client: paho.Client, _data: object, _flags: object, reason: ReasonCode, _p: object) -> None:
        if reason.is_failure:
            self._absent(f"it refuses ({reason}): check name, password and rights")
            return
        self._why_absent = ""
        client.publish(self._status, self._state("online"), qos=1, retain=True)
        with self._wake:
            self._forget_in_flight()
            for stream in self._streams.values():
                stream.live = max(stream.live, self._spool.newest(stream.wearer, stream.site))
                stream.held_until = time.monotonic() + MARK_S
                self._again(stream)
            marks = [stream.topic("stored") for stream in self._streams.values()]
            self._wake.notify_all()
        for topic in [*(marks if len(marks) <= MANY else [ALL_STORED]), *self._heard]:
            client.subscribe(topic, qos=1)
        for topic, data in list(self._health.items()):
            client.publish(topic, data, qos=1, retain=True)

    def _absent(self, why: str) -> None:
        if why != self._why_absent:
            self._why_absent = why
            _log.warning("broker %s:%d: %s; trying again", *host_port(self._settings), why)

    def _on_disconnect(self, *_: object) -> None:
        with self._wake:
            self._forget_in_flight()

    def _forget_in_flight(self) -> None:
        self._in_flight.clear()
        self._acknowledged_early.clear()

    def _on_publish(self, _client: paho.Client, _data: object, mid: int, *_: object) -> None:
        with self._wake:
            if mid not in self._in_flight:
                self._acknowledged_early.add(mid)
                return
            self._in_flight.remove(mid)
            if len(self._in_flight) == MAX_IN_FLIGHT // 2:
                self._wake.notify_all()

    def _on_message(self, _client: paho.Client, _data: object, message: paho.MQTTMessage) -> None:
        topic = parse(message.topic)
        if topic is not None and topic.kind == "event" and self._take_event is not None:
            self._take_event(topic.wearer, bytes(message.payload))
            return
        try:
            mark = Watermark.model_validate_json(message.payload)
            _ = mark.cursor, mark.run  # a boot_id that is no hexadecimal raises here
        except (ValidationError, ValueError):
            return
        if topic is None or topic.site is None:
            return
        with self._wake:
            stream = self._streams.get((topic.wearer, Site(topic.site)))
        if stream is None:
            return
        try:
            covered = self._spool.cover(stream.wearer, stream.site, mark)
        except StoreError as error:
            _log.warning("a mark is left for later: %s", error)
            return
        with self._wake:
            stream.held_until = 0.0
            self._marked |= bool(covered)
            if covered:
                stream.moved, stream.stall_s = time.monotonic(), STALL_S
            if mark.want or mark.worker != stream.worker:
                stream.worker = mark.worker
                self._again(stream)
            self._wake.notify_all()

    def _again(self, stream: _Stream) -> None:
        stream.back, stream.back_end = 0, stream.live
        stream.moved = time.monotonic()

    def _run(self) -> None:
        budget, last, checked = float(BATCH), time.monotonic(), 0.0
        while True:
            with self._wake:
                if self._stopping:
                    return
                fresh, self._fresh = self._fresh, {}
                behind = [stream for stream in self._streams.values() if stream.back < stream.back_end]
            now = time.monotonic()
            budget, last = min(float(BATCH), budget + (now - last) * self._rate), now
            sent = 0
            try:
                if self.connected:
                    sent, used = self._send_round(fresh.values(), behind, int(budget))
                    budget -= used
                    if now - checked >= CHECK_S:
                        checked = now
                        self._check_stalls()
            except StoreError as error:
                _log.warning("nothing is sent for %g s: %s", RETRY_S, error)
                with self._wake:
                    self._fresh = fresh | self._fresh
                time.sleep(RETRY_S)
            if len(self._streams) > MANY:
                time.sleep(PAUSE_S)
            elif not sent:
                with self._wake:
                    if not self._stopping:
                        self._wake.wait(0.1)

    def _send_round(self, fresh: Iterable[_Stream], behind: Iterable[_Stream], budget: int) -> tuple[int, int]:
        """What is new of every stream, then of the backlog what the budget allows; blocks sent, and those of it."""
        live = sum(self._send_live(stream) for stream in fresh)
        used = 0
        for stream in behind:
            if used < budget:
                used += self._send_back(stream, budget - used)
        return live + used, used

    def _send_live(self, stream: _Stream) -> int:
        rows = self._spool.after(stream.wearer, stream.site, stream.live, BATCH)
        sent = self._send(stream, rows)
        with self._wake:
            if sent:
                if stream.back >= stream.back_end:
                    stream.back = stream.back_end = rows[sent - 1].id
                stream.live = rows[sent - 1].id
            if sent < len(rows) or sent == BATCH:
                self._fresh[stream.wearer, stream.site] = stream
        return sent

    def _send_back(self, stream: _Stream, budget: int) -> int:
        with self._wake:
            back, end, held = stream.back, stream.back_end, time.monotonic() < stream.held_until
        if back >= end or held:
            return 0
        rows = [row for row in self._spool.after(stream.wearer, stream.site, back, min(BATCH, budget)) if row.id <= end]
        sent = self._send(stream, rows)
        with self._wake:
            if stream.back == back:
                stream.back = rows[sent - 1].id if sent else (end if not rows else back)
        return sent

    def _send(self, stream: _Stream, rows: list[Spooled]) -> int:
        topic = stream.topic("imu")
        for count, row in enumerate(rows):
            with self._wake:
                if len(self._in_flight) >= MAX_IN_FLIGHT or not self.connected:
                    return count
            info = self.client.publish(topic, row.data, qos=1)
            with self._wake:
                if info.mid not in self._acknowledged_early:
                    self._in_flight.add(info.mid)
                self._acknowledged_early.clear()  # the others were no blocks
        return len(rows)

    def _check_stalls(self) -> None:
        now = time.monotonic()
        with self._wake:
            still = [
                stream
                for stream in self._streams.values()
                if stream.back >= stream.back_end and now - stream.moved > stream.stall_s
            ]
        for stream in still:
            if self._spool.newest(stream.wearer, stream.site):
                with self._wake:
                    stream.stall_s = min(2 * stream.stall_s, MAX_STALL_S)
                    self._again(stream)
