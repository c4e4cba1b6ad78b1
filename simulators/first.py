"""A first simulated wearer: stands, walks, sits, slouches and bends on a schedule, with a sensor at the lower back.

Kinematics are smooth and plain: the pelvis's inclination follows the schedule, walking adds the harmonics of step and
stride frequency. Amplitudes are round figures of healthy comfortable walking at the lower back (vertical and
anteroposterior peaks of 2 to 3 m/s², mediolateral 1 to 2 m/s²; pelvis rotation ±5°, obliquity ±4°).
"""

from __future__ import annotations

import math
import random
from collections.abc import Iterator
from dataclasses import dataclass

from sagittal.blocks import pack_int16
from sagittal.names import PostureLabel
from sagittal.units import NS_PER_S, STANDARD_GRAVITY_MPS2

ACC_SCALE = 16 * STANDARD_GRAVITY_MPS2 / 32768
GYR_SCALE = math.radians(2000) / 32768
CHUNK_S = 0.1
_BLEND_S = 1.2
_STEP_HZ = 1.85


@dataclass(frozen=True, slots=True)
class Act:
    """One entry of the schedule: what, for how long, and the pelvis's flexion, degrees, positive forwards."""

    posture: PostureLabel
    duration_s: float
    flexion_deg: float
    detail: str | None = None


SCHEDULE = (
    Act(PostureLabel.STANDING, 6.0, 3.0),
    Act(PostureLabel.WALKING, 24.0, 6.0),
    Act(PostureLabel.STANDING, 4.0, 3.0),
    Act(PostureLabel.BENDING, 5.0, 65.0),
    Act(PostureLabel.STANDING, 4.0, 3.0),
    Act(PostureLabel.SITTING, 14.0, -12.0),
    Act(PostureLabel.SITTING, 14.0, -32.0, "slouched"),
    Act(PostureLabel.STANDING, 5.0, 3.0),
)
"""What the wearer does, again and again."""


@dataclass(frozen=True, slots=True)
class Chunk:
    """A tenth of a second: UTC of each sample, ns, and little-endian int16 rows of acc and gyr in the sensor frame."""

    t_ns: list[int]
    acc: bytes
    gyr: bytes


def act_at(time_s: float) -> tuple[Act, Act, float, float]:
    """The act at a time since the start, the one before it, and the seconds since its beginning and to its end."""
    left = time_s % sum(act.duration_s for act in SCHEDULE)
    before = SCHEDULE[-1]
    for act in SCHEDULE:
        if left < act.duration_s:
            return act, before, left, act.duration_s - left
        left -= act.duration_s
        before = act
    return SCHEDULE[0], SCHEDULE[-1], 0.0, SCHEDULE[0].duration_s


def chunks(start_ns: int, from_ns: int, rate_hz: float, seed: int = 1) -> Iterator[Chunk]:
    """Samples from `from_ns` on of a wearer whose schedule began at `start_ns`, for ever.

    The same arguments give the same samples. The sensor is mounted a little askew, drifts a little and is noisy.
    """
    chance = random.Random(seed)
    mounting = _mounting(chance)
    bias = [chance.gauss(0.0, 0.003) for _ in range(3)]
    dt_ns = round(NS_PER_S / rate_hz)
    size = max(1, round(CHUNK_S * rate_hz))
    t_ns = from_ns
    while True:
        times = [t_ns + i * dt_ns for i in range(size)]
        acc: list[int] = []
        gyr: list[int] = []
        for one in times:
            force, rate = _body((one - start_ns) / NS_PER_S)
            acc += [_counts(value + chance.gauss(0, 0.03), ACC_SCALE) for value in _turn(mounting, force)]
            gyr += [
                _counts(value + offset + chance.gauss(0, 0.003), GYR_SCALE)
                for value, offset in zip(_turn(mounting, rate), bias, strict=True)
            ]
        yield Chunk(times, pack_int16(acc), pack_int16(gyr))
        t_ns += size * dt_ns


