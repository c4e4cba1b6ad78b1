"""What a report says, worked out from days, walks and events: counts and spreads, never a bare mean of a diary."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from statistics import median

from dashboards._before import HIGH_PAIN, PAINS, what_came_before
from dashboards._metrics import evidence_words, metric_name, pattern_name, quantity, reason_words
from dashboards._movements import counted_words
from dashboards._words import duration, word, word_or
from dashboards.content import movements
from dashboards.drawings import POSTURE_ORDER
from sagittal.names import PostureLabel
from sagittal.results import Day, Event, Minute, Pattern, Walk
from sagittal.units import NS_PER_S

_MIN_WORN_S = 4 * 3600.0
_SHOWN_SHARES = 4
_WALK_METRICS = ("cadence_spm", "stride_duration_s", "stride_length_m", "walking_speed_mps")


@dataclass(frozen=True, slots=True)
class Row:
    """A line of a table: a name, its values, and a remark; or the reason why there are no values."""

    name: str
    values: tuple[str, ...] = ()
    remark: str = ""
    absent: str = ""


def worn_rows(days: Sequence[Day], asked: int) -> list[Row]:
    """Worn time and quality."""
    worn = [day.exposure.worn_s for day in days]
    gaps: Counter[str] = Counter()
    for day in days:
        gaps.update({reason: seconds for reason, seconds in day.exposure.gap_s.items() if reason != "start"})
    lost = "; ".join(
        f"{duration(seconds)}: {word_or(f'gap.{reason}', reason.replace('_', ' '))}"
        for reason, seconds in gaps.items()
        if seconds >= 1
    )
    long = sum(seconds >= _MIN_WORN_S for seconds in worn)
    return [
        Row(word("report.days"), (word("report.of", n=len(days), of=asked),), word("report.long_days", n=long)),
        Row(
            word("report.worn"),
            (duration(sum(worn)),),
            word(
                "report.per_day",
                low=duration(min(worn, default=0)),
                middle=duration(median(worn) if worn else 0),
                high=duration(max(worn, default=0)),
            ),
        ),
        Row(word("report.gaps"), (lost or word("report.none"),)),
    ]


def posture_rows(days: Sequence[Day]) -> list[Row]:
    """Hours a day in each posture: share of the worn time, and the days' range."""
    total = sum(day.exposure.worn_s for day in days)
    rows = []
    for label in POSTURE_ORDER:
        seconds = [day.exposure.posture_s.get(label, 0.0) for day in days]
        if label is PostureLabel.NOT_WORN or sum(seconds) < 60 or not total:
            continue
        share = f"{100 * sum(seconds) / total:.0f} %"
        spread = f"{duration(min(seconds))} – {duration(max(seconds))}"
        rows.append(Row(word(f"posture.{label}"), (share, duration(median(seconds)), spread)))
    return rows


def trunk_rows(days: Sequence[Day]) -> list[Row]:
    """Time of the trunk sensor in the bands of RULA and REBA, bends and holds."""
    bands: Counter[str] = Counter()
    for day in days:
        bands.update(day.exposure.trunk_band_s)
    total = sum(bands.values())
    rows = [
        Row(_band(band), (f"{100 * seconds / total:.0f} %", duration(seconds)))
        for band, seconds in bands.items()
        if total
    ]
    worn_h = sum(day.exposure.worn_s for day in days) / 3600
    for name in ("bends", "holds", "sit_to_stands"):
        count = sum(getattr(day.exposure, name) for day in days)
        each = word("report.per_hour", n=f"{count / worn_h:.1f}") if worn_h else "–"
        rows.append(Row(word(f"report.{name}"), (str(count), each)))
    return rows


