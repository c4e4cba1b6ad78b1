"""What is known live, and the browsers that watch it.

Messages come in from the broker's thread; everything here happens on the event loop. A browser has a mailbox that keeps
only the newest item of each name: a slow or sleeping one costs a few kilobytes and never waits for anyone, and what it
gets when it wakes is the present.
"""

from __future__ import annotations

import asyncio
import json
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

from pydantic import ValidationError

from sagittal.errors import SagittalError
from sagittal.messages import DeviceHealth, Status
from sagittal.results import Angles, Event, Posture, Walk, is_correction
from sagittal.schema import from_json, to_json
from sagittal.topics import ROOT, parse
from sagittal.units import NS_PER_S

MAX_WATCHERS = 100
"""Browsers that may watch at once; more are turned away with a clear answer."""
RAW = "#raw"
"""Put behind a wearer's name: who watches that gets results as they are, not parts of a page."""
MAX_WEARERS = 500
_HEARD_OF_S = 5.0
"""The status of parts is retained: so long after the broker answered, one that was not heard of is not there."""
_MAX_PAYLOAD = 64_000


class Mailbox:
    """The newest item of each name for one browser; a newer item replaces the older."""

    def __init__(self) -> None:
        self._items: dict[str, str] = {}
        self._ready = asyncio.Event()
        self.closed = False

    def put(self, name: str, data: str) -> None:
        """Leave an item."""
        self._items[name] = data
        self._ready.set()

    def close(self) -> None:
        """Nothing more will come."""
        self.closed = True
        self._ready.set()

    async def take(self) -> list[tuple[str, str]]:
        """Wait for items and take all; an empty list means that nothing more will come."""
        await self._ready.wait()
        self._ready.clear()
        items, self._items = list(self._items.items()), {}
        return items


@dataclass(slots=True)
class LiveWearer:
    """The newest live word of one wearer; `heard` are seconds on the monotonic clock."""

    posture: Posture | None = None
    heard: float = -1e9
    walk: Walk | None = None
    devices: dict[str, DeviceHealth] = field(default_factory=dict)
    changes: int = 0


