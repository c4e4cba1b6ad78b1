"""Holds, posture shifts and stays in trunk bands, one final second at a time.

A *hold* is a static posture of ISO 11226: 4 s and more within ±5°, the trunk beyond 20°; how long it is acceptable
falls from 240 s at 20° to 60 s at 60°, and to none beyond. A *shift* is a change of more than 5° that lasts 5 s, our
own proposal. A *stay* is the time without a break in one trunk band, for the matrix amplitude × duration (exposure
variation analysis, Mathiassen & Winkel 1991).
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from analytics._evolve import evolve
from sagittal.names import PostureLabel
from sagittal.results import Event, Posture
from sagittal.thresholds import threshold
from sagittal.units import NS_PER_S

ACCEPTABLE_DEG = threshold("posture.flexion_acceptable_deg")
NOT_ACCEPTABLE_DEG = threshold("posture.flexion_not_acceptable_deg")
LATERAL_DEG = threshold("posture.lateral_acceptable_deg")
HOLD_S = threshold("posture.hold_min_s")
HOLD_DEG = threshold("posture.hold_tolerance_deg")
_LONGEST_S = threshold("posture.hold_longest_s")
_SHORTEST_S = threshold("posture.hold_shortest_s")
SHIFT_DEG = threshold("posture.shift_deg")
SHIFT_S = threshold("posture.shift_s")
STAY_EDGES_S = (5.0, 60.0, 600.0)
_UPRIGHT_BAND = f"0-{ACCEPTABLE_DEG:.0f}"
_BENT_BAND = f"{ACCEPTABLE_DEG:.0f}-{NOT_ACCEPTABLE_DEG:.0f}"
_UP = (PostureLabel.STANDING, PostureLabel.SITTING, PostureLabel.BENDING, PostureLabel.SQUATTING)
_MOVING = (*_UP, PostureLabel.WALKING, PostureLabel.TRANSITION)

Changes = dict[str, Any]
"""Fields of `Statistics` and what they become."""


@dataclass(frozen=True)
class Stay:
    """Time in one trunk band that has come to an end."""

    t_ns: int
    cell: str
    seconds: float


@dataclass(frozen=True)
class Statistics:
    """The open hold, the settled posture and what may follow it, the open stay.

    A hold is open since `hold_ns` (-1: none), within `low_deg` to `high_deg`, with the sum of its flexion.
    """

    last_ns: int = -1
    hold_ns: int = -1
    low_deg: float = 0.0
    high_deg: float = 0.0
    sum_deg: float = 0.0
    label: PostureLabel = PostureLabel.UNKNOWN
    settled_deg: float | None = None
    settled_ns: int = 0
    other_deg: float = 0.0
    other_s: int = 0
    band: str = ""
    band_ns: int = 0


def observe(state: Statistics, row: Posture) -> tuple[Statistics, list[Event], list[Stay]]:
    """Take a second that changes no more."""
    if row.t_ns != state.last_ns + NS_PER_S:
        state, events, stays = close(state, row.version)
    else:
        events, stays = [], []
    changes: Changes = {"last_ns": row.t_ns}
    events += _hold(state, row, changes)
    events += _shift(state, row, changes)
    stays += _stay(state, row, changes)
    return evolve(state, **changes), events, stays


def close(state: Statistics, version: str) -> tuple[Statistics, list[Event], list[Stay]]:
    """Seconds are missing, or no more will come: what is open ends with the last one."""
    end_ns = state.last_ns + NS_PER_S
    return Statistics(last_ns=state.last_ns), _held(state, end_ns, version), _stayed(state, end_ns)


def trunk_band(flexion_deg: float) -> str:
    """The trunk bands that RULA (McAtamney & Corlett 1993) and REBA (Hignett & McAtamney 2000) share.

    Backwards begins 5° behind upright, since upright is known no better and sways.
    """
    if flexion_deg < -HOLD_DEG:
        return "backwards"
    if flexion_deg <= ACCEPTABLE_DEG:
        return _UPRIGHT_BAND
    return _BENT_BAND if flexion_deg <= NOT_ACCEPTABLE_DEG else "60-"


def in_bands(row: Posture) -> bool:
    """Whether a second counts where the trunk's inclination is summed: up and about, with known angles."""
    return row.posture in _MOVING and row.flexion_deg is not None and row.lateral_deg is not None


