"""The rules that tell postures apart, each on plain numbers.

Lying by tilt; sitting and squatting by being lower than tilting explains; the two from each other by turning at the
bottom: on a seat the trunk turns while the pelvis stands still, on the feet it can't, for balance.
"""

from __future__ import annotations

import math

from analytics.posture._limits import (
    BEND_LEAST_S,
    BEND_PEAK_DEG,
    HIP_ABOVE_M,
    HIP_AHEAD_M,
    LOWER_M,
    LOWER_MARGIN_M,
    LYING_DROP_M,
    SEATS_PER_SQUAT,
    TURN_BOTH_SIDES_DEG,
    TURN_ONE_SIDE_DEG,
)
from analytics.posture._moves import Move
from analytics.posture._records import Away, Base, Course
from analytics.posture._ticks import TICK_S

_TURN_SPREAD_DEG = 3.25
"""Half the distance from the middle to a squat's 5° on one side is two log-odds."""
_MOST = 3.0
_IMPACT = 2.5
_DEPTH = 0.7
_DEPTH_MIDDLE_M = 0.40
_DEPTH_SPREAD_M = 0.20
_LARGEST_MARGIN_M = 0.15
_LONG_S, _LONG = 10.0, 4.0
"""Own estimate: of the postures held low for 10 s and more in daily life, squats are some 2 %."""
_BRIEF_S, _BRIEF = 0.7, 1.5
"""Nobody rests on a seat for so short."""
_LEANT_M = 0.06
_LEAST_WITHOUT_BOTTOM_M = 0.20
_WITHOUT_BOTTOM_M = 0.05
_QUICK_DPS = 100.0
_FLAT_DEG = 80.0
_SHORT_LYING_S = 15.0


def depth_needed(fall: Move, rise: Move | None, held_deg: float, *, bottom: bool) -> float:
    """How far down a held posture must be so that tilting about the hips and errors don't explain it, m."""
    sd = fall.sd_m if rise is None or rise is fall else math.hypot(fall.sd_m, rise.sd_m) / 2.0
    margin = min(max(LOWER_MARGIN_M, 2.0 * sd), _LARGEST_MARGIN_M)
    tilt = math.radians(held_deg)
    need = max(LOWER_M, HIP_AHEAD_M * math.sin(tilt) + HIP_ABOVE_M * (1.0 - math.cos(tilt)) + margin)
    if fall.lean_first or (rise is not None and rise.lean_last):
        need = LOWER_M
    if rise is not None and rise is not fall and fall.out_and_back and rise.out_and_back:
        need = _LEANT_M
    return need if bottom else max(need + _WITHOUT_BOTTOM_M, _LEAST_WITHOUT_BOTTOM_M)


def seated_odds(
    *, drop_m: float, held_s: float, after_deg: float | None, before_deg: float | None, impact: bool
) -> float:
    """Log-odds of a seat against a squat: how common both are, turning after the fall and before the rise, and more."""
    odds = math.log(SEATS_PER_SQUAT) + _turning(after_deg, before_deg)
    if impact:
        odds += _IMPACT
    odds += _DEPTH * max(-1.0, min(1.0, (_DEPTH_MIDDLE_M - drop_m) / _DEPTH_SPREAD_M))
    if held_s > _LONG_S:
        odds += _LONG
    elif held_s < _BRIEF_S:
        odds -= _BRIEF
    return odds


def _turning(after_deg: float | None, before_deg: float | None) -> float:
    if after_deg is not None and before_deg is not None:
        odds = (after_deg + before_deg - TURN_BOTH_SIDES_DEG) / (1.5 * _TURN_SPREAD_DEG)
    else:
        one = before_deg if after_deg is None else after_deg
        odds = 0.0 if one is None else (one - TURN_ONE_SIDE_DEG) / _TURN_SPREAD_DEG
    return max(-_MOST, min(_MOST, odds))


def confidence(odds: float) -> float:
    """The probability behind log-odds of either sign, rounded."""
    return round(1.0 / (1.0 + math.exp(-abs(odds))), 3)


def is_bend(away: Away) -> bool:
    """Whether an excursion holds a bend: beyond 20° for long enough."""
    return away.over.ticks * TICK_S >= BEND_LEAST_S and away.over.peak_deg > BEND_PEAK_DEG


def lies(course: Course, away: Away, now_ns: int) -> bool:
    """Whether an excursion that went past the limit is lying, and no deep bend."""
    if away.side_ticks * TICK_S >= 1.0 or away.backwards:
        return True
    deep_s = (now_ns - away.steep_ns) * 1e-9
    lower = away.drop_m if away.drop_m is not None else -away.height_m if away.height_m is not None else None
    if course.base is Base.STANDING and lower is not None and lower < LYING_DROP_M:
        return False
    bent = (lower is not None and lower > LOWER_M) or math.degrees(away.fastest_radps) > _QUICK_DPS
    return not (deep_s < _SHORT_LYING_S and (bent or away.over.peak_deg < _FLAT_DEG))
