"""What each set of recordings can say about gait."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np
from scipy.signal import butter, find_peaks, sosfiltfilt

from benchmarks.validate._matching import Matches, covered, icc, match
from benchmarks.validate._recordings import FloatArray, Judged, times

STEP_S = 0.01
STANCE_SHARE = 0.08
WITHIN_S = 0.25


@dataclass
class Home:
    """Simulated daily life: seconds judged, contacts against both systems, errors of matched bouts."""

    both_s: float = 0.0
    ours_s: float = 0.0
    theirs_s: float = 0.0
    judged_s: float = 0.0
    in_shoe: Matches = field(default_factory=Matches)
    optical: Matches = field(default_factory=Matches)
    errors: dict[str, list[float]] = field(default_factory=dict)

    @property
    def recall(self) -> float:
        """Walking found, by time."""
        return self.both_s / max(self.theirs_s, STEP_S)

    @property
    def precision(self) -> float:
        """Walking that is walking, by time."""
        return self.both_s / max(self.ours_s, STEP_S)

    @property
    def specificity(self) -> float:
        """Other time left alone."""
        rest = self.judged_s - self.theirs_s
        return 1.0 - (self.ours_s - self.both_s) / max(rest, STEP_S)

    @property
    def contact_f1(self) -> float:
        """Mean against the two systems."""
        return 0.5 * (self.in_shoe.f1 + self.optical.f1)

    @property
    def contact_error_ms(self) -> float:
        """Mean against the two systems."""
        return 0.5 * (self.in_shoe.error_ms + self.optical.error_ms)

    @property
    def side_accuracy(self) -> float:
        """Mean against the two systems."""
        return 0.5 * (self.in_shoe.side_accuracy + self.optical.side_accuracy)

    def error(self, name: str) -> float | None:
        """Mean absolute error over matched bouts."""
        return float(np.mean(np.abs(self.errors[name]))) if self.errors.get(name) else None


def home(every: Sequence[Judged]) -> Home:
    """mobilised_lab."""
    found = Home()
    for one in every:
        at_s = np.arange(0.0, len(one.record.acc["lower_back"]) / one.record.fs, STEP_S)
        ours = covered(_spans(one.found["walking_bouts"]), at_s)
        shoe, optical = (covered(_spans(one.ref[f"{name}_wb"]), at_s) for name in ("indip", "stereophoto"))
        judged = shoe == optical
        found.both_s += STEP_S * float((ours & shoe & judged).sum())
        found.ours_s += STEP_S * float((ours & judged).sum())
        found.theirs_s += STEP_S * float((shoe & judged).sum())
        found.judged_s += STEP_S * float(judged.sum())
        for name, into in (("indip_wb", found.in_shoe), ("stereophoto_wb", found.optical)):
            into += _contacts_judged(one, name, at_s[~judged])
        _bout_errors(one, found.errors)
    return found


def _contacts_judged(one: Judged, name: str, not_judged_s: FloatArray) -> Matches:
    """Our contacts within bouts against a system's; one without a partner counts only where both systems agree."""

    def counts(time_s: float) -> bool:
        return not len(not_judged_s) or float(np.abs(not_judged_s - time_s).min()) > WITHIN_S

    ours = _contacts(one.found["walking_bouts"])
    theirs: list[tuple[float, str | None]] = [
        (t, s.lower()) for bout in one.ref[name] for t, s in zip(bout["ic_s"], bout["ic_lr"], strict=True) if s
    ]
    found = _matched(ours, theirs, WITHIN_S)
    found.extra -= sum(not counts(t) for t in _alone(ours, theirs))
    found.missed -= sum(not counts(t) for t in _alone(theirs, ours))
    return found


def _alone(these: list[tuple[float, str | None]], those: list[tuple[float, str | None]]) -> list[float]:
    return [t for t, _ in these if all(abs(t - other) > WITHIN_S for other, _ in those)]


def _bout_errors(one: Judged, errors: dict[str, list[float]]) -> None:
    """Ours less the mean of both systems for bouts that overlap by more than half of either."""
    for bout in one.found["walking_bouts"]:
        pair = [_partner(bout, one.ref[name]) for name in ("indip_wb", "stereophoto_wb")]
        if any(other is None for other in pair):
            continue
        for name in ("cadence_spm", "stride_length_m", "walking_speed_mps"):
            theirs = [_value(other, name) for other in pair if other is not None]
            if bout[name] is not None and all(np.isfinite(theirs)):
                errors.setdefault(name, []).append(bout[name] - float(np.mean(theirs)))