def walking_rows(walks: Sequence[Walk], days: Sequence[Day]) -> list[Row]:
    """Walking: how much, and the middle and range over steady bouts."""
    steady = [walk for walk in walks if walk.steady]
    steps = [day.exposure.steps for day in days]
    rows = [
        Row(word("report.walks"), (str(len(walks)), word("report.steady", n=len(steady)))),
        Row(word("report.steps"), (_number(median(steps), 0) if steps else "–", _range(steps, 0))),
    ]
    for name in _WALK_METRICS:
        values = [value for walk in steady if (value := getattr(walk, name)) is not None]
        if values:
            remark = word("report.bouts", n=len(values))
            rows.append(Row(metric_name(name), (quantity(name, median(values)), _spread(name, values)), remark))
        else:
            reason = next((walk.not_assessable[name] for walk in walks if name in walk.not_assessable), None)
            said = reason_words(reason) if reason else word("report.no_value")
            rows.append(Row(metric_name(name), absent=word("report.absent", reason=said)))
    return rows


def pattern_rows(walks: Sequence[Walk]) -> list[Row]:
    """Compensation patterns over bouts: how often assessable and flagged, the middle and range of the score."""
    rows = []
    for name, patterns in _patterns(walks).items():
        able = [pattern for pattern in patterns if pattern.assessable and pattern.score is not None]
        if not able:
            continue
        scores = [pattern.score for pattern in able if pattern.score is not None]
        sides = Counter(str(pattern.side) for pattern in able if pattern.flagged and pattern.side)
        side = ", ".join(f"{word(f'side.{side}')} {n}" for side, n in sides.items())
        flagged = word("report.of", n=sum(pattern.flagged for pattern in able), of=len(able))
        sure = word("report.confidence", n=round(100 * median(pattern.confidence for pattern in able)))
        remark = "; ".join(filter(None, [side and word("report.spared", sides=side), sure, _evidence(able)]))
        rows.append(Row(pattern_name(name), (flagged, _number(median(scores), 2), _range(scores, 2)), remark))
    return rows


def unassessed_patterns(walks: Sequence[Walk]) -> str:
    """The patterns that no bout could tell, each with its reason, in one sentence; empty where there is none."""
    said = [
        word("report.because", what=pattern_name(name), reason=reason_words(patterns[-1].reason))
        for name, patterns in _patterns(walks).items()
        if not any(pattern.assessable for pattern in patterns)
    ]
    return word("report.patterns_absent", list="; ".join(said)) if said else ""


def _patterns(walks: Sequence[Walk]) -> dict[str, list[Pattern]]:
    found: dict[str, list[Pattern]] = {}
    for walk in walks:
        for pattern in walk.compensations:
            found.setdefault(pattern.pattern, []).append(pattern)
    return dict(sorted(found.items()))


def _evidence(patterns: Sequence[Pattern]) -> str:
    names = list(dict.fromkeys(name for pattern in patterns for name in pattern.evidence))
    middles: dict[str, float | None] = {}
    for name in names:
        values = [value for pattern in patterns if (value := pattern.evidence.get(name)) is not None]
        middles[name] = median(values) if values else None
    return evidence_words(middles, most=2)


def change_rows(days: Sequence[Day]) -> list[Row]:
    """The newest day that was judged against the wearer's own baseline."""
    newest = next((day for day in reversed(days) if day.changes), None)
    rows = []
    for change in newest.changes if newest else []:
        name = metric_name(change.metric)
        if change.value is None or change.baseline is None:
            rows.append(Row(name, absent=word("report.absent", reason=reason_words(change.reason))))
            continue
        values = tuple(
            quantity(change.metric, value) for value in (change.value, change.baseline, change.detectable_change)
        )
        verdict = word("report.different") if change.changed else word("report.usual")
        remark = f"{verdict} ({word('report.baseline_days', n=change.days)})"
        if change.changed and change.reason:
            remark = f"{remark}; {change.reason}"
        rows.append(Row(name, values, remark))
    return rows


