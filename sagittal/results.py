"""What the analytics say: one frozen dataclass a kind, published as JSON with a JSON Schema.

Absent values are null, never NaN, and the reason stands beside them. Angles are degrees because people read them:
flexion positive forwards, lateral inclination positive to the wearer's right; both are the *pelvis's or trunk
sensor's* inclination, not lumbar curvature. Times are UTC ns.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Literal

from sagittal.blocks import GapReason
from sagittal.names import PostureLabel, Side, Site

NOTICE = "For information, not diagnosis. If something worries you, seek a professional's evaluation."
"""Stands on every page and report."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Posture:
    """One second of posture.

    `flexion_deg` and `lateral_deg` are the second's means, with their extremes; `angle_reason` says why they are
    absent. `since_ns` is when this posture began. `slouch_percent` places the flexion in the person's own range
    (0 upright reference, 100 deepest calibrated bend). The lumbar angles need a second sensor at the upper trunk;
    rotation, positive to the left, is told with its standard error for some seconds after straight walking, and
    `lumbar_rotation_reason` says why it is absent.
    """

    kind: Literal["posture"] = "posture"
    t_ns: int
    posture: PostureLabel
    detail: str | None = None
    since_ns: int
    confidence: float
    flexion_deg: float | None = None
    flexion_min_deg: float | None = None
    flexion_max_deg: float | None = None
    lateral_deg: float | None = None
    lateral_min_deg: float | None = None
    lateral_max_deg: float | None = None
    angle_reason: str | None = None
    slouch_percent: float | None = None
    lumbar_flexion_deg: float | None = None
    lumbar_lateral_deg: float | None = None
    lumbar_rotation_deg: float | None = None
    lumbar_rotation_error_deg: float | None = None
    lumbar_rotation_reason: str | None = None
    cadence_spm: float | None = None
    version: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Angles:
    """Inclination at 10 Hz from `t_ns` on, live only; None where it can't be trusted."""

    kind: Literal["angles"] = "angles"
    t_ns: int
    dt_ns: int
    flexion_deg: list[float | None]
    lateral_deg: list[float | None]


@dataclass(frozen=True, slots=True, kw_only=True)
class InitialContact:
    """A foot touching the ground: when, which one where known, and how sure (0–1)."""

    t_ns: int
    side: Side | None
    confidence: float


@dataclass(frozen=True, slots=True, kw_only=True)
class Turn:
    """A change of direction while walking; `angle_deg` positive to the left (about up, right-hand rule)."""

    start_ns: int
    end_ns: int
    angle_deg: float


@dataclass(frozen=True, slots=True, kw_only=True)
class Pattern:
    """One compensation pattern: how far it lies from the reference, and on what evidence.

    `score` runs from 0 to 1; `flagged` means beyond the reference band by more than its uncertainty. `side` is the
    spared leg (shorter stance). Where not `assessable`, `score` is null and `reason` says why. `evidence` holds the
    metrics with their units in their names.
    """

    pattern: str
    side: Side | None = None
    score: float | None = None
    flagged: bool = False
    assessable: bool
    reason: str | None = None
    evidence: dict[str, float | None] = field(default_factory=dict)
    confidence: float = 0.0
    limits: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Walk:
    """A walking bout (Mobilise-D rules), provisional until `final`.

    `start_ns` names the bout: a later result with the same start replaces an earlier one. `metrics` holds every
    further number with its unit in its name; what could not be assessed is null there and its reason stands in
    `not_assessable` under the same name. `closing_contacts` are the steps that follow `end_ns` without a pause, to the
    foot set down beside the other: bouts end before them, and no number counts them.
    """

    kind: Literal["walk"] = "walk"
    start_ns: int
    end_ns: int
    final: bool
    n_steps: int
    n_strides: int
    steady: bool
    steady_reason: str | None = None
    cadence_spm: float | None
    stride_duration_s: float | None = None
    stride_duration_cv_percent: float | None = None
    stride_length_m: float | None = None
    walking_speed_mps: float | None = None
    metrics: dict[str, float | None] = field(default_factory=dict)
    not_assessable: dict[str, str] = field(default_factory=dict)
    initial_contacts: list[InitialContact] = field(default_factory=list)
    closing_contacts: list[InitialContact] = field(default_factory=list)
    turns: list[Turn] = field(default_factory=list)
    compensations: list[Pattern] = field(default_factory=list)
    compensation_score: float | None = None
    compensation_reason: str | None = None
    confidence: float
    version: str


