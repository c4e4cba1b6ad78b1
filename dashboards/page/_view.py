"""What the page says, in words and drawings, worked out from what is stored and what is live."""

from __future__ import annotations

import math
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime

from markupsafe import Markup

from dashboards._clock import Clock, date_words, local_time
from dashboards._day import DayData
from dashboards._words import duration, word, word_or
from dashboards.drawings import POSTURE_ORDER, back_figure, day_band, posture_class, side_figure
from dashboards.page._hub import Hub
from dashboards.page._walking import PatternsView, WalkView, patterns_view, walk_view
from sagittal.messages import DeviceHealth, DeviceState
from sagittal.names import PostureLabel
from sagittal.results import Event, Posture
from sagittal.thresholds import threshold
from sagittal.units import NS_PER_S

STALE_S = 15.0
"""After this long without a new second of posture the page stops calling it "now"."""
_BEHIND_S = 60.0
_UNSURE = 0.5
_LEVEL_DEG = 3.0
_SHOWN_WALKS = 8
_BATTERY_LOW = 15.0
_CATCHING_UP_BLOCKS = 30
_EMPTY = word("day.empty")
_HOUR_NS = 3600 * NS_PER_S
_SHORT_NS = 2 * _HOUR_NS
_FIRST_NS = _HOUR_NS // 4
_TICK_STEPS_NS = tuple(minutes * 60 * NS_PER_S for minutes in (5, 10, 15, 30, 60))
_NOTICED = (
    "relief",
    "sensor_moved",
    "sensor_rescaled",
    "calibration_failed",
    "calibration_expired",
    "note",
)
_SHOWN_NOTICED = 4
_MARKS = {"nudge": "nudge", "break_due": "nudge", "diary": "diary", "exercise": "exercise"}
_QUARTERS = (0, 6, 12, 18, 24)


@dataclass(frozen=True, slots=True)
class NowView:
    """The posture now, in words."""

    label: str
    detail: str
    css: str
    since: str
    side: str
    back: str
    extra: list[str]
    fresh: bool
    spoken: str


@dataclass(frozen=True, slots=True)
class Alert:
    """One thing that keeps the page from being live, and what to do."""

    level: str
    title: str
    hint: str


@dataclass(frozen=True, slots=True)
class DeviceView:
    """One wearable in words."""

    site: str
    name: str
    state: str
    css: str
    reason: str
    facts: list[str]


@dataclass(frozen=True, slots=True)
class PostureShare:
    """A row of the table of minutes; percent of the time worn."""

    label: str
    css: str
    time: str
    percent: int | None


@dataclass(frozen=True, slots=True)
class DayView:
    """A day in words and one drawing."""

    title: str
    iso: str
    band: Markup
    shares: list[PostureShare]
    counts: list[tuple[str, str, str]]
    worn: str
    gaps: str
    walks: list[WalkView]
    walks_title: str
    earlier: str
    patterns: PatternsView
    noticed: list[tuple[str, str]]
    empty: bool


def posture_word(posture: PostureLabel) -> str:
    """The word for a posture."""
    return word(f"posture.{posture}")


def now_view(posture: Posture | None, live: bool, clock: Clock) -> NowView:
    """The newest second of posture in words; `live` where it arrived just now, however old it is."""
    if posture is None:
        return NowView(word("now.none"), word("now.none_hint"), "p-unknown", "", "", "", [], False, word("now.none"))
    age_s = clock.age_s(posture.t_ns)
    label = posture_word(posture.posture)
    detail = word_or(f"detail.{posture.detail}", posture.detail.replace("_", " ")) if posture.detail else ""
    if posture.confidence < _UNSURE and posture.posture not in (PostureLabel.UNKNOWN, PostureLabel.TRANSITION):
        detail = ", ".join(filter(None, (detail, word("now.unsure"))))
    fresh = live or age_s <= STALE_S
    since = ""
    if fresh:
        held = duration((posture.t_ns - posture.since_ns) / NS_PER_S)
        since = word("now.since", duration=held, time=clock.words(posture.since_ns))
    else:
        since = word("now.stale", when=clock.words(posture.t_ns))
    extra = []
    if live and age_s > _BEHIND_S:
        then = local_time(posture.t_ns, clock.zone)
        extra.append(word("now.replay", when=f"{date_words(then)}, {then:%H:%M:%S}"))
    if posture.posture is PostureLabel.WALKING and posture.cadence_spm is not None:
        extra.append(word("now.cadence", n=round(posture.cadence_spm)))
    if posture.flexion_deg is None and posture.angle_reason and posture.posture is not PostureLabel.LYING:
        reason = word_or(f"why.{posture.angle_reason}", posture.angle_reason.replace("_", " "))
        extra.append(word("now.no_angle", reason=reason))
    extra += _lower_back(posture)
    return NowView(
        label=label,
        detail=detail,
        css=posture_class(posture.posture),
        since=since,
        side=lean(posture.flexion_deg, "forwards", "backwards", "level"),
        back=lean(posture.lateral_deg, "right", "left", "straight"),
        extra=extra,
        fresh=fresh,
        spoken=f"{label}{f', {detail}' if detail else ''}" if fresh else since,
    )


