"""Things that happened: sitting down, standing up, squats and bends, as plain facts for the pipeline's events."""

from __future__ import annotations

from analytics._evolve import evolve
from analytics.posture._moves import Move
from analytics.posture._records import Away, Course, Happening
from sagittal.names import PostureLabel
from sagittal.units import NS_PER_S


def sat_down(course: Course, away: Away) -> Course:
    """From standing onto a seat."""
    if away.fall is None:
        return course
    end_ns = course.at(away.fall.fall_end)
    return _add(course, "stand_to_sit", away.left_ns, end_ns, {"drop_m": away.drop_m}, 0.8)


def stood_up(course: Course, away: Away | None, move: Move | None, ns: int) -> Course:
    """From a seat to standing; seen whole, or known from walking."""
    start_ns = ns if away is None else away.left_ns
    rise = None if move is None else move.rise_m
    return _add(course, "sit_to_stand", start_ns, ns if move is not None else start_ns, {"rise_m": rise}, 0.8)


def was_low(course: Course, away: Away, label: PostureLabel, ended_ns: int, ns: int) -> Course:
    """A seat taken and left again, or a squat."""
    if label is PostureLabel.SQUATTING:
        return _add(course, "squat", away.left_ns, ns, {"drop_m": away.drop_m}, 0.8)
    course = sat_down(course, away)
    return _add(course, "sit_to_stand", ended_ns, ns, {"rise_m": away.drop_m}, 0.8)


def bent(course: Course, away: Away) -> Course:
    """A bend."""
    values = {
        "flexion_max_deg": away.over.peak_deg,
        "drop_m": away.drop_m,
        "peak_speed_dps": away.fastest_radps * 57.29577951308232,
    }
    return _add(course, "bend", away.over.first_ns, away.over.last_ns, values, 0.8)


def _add(
    course: Course, name: str, start_ns: int, end_ns: int, values: dict[str, float | None], confidence: float
) -> Course:
    rounded = {key: None if value is None else round(value, 3) for key, value in values.items()}
    one = Happening(name, start_ns, max(0.0, (end_ns - start_ns) / NS_PER_S), rounded, confidence)
    return evolve(course, happened=(*course.happened, one))
