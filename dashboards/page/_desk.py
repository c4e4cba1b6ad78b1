"""One wearer's page put together: what is stored, what is live, and the parts of HTML that follow from both."""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass
from datetime import date
from typing import Any
from zoneinfo import ZoneInfo

from jinja2 import Environment
from pydantic import ValidationError

from dashboards._clock import Clock
from dashboards._day import DayData, local_date, read_day
from dashboards._words import word
from dashboards.drawings import place_figure
from dashboards.page._care import diary_view, exercise_views, guide_steps, nudge_view, reminder_rows
from dashboards.page._hub import Hub
from dashboards.page._shelf import Shelf
from dashboards.page._view import (
    STALE_S,
    Alert,
    alerts,
    calibration_words,
    day_view,
    device_view,
    figures,
    now_view,
)
from sagittal.errors import StoreError
from sagittal.messages import DeviceHealth
from sagittal.protocols import Reader
from sagittal.results import Event, Posture
from sagittal.settings import Settings
from sagittal.units import NS_PER_S

PARTS = (
    "alerts",
    "guide",
    "now",
    "figure",
    "day",
    "walks",
    "patterns",
    "nudges",
    "reminders",
    "diary",
    "exercises",
    "device",
)
"""The parts of the page that are replaced while it is open."""
_FRESH_S = 4.0
_CALIBRATION_DAYS = 7
_CACHED_DAYS = 64


@dataclass(frozen=True, slots=True)
class Stored:
    """What the store says of a wearer and a day."""

    posture: Posture | None
    devices: list[DeviceHealth]
    day: DayData
    calibrations: list[Event]


class Desk:
    """Reads, remembers for a few seconds, and renders."""

    def __init__(
        self, shelf: Shelf, hub: Hub, settings: Settings, templates: Environment, now_ns: Callable[[], int]
    ) -> None:
        self._shelf = shelf
        self._hub = hub
        self._settings = settings
        self._templates = templates
        self._now_ns = now_ns
        self._kept: dict[tuple[str, date | None], tuple[float, Stored]] = {}

    def clock(self, wearer: str) -> Clock:
        """The present on the wearer's clock."""
        return Clock(self._now_ns(), self.zone(wearer))

    def zone(self, wearer: str) -> ZoneInfo:
        """The wearer's time zone."""
        return self._settings.wearer(wearer).zone

    async def wearers(self) -> list[str]:
        """Everyone who is stored, live or in the settings."""
        try:
            stored = await self._shelf.read(lambda reader: reader.wearers())
        except StoreError:
            stored = []
        return sorted({*stored, *self._hub.wearers, *(wearer.id for wearer in self._settings.wearers)})

    async def stored(self, wearer: str, day: date | None = None, max_age_s: float = _FRESH_S) -> Stored:
        """What the store says, at most `max_age_s` old; without a day that of the newest posture.

        Raises
        ------
        StoreError
            Where the store can't be read.
        """
        kept = self._kept.get((wearer, day))
        if kept is not None and time.monotonic() - kept[0] < max_age_s:
            return kept[1]
        clock = self.clock(wearer)
        known = kept[1].calibrations if kept else None
        stored = await self._shelf.read(lambda reader: _read(reader, wearer, day, clock, known))
        if len(self._kept) >= _CACHED_DAYS:
            self._kept.clear()
        self._kept[wearer, day] = (time.monotonic(), stored)
        return stored

    def forget(self, wearer: str) -> None:
        """Read afresh next time."""
        for key in [key for key in self._kept if key[0] == wearer]:
            del self._kept[key]

    async def context(self, wearer: str, day: date | None = None) -> dict[str, Any]:
        """Everything that the templates need."""
        clock = self.clock(wearer)
        trouble: list[Alert] = []
        try:
            stored: Stored | None = await self.stored(wearer, day)
        except StoreError as error:
            stored = None
            trouble = [Alert("wait", word("link.store"), word("link.store_hint", detail=str(error)))]
        live = self._hub.live(wearer)
        heard = self._hub.silent_s(wearer) <= STALE_S
        posture = live.posture if heard or stored is None else _newer(live.posture, stored.posture)
        devices = _devices(list(live.devices.values()), stored.devices if stored else [])
        return {
            "wearer": wearer,
            "now": now_view(posture, heard, clock),
            "posture": posture,
            "figures": figures(posture),
            "day": day_view(stored.day, clock.now_ns) if stored else None,
            "devices": [device_view(health) for health in devices],
            "alerts": alerts(self._hub, wearer, devices, posture, clock) or trouble,
            "calibration": calibration_words(stored.calibrations if stored else (), clock),
            "guide": guide_steps(
                devices, posture, bool(stored and stored.calibrations), stored.day if stored else None, clock
            )
            if day is None
            else [],
            "nudges": nudge_view(stored.day, self._settings.wearer(wearer).nudges, clock) if stored else None,
            "reminders": reminder_rows(stored.day) if stored else [],
            "diary": diary_view(stored.day, clock) if stored else None,
            "exercises": exercise_views(stored.day, clock) if stored else [],
            "where": place_figure(word("guide.picture")),
        }

    def part(self, name: str, context: dict[str, Any]) -> str:
        """One part of the page as HTML."""
        return self._templates.get_template(f"_{name}.html").render(context)


def part_key(name: str, context: dict[str, Any], html: str) -> str:
    """What decides whether a part has changed: the figure moves by itself, only its pose counts."""
    posture: Posture | None = context["posture"]
    if name == "figure" and posture is not None:
        return f"{posture.posture}|{posture.detail}|{posture.flexion_deg is None}|{posture.lateral_deg is None}"
    return html


def _read(reader: Reader, wearer: str, day: date | None, clock: Clock, known: list[Event] | None) -> Stored:
    newest = reader.latest(wearer, "posture")
    posture = newest if isinstance(newest, Posture) else None
    shown = day or local_date(posture.t_ns if posture else clock.now_ns, clock.zone)
    data = read_day(reader, wearer, shown, clock.zone)
    return Stored(posture, _stored_devices(reader, wearer), data, _calibrations(reader, wearer, data, clock, known))


def _calibrations(reader: Reader, wearer: str, data: DayData, clock: Clock, known: list[Event] | None) -> list[Event]:
    names = ("calibrated", "calibration_expired", "sensor_moved")
    today = [event for event in data.events if event.event in names]
    if today or known is not None:
        return today or known or []
    start = clock.now_ns - _CALIBRATION_DAYS * 86_400 * NS_PER_S
    events = reader.results(wearer, "event", start, clock.now_ns)
    return [event for event in events if isinstance(event, Event) and event.event in names]


def _stored_devices(reader: Reader, wearer: str) -> list[DeviceHealth]:
    found = []
    for health in reader.devices(wearer).values():
        try:
            found.append(DeviceHealth.model_validate(health))
        except ValidationError:
            continue
    return found


def _devices(live: list[DeviceHealth], stored: list[DeviceHealth]) -> list[DeviceHealth]:
    known = {health.site: health for health in stored} | {health.site: health for health in live}
    return [known[site] for site in sorted(known)]


def _newer(first: Posture | None, second: Posture | None) -> Posture | None:
    known = [posture for posture in (first, second) if posture is not None]
    return max(known, key=lambda posture: posture.t_ns, default=None)