def _value(bout: dict[str, Any], name: str) -> float:
    if name == "stride_length_m":
        lengths = [x for x in bout["stride_m"] if x is not None and np.isfinite(x)]
        return float(np.mean(lengths)) if lengths else float("nan")
    return float(bout[name])


def _partner(bout: dict[str, Any], others: list[dict[str, Any]]) -> dict[str, Any] | None:
    for other in others:
        overlap = min(bout["end_s"], other["end_s"]) - max(bout["start_s"], other["start_s"])
        if overlap > 0.5 * max(bout["end_s"] - bout["start_s"], other["end_s"] - other["start_s"]):
            return other
    return None


@dataclass
class Strikes:
    """Heel strikes over a set: `matches` of all, `in_walk` in the walk as marked, `in_bouts` those that bouts count."""

    matches: Matches = field(default_factory=Matches)
    in_walk: Matches = field(default_factory=Matches)
    in_bouts: Matches = field(default_factory=Matches)
    own_lag_s: list[float] = field(default_factory=list)
    sided: list[bool] = field(default_factory=list)

    @property
    def own_lag_error_ms(self) -> float:
        """Mean absolute error when every walk's own median error is taken off."""
        return 1000 * float(np.mean(np.abs(self.own_lag_s)))

    @property
    def walks_with_side(self) -> float:
        """Share of walks with no more than one contact given to the wrong foot."""
        return float(np.mean(self.sided))


def strikes(every: Sequence[Judged]) -> Strikes:
    """healthy_walk: all contacts, closing steps too, against hand-checked heel strikes; it counts packets."""
    found = Strikes()
    for one in every:
        rate, first = one.record.fs, float(one.record.packet[0])
        theirs = [
            ((float(row[1]) - first) / rate, side)
            for side in ("left", "right")
            for row in one.ref[f"{side}_off_strike"]
            if row[1] > 0
        ]
        ours = [(contact["time_s"], contact["side"]) for contact in one.found["initial_contacts"]]
        walk = _matched(ours, sorted(theirs), 0.1)
        start_s, end_s = (np.asarray(one.ref["trial"], dtype=float).ravel()[:2] - first) / rate
        inside = [[x for x in these if start_s - 0.1 <= x[0] <= end_s + 0.1] for these in (ours, sorted(theirs))]
        found.in_walk += _matched(inside[0], inside[1], 0.1)
        found.in_bouts += _matched(_contacts(one.found["walking_bouts"]), sorted(theirs), 0.1)
        found.matches += walk
        found.own_lag_s += list(np.asarray(walk.error_s) - np.median(walk.error_s)) if walk.error_s else []
        found.sided.append(sum(a != b for a, b in walk.sides) <= 1)
    return found


@dataclass
class Stroke:
    """Two-minute walks: error of the stride time (None where no walk was found), cadence of both walks of a person."""

    error_s: list[float | None] = field(default_factory=list)
    pairs: list[tuple[float, float]] = field(default_factory=list)

    @property
    def within_50_ms(self) -> float:
        """Share of all walks; one not found counts as wrong."""
        return float(np.mean([x is not None and abs(x) <= 0.05 for x in self.error_s]))

    @property
    def walks_found(self) -> float:
        """Share of walks with a bout."""
        return float(np.mean([x is not None for x in self.error_s]))

    @property
    def median_error_ms(self) -> float:
        """Of the walks found."""
        return 1000 * float(np.median([abs(x) for x in self.error_s if x is not None]))

    @property
    def cadence_icc(self) -> float:
        """Of people recorded twice in the same way."""
        return icc(self.pairs)


def stroke(every: Sequence[Judged]) -> Stroke:
    """stroke_walk."""
    found = Stroke()
    cadences: dict[tuple[str, bool], dict[bool, float]] = {}
    for one in every:
        ours = stride_time(one.found["walking_bouts"])
        feet = [_foot_stride_s(one.record, foot) for foot in ("foot_left", "foot_right")]
        found.error_s.append(None if ours is None else ours - float(np.mean(feet)))
        if "TestRetest" in one.name and ours is not None:
            key = (one.person, bool(one.meta["walking_aid"]))
            cadences.setdefault(key, {})[bool(one.meta["retest"])] = cadence(one.found["walking_bouts"])
    found.pairs = [(pair[False], pair[True]) for pair in cadences.values() if len(pair) == 2]
    return found


