"""Feeds sinks from the outbox, each at its own pace, none able to hold up the worker."""

from __future__ import annotations

import logging
import random
import threading
from collections import deque
from collections.abc import Sequence
from itertools import islice
from typing import Protocol

from sagittal.errors import SinkRefused, SinkUnavailable
from sagittal.protocols import Observer, Reading, Row, Sink

_log = logging.getLogger(__name__)

BATCH = 2_000
MIN_WAIT_S = 1.0
MAX_WAIT_S = 60.0
REFUSED_WAIT_S = 60.0
READINGS = 20_000
"""Readings that wait for a sink that is away; older ones are lost, results never are."""


class Outbox(Protocol):
    """Where rows come from."""

    def outbox(self, after: int, limit: int) -> list[Row]:
        """Rows behind an id, in order."""
        ...

    def position(self, reader: str) -> int:
        """How far a reader has come."""
        ...


class _Feed:
    """One sink, its thread and its place in the outbox."""

    def __init__(self, sink: Sink, outbox: Outbox) -> None:
        self.sink = sink
        self.position = outbox.position(f"sink:{sink.name}")
        self.state = "waiting"
        self.refused = 0
        self._outbox = outbox
        self._readings: deque[Reading] = deque(maxlen=READINGS)
        self._lock = threading.Lock()
        self._wake = threading.Event()
        self._stopping = threading.Event()
        self._thread = threading.Thread(target=self._run, name=f"sink-{sink.name}", daemon=True)

    def start(self) -> None:
        self._thread.start()

    def wake(self) -> None:
        self._wake.set()

    def observe(self, readings: Sequence[Reading]) -> None:
        if isinstance(self.sink, Observer):
            with self._lock:
                self._readings.extend(readings)
            self._wake.set()

    def stop(self) -> None:
        self._stopping.set()
        self._wake.set()
        if self._thread.is_alive():
            self._thread.join(10)
        self.sink.close()

    def _run(self) -> None:
        wait_s = MIN_WAIT_S
        while not self._stopping.is_set():
            try:
                fed = self._feed()
                self._tell_readings()
            except SinkUnavailable as error:
                self._say("unavailable", error)
                self._stopping.wait(max(error.retry_after_s or 0.0, wait_s) * random.uniform(1.0, 1.5))
                wait_s = min(2 * wait_s, MAX_WAIT_S)
                continue
            except SinkRefused as error:
                self._say("refused", error)
                self._stopping.wait(REFUSED_WAIT_S)
                continue
            except Exception as error:  # noqa: BLE001  # a sink's own fault must be seen, and must not end the feeding
                self._say("failed", error)
                self._stopping.wait(wait_s)
                wait_s = min(2 * wait_s, MAX_WAIT_S)
                continue
            wait_s = MIN_WAIT_S
            self.state = "fed"
            if not fed and not self._stopping.is_set():
                self._wake.wait(5.0)
                self._wake.clear()

    def _feed(self) -> int:
        rows = self._outbox.outbox(self.position, BATCH)
        if not rows:
            return 0
        written = self.sink.write(rows)
        for row_id, why in written.refused[:5]:
            _log.warning("sink %s refused row %d: %s", self.sink.name, row_id, why)
        self.refused += len(written.refused)
        self.position = rows[-1].id
        return len(rows)

    def _tell_readings(self) -> None:
        if not isinstance(self.sink, Observer):
            return
        with self._lock:
            waiting = list(islice(self._readings, BATCH))
        if waiting:
            self.sink.observe(waiting)
            with self._lock:
                for _ in waiting:
                    self._readings.popleft()

    def _say(self, state: str, error: Exception) -> None:
        if self.state != state:
            _log.warning("sink %s: %s", self.sink.name, error)
        self.state = state


class Feeder:
    """Runs every sink in its own thread; positions are committed by the worker with its next transaction."""

    def __init__(self, sinks: Sequence[Sink], outbox: Outbox) -> None:
        self._feeds = [_Feed(sink, outbox) for sink in sinks]

    @property
    def names(self) -> list[str]:
        """What the sinks are called among the readers of the outbox."""
        return [f"sink:{feed.sink.name}" for feed in self._feeds]

    def start(self) -> None:
        """Begin to feed."""
        for feed in self._feeds:
            feed.start()

    def wake(self) -> None:
        """Something new stands in the outbox."""
        for feed in self._feeds:
            feed.wake()

    def positions(self) -> dict[str, int]:
        """How far each sink has come."""
        return {f"sink:{feed.sink.name}": feed.position for feed in self._feeds}

    def states(self) -> dict[str, str]:
        """How each sink is."""
        return {feed.sink.name: feed.state for feed in self._feeds}

    def refused(self) -> int:
        """Lines that sinks could not take since the start."""
        return sum(feed.refused for feed in self._feeds)

    def observe(self, readings: Sequence[Reading]) -> None:
        """Pass readings on to the sinks that want them."""
        for feed in self._feeds:
            feed.observe(readings)

    def stop(self) -> None:
        """End the threads and close the sinks; may be called twice."""
        for feed in self._feeds:
            feed.stop()
