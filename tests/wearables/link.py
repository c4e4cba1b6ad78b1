"""A link without radio or time: performs a session's scripts against a virtual wearable."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass, field

from sensor_bridge.wearable import (
    Action,
    Char,
    Event,
    Notification,
    Packet,
    Read,
    Script,
    Session,
    Sleep,
    Subscribe,
    Vector,
    Virtual,
    Wanted,
    Wearable,
    Write,
)

NS = 1_000_000_000
AT_REST: tuple[Vector, Vector] = ((0.0, 0.0, 9.8), (0.0, 0.0, 0.0))


@dataclass
class Link:
    """One connection; `events` are everything that the session told, after each script where it is `lazy`."""

    virtual: Virtual
    session: Session
    t_ns: int = 0
    events: list[Event] = field(default_factory=list)
    actions: list[Action] = field(default_factory=list)
    begun: int = 0
    lazy: bool = False
    waiting: list[Notification] = field(default_factory=list)

    def run(self, script: Script) -> None:
        self._perform_all(script)
        for one in self.waiting:
            self.events.extend(self.session.feed(one.char, one.data))
        self.waiting.clear()

    def _perform_all(self, script: Script) -> None:
        answer: bytes | None = None
        try:
            while True:
                action = script.send(answer)
                self.actions.append(action)
                answer = self.perform(action, script)
        except StopIteration:
            return

    def perform(self, action: Action, script: Script) -> bytes | None:
        if isinstance(action, Sleep):
            self.t_ns += round(action.seconds * NS)
            return None
        assert action.char in self.virtual.gatt, f"{action} on a characteristic that is not there"
        properties = self.virtual.gatt[action.char]
        if isinstance(action, Subscribe):
            assert properties & {"notify", "indicate"}
            self.virtual.subscribe(action.char, True)
            return None
        if isinstance(action, Read):
            assert "read" in properties
            value = self.virtual.read(action.char)
            self.feed(action.char, value)
            return value
        assert ("write" if action.response else "write-without-response") in properties
        sent = self.virtual.write(action.char, action.data, self.t_ns)
        for one in sent:
            self.feed(one.char, one.data)
        if isinstance(action, Write):
            return None
        until_ns = self.t_ns + round(action.timeout_s * NS)
        while self.t_ns <= until_ns:
            for one in sent:
                if one.char == action.reply and action.match(one.data):
                    return one.data
            sent = self.stream([AT_REST])
        thrown = script.throw(TimeoutError("no answer"))
        self.actions.append(thrown)
        return self.perform(thrown, script)

    def feed(self, char: Char, data: bytes) -> None:
        if self.lazy:
            self.waiting.append(Notification(char, data))
            return
        self.events.extend(self.session.feed(char, data))

    def stream(self, rows: Iterable[tuple[Vector, Vector]]) -> list[Notification]:
        sent: list[Notification] = []
        for acc, gyr in rows:
            sent += self.virtual.sample(self.t_ns, acc, gyr)
            self.t_ns += round(NS / self.virtual.rate_hz)
        for one in sent:
            self.feed(one.char, one.data)
        return sent

    @property
    def packets(self) -> list[Packet]:
        return [event for event in self.events[self.begun :] if isinstance(event, Packet)]


def connect(
    wearable: Wearable, variant: str = "", change: Callable[[Virtual], None] | None = None, *, lazy: bool = False
) -> Link:
    """A connection that has been set up, accelerometer alone allowed."""
    virtual = wearable.virtual(variant)
    if change is not None:
        change(virtual)
    link = Link(virtual, wearable.open(virtual.gatt, Wanted(rate_hz=100, accelerometer_only=True)), lazy=lazy)
    link.run(link.session.start())
    link.begun = len(link.events)
    link.lazy = False
    return link