def _lower_back(posture: Posture) -> list[str]:
    """How the trunk is bent and turned against the pelvis, where a second sensor tells; its turn with its error."""
    turned = ""
    if posture.lumbar_rotation_deg is not None and posture.lumbar_rotation_error_deg is not None:
        angle, error = round(posture.lumbar_rotation_deg), math.ceil(posture.lumbar_rotation_error_deg)
        way = "turned_left" if angle > 0 else "turned_right"
        turned = word(f"now.{way}", n=abs(angle), error=error) if abs(angle) > error else word("now.not_turned")
    bent = lean(posture.lumbar_flexion_deg, "forwards", "backwards", "level")
    aside = lean(posture.lumbar_lateral_deg, "right", "left", "straight")
    parts = [part for part in (bent, aside, turned) if part]
    return [word("now.lower_back", what=", ".join(parts))] if parts else []


def lean(angle_deg: float | None, positive: str, negative: str, neutral: str) -> str:
    """An inclination in words, such as "12° forwards"; empty where it is absent."""
    if angle_deg is None:
        return ""
    if abs(angle_deg) < _LEVEL_DEG:
        return word(f"now.{neutral}")
    return word(f"now.{positive if angle_deg > 0 else negative}", n=abs(round(angle_deg)))


def figures(posture: Posture | None) -> tuple[Markup, Markup]:
    """The person from the side and from behind."""
    label = posture.posture if posture else PostureLabel.UNKNOWN
    flexion = posture.flexion_deg if posture else None
    lateral = posture.lateral_deg if posture else None
    side = word("now.side_title", n=round(flexion)) if flexion is not None else word("now.side_unknown")
    back = word("now.back_title", n=round(lateral)) if lateral is not None else word("now.back_unknown")
    detail = posture.detail if posture else None
    return side_figure(label, flexion, title=side, detail=detail), back_figure(label, lateral, title=back)


def day_view(data: DayData, now_ns: int) -> DayView:
    """A day in words and one drawing."""
    shares = _shares(data)
    summary = ", ".join(word("day.bands", posture=share.label, duration=share.time) for share in shares)
    walks = sorted(data.walks, key=lambda walk: walk.start_ns, reverse=True)
    span = _span(data)
    band = day_band(
        data.segments,
        *span,
        ticks=_ticks(data, *span),
        marks=[(event.t_ns, f"mark-{_MARKS[event.event]}") for event in data.events if event.event in _MARKS],
        now_ns=now_ns,
        title=word(
            "day.band", start=_hour(span[0], data), end=_hour(span[1], data), summary=summary or word("day.empty")
        ),
    )
    worn = word("day.worn", duration=duration(data.worn_s)) if data.worn_s else ""
    return DayView(
        title=date_words(data.date),
        iso=data.date.isoformat(),
        band=band,
        shares=shares,
        counts=_counts(data),
        worn=worn,
        gaps=_gaps(data),
        walks=[walk_view(walk, data.zone) for walk in walks[:_SHOWN_WALKS]],
        walks_title=word("walks.one") if len(walks) == 1 else word("walks.many", n=len(walks)),
        earlier=word("walks.earlier", n=len(walks) - _SHOWN_WALKS) if len(walks) > _SHOWN_WALKS else "",
        patterns=patterns_view(walks, data.day),
        noticed=[
            (f"{local_time(event.t_ns, data.zone):%H:%M}", event.text)
            for event in reversed(data.events)
            if event.event in _NOTICED and event.text
        ][:_SHOWN_NOTICED],
        empty=not data.segments and not walks,
    )


def device_view(health: DeviceHealth) -> DeviceView:
    """A wearable in words."""
    streaming = health.state is DeviceState.STREAMING
    facts = []
    if health.battery_percent is not None:
        facts.append(word("device.battery", n=round(health.battery_percent)))
    if health.rate_hz is not None and streaming:
        facts.append(word("device.rate", n=round(health.rate_hz)))
    if health.samples_lost:
        facts.append(word("device.lost", n=health.samples_lost))
    if health.spooled_blocks > _CATCHING_UP_BLOCKS:
        facts.append(word("device.waiting_blocks", n=health.spooled_blocks))
    reason = word(f"reason.{health.reason}") if health.reason else ""
    if not streaming and health.detail:
        reason = f"{reason} {health.detail}".strip()
    return DeviceView(
        site=health.site.replace("_", " "),
        name=health.device,
        state=word(f"device_state.{health.state}"),
        css="ok" if streaming else "wait" if health.reason is None else "bad",
        reason=reason,
        facts=facts,
    )


