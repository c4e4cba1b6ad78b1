"""The ways between postures: which moves lead from one to another, how long they take, and what happens meanwhile."""

from __future__ import annotations

from dataclasses import fields, replace

import numpy as np

from simulators._curves import Move
from simulators.acts import CHANNELS, POSES, Act, Pose
from simulators.behaviours import Traits
from simulators.body import Person

_ANGLES = frozenset(CHANNELS[:11])
_SHARE_OF_ACT = 0.9
# How a change is spread over its time: begin and length as shares. Leaving a seat the trunk leads and the hips rise
# last (seat-off near 0.35 to 0.4); sitting down it is the other way round.
_RISING = {"height": (0.36, 0.64), "ahead": (0.25, 0.65), "thigh": (0.36, 0.64), "shank": (0.36, 0.64)}
_SINKING = {"height": (0.05, 0.66), "ahead": (0.02, 0.64), "thigh": (0.05, 0.66), "shank": (0.05, 0.66)}
_CUSHION_M = 0.006
"""How far a seat gives way: it stops the fall at some 3 m/s²."""
# Going down the lumbar spine leads, coming up the pelvis.
_DOWN = {"lumbar_flexion": (0.0, 0.85), "pelvis_flexion": (0.12, 0.88)}
_UPWARDS = {"lumbar_flexion": (0.12, 0.88), "pelvis_flexion": (0.0, 0.85)}


def target(pose: Pose, person: Person, traits: Traits, depth: float) -> dict[str, float]:
    """What a pose sets for a person: every channel, rad, m and shares."""
    values = {field.name: float(getattr(pose, field.name)) for field in fields(pose) if field.name not in _WORDS}
    thigh, shank = values.pop("thigh"), values.pop("shank")
    values |= {"thigh_left": thigh, "thigh_right": thigh, "shank_left": shank, "shank_right": shank}
    if pose.family == "upright":
        depth *= traits.bend_range if pose.label in ("bending", "standing") and pose.pelvis_flexion else 1.0
        for name in values:
            values[name] *= 1.0 if name in ("sway", "car") else depth
        values["lumbar_flexion"] = values["lumbar_flexion"] * traits.lumbar_share + traits.stoop_lumbar_deg
        values["pelvis_flexion"] += traits.stoop_pelvis_deg
        values["pelvis_lateral"] += 0.6 * traits.shift_deg
        values["lumbar_lateral"] += 0.4 * traits.shift_deg
    if pose.family == "seated":
        values["pelvis_flexion"] -= traits.slouch_deg
        values["lumbar_flexion"] += traits.slouch_deg
        values["pelvis_lateral"] += 0.4 * traits.shift_deg
    values |= {"height": values["height"] * person.thigh_m, "ahead": values["ahead"] * person.thigh_m}
    values |= {"heading": 0.0, "effort": 0.0}
    return {name: float(np.radians(value)) if name in _ANGLES else value for name, value in values.items()}


_WORDS = frozenset({"label", "family", "detail"})


def way(
    start_s: float,
    before: tuple[Act, Traits],
    after: tuple[Act, Traits],
    person: Person,
    rng: np.random.Generator,
) -> tuple[list[Move], float]:
    """Moves from one act's pose into another's, and when they are over: within 0.9 of the act, however slow."""
    between = _between(POSES[before[0].pose], POSES[after[0].pose])
    stops = [before[0].pose, *between, after[0].pose]
    depths = [before[0].depth, *[1.0] * len(between), after[0].depth]
    does = [before[1], *[after[1]] * (len(between) + 1)]
    moves: list[Move] = []
    now = start_s
    for place in range(len(stops) - 1):
        a, b = POSES[stops[place]], POSES[stops[place + 1]]
        start, end = (
            target(a, person, does[place], depths[place]),
            target(b, person, does[place + 1], depths[place + 1]),
        )
        if start == end:
            continue
        seconds = _seconds(a, b, start, end) * float(np.exp(0.12 * rng.standard_normal())) / after[1].bend_speed
        moves += _leg(now, seconds, a, b, start, end, rng, effort=min(1.0, after[1].bend_speed))
        now += 0.85 * seconds if place < len(stops) - 2 else seconds
    haste = min(1.0, _SHARE_OF_ACT * after[0].duration_s / (now - start_s)) if moves else 1.0
    if haste == 1.0:
        return moves, now
    hastened = [
        replace(one, start_s=start_s + haste * (one.start_s - start_s), duration_s=haste * one.duration_s)
        for one in moves
    ]
    return hastened, start_s + haste * (now - start_s)