class Hub:
    """Live knowledge of every wearer and who watches whom."""

    def __init__(
        self,
        monotonic: Callable[[], float] = time.monotonic,
        now_ns: Callable[[], int] = time.time_ns,
        *,
        tells_parts: bool = False,
    ) -> None:
        self._monotonic = monotonic
        self._now_ns = now_ns
        self._tells_parts = tells_parts
        self._linked = monotonic()
        self._loop: asyncio.AbstractEventLoop | None = None
        self.wearers: dict[str, LiveWearer] = {}
        self.parts: dict[tuple[str, str], Status] = {}
        self.broker_up: bool | None = None
        self.broker_detail = ""
        self._watchers: dict[str, set[Mailbox]] = {}
        self.refused = 0

    def attach(self, loop: asyncio.AbstractEventLoop) -> None:
        """Name the loop on which everything here happens."""
        self._loop = loop

    def from_thread_message(self, topic: str, payload: bytes) -> None:
        """Take a message from any thread."""
        self._hand_over(self.message, topic, payload)

    def from_thread_link(self, up: bool, detail: str) -> None:
        """Take news of the broker from any thread."""
        self._hand_over(self.link, up, detail)

    def link(self, up: bool, detail: str) -> None:
        """The broker came or went."""
        self.broker_up, self.broker_detail = up, detail
        self._linked = self._monotonic()
        for live in self.wearers.values():
            live.changes += 1

    def message(self, topic: str, payload: bytes) -> None:
        """Take one message; what can't be read is counted and dropped."""
        if len(payload) > _MAX_PAYLOAD:
            self.refused += 1
            return
        try:
            self._take(topic, payload)
        except (SagittalError, ValidationError):
            self.refused += 1

    def live(self, wearer: str) -> LiveWearer:
        """What is known live of a wearer."""
        if wearer not in self.wearers and len(self.wearers) < MAX_WEARERS:
            self.wearers[wearer] = LiveWearer()
        return self.wearers.get(wearer) or LiveWearer()

    @property
    def heeded(self) -> bool:
        """Whether an analysis is online to carry out wishes."""
        states = self._states("worker")
        return "online" in states if states else not self._tells_parts

    def absent(self, part: str) -> bool:
        """Whether no bridge, or no worker, is there: it has said so, or it would have been heard of by now."""
        states = self._states(part)
        if states:
            return "online" not in states
        return self._tells_parts and self.broker_up is True and self._monotonic() - self._linked > _HEARD_OF_S

    def _states(self, part: str) -> list[str]:
        return [status.state for (kind, _name), status in self.parts.items() if kind == part]

    def silent_s(self, wearer: str) -> float:
        """Seconds since the wearer's last live posture arrived."""
        return self._monotonic() - self.live(wearer).heard

    def watch(self, wearer: str) -> Mailbox | None:
        """A mailbox for one more browser; None where too many watch already."""
        if sum(len(boxes) for boxes in self._watchers.values()) >= MAX_WATCHERS:
            return None
        box = Mailbox()
        self._watchers.setdefault(wearer, set()).add(box)
        return box

    def unwatch(self, wearer: str, box: Mailbox) -> None:
        """A browser has gone."""
        boxes = self._watchers.get(wearer, set())
        boxes.discard(box)
        if not boxes:
            self._watchers.pop(wearer, None)

    def watched(self) -> list[str]:
        """The wearers whose page somebody watches."""
        return [wearer for wearer in self._watchers if not wearer.endswith(RAW)]

    def tell(self, wearer: str, name: str, data: str) -> None:
        """Leave an item for every browser that watches a wearer."""
        for box in self._watchers.get(wearer, ()):
            box.put(name, data)

    def close(self) -> None:
        """Let every browser go."""
        for boxes in list(self._watchers.values()):
            for box in boxes:
                box.close()

    def from_thread_close(self) -> None:
        """Let every browser go, from any thread."""
        self._hand_over(self.close)

    def _hand_over(self, do: Callable[..., None], *args: object) -> None:
        if self._loop is not None and not self._loop.is_closed():
            self._loop.call_soon_threadsafe(do, *args)

    def _take(self, topic: str, payload: bytes) -> None:
        status = _status_of(topic)
        if status is not None:
            self.parts[status] = Status.model_validate_json(payload)
            return
        place = parse(topic)
        if place is None:
            return
        live = self.live(place.wearer)
        if place.kind == "device" and place.site is not None:
            self._take_device(live, place.site, payload)
        elif place.kind in ("posture", "angles", "event", "walk") and payload:
            result = from_json(payload)
            self._take_result(place.wearer, live, result)
            self.tell(f"{place.wearer}{RAW}", place.kind, to_json(result).decode())

    def _take_device(self, live: LiveWearer, site: str, payload: bytes) -> None:
        live.changes += 1
        if payload:
            live.devices[site] = DeviceHealth.model_validate_json(payload)
        else:
            live.devices.pop(site, None)

    def _take_result(self, wearer: str, live: LiveWearer, result: object) -> None:
        match result:
            case Posture() if is_correction(result, live.posture):
                live.heard = self._monotonic()
            case Posture():
                live.posture, live.heard = result, self._monotonic()
                live.changes += 1
            case Angles():
                self.tell(wearer, "angles", _angles(result))
            case Walk():
                live.walk = result
                live.changes += 1
            case Event():
                live.changes += 1
                self.tell(wearer, f"news:{result.event}", _event(result, self._now_ns()))


def _status_of(topic: str) -> tuple[str, str] | None:
    parts = topic.split("/")
    if "/".join(parts[:2]) == ROOT and len(parts) == 5 and parts[4] == "status" and parts[2] in ("$bridge", "$worker"):
        return (parts[2].lstrip("$"), parts[3])
    return None


def _angles(result: Angles) -> str:
    return json.dumps(
        {"dt": result.dt_ns / 1e6, "flexion": result.flexion_deg, "lateral": result.lateral_deg}, separators=(",", ":")
    )


def _event(result: Event, now_ns: int) -> str:
    age_s = round(max(0.0, (now_ns - result.t_ns) / NS_PER_S), 1)
    facts: dict[str, Any] = {"event": result.event, "t_ns": str(result.t_ns), "age_s": age_s, "text": result.text}
    return json.dumps(facts, separators=(",", ":"))