def acceptable_s(flexion_deg: float) -> float | None:
    """How long a static trunk inclination is acceptable, s; None for without limit (after ISO 11226, table 1)."""
    if flexion_deg <= ACCEPTABLE_DEG:
        return None
    if flexion_deg > NOT_ACCEPTABLE_DEG:
        return 0.0
    share = (flexion_deg - ACCEPTABLE_DEG) / (NOT_ACCEPTABLE_DEG - ACCEPTABLE_DEG)
    return _LONGEST_S + share * (_SHORTEST_S - _LONGEST_S)


def _hold(state: Statistics, row: Posture, changes: Changes) -> list[Event]:
    angle = row.flexion_deg
    if state.hold_ns >= 0 and angle is not None and row.posture is state.label:
        low, high = min(state.low_deg, angle), max(state.high_deg, angle)
        if high - low <= 2 * HOLD_DEG:
            changes.update(low_deg=low, high_deg=high, sum_deg=state.sum_deg + angle)
            return []
    if angle is None or row.posture not in _UP:
        changes["hold_ns"] = -1
    else:
        changes.update(hold_ns=row.t_ns, low_deg=angle, high_deg=angle, sum_deg=angle, label=row.posture)
    return _held(state, row.t_ns, row.version)


def _held(state: Statistics, end_ns: int, version: str) -> list[Event]:
    seconds = (end_ns - state.hold_ns) / NS_PER_S
    if state.hold_ns < 0 or seconds < HOLD_S:
        return []
    flexion = state.sum_deg / seconds
    limit = acceptable_s(flexion)
    if limit is None:
        return []
    values = {"flexion_deg": round(flexion, 1), "acceptable_s": round(limit, 1), "beyond_s": max(0.0, seconds - limit)}
    return [
        Event(t_ns=state.hold_ns, event="hold", duration_s=seconds, values={**values}, confidence=0.8, version=version)
    ]


def _shift(state: Statistics, row: Posture, changes: Changes) -> list[Event]:
    angle, settled = row.flexion_deg, state.settled_deg
    changes["other_s"] = 0
    if angle is None or row.posture not in (PostureLabel.SITTING, PostureLabel.STANDING):
        changes["settled_deg"] = None
        return []
    if settled is None:
        changes.update(settled_deg=angle, settled_ns=row.t_ns)
        return []
    if abs(angle - settled) <= SHIFT_DEG:
        return []
    if state.other_s and abs(angle - state.other_deg) > SHIFT_DEG:
        changes.update(other_deg=angle, other_s=1)
        return []
    other = angle if not state.other_s else state.other_deg
    if state.other_s + 1 < SHIFT_S:
        changes.update(other_deg=other, other_s=state.other_s + 1)
        return []
    begun_ns = row.t_ns - round((SHIFT_S - 1) * NS_PER_S)
    changes.update(settled_deg=other, settled_ns=begun_ns)
    values = {
        "change_deg": round(other - settled, 1),
        "after_s": round((begun_ns - state.settled_ns) / NS_PER_S, 1),
    }
    return [Event(t_ns=begun_ns, event="posture_shift", values={**values}, confidence=0.8, version=row.version)]


def _stay(state: Statistics, row: Posture, changes: Changes) -> list[Stay]:
    band = trunk_band(row.flexion_deg) if in_bands(row) and row.flexion_deg is not None else ""
    if band == state.band:
        return []
    changes.update(band=band, band_ns=row.t_ns)
    return _stayed(state, row.t_ns)


def _stayed(state: Statistics, end_ns: int) -> list[Stay]:
    if not state.band:
        return []
    seconds = (end_ns - state.band_ns) / NS_PER_S
    edges = (0.0, *STAY_EDGES_S)
    place = sum(seconds >= edge for edge in STAY_EDGES_S)
    until = f"{STAY_EDGES_S[place]:.0f}" if place < len(STAY_EDGES_S) else ""
    return [
        Stay(
            state.band_ns,
            f"{state.band}{'deg' if state.band[0].isdigit() else ''}|{edges[place]:.0f}-{until}s",
            seconds,
        )
    ]