def _between(a: Pose, b: Pose) -> list[str]:
    """Stations on the way: one neither lies down from standing nor rises from a chair into a bend."""
    if a.family == b.family or "table" in (a.family, b.family):
        return []
    order = ["upright", "seated", "lying"]
    stations = {"upright": "stand", "seated": "sit"}
    i, j = order.index(a.family), order.index(b.family)
    way_there = range(i + 1, j) if i < j else range(i - 1, j, -1)
    found = [stations[order[one]] for one in way_there]
    if a.family == "upright" and a != POSES["stand"]:
        found.insert(0, "stand")
    if b.family == "upright" and b != POSES["stand"]:
        found.append("stand")
    return found


def _seconds(a: Pose, b: Pose, start: dict[str, float], end: dict[str, float]) -> float:
    """Medians: sit-to-stand 1.9 s, lying down 3 s, turning over 2.6 s, a full bend 2.3 s, a squat 1.6 s."""
    families = {a.family, b.family}
    if "table" in families:
        return 4.0
    if families == {"upright", "seated"}:
        return 3.2 if a.car or b.car else 1.95
    if families == {"seated", "lying"}:
        return 3.0
    if families == {"lying"}:
        return 2.6
    if families == {"seated"}:
        return 1.8
    if "squatting" in (a.label, b.label):
        return 1.6
    reach = abs(end["pelvis_flexion"] + end["lumbar_flexion"] - start["pelvis_flexion"] - start["lumbar_flexion"])
    return float(1.0 + 1.25 * min(1.3, reach / np.radians(100)))


def _leg(
    now: float,
    seconds: float,
    a: Pose,
    b: Pose,
    start: dict[str, float],
    end: dict[str, float],
    rng: np.random.Generator,
    effort: float,
) -> list[Move]:
    """One way; `effort` is how unsteady it is: less where it is slower (Harris & Wolpert 1998)."""
    seat = {a.family, b.family} == {"upright", "seated"}
    rising = seat and b.family == "upright"
    timing = (_RISING if rising else _SINKING) if seat else _DOWN if b.pelvis_flexion > a.pelvis_flexion else _UPWARDS
    moves = []
    for name, value in end.items():
        delta = value - start[name]
        if delta:
            begin, length = timing.get(name, timing.get(name.partition("_")[0], (0.0, 1.0)))
            moves.append(Move(name, now + begin * seconds, length * seconds, delta))
    if seat:
        dip = float(np.radians(46 if a.car or b.car else 33) * np.exp(0.2 * rng.standard_normal()))
        for name, share in (("pelvis_flexion", 0.72), ("lumbar_flexion", 0.28)):
            moves.append(Move(name, now, 0.46 * seconds, share * dip))
            moves.append(Move(name, now + 0.48 * seconds, 0.52 * seconds, -share * dip))
        if not rising:
            landed = now + 0.69 * seconds
            moves.append(Move("height", landed, 0.10, -_CUSHION_M))
            moves.append(Move("height", landed + 0.10, 0.16, _CUSHION_M))
    moves.append(Move("effort", now, 0.3 * seconds, effort))
    moves.append(Move("effort", now + 0.7 * seconds, 0.3 * seconds, -effort))
    return moves


def restlessness(start_s: float, end_s: float, pose: Pose, rng: np.random.Generator) -> list[Move]:
    """Shifts, fidgets and, on a chair, a slow slouch; all taken back by the end.

    Seated 9 shifts and 13 fidgets in 15 minutes (Davidson & Callaghan 2025); standing and lying fewer.
    """
    room = end_s - start_s - 3.0
    if room < 6 or pose.family == "table":
        return []
    per_s = {"seated": 22 / 900, "upright": 20 / 900, "lying": 2 / 900}[pose.family]
    moves: list[Move] = []
    back: dict[str, float] = {}

    def add(move: Move) -> None:
        moves.append(move)
        back[move.channel] = back.get(move.channel, 0.0) - move.delta

    if pose.family == "seated" and room > 60:
        sink = float(np.radians(rng.uniform(2, 6))) * min(1.0, room / 900)
        add(Move("pelvis_flexion", start_s, room, -sink))
        add(Move("lumbar_flexion", start_s, room, sink))
    for at in np.sort(rng.uniform(start_s, start_s + room - 3, rng.poisson(per_s * room))):
        _shift_or_fidget(float(at), add, rng, small=pose.family != "seated")
    moves += [Move(name, end_s - 2.6, 1.8, delta) for name, delta in back.items() if delta]
    return moves


def _shift_or_fidget(at: float, add: object, rng: np.random.Generator, *, small: bool) -> None:
    shift = rng.random() < 0.4
    size = float(np.radians(rng.uniform(2, 5) if small or not shift else rng.uniform(5, 10)))
    seconds = float(rng.uniform(0.8, 1.8))
    channel = str(rng.choice(["pelvis_flexion", "pelvis_flexion", "pelvis_lateral", "lumbar_axial", "lumbar_flexion"]))
    sign = float(rng.choice([-1.0, 1.0]))
    assert callable(add)
    add(Move(channel, at, seconds, sign * size))
    if not shift:
        add(Move(channel, at + seconds * 0.9, seconds, -sign * size))
