"""`analyze`: a recording's sensors in, posture, walking, compensation and quality out, as plain data."""

from __future__ import annotations

import dataclasses
import heapq
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from itertools import pairwise
from typing import Any

import numpy as np
import vqf
from pydantic import ValidationError

from analytics._window import FloatArray
from analytics.analysis._quality import quality
from analytics.analysis._recording import Checked, SensorRecording, blocks_of_checked, check
from analytics.compensation import Assessment, GaitEvidence
from analytics.pipeline import VERSION, State, assessed, finish, initial_state, steps
from sagittal.blocks import Block
from sagittal.errors import RecordingError, SettingsError
from sagittal.names import PRIMARY_SITES, Site, check_site
from sagittal.results import NOTICE, Event, InitialContact, Posture, Result, Walk
from sagittal.settings import Wearer
from sagittal.thresholds import threshold
from sagittal.units import NS_PER_S

_BASE_NS = 86_400 * NS_PER_S
_ROW_NS = NS_PER_S


@dataclass(frozen=True)
class Analysis:
    """What a recording holds, times in seconds on its own axis; `to_dict` gives plain data for JSON.

    `initial_contacts` are all that were seen, the closing steps after a bout among them (`in_bout` false there); a
    bout's own, as Mobilise-D counts them, stand with it in `walking_bouts`.
    """

    posture: list[dict[str, Any]]
    walking_bouts: list[dict[str, Any]]
    initial_contacts: list[dict[str, Any]]
    compensations: list[dict[str, Any]]
    compensation_score: float | None
    compensation_reason: str | None
    compensation_flagged: bool
    events: list[dict[str, Any]]
    quality: dict[str, Any]
    orientation: dict[str, Any] | None = None
    version: str = VERSION
    notice: str = field(default=NOTICE)

    def to_dict(self) -> dict[str, Any]:
        """Plain data; null where there is nothing, never NaN."""
        found = dataclasses.asdict(self)
        if self.orientation is None:
            del found["orientation"]
        return found


def analyze(
    sensors: Mapping[str, SensorRecording],
    height_m: float | None = None,
    sensor_height_m: float | None = None,
    orientation: bool = False,
) -> Analysis:
    """Analyse a recording.

    Parameters
    ----------
    sensors
        Site to samples, all on one time axis; at least one of lower_back, pelvis, waist.
    height_m, sensor_height_m
        Of the wearer, and of the primary sensor above the floor, where known.
    orientation
        Whether to add one quaternion a sample.

    Raises
    ------
    RecordingError
        Where there is no primary site, or samples can't be what they should be.
    NameRefused
        Where a site is not known.
    SettingsError
        Where a height is out of range.
    """
    sites, lead = _sites(sensors)
    checked = {site: check(recording, site) for site, recording in sites.items()}
    axis = _axis(checked)
    results, state = _through_pipeline(checked, lead, axis, _profile(height_m, sensor_height_m))
    judged = assessed(state)
    bouts = _bouts(results, axis)
    return Analysis(
        posture=_spans(_final(results), axis, checked[lead]),
        walking_bouts=bouts,
        initial_contacts=_every_contact(bouts),
        compensations=[_pattern(one) for one in judged.patterns],
        compensation_score=judged.score,
        compensation_reason=_reason(judged),
        compensation_flagged=judged.flagged,
        events=[_event(one, axis) for one in results if isinstance(one, Event)],
        quality={str(site): quality(one) for site, one in checked.items()},
        orientation={str(site): _orientation(one) for site, one in checked.items()} if orientation else None,
    )


@dataclass(frozen=True, slots=True)
class _Axis:
    """The recording's seconds and the pipeline's nanoseconds."""

    origin_s: float

    def blocks(self, recording: Checked, site: Site) -> Iterator[Block]:
        return blocks_of_checked(recording, site, origin_s=self.origin_s, base_ns=_BASE_NS)

    def seconds(self, t_ns: int) -> float:
        return round((t_ns - _BASE_NS) / NS_PER_S + self.origin_s, 6)