def alerts(
    hub: Hub, wearer: str, devices: Iterable[DeviceHealth], posture: Posture | None, clock: Clock
) -> list[Alert]:
    """What keeps the page from being live: the first cause only, since the others follow from it."""
    known = list(devices)
    if hub.broker_up is False:
        return [Alert("bad", word("link.broker"), word("link.broker_hint"))]
    for part in ("bridge", "worker"):
        if hub.absent(part):
            return [Alert("bad", word(f"link.{part}"), word(f"link.{part}_hint"))]
    found = [Alert("bad", device_view(health).state, device_view(health).reason) for health in known if health.reason]
    low = [health for health in known if (health.battery_percent or 100.0) < _BATTERY_LOW]
    found += [
        Alert("wait", word("device.battery_low"), word("device.battery", n=round(h.battery_percent or 0))) for h in low
    ]
    if not found and posture is not None and hub.silent_s(wearer) > STALE_S and clock.age_s(posture.t_ns) > STALE_S:
        found = [Alert("wait", word("link.quiet", when=clock.words(posture.t_ns)), word("link.quiet_hint"))]
    return found


def calibration_words(events: Iterable[Event], clock: Clock) -> str:
    """What is known of the calibration, from the newest event that speaks of it."""
    names = {"calibrated": "last", "calibration_expired": "expired", "sensor_moved": "moved"}
    spoken = [event for event in events if event.event in names]
    if not spoken:
        return ""
    newest = max(spoken, key=lambda event: event.t_ns)
    return word(f"calibrate.{names[newest.event]}", when=clock.words(newest.t_ns))


def _shares(data: DayData) -> list[PostureShare]:
    total = sum(seconds for label, seconds in data.posture_s.items() if label != PostureLabel.NOT_WORN) or 1.0
    return [
        PostureShare(
            label=posture_word(label),
            css=posture_class(label),
            time=duration(data.posture_s[label]),
            percent=None if label is PostureLabel.NOT_WORN else round(100 * data.posture_s[label] / total),
        )
        for label in POSTURE_ORDER
        if data.posture_s.get(label, 0.0) >= 1.0
    ]


def _counts(data: DayData) -> list[tuple[str, str, str]]:
    bend_hint = word("day.bends_hint", n=round(threshold("posture.bend_min_deg")))
    counts = [
        (str(data.bends), word("day.bends"), bend_hint),
        (f"{data.steps:,}".replace(",", " "), word("day.steps"), ""),
        (str(data.sit_to_stands), word("day.sit_to_stands"), ""),
    ]
    holds = sum(event.event == "hold" for event in data.events)
    if holds:
        counts.append((str(holds), word("day.holds"), word("day.holds_hint", n=round(threshold("posture.hold_min_s")))))
    if data.longest_sit_s:
        counts.append((duration(data.longest_sit_s), word("day.longest_sit"), ""))
    if data.slouched_s:
        counts.append((duration(data.slouched_s), word("day.slouched"), ""))
    return counts


def _gaps(data: DayData) -> str:
    lost = {reason: seconds for reason, seconds in data.gap_s.items() if seconds >= 1.0 and reason != "start"}
    if not lost:
        return ""
    reasons = ", ".join(word_or(f"gap.{reason}", reason.replace("_", " ")) for reason in sorted(lost))
    return word("day.gaps", duration=duration(sum(lost.values())), reasons=reasons)


def _hour(t_ns: int, data: DayData) -> str:
    return "24:00" if t_ns == data.end_ns else f"{local_time(t_ns, data.zone):%H:%M}"


def _span(data: DayData) -> tuple[int, int]:
    """What the band shows: the whole day, or its first hours only while there is hardly anything to see."""
    if not data.segments:
        return data.start_ns, data.end_ns
    first, last = data.segments[0].start_ns, data.segments[-1].end_ns
    if last - first > _SHORT_NS:
        return data.start_ns, data.end_ns
    step = _HOUR_NS if last - first > _FIRST_NS else _FIRST_NS
    start = first - (first - data.start_ns) % (step // 3)
    return start, min(start + max(1, -(-(last - start) // step)) * step, data.end_ns)


def _ticks(data: DayData, start_ns: int, end_ns: int) -> list[tuple[int, str]]:
    if end_ns - start_ns <= 2 * _SHORT_NS:
        step = next(step for step in _TICK_STEPS_NS if end_ns - start_ns <= 4 * step)
        return [(t_ns, f"{local_time(t_ns, data.zone):%H:%M}") for t_ns in range(start_ns, end_ns + 1, step)]
    ticks = []
    for hour in _QUARTERS:
        at = (
            data.end_ns
            if hour == 24
            else int(datetime(data.date.year, data.date.month, data.date.day, hour, tzinfo=data.zone).timestamp())
            * NS_PER_S
        )
        ticks.append((at, f"{hour:02d}"))
    return ticks