EventName = Literal[
    "bend",
    "hold",
    "sit_to_stand",
    "stand_to_sit",
    "squat",
    "posture_shift",
    "calibrated",
    "calibration_failed",
    "calibration_expired",
    "sensor_moved",
    "sensor_rescaled",
    "worn",
    "not_worn",
    "baseline_change",
    "relief",
    "nudge",
    "nudge_followed",
    "nudge_ignored",
    "nudge_wrong",
    "snoozed",
    "mode",
    "break_due",
    "diary",
    "exercise",
    "reminder",
    "reminder_set",
    "note",
]


@dataclass(frozen=True, slots=True, kw_only=True)
class Event:
    """Something that happened at `t_ns` and lasted `duration_s` (0 for a moment).

    `key` tells events of the same name and time apart. `values` holds numbers with the unit in the name; `text` is
    a sentence for people.
    """

    kind: Literal["event"] = "event"
    t_ns: int
    event: EventName
    key: str = ""
    duration_s: float = 0.0
    values: dict[str, float | None] = field(default_factory=dict)
    text: str = ""
    tags: list[str] = field(default_factory=list)
    confidence: float = 1.0
    version: str


@dataclass(frozen=True, slots=True, kw_only=True)
class GapMark:
    """A stretch without usable samples, with its reason; `samples` is the number missing where it is known."""

    kind: Literal["gap"] = "gap"
    t_ns: int
    end_ns: int
    site: Site
    reason: GapReason
    samples: int | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Exposure:
    """Sums over a minute or a day; seconds unless a name says otherwise.

    `trunk_band_s` are the trunk bands of RULA and REBA as counted from a pelvis or trunk sensor; `exposure_s` is the
    matrix amplitude × duration, row by row ("20-60deg|5-60s": seconds).
    """

    posture_s: dict[str, float] = field(default_factory=dict)
    worn_s: float = 0.0
    gap_s: dict[str, float] = field(default_factory=dict)
    trunk_band_s: dict[str, float] = field(default_factory=dict)
    exposure_s: dict[str, float] = field(default_factory=dict)
    flexion_mean_deg: float | None = None
    flexion_p5_deg: float | None = None
    flexion_p95_deg: float | None = None
    lateral_mean_deg: float | None = None
    slouched_s: float = 0.0
    bends: int = 0
    holds: int = 0
    sit_to_stands: int = 0
    posture_shifts: int = 0
    steps: int = 0
    walks: int = 0


@dataclass(frozen=True, slots=True, kw_only=True)
class Minute:
    """One UTC minute, final when the next one has begun."""

    kind: Literal["minute"] = "minute"
    t_ns: int
    exposure: Exposure
    version: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Change:
    """One metric of a day against the wearer's own baseline."""

    metric: str
    value: float | None
    baseline: float | None
    spread: float | None
    detectable_change: float | None
    days: int
    changed: bool
    reason: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Day:
    """One day in the wearer's time zone, replaced while it goes on.

    `metrics` holds Mobilise-D-style aggregates of the day's walking bouts and further numbers, units in their names.
    """

    kind: Literal["day"] = "day"
    date: str
    time_zone: str
    t_ns: int
    end_ns: int
    final: bool
    exposure: Exposure
    metrics: dict[str, float | None] = field(default_factory=dict)
    not_assessable: dict[str, str] = field(default_factory=dict)
    compensations: list[Pattern] = field(default_factory=list)
    compensation_score: float | None = None
    compensation_reason: str | None = None
    changes: list[Change] = field(default_factory=list)
    version: str


_AGAIN_NS = 120_000_000_000


def is_correction(row: Posture, newest: Posture | None) -> bool:
    """Whether a row is an earlier second said again, and no news: what a posture was may become known 90 s later.

    A row that is older by more belongs to another time, such as a replay's, and counts as the newest.
    """
    return newest is not None and 0 < newest.t_ns - row.t_ns < _AGAIN_NS


Result = Posture | Angles | Walk | Event | GapMark | Minute | Day
"""Everything a pipeline may say."""

RESULT_TYPES: dict[str, type[Posture | Angles | Walk | Event | GapMark | Minute | Day]] = {
    "posture": Posture,
    "angles": Angles,
    "walk": Walk,
    "event": Event,
    "gap": GapMark,
    "minute": Minute,
    "day": Day,
}


def result_key(result: Result) -> tuple[str, int, str]:
    """What names a result among its wearer's: (kind, time in ns, key); writing the same name again replaces it."""
    match result:
        case Walk():
            return (result.kind, result.start_ns, "")
        case Event():
            return (result.kind, result.t_ns, f"{result.event}|{result.key}")
        case GapMark():
            return (result.kind, result.t_ns, str(result.site))
        case _:
            return (result.kind, result.t_ns, "")