def _axis(checked: Mapping[Site, Checked]) -> _Axis:
    """The axis of a recording: the first sample of all is its origin, with room for times that step back before it."""
    times = [one.time_s[one.good] for one in checked.values()]
    origin_s = min(float(time_s[0]) for time_s in times)
    lowest = min(float(time_s.min()) for time_s in times) - origin_s + _BASE_NS / NS_PER_S
    return _Axis(origin_s + min(0.0, lowest))


def _profile(height_m: float | None, sensor_height_m: float | None) -> Wearer:
    try:
        return Wearer(id="recording", height_m=height_m, sensor_height_m=sensor_height_m)
    except ValidationError as error:
        first = error.errors()[0]
        raise SettingsError(f"{first['loc'][0]} {first['input']} can't be right: {first['msg']}, in metres") from None


def gait_evidence(sensors: Mapping[str, SensorRecording]) -> GaitEvidence:
    """What `analyze` judges a recording's compensation by: for making bands and studying them.

    Raises as `analyze` does.
    """
    sites, lead = _sites(sensors)
    checked = {site: check(one, site) for site, one in sites.items()}
    _, state = _through_pipeline(checked, lead, _axis(checked), _profile(None, None))
    return state.compensation.whole


def _sites(sensors: Mapping[str, SensorRecording]) -> tuple[dict[Site, SensorRecording], Site]:
    """The recordings by site, and the site that leads."""
    sites = {check_site(name): recording for name, recording in sensors.items()}
    lead = next((site for site in PRIMARY_SITES if site in sites), None)
    if lead is None:
        raise RecordingError(f"one of {', '.join(PRIMARY_SITES)} is needed, found {', '.join(sites) or 'nothing'}")
    return sites, lead


def _through_pipeline(
    sites: Mapping[Site, Checked], lead: Site, axis: _Axis, profile: Wearer
) -> tuple[list[Result], State]:
    """Results in order, and the state behind the last; of blocks that end together the leading site's is last."""
    state = initial_state(profile)
    used = {site: one for site, one in sites.items() if site is lead or site not in PRIMARY_SITES}
    streams = [axis.blocks(one, site) for site, one in used.items()]
    state, results = steps(state, heapq.merge(*streams, key=lambda one: (one.end_ns, one.site is lead)))
    state, found = finish(state)
    return [*results, *found], state


def _final(results: list[Result]) -> list[Posture]:
    """Every second as it was said last, in order of time."""
    last = {one.t_ns: one for one in results if isinstance(one, Posture)}
    return [last[t_ns] for t_ns in sorted(last)]


def _spans(rows: list[Posture], axis: _Axis, lead: Checked) -> list[dict[str, Any]]:
    """Seconds of the same posture in a row as one span."""
    end_s = float(lead.time_s[lead.good].max())
    spans: list[dict[str, Any]] = []
    end_ns = -1
    for row in rows:
        same = spans and (spans[-1]["posture"], spans[-1]["detail"]) == (str(row.posture), row.detail)
        if same and row.t_ns == end_ns:
            spans[-1]["_sum"] += row.confidence
        else:
            span = {"start_s": axis.seconds(row.t_ns), "end_s": 0.0, "posture": str(row.posture), "detail": row.detail}
            spans.append({**span, "confidence": 0.0, "_sum": row.confidence, "_start": row.t_ns})
        end_ns = row.t_ns + _ROW_NS
        spans[-1]["end_s"] = min(axis.seconds(end_ns), end_s) if end_s > spans[-1]["start_s"] else axis.seconds(end_ns)
        spans[-1]["confidence"] = round(spans[-1]["_sum"] * _ROW_NS / (end_ns - spans[-1]["_start"]), 3)
    return [{key: value for key, value in span.items() if not key.startswith("_")} for span in spans]


def _bouts(results: list[Result], axis: _Axis) -> list[dict[str, Any]]:
    last = {one.start_ns: one for one in results if isinstance(one, Walk)}
    return [_bout(last[start], axis) for start in sorted(last)]


