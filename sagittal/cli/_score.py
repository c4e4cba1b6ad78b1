"""Results held against what is true: posture, angles, contacts, cadence and step length of one wearer."""

from __future__ import annotations

import statistics
from bisect import bisect_left
from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field

from sagittal.names import PostureLabel, Side
from sagittal.results import Posture, Result, Walk
from sagittal.truth import TrueContact, Truth
from sagittal.units import NS_PER_S, seconds

NEAR_NS = NS_PER_S // 4
"""A contact found within 250 ms of a true one is that one (Mobilise-D: half a second between two)."""
_MIN_STEPS = 4


@dataclass(slots=True)
class Score:
    """How far results and truth agree; None where there is nothing to compare.

    Shares run from 0 to 1. Flexion errors are those left after the median offset, which is how the sensor sits.
    """

    seconds: int = 0
    posture_agreement: float | None = None
    confused: dict[str, int] = field(default_factory=dict)
    flexion_offset_deg: float | None = None
    flexion_rms_deg: float | None = None
    lateral_rms_deg: float | None = None
    contacts: int = 0
    contact_recall: float | None = None
    contact_precision: float | None = None
    contact_error_ms: float | None = None
    side_agreement: float | None = None
    cadence_error_spm: float | None = None
    step_length_error_m: float | None = None


def score(truth: Sequence[Truth], results: Iterable[Result]) -> Score:
    """One wearer's results against the truth, over the time that the truth covers."""
    if not truth:
        return Score()
    begin_ns, end_ns = truth[0].t_ns, truth[-1].end_ns
    found = list(results)
    rows = [one for one in found if isinstance(one, Posture) and begin_ns <= one.t_ns < end_ns - NS_PER_S]
    last: dict[int, Walk] = {one.start_ns: one for one in found if isinstance(one, Walk)}
    walks = [one for one in last.values() if begin_ns <= one.start_ns and one.end_ns <= end_ns]
    out = Score(seconds=len(rows))
    _posture(out, truth, rows)
    _angles(out, truth, rows)
    _contacts(out, truth, walks)
    return out


def _posture(out: Score, truth: Sequence[Truth], rows: Sequence[Posture]) -> None:
    spans = sorted({(one.start_ns, one.end_ns, one.posture) for part in truth for one in part.postures})
    starts = [one[0] for one in spans]
    agreed: list[bool] = []
    confused: Counter[str] = Counter()
    for row in rows:
        place = bisect_left(starts, row.t_ns + 1) - 1
        if place < 0 or row.t_ns + NS_PER_S > spans[place][1] or spans[place][2] is PostureLabel.TRANSITION:
            continue
        true = spans[place][2]
        agreed.append(row.posture is true)
        if row.posture is not true:
            confused[f"{true} as {row.posture}"] += 1
    out.posture_agreement = _mean(agreed)
    out.confused = dict(confused.most_common(6))


def _angles(out: Score, truth: Sequence[Truth], rows: Sequence[Posture]) -> None:
    flexion: list[float] = []
    lateral: list[float] = []
    parts = iter(truth)
    part = next(parts)
    for row in rows:
        while part.end_ns < row.t_ns + NS_PER_S:
            following = next(parts, None)
            if following is None:
                break
            part = following
        first, count = (row.t_ns - part.t_ns) // part.dt_ns, NS_PER_S // part.dt_ns
        pelvis = part.segments["pelvis"]
        if first < 0 or first + count > len(pelvis.flexion_deg) or row.posture is PostureLabel.LYING:
            continue
        for into, said, true in (
            (flexion, row.flexion_deg, pelvis.flexion_deg),
            (lateral, row.lateral_deg, pelvis.lateral_deg),
        ):
            if said is not None:
                into.append(said - statistics.fmean(true[first : first + count]))
    out.flexion_offset_deg = statistics.median(flexion) if flexion else None
    out.flexion_rms_deg, out.lateral_rms_deg = _spread(flexion), _spread(lateral)


def _contacts(out: Score, truth: Sequence[Truth], walks: Sequence[Walk]) -> None:
    true = sorted((one for part in truth for one in part.contacts), key=lambda one: one.t_ns)
    said = sorted({(one.t_ns, one.side) for walk in walks for one in walk.initial_contacts})
    out.contacts = len(true)
    pairs = _pairs(true, said)
    if true:
        out.contact_recall = len(pairs) / len(true)
    if said:
        out.contact_precision = len(pairs) / len(said)
    if pairs:
        out.contact_error_ms = 1e3 * statistics.fmean(abs(seconds(a.t_ns - b[0])) for a, b in pairs)
    out.side_agreement = _mean([a.side is b[1] for a, b in pairs if b[1] is not None])
    cadence, length = [], []
    for walk in walks:
        inside = [one for one in true if walk.start_ns <= one.t_ns <= walk.end_ns]
        if len(inside) < _MIN_STEPS:
            continue
        took = seconds(inside[-1].t_ns - inside[0].t_ns)
        if walk.cadence_spm is not None:
            cadence.append(abs(walk.cadence_spm - 60 * (len(inside) - 1) / took))
        if walk.stride_length_m is not None:
            length.append(abs(0.5 * walk.stride_length_m - statistics.fmean(one.step_length_m for one in inside[1:])))
    out.cadence_error_spm = statistics.fmean(cadence) if cadence else None
    out.step_length_error_m = statistics.fmean(length) if length else None


def _pairs(
    true: Sequence[TrueContact], said: Sequence[tuple[int, Side | None]]
) -> list[tuple[TrueContact, tuple[int, Side | None]]]:
    """Each true contact with the nearest found one, none used twice."""
    pairs = []
    place = 0
    for one in true:
        while place < len(said) and said[place][0] < one.t_ns - NEAR_NS:
            place += 1
        if place < len(said) and said[place][0] <= one.t_ns + NEAR_NS:
            pairs.append((one, said[place]))
            place += 1
    return pairs


def _mean(values: Sequence[bool]) -> float | None:
    return sum(values) / len(values) if values else None


def _spread(errors: Sequence[float]) -> float | None:
    if not errors:
        return None
    middle = statistics.median(errors)
    return float(statistics.fmean((one - middle) ** 2 for one in errors) ** 0.5)