def diary_rows(events: Sequence[Event]) -> list[Row]:
    """Diary marks with their counts, and tags."""
    entries = [event for event in events if event.event == "diary"]
    rows = []
    for name in PAINS:
        marks = [value for event in entries if (value := event.values.get(name)) is not None]
        if marks:
            middle = word("report.middle", n=_number(median(marks), 0))
            rows.append(Row(word(f"diary.{name}"), (word("report.marks", n=len(marks)), _range(marks, 0)), middle))
    tags = Counter(tag for event in entries for tag in event.tags)
    if tags:
        rows.append(Row(word("diary.tags"), (", ".join(f"{tag} {n}" for tag, n in tags.most_common()),)))
    return rows


def before_words(events: Sequence[Event], minutes: Iterable[Minute]) -> str:
    """What the half hours before high marks held, with counts; empty where there is too little to compare."""
    before = what_came_before(minutes, [event for event in events if event.event == "diary"])
    if not before.enough:
        return ""
    shares = ", ".join(_share_words(*share) for share in before.shares()[:_SHOWN_SHARES])
    return word(
        "report.before",
        pain=HIGH_PAIN,
        n=before.marks,
        minutes=round(before.inside.worn_s / 60),
        hours=duration(before.outside.worn_s),
        shares=shares,
    )


def _share_words(name: str, inside: float, outside: float) -> str:
    what = word("diary.before_slouched") if name == "slouched" else word(f"posture.{name}")
    return word("report.before_shares", what=what, inside=f"{inside:.0f}", outside=f"{outside:.0f}")


def adherence_rows(events: Sequence[Event]) -> list[Row]:
    """Nudges and movements: how many, and what was done."""
    count = Counter(event.event for event in events)
    rows = []
    told = count["nudge"] + count["break_due"]
    if told:
        followed = word("report.followed", n=count["nudge_followed"], wrong=count["nudge_wrong"])
        rows.append(Row(word("nudge.title"), (str(told), followed)))
    for movement in movements().values():
        sessions = [
            event
            for event in events
            if event.event == "exercise" and "stop" in event.tags and movement.name in event.tags
        ]
        if sessions:
            lasted = duration(sum(event.duration_s for event in sessions))
            counted = counted_words(movement, sessions)
            rows.append(
                Row(
                    movement.title,
                    (word("report.sessions", n=len(sessions)), ", ".join(filter(None, (lasted, counted)))),
                )
            )
    if count["reminder"]:
        rows.append(Row(word("remind.title"), (str(count["reminder"]), "")))
    return rows


def unassessed(days: Sequence[Day]) -> list[Row]:
    """What could not be assessed, on how many days, and why."""
    found = Counter((name, reason) for day in days for name, reason in day.not_assessable.items())
    return [
        Row(metric_name(name), (word("report.n_days", n=n),), reason_words(reason))
        for (name, reason), n in sorted(found.items())
    ]


def versions(days: Sequence[Day], walks: Sequence[Walk], events: Sequence[Event]) -> list[str]:
    """The versions of every method that the report rests on."""
    return sorted(
        {day.version for day in days} | {walk.version for walk in walks} | {event.version for event in events}
    )


def walk_seconds(walks: Sequence[Walk]) -> float:
    """Time spent in walking bouts, s."""
    return sum((walk.end_ns - walk.start_ns) / NS_PER_S for walk in walks)


def _number(value: float, digits: int) -> str:
    return f"{value:.{digits}f}"


def _spread(name: str, values: Sequence[float]) -> str:
    low, high = quantity(name, min(values)), quantity(name, max(values))
    return low if low == high else f"{low} – {high}"


def _range(values: Sequence[float], digits: int) -> str:
    if not values:
        return "–"
    low, high = f"{min(values):.{digits}f}", f"{max(values):.{digits}f}"
    return low if low == high else f"{low} – {high}"


def _band(name: str) -> str:
    """A trunk band such as "20-60" in degrees."""
    bare = name.removesuffix("deg").replace("_", " ")
    low, dash, high = bare.partition("-")
    if not dash or not low.isdigit():
        return word_or(f"report.band_{bare}", bare)
    return f"{low}° – {high}°" if high else word("report.band_beyond", n=low)
