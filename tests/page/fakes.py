"""A store and a broker in memory, and a day that a person could have had."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime
from typing import Any
from zoneinfo import ZoneInfo

from dashboards.page import LiveSource
from dashboards.page._live import OnLink, OnMessage
from sagittal.errors import BrokerError
from sagittal.messages import DeviceHealth, DeviceState, SilenceReason
from sagittal.names import PostureLabel, Site
from sagittal.results import Day, Event, Exposure, Minute, Pattern, Posture, Result, Walk, result_key
from sagittal.schema import to_json
from sagittal.topics import site_topic, wearer_topic
from sagittal.units import NS_PER_S

BERLIN = ZoneInfo("Europe/Berlin")
NOW_NS = int(datetime(2026, 11, 24, 14, 26, 40, tzinfo=BERLIN).timestamp()) * NS_PER_S
VERSION = "test-1"


class MemoryReader:
    """A `Reader` over results in memory."""

    def __init__(self) -> None:
        self.rows: dict[str, dict[tuple[str, int, str], Result]] = {}
        self.health: dict[str, dict[str, dict[str, Any]]] = {}
        self.closed = 0

    def add(self, wearer: str, *results: Result) -> None:
        self.rows.setdefault(wearer, {}).update({result_key(result): result for result in results})

    def wearers(self) -> list[str]:
        return sorted(self.rows)

    def results(self, wearer: str, kind: str, start_ns: int, end_ns: int) -> Iterable[Result]:
        keys = sorted(key for key in self.rows.get(wearer, {}) if key[0] == kind and start_ns <= key[1] < end_ns)
        return [self.rows[wearer][key] for key in keys]

    def latest(self, wearer: str, kind: str) -> Result | None:
        keys = [key for key in self.rows.get(wearer, {}) if key[0] == kind]
        return self.rows[wearer][max(keys)] if keys else None

    def devices(self, wearer: str) -> dict[str, dict[str, Any]]:
        return self.health.get(wearer, {})

    def close(self) -> None:
        self.closed += 1


class MemoryLive:
    """A live source that a test speaks through; `sent` holds the wishes that came out."""

    tells_parts = False

    def __init__(self, *, up: bool = True) -> None:
        self.up = up
        self.sent: list[tuple[str, bytes]] = []
        self._message: OnMessage | None = None
        self._link: OnLink | None = None

    def start(self, on_message: OnMessage, on_link: OnLink) -> None:
        self._message, self._link = on_message, on_link
        on_link(self.up, "" if self.up else "connection refused")

    def publish(self, topic: str, payload: bytes) -> None:
        if not self.up:
            raise BrokerError("the broker can't be reached: nothing was sent")
        self.sent.append((topic, payload))

    def stop(self) -> None:
        self._message = self._link = None

    def say(self, topic: str, payload: bytes) -> None:
        assert self._message is not None, "not started"
        self._message(topic, payload)

    def result(self, wearer: str, result: Result) -> None:
        self.say(wearer_topic(wearer, result.kind), to_json(result))

    def device(self, wearer: str, health: DeviceHealth) -> None:
        self.say(site_topic(wearer, health.site, "device"), health.to_json())

    def link(self, up: bool) -> None:
        assert self._link is not None, "not started"
        self.up = up
        self._link(up, "" if up else "connection lost")


def posture(t_ns: int, label: PostureLabel = PostureLabel.SITTING, **changes: Any) -> Posture:
    values: dict[str, Any] = {
        "t_ns": t_ns,
        "posture": label,
        "since_ns": t_ns - 12 * 60 * NS_PER_S,
        "confidence": 0.9,
        "flexion_deg": 14.0,
        "lateral_deg": -4.0,
        "version": VERSION,
    }
    return Posture(**(values | changes))


def health(t_ns: int, state: DeviceState = DeviceState.STREAMING, reason: SilenceReason | None = None) -> DeviceHealth:
    return DeviceHealth(
        t_ns=t_ns,
        device="back-1",
        site=Site.LOWER_BACK,
        driver="simulated",
        state=state,
        reason=reason,
        battery_percent=78,
        rate_hz=100.0,
        samples=123_000,
    )


_PLAN = (
    # from hour, to hour, posture, how many of sixty minutes differ
    (0.0, 6.6, PostureLabel.NOT_WORN),
    (6.6, 7.0, PostureLabel.STANDING),
    (7.0, 7.35, PostureLabel.SITTING),
    (7.35, 7.7, PostureLabel.WALKING),
    (7.7, 9.6, PostureLabel.SITTING),
    (9.6, 9.75, PostureLabel.WALKING),
    (9.75, 10.3, PostureLabel.STANDING),
    (10.3, 12.1, PostureLabel.SITTING),
    (12.1, 12.4, PostureLabel.WALKING),
    (12.4, 13.0, PostureLabel.SITTING),
    (13.0, 13.3, PostureLabel.LYING),
    (13.3, 13.6, PostureLabel.STANDING),
    (13.6, 13.7, PostureLabel.BENDING),
    (13.7, 14.43, PostureLabel.SITTING),
)


def a_day(reader: MemoryReader, wearer: str, now_ns: int = NOW_NS, zone: ZoneInfo = BERLIN) -> None:
    """Fill the store with the day of `now_ns` up to then."""
    midnight = datetime.fromtimestamp(now_ns / NS_PER_S, zone).replace(hour=0, minute=0, second=0, microsecond=0)
    start = int(midnight.timestamp()) * NS_PER_S
    sums: dict[str, float] = {}
    for index in range((now_ns - start) // (60 * NS_PER_S)):
        label = _planned(index / 60.0, index)
        t_ns = start + index * 60 * NS_PER_S
        sums[label] = sums.get(label, 0.0) + 60.0
        worn = 0.0 if label is PostureLabel.NOT_WORN else 60.0
        slouched = 20.0 if label is PostureLabel.SITTING and index % 3 == 0 else 0.0
        exposure = Exposure(posture_s={label: 60.0}, worn_s=worn, slouched_s=slouched)
        reader.add(wearer, Minute(t_ns=t_ns, exposure=exposure, version=VERSION))
    for hour in (7.4, 9.6, 12.1, 12.3):
        reader.add(wearer, a_walk(start + int(hour * 3600) * NS_PER_S, 180.0 + 40 * hour))
    for index in range(31):
        at = start + int((7 + index * 0.23) * 3600) * NS_PER_S
        reader.add(wearer, Event(t_ns=at, event="bend", duration_s=2.5, values={"flexion_deg": 47.0}, version=VERSION))
        if index % 3 == 0:
            reader.add(wearer, Event(t_ns=at + NS_PER_S, event="sit_to_stand", duration_s=1.8, version=VERSION))
    reader.add(
        wearer, Event(t_ns=start + 7 * 3600 * NS_PER_S, event="calibrated", text="Upright is set.", version=VERSION)
    )
    for second in range(30):
        reader.add(wearer, posture(now_ns - (29 - second) * NS_PER_S))
    day = Day(
        date=midnight.date().isoformat(),
        time_zone=str(zone),
        t_ns=start,
        end_ns=start + 86_400 * NS_PER_S,
        final=False,
        exposure=Exposure(posture_s=sums, worn_s=sum(sums.values()) - sums[PostureLabel.NOT_WORN], steps=4277),
        metrics={"walking_speed_mps": 1.21, "cadence_spm": 108.0},
        version=VERSION,
    )
    reader.add(wearer, day)
    reader.health[wearer] = {"lower_back": {**health(now_ns).model_dump(mode="json"), "seen_ns": now_ns}}


def a_walk(start_ns: int, length_s: float, **changes: Any) -> Walk:
    steps = round(length_s * 1.8)
    pattern = Pattern(
        pattern="shortened_stance",
        side=None,
        score=0.4,
        flagged=length_s > 600,
        assessable=True,
        confidence=0.72,
        evidence={"step_time_asymmetry_percent": 7.0},
    )
    values: dict[str, Any] = {
        "start_ns": start_ns,
        "end_ns": start_ns + int(length_s * NS_PER_S),
        "final": True,
        "n_steps": steps,
        "n_strides": steps // 2,
        "steady": True,
        "cadence_spm": 108.0,
        "compensations": [pattern],
        "confidence": 0.85,
        "version": VERSION,
    }
    return Walk(**(values | changes))


def _planned(hour: float, index: int) -> PostureLabel:
    label = next((label for start, end, label in _PLAN if start <= hour < end), PostureLabel.SITTING)
    if label is PostureLabel.SITTING and index % 23 == 5:
        return PostureLabel.STANDING
    return label


LIVE: type[LiveSource] = MemoryLive
