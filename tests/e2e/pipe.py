"""A pipe between two brokers that loses, repeats, delays and reorders, and slips rubbish in."""

from __future__ import annotations

import random
import threading
import time
from heapq import heappop, heappush
from urllib.parse import urlsplit

import paho.mqtt.client as paho
from paho.mqtt.enums import CallbackAPIVersion

from sagittal.topics import ROOT, site_topic

RUBBISH = (b"", b"\xff" * 40, b"\x9f" * 3000, b"\xa1\x00\x01", b"{}", b"\x5b\x7f\xff\xff\xff\xff\xff\xff\xff")


class BadPipe:
    """Carries a wearer's blocks and health one way and watermarks the other."""

    def __init__(self, source_url: str, target_url: str, seed: int) -> None:
        self._chance = random.Random(seed)
        self._waiting: list[tuple[float, int, paho.Client, str, bytes, bool]] = []
        self._lock = threading.Lock()
        self._done = threading.Event()
        self.lost = self.repeated = self.rubbish = self._count = 0
        self._source, self._target = self._client(source_url), self._client(target_url)
        self._serve(self._source, self._target, [f"{ROOT}/+/+/imu", f"{ROOT}/+/+/device"])
        self._serve(self._target, self._source, [f"{ROOT}/+/+/stored"])
        self._thread = threading.Thread(target=self._run, daemon=True)
        self._thread.start()

    def stop(self) -> None:
        self._done.set()
        self._thread.join()
        for client in (self._source, self._target):
            client.disconnect()
            client.loop_stop()

    @staticmethod
    def _client(url: str) -> paho.Client:
        parts = urlsplit(url)
        client = paho.Client(CallbackAPIVersion.VERSION2)
        deadline = time.monotonic() + 15
        while True:
            try:
                client.connect(str(parts.hostname), int(parts.port or 0))
            except OSError:
                assert time.monotonic() < deadline
                time.sleep(0.1)
            else:
                return client

    def _serve(self, heard: paho.Client, told: paho.Client, topics: list[str]) -> None:
        def arrived(_client: paho.Client, _data: object, message: paho.MQTTMessage) -> None:
            self._carry(told, message)

        heard.on_message = arrived
        heard.subscribe([(topic, 1) for topic in topics])
        heard.loop_start()

    def _carry(self, told: paho.Client, message: paho.MQTTMessage) -> None:
        chance = self._chance
        copies = chance.choices((0, 1, 2, 3), (15, 60, 20, 5))[0]
        self.lost += copies == 0
        self.repeated += copies > 1
        with self._lock:
            for _ in range(copies):
                self._count += 1
                due = time.monotonic() + chance.choice((0.0, 0.0, 0.2, 0.8, 1.5)) * chance.random()
                heappush(self._waiting, (due, self._count, told, message.topic, bytes(message.payload), message.retain))

    def _run(self) -> None:
        while not self._done.wait(0.01):
            while True:
                with self._lock:
                    if not self._waiting or self._waiting[0][0] > time.monotonic():
                        break
                    _, _, told, topic, payload, retain = heappop(self._waiting)
                told.publish(topic, payload, qos=1, retain=retain)
            if self._chance.random() < 0.05:
                self.rubbish += 1
                self._target.publish(site_topic("w1", "lower_back", "imu"), self._chance.choice(RUBBISH), qos=1)
