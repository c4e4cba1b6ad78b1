"""The worker's loop: take what comes, commit within two seconds, then tell."""

from __future__ import annotations

import contextlib
import logging
import secrets
import threading
import time
from typing import Any

from pydantic import ValidationError

from analytics.sinks import Feeder, open_sinks
from analytics.store import Store
from analytics.worker._engine import Pipeline, default_pipeline
from analytics.worker._link import READER, Link, Message, Outgoing
from analytics.worker._readings import device_readings, service_reading
from analytics.worker._session import Session
from sagittal.messages import Status
from sagittal.settings import Settings
from sagittal.topics import ROOT, parse

_log = logging.getLogger(__name__)

IDLE_S = 0.2
GONE_S = 3.0
"""A bridge whose last will came may have reconnected at once; only then is it gone."""
STATUS_S = 10.0
FORGET_S = 3600.0
ERASED_S = 1.0


class Worker:
    """Turns blocks into stored results until told to stop.

    Parameters
    ----------
    settings
        Store, broker, wearers' profiles and the time between commits.
    pipeline
        The analysis; the program's own where None.

    Raises
    ------
    StoreError
        Where the store can't be opened or, later, written.
    BrokerError
        Where the broker can't be reached at the start, or refuses.
    """

    def __init__(self, settings: Settings, pipeline: Pipeline | None = None) -> None:
        self.id = secrets.token_hex(4)
        self._settings = settings
        with contextlib.ExitStack() as undo:
            self._store = undo.enter_context(contextlib.closing(Store(settings.store_path, self.id)))
            self.session = Session(self._store, settings, pipeline or default_pipeline(), self.id)
            self._link = Link(settings, self.id)
            self._outgoing = Outgoing(self._link, self._store.position(READER))
            self._feeder = Feeder(open_sinks(settings), self._store)
            undo.pop_all()
        self._stop = threading.Event()
        self._bridges: dict[str, float | None] = {}
        self._said_at = self._forgot_at = self._looked_at = time.monotonic()

    def stop(self) -> None:
        """End `run` soon; safe from signal handlers and other threads."""
        self._stop.set()

    def run(self, patience_s: float = 10.0) -> None:
        """Work until `stop`; then commit what is left and say goodbye."""
        with contextlib.closing(self._store):
            try:
                self._link.start(patience_s, self._stop)
                self._feeder.start()
                while not self._stop.is_set():
                    self._turn()
                self._commit()
            finally:
                self._feeder.stop()
                self._link.stop(self._detail())

    def _turn(self) -> None:
        message = self._link.get(IDLE_S if not self.session.due(self._settings.worker.commit_s) else 0.0)
        while message is not None:
            self._take(message)
            if self.session.due(self._settings.worker.commit_s):
                break
            message = self._link.get(0.0)
        if self.session.due(self._settings.worker.commit_s):
            self._commit()
        self._ask_again()
        self._outgoing.send(self._store.outbox)
        self._mourn()
        self._keep_house()

    def _take(self, message: Message) -> None:
        if not message.topic:
            self._greet()
            return
        if message.topic.startswith(f"{ROOT}/$bridge/"):
            self._take_status(message)
            return
        topic = parse(message.topic)
        if topic is None:
            return
        place = None
        if topic.kind == "imu" and topic.site is not None:
            place = self.session.take_block(topic.wearer, topic.site, message.payload)
        elif topic.kind == "device" and topic.site is not None:
            place = self.session.take_health(topic.wearer, topic.site, message.payload)
        elif topic.kind.startswith("cmd/"):
            self.session.take_command(topic.wearer, topic.kind.removeprefix("cmd/"), message.payload)
        if place is not None:
            self._link.tell_mark(*place, self.session.nothing_stored(place))

    def _greet(self) -> None:
        """Subscribed, now or again: say who is here, how far every stream has come, and ask for the rest."""
        self._link.tell_status("online", self._detail())
        for place, mark in self.session.marks():
            self._link.tell_mark(*place, mark)

    def _commit(self) -> None:
        committed = self.session.commit({READER: self._outgoing.position, **self._feeder.positions()})
        for place, mark in committed.marks:
            self._link.tell_mark(*place, mark)
        self._link.tell_live(committed.live)
        self._outgoing.send(self._store.outbox)
        self._feeder.wake()

    def _ask_again(self) -> None:
        for places, want in ((self.session.wanted(), True), (self.session.repeated(), False)):
            for place, mark in self.session.marks(want=want) if places else ():
                if place in places:
                    self._link.tell_mark(*place, mark)

    def _take_status(self, message: Message) -> None:
        name = message.topic.split("/")[-2]
        with contextlib.suppress(ValidationError):
            status = Status.model_validate_json(message.payload)
            self._bridges[name] = None if status.state == "online" else time.monotonic() + GONE_S

    def _mourn(self) -> None:
        now = time.monotonic()
        for name, gone_at in list(self._bridges.items()):
            if gone_at is not None and now >= gone_at:
                self._bridges[name] = None
                for wearer, health in self.session.bridge_gone(name, only=len(self._bridges) == 1):
                    self._link.tell_health(wearer, health)

    def _keep_house(self) -> None:
        now = time.monotonic()
        if now - self._looked_at >= ERASED_S:
            self._looked_at = now
            if self._store.erased_meanwhile():
                self._commit()
        if now - self._said_at >= STATUS_S:
            self._said_at = now
            detail = self._detail()
            self._link.tell_status("online", detail)
            devices = device_readings(self.session.devices, self.session.ends_ns, now_ns := time.time_ns())
            self._feeder.observe([*devices, service_reading(detail, devices, now_ns)])
        if now - self._forgot_at >= FORGET_S:
            self._forgot_at = now
            self.session.forget([READER, *self._feeder.names])

    def _detail(self) -> dict[str, Any]:
        counts = self.session.counts
        return {
            "worker": self.id,
            "samples": counts.samples,
            "blocks": counts.blocks,
            "repeats": self.session.repeats,
            "waiting": self.session.waiting,
            "malformed": counts.malformed,
            "last_malformed": counts.last_malformed,
            "overflowed": self._link.overflowed,
            "pipeline_failures": self.session.failures,
            "commits": counts.commits,
            "sinks": self._feeder.states(),
            "sink_refused": self._feeder.refused(),
            "outbox_waiting": self._store.newest() - min([self._outgoing.position, *self._feeder.positions().values()]),
        }