def cadence(bouts: list[dict[str, Any]]) -> float:
    """Steps a minute over all bouts, weighted by their strides."""
    weights = [max(1, bout["n_strides"]) for bout in bouts]
    return float(np.average([bout["cadence_spm"] for bout in bouts], weights=weights))


def stride_time(bouts: list[dict[str, Any]]) -> float | None:
    """Median time from a contact to the next but one, s."""
    strides = [
        later["time_s"] - first["time_s"]
        for bout in bouts
        for first, later in zip(bout["initial_contacts"], bout["initial_contacts"][2:], strict=False)
    ]
    return float(np.median(strides)) if strides else None


def _foot_stride_s(record: Any, foot: str) -> float:
    """Median time between a foot's swings: peaks of its angular rate below 3 Hz."""
    time_s = times(record, foot)
    newest = np.maximum.accumulate(time_s)
    fresh = np.r_[True, time_s[1:] > newest[:-1]]
    rate = np.linalg.norm(record.gyr[foot], axis=1)[fresh]
    grid = np.arange(time_s[fresh][0], time_s[fresh][-1], STEP_S)
    even = np.interp(grid, time_s[fresh], rate)
    smooth = sosfiltfilt(butter(2, 3.0, fs=1.0 / STEP_S, output="sos"), even)
    peaks, _ = find_peaks(smooth, height=0.4 * np.percentile(smooth, 97), distance=60)
    step = np.diff(peaks) * STEP_S
    return float(np.median(step[(step > 0.6) & (step < 3.2)]))


@dataclass
class Mill:
    """Treadmill walks against force plates."""

    error_s: list[float | None] = field(default_factory=list)
    matches: Matches = field(default_factory=Matches)

    @property
    def stride_error_ms(self) -> float:
        """Mean absolute error of a recording's median stride time."""
        return 1000 * float(np.mean([abs(x) for x in self.error_s if x is not None]))

    @property
    def walks_found(self) -> float:
        """Share of walks with a bout."""
        return float(np.mean([x is not None for x in self.error_s]))


def mill(every: Sequence[Judged]) -> Mill:
    """stiff_knee."""
    found = Mill()
    for one in every:
        landed = {side: _landings(np.asarray(one.ref[f"force_{side}_n"], dtype=float)) for side in ("left", "right")}
        theirs = float(np.median(np.concatenate([np.diff(x) for x in landed.values()])))
        ours = stride_time(one.found["walking_bouts"])
        found.error_s.append(None if ours is None else ours - theirs)
        if one.meta["step_level_sync"]:
            reference: list[tuple[float, str | None]] = sorted((t, side) for side, x in landed.items() for t in x)
            found.matches += _matched(_contacts(one.found["walking_bouts"]), reference, 0.1)
    return found


def _landings(force_n: FloatArray) -> FloatArray:
    """When a stance begins: force above 8 % of what is usually borne, for 0.2 s or more."""
    loaded = force_n > STANCE_SHARE * float(np.percentile(force_n, 90))
    edges = np.flatnonzero(np.diff(loaded.astype(int)))
    begins = edges[~loaded[edges]]
    kept = [i for i in begins if loaded[i + 1 : i + 21].all() and i + 21 < len(loaded)]
    return np.asarray(kept, dtype=float) * STEP_S


def _spans(bouts: list[dict[str, Any]]) -> list[tuple[float, float]]:
    return [(bout["start_s"], bout["end_s"]) for bout in bouts]


def _contacts(bouts: list[dict[str, Any]]) -> list[tuple[float, str | None]]:
    return [(one["time_s"], one["side"]) for bout in bouts for one in bout["initial_contacts"]]


def _matched(ours: list[tuple[float, str | None]], theirs: list[tuple[float, str | None]], within_s: float) -> Matches:
    sides = ([side for _, side in ours], [side for _, side in theirs])
    return match([t for t, _ in ours], [t for t, _ in theirs], within_s, sides)
