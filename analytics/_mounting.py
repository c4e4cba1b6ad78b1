"""How a lower-back sensor sits on its wearer: up, forward and right, learnt from walking.

Up is gravity in upright walking. Forward is where acceleration repeats with every step but not only with every
stride: the leading direction of the step-band minus the stride-band covariance of horizontal acceleration, each over
its trace (plain principal components find the sideways sway instead). Its sign follows from the phase of vertical
against forward acceleration. All sums lie in the sensor frame and add up, so bouts, sittings and days can be merged.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from analytics._window import FloatArray

SLIP_DEG = 8.0
"""Change of up in walking that counts as a slipped sensor."""
SLIP_WINDOWS = 4.0
"""Walking behind that verdict, in windows of 2 s."""
MEMORY_WINDOWS = 300.0
"""Older walking fades beyond this many windows of 2 s."""
FEW_WINDOWS = 5.0
"""Windows of 2 s after which forward is known within some 2 degrees (median)."""


_AXES = ((1.0, 0.0, 0.0), (0.0, 1.0, 0.0), (0.0, 0.0, 1.0))


@dataclass(frozen=True, slots=True)
class Mounting:
    """What is known of the mounting, as sums over windows of 2 s of walking, in the sensor frame.

    Attributes
    ----------
    windows
        How many windows (fading).
    up_sum
        (3,) sum of mean up vectors.
    shape
        (3, 3) sum of step-band minus stride-band covariance, each over its trace.
    phase
        (3,) sum of normalised products of the vertical acceleration's slope with horizontal acceleration, which
        points forward.
    slips
        How often the sensor was found to have moved.
    """

    windows: float
    up_sum: FloatArray
    shape: FloatArray
    phase: FloatArray
    slips: int = 0

    @property
    def known(self) -> bool:
        """Whether there is any walking behind it."""
        return self.windows > 0

    @property
    def up(self) -> FloatArray | None:
        """Earth's up in the sensor frame while walking upright."""
        return unit(self.up_sum) if self.known else None

    @property
    def forward(self) -> FloatArray | None:
        """Walking direction in the sensor frame, at right angles to `up`."""
        up = self.up
        return None if up is None else forward_axis(up, self.shape, self.phase)

    @property
    def right(self) -> FloatArray | None:
        """The wearer's right in the sensor frame."""
        up, forward = self.up, self.forward
        return None if up is None or forward is None else cross(forward, up)

    @property
    def quality(self) -> float:
        """0–1: how much walking, how clear the direction and its sign."""
        forward = self.forward
        if forward is None:
            return 0.0
        along = float(forward @ self.phase) / self.windows
        amount = self.windows / (self.windows + FEW_WINDOWS / 2.0)
        return float(np.clip(amount * min(1.0, max(0.0, along) / 0.3), 0.0, 1.0))


def no_mounting() -> Mounting:
    """Nothing known yet."""
    return Mounting(0.0, np.zeros(3), np.zeros((3, 3)), np.zeros(3))


def merge(old: Mounting, new: Mounting) -> Mounting:
    """Pool two lots of walking; a slip starts afresh from the new one.

    The sensor slipped when up in walking changed by more than `SLIP_DEG` with at least `SLIP_WINDOWS` on both sides.
    """
    if not new.known:
        return old
    if not old.known:
        return replace(new, slips=old.slips)
    if min(old.windows, new.windows) >= SLIP_WINDOWS and angle_deg(old.up_sum, new.up_sum) > SLIP_DEG:
        return replace(new, slips=old.slips + 1)
    keep = min(1.0, MEMORY_WINDOWS / old.windows)
    return Mounting(
        keep * old.windows + new.windows,
        keep * old.up_sum + new.up_sum,
        keep * old.shape + new.shape,
        keep * old.phase + new.phase,
        old.slips,
    )


def forward_axis(up: FloatArray, shape: FloatArray, phase: FloatArray) -> FloatArray:
    """Unit vector at right angles to `up` along the leading axis of `shape`, on the side of `phase`."""
    upward, rows, phases = up.tolist(), shape.tolist(), phase.tolist()
    size = [abs(part) for part in upward]
    first = _unit(_cross(upward, _AXES[size.index(min(size))]))
    second = _cross(upward, first)
    along, across = [_dot(row, first) for row in rows], [_dot(row, second) for row in rows]
    angle = 0.5 * math.atan2(2.0 * _dot(first, across), _dot(first, along) - _dot(second, across))
    ahead, aside = math.cos(angle), math.sin(angle)
    if ahead * _dot(first, phases) + aside * _dot(second, phases) < 0:
        ahead, aside = -ahead, -aside
    return np.array([ahead * one + aside * other for one, other in zip(first, second, strict=True)])


def unit(vector: FloatArray) -> FloatArray:
    """The vector at length 1."""
    return np.array(_unit(vector.tolist()))


def cross(a: FloatArray, b: FloatArray) -> FloatArray:
    """Cross product of two vectors, a tenth of the time of NumPy's."""
    return np.array(_cross(a.tolist(), b.tolist()))


def angle_deg(a: FloatArray, b: FloatArray) -> float:
    """Angle between two vectors, degrees."""
    return math.degrees(math.acos(max(-1.0, min(1.0, _dot(_unit(a.tolist()), _unit(b.tolist()))))))


def _unit(vector: Sequence[float]) -> Sequence[float]:
    length = max(math.hypot(*vector), 1e-12)
    return [part / length for part in vector]


def _cross(a: Sequence[float], b: Sequence[float]) -> Sequence[float]:
    (a1, a2, a3), (b1, b2, b3) = a, b
    return a2 * b3 - a3 * b2, a3 * b1 - a1 * b3, a1 * b2 - a2 * b1


def _dot(a: Sequence[float], b: Sequence[float]) -> float:
    return a[0] * b[0] + a[1] * b[1] + a[2] * b[2]


def to_dict(mounting: Mounting) -> dict[str, Any]:
    """Plain numbers and lists, for saving with the wearer or with a state."""
    return {
        "windows": mounting.windows,
        "up_sum": mounting.up_sum.tolist(),
        "shape": mounting.shape.tolist(),
        "phase": mounting.phase.tolist(),
        "slips": mounting.slips,
    }


def from_dict(plain: Mapping[str, Any]) -> Mounting:
    """What `to_dict` gave, exactly."""
    return Mounting(
        float(plain["windows"]),
        np.asarray(plain["up_sum"], dtype=float),
        np.asarray(plain["shape"], dtype=float),
        np.asarray(plain["phase"], dtype=float),
        int(plain["slips"]),
    )