Vector = tuple[float, float, float]


def _body(time_s: float) -> tuple[Vector, Vector]:
    """Specific force, m/s², and angular rate, rad/s, in the pelvis's axes (up, right, forward)."""
    step = 1e-3
    before, now, after = (_pose(time_s + offset) for offset in (-step, 0.0, step))
    flexion, lateral, _ = now
    rates = [(b - a) / (2 * step) for a, b in zip(before, after, strict=True)]
    vertical, right, forward = _shake(time_s)
    along = STANDARD_GRAVITY_MPS2 + vertical
    up = along * math.cos(flexion) * math.cos(lateral) + forward * math.sin(flexion)
    side = -along * math.sin(lateral) + right
    ahead = -along * math.sin(flexion) * math.cos(lateral) + forward * math.cos(flexion)
    turn = rates[2]
    return (up, side, ahead), (turn * math.cos(flexion), -rates[0], -turn * math.sin(flexion) + rates[1])


def _pose(time_s: float) -> Vector:
    """Flexion, lateral inclination and heading of the pelvis, rad."""
    act, before, since_s, _ = act_at(time_s)
    blend = _smooth(since_s / _BLEND_S)
    flexion = math.radians(before.flexion_deg + blend * (act.flexion_deg - before.flexion_deg))
    walking = _walking(time_s)
    stride = math.pi * _STEP_HZ * time_s
    sway = math.radians(0.6) * math.sin(0.9 * time_s)
    return (
        flexion + walking * math.radians(1.5) * math.sin(2 * stride),
        sway + walking * math.radians(4.0) * math.sin(stride + 0.4),
        walking * math.radians(5.0) * math.sin(stride),
    )


def _shake(time_s: float) -> Vector:
    """Acceleration of walking: upwards, to the right, forwards, m/s²."""
    walking = _walking(time_s)
    if walking == 0.0:
        return (0.0, 0.0, 0.0)
    stride = math.pi * _STEP_HZ * time_s
    vertical = 2.2 * math.cos(2 * stride) + 0.7 * math.cos(4 * stride + 0.6) + 0.1 * math.cos(stride)
    right = 0.9 * math.sin(stride) + 0.5 * math.sin(3 * stride + 0.3)
    forward = -1.5 * math.sin(2 * stride + 0.3) - 0.5 * math.sin(4 * stride)
    return (walking * vertical, walking * right, walking * forward)


def _walking(time_s: float) -> float:
    act, _, since_s, left_s = act_at(time_s)
    return _smooth(min(since_s, left_s) / 0.8) if act.posture is PostureLabel.WALKING else 0.0


def _smooth(x: float) -> float:
    """From 0 to 1 with no jerk at either end (minimum-jerk polynomial, Flash & Hogan 1985)."""
    x = min(1.0, max(0.0, x))
    return x**3 * (10 - 15 * x + 6 * x * x)


def _mounting(chance: random.Random) -> tuple[Vector, Vector, Vector]:
    """A rotation of a few degrees from body axes into the sensor's."""
    a, b, c = (math.radians(chance.uniform(-8, 8)) for _ in range(3))
    ca, sa, cb, sb, cc, sc = math.cos(a), math.sin(a), math.cos(b), math.sin(b), math.cos(c), math.sin(c)
    return (
        (cb * cc, -cb * sc, sb),
        (ca * sc + sa * sb * cc, ca * cc - sa * sb * sc, -sa * cb),
        (sa * sc - ca * sb * cc, sa * cc + ca * sb * sc, ca * cb),
    )


def _turn(matrix: tuple[Vector, Vector, Vector], vector: Vector) -> Vector:
    x, y, z = (sum(m * v for m, v in zip(row, vector, strict=True)) for row in matrix)
    return (x, y, z)


def _counts(value: float, scale: float) -> int:
    return max(-32768, min(32767, round(value / scale)))
