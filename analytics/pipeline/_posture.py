"""Posture, second by second, from one sensor at the pelvis: inclination where the mounting is known, else little.

Upright sitting and upright standing look alike to a pelvis sensor: between them decides what was seen to happen (a
turn of the pelvis between two still moments), and the confidence says how little that is.
"""

from __future__ import annotations

import math
from dataclasses import dataclass, replace

import numpy as np

from analytics._window import GRID_HZ, FloatArray, Window
from sagittal.names import PostureLabel
from sagittal.thresholds import threshold

Vector = tuple[float, float, float]

LYING_DEG = 65.0
"""Trunk inclination beyond which a body lies (64.9 deg: Lyden 2016, activPAL thigh and trunk rules)."""
SEATED_TILT_DEG = 8.0
"""A pelvis that stays this much further back than in standing sits (posterior tilt in sitting: 10 to 30 deg)."""
SLOUCHED_TILT_DEG = 20.0
STILL_RADPS = math.radians(12.0)
NOT_WORN_MPS2 = 0.02
NOT_WORN_S = 120
SETTLE_S = 2
ANGLE_HOP = GRID_HZ // 10
_AXIS_DEG = 55.0
"""A flat sensor is worn flat: an axis within this of the vertical is taken for up until walking shows it."""


@dataclass(frozen=True, slots=True)
class PostureState:
    """The upright reference and forward in the sensor frame, the posture, since when, and what may follow it."""

    up: Vector | None = None
    forward: Vector | None = None
    trusted: bool = False
    label: PostureLabel = PostureLabel.UNKNOWN
    since_ns: int = 0
    candidate: PostureLabel | None = None
    candidate_ns: int = 0
    seconds: int = 0
    motionless_s: int = 0
    seated: bool = False


@dataclass(frozen=True, slots=True)
class Second:
    """What one second showed; angles in degrees at 10 Hz, None where they can't be told."""

    label: PostureLabel
    detail: str | None
    confidence: float
    since_ns: int
    flexion_deg: list[float] | None
    lateral_deg: list[float] | None
    reason: str | None


def look(state: PostureState, window: Window, t_ns: int, *, walking: bool) -> tuple[PostureState, Second]:
    """Take a second."""
    up = window.up.reshape(-1, ANGLE_HOP, 3).mean(axis=1)
    moving = float(np.sqrt((window.gyr**2).sum(axis=1).mean())) > STILL_RADPS
    motionless = float(window.acc.std(axis=0).max()) < NOT_WORN_MPS2
    state = replace(state, motionless_s=state.motionless_s + 1 if motionless else 0)
    if state.up is None and not moving:
        state = replace(state, up=_nearest_axis(up.mean(axis=0)))
    flexion, lateral, tilt = _angles(state, up)
    label, confidence = _label(state, flexion, tilt, walking=walking, moving=moving)
    state = _settle(state, label, t_ns)
    if state.label in (PostureLabel.STANDING, PostureLabel.WALKING):
        state = replace(state, seated=False)
    elif state.label is PostureLabel.SITTING:
        state = replace(state, seated=True)
    second = Second(
        state.label,
        _detail(state, up, flexion, tilt),
        confidence if state.trusted else min(confidence, 0.4),
        state.since_ns,
        None if flexion is None else [round(one, 2) for one in flexion.tolist()],
        None if lateral is None else [round(one, 2) for one in lateral.tolist()],
        None if flexion is not None else "forward is not known before some walking or a calibration",
    )
    return state, second


def with_mounting(state: PostureState, up: Vector, forward: Vector) -> PostureState:
    """The upright reference and forward as walking or a calibration showed them."""
    return replace(state, up=up, forward=forward, trusted=True)


def with_upright(state: PostureState, up: FloatArray) -> PostureState:
    """The upright reference from a pose; forward turns with it where it is known."""
    x, y, z = (up / np.linalg.norm(up)).tolist()
    return replace(state, up=(x, y, z), trusted=True)


def _angles(state: PostureState, up: FloatArray) -> tuple[FloatArray | None, FloatArray | None, float | None]:
    """Flexion and lateral inclination, degrees, and the mean tilt from upright."""
    if state.up is None:
        return None, None, None
    upright = np.array(state.up)
    tilt = math.degrees(math.acos(float(np.clip(up.mean(axis=0) @ upright, -1.0, 1.0))))
    if state.forward is None:
        return None, None, tilt
    ahead = np.array(state.forward) - upright * float(upright @ np.array(state.forward))
    ahead /= np.linalg.norm(ahead)
    right = np.cross(ahead, upright)
    flexion = np.degrees(np.arctan2(-up @ ahead, up @ upright))
    lateral = np.degrees(np.arcsin(np.clip(-up @ right, -1.0, 1.0)))
    return flexion, lateral, tilt


def _label(
    state: PostureState, flexion: FloatArray | None, tilt: float | None, *, walking: bool, moving: bool
) -> tuple[PostureLabel, float]:
    if walking:
        return PostureLabel.WALKING, 0.9
    if state.motionless_s >= NOT_WORN_S:
        return PostureLabel.NOT_WORN, 0.7
    if tilt is None:
        return PostureLabel.UNKNOWN, 0.0
    if tilt > LYING_DEG and not moving:
        return PostureLabel.LYING, 0.8
    forward_deg = tilt if flexion is None else float(flexion.mean())
    if forward_deg > threshold("posture.bend_min_deg"):
        return PostureLabel.BENDING, 0.7 if flexion is not None else 0.4
    if moving:
        return PostureLabel.TRANSITION, 0.5
    if flexion is not None and forward_deg < -SEATED_TILT_DEG:
        return PostureLabel.SITTING, 0.7
    if state.seated and (flexion is None or forward_deg < -SEATED_TILT_DEG / 2):
        return PostureLabel.SITTING, 0.5
    return PostureLabel.STANDING, 0.5


def _settle(state: PostureState, label: PostureLabel, t_ns: int) -> PostureState:
    """A posture is taken on when it has lasted; walking, and whatever comes after the unknown, at once."""
    if label is state.label:
        return replace(state, candidate=None, seconds=0)
    seconds = state.seconds + 1 if label is state.candidate else 1
    began_ns = state.candidate_ns if label is state.candidate else t_ns
    if seconds >= SETTLE_S or label is PostureLabel.WALKING or state.label is PostureLabel.UNKNOWN:
        return replace(state, label=label, since_ns=began_ns, candidate=None, seconds=0)
    return replace(state, candidate=label, candidate_ns=began_ns, seconds=seconds)


def _detail(state: PostureState, up: FloatArray, flexion: FloatArray | None, tilt: float | None) -> str | None:
    if state.label is PostureLabel.SITTING and flexion is not None and float(flexion.mean()) < -SLOUCHED_TILT_DEG:
        return "slouched"
    if state.label is PostureLabel.STANDING and (not state.trusted or flexion is None):
        return "standing or sitting"
    if state.label is PostureLabel.LYING and flexion is not None and tilt is not None:
        ahead = float(-up.mean(axis=0) @ np.array(state.forward))
        if abs(ahead) < math.sin(math.radians(45)):
            return "on the side"
        return "prone" if ahead > 0 else "supine"
    return None


def _nearest_axis(up: FloatArray) -> Vector | None:
    """Up as the sensor's nearest own axis says, where one is near."""
    axis = int(np.argmax(np.abs(up)))
    if abs(float(up[axis])) < math.cos(math.radians(_AXIS_DEG)):
        return None
    x, y, z = (up / np.linalg.norm(up)).tolist()
    return (x, y, z)