def _bout(walk: Walk, axis: _Axis) -> dict[str, Any]:
    return {
        "start_s": axis.seconds(walk.start_ns),
        "end_s": axis.seconds(walk.end_ns),
        "n_steps": walk.n_steps,
        "n_strides": walk.n_strides,
        "steady": walk.steady,
        "steady_reason": walk.steady_reason,
        "cadence_spm": walk.cadence_spm,
        "walking_speed_mps": walk.walking_speed_mps,
        "stride_length_m": walk.stride_length_m,
        "stride_duration_s": walk.stride_duration_s,
        "stride_duration_cv_percent": walk.stride_duration_cv_percent,
        "initial_contacts": _contacts(walk.initial_contacts, axis),
        "closing_contacts": _contacts(walk.closing_contacts, axis),
        "turns": [
            {"start_s": axis.seconds(one.start_ns), "end_s": axis.seconds(one.end_ns), "angle_deg": one.angle_deg}
            for one in walk.turns
        ],
        "metrics": walk.metrics,
        "not_assessable": walk.not_assessable,
        "compensations": [_pattern(one) for one in walk.compensations],
        "compensation_score": walk.compensation_score,
        "compensation_reason": walk.compensation_reason,
        "confidence": walk.confidence,
    }


def _contacts(found: list[InitialContact], axis: _Axis) -> list[dict[str, Any]]:
    return [
        {"time_s": axis.seconds(one.t_ns), "side": one.side and str(one.side), "confidence": one.confidence}
        for one in found
    ]


def _every_contact(bouts: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """The contacts of all bouts and the closing steps after them, in order of time; those of a next bout once."""
    inside = [{**one, "in_bout": True} for bout in bouts for one in bout["initial_contacts"]]
    closing = [
        {**one, "in_bout": False}
        for bout in bouts
        for one in bout["closing_contacts"]
        if not any(other["start_s"] <= one["time_s"] <= other["end_s"] for other in bouts)
    ]
    return sorted(inside + closing, key=lambda one: float(one["time_s"]))


def _pattern(pattern: Any) -> dict[str, Any]:
    found: dict[str, Any] = dataclasses.asdict(pattern)
    found["side"] = found["side"] and str(found["side"])
    return found


def _reason(judged: Assessment) -> str | None:
    return judged.reason if judged.score is None else None


def _event(event: Event, axis: _Axis) -> dict[str, Any]:
    return {
        "time_s": axis.seconds(event.t_ns),
        "event": event.event,
        "duration_s": event.duration_s,
        "values": event.values,
        "text": event.text,
        "confidence": event.confidence,
    }


def _orientation(one: Checked) -> dict[str, Any]:
    """One quaternion a sample, sensor → earth, z up; rows without numbers keep the one before."""
    quat = np.tile(np.array([1.0, 0.0, 0.0, 0.0]), (len(one.time_s), 1))
    rows = np.flatnonzero(one.good)
    step = np.diff(one.time_s[rows])
    breaks = np.flatnonzero((step <= 0) | (step > threshold("gap.restart_s"))) + 1
    for start, end in pairwise([0, *breaks.tolist(), len(rows)]):
        part = rows[start:end]
        quat[part] = _filtered(one.acc[part], one.gyr[part], one.dt_s)
    known = np.maximum.accumulate(np.where(one.good, np.arange(len(quat)), -1))
    quat = np.where((known >= 0)[:, None], quat[np.maximum(known, 0)], quat[rows[0]])
    return {"time_s": [float(x) if np.isfinite(x) else None for x in one.time_s], "quat_wxyz": quat.tolist()}


def _filtered(acc: FloatArray, gyr: FloatArray, dt_s: float) -> FloatArray:
    tracker = vqf.VQF(dt_s)
    found: FloatArray = tracker.updateBatch(np.ascontiguousarray(gyr), np.ascontiguousarray(acc))["quat6D"]
    return found
