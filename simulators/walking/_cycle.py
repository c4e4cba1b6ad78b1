"""One person's stride at one speed: harmonics of every channel, made once and used for every stride."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from simulators.body import Person
from simulators.walking import _normal
from simulators.walking._normal import HARMONICS, ComplexArray

ANGLES = (
    "yaw",
    "pelvis_flexion",
    "pelvis_lateral",
    "lumbar_flexion",
    "lumbar_lateral",
    "lumbar_axial",
    "thigh_left",
    "thigh_right",
    "shank_left",
    "shank_right",
)
"""Channels that walking moves, rad: pelvis against the path, upper trunk against the pelvis, legs against upright."""

# At a lower back the forward acceleration is larger than the centre of mass's and sideways a little so; the pelvis's
# own rotation arrives later and smaller than in optical curves. Ratios of amplitudes over a set of 52 healthy walks
# to the curves above (docs/simulator.md).
_FORWARD, _SIDEWAYS = 1.45, 1.5
_FORWARD_LEAD = np.exp(1j * np.radians([0, 47, 0, 75, 0, 90, 0, 0, 0, 0]))
"""Forwards the lower back leads the centre of mass by some 50 ms: phases of harmonics 2, 4 and 6."""
_YAW = (0.78, 1.0, 0.63, 1.0, 0.5, 1.0)
_YAW_DELAY = 0.09
_ROLL = (0.6, 0.9, 1.0, 1.0, 1.0, 1.0)
_PITCH = (0.8, 1.4, 0.8, 1.4, 1.4, 4.0)
_TRUNK_AGAINST_PELVIS = (-0.6, -0.55, -1.4)


@dataclass(frozen=True, slots=True)
class Cycle:
    """Harmonics over a stride: `forces` (3, H) up, right, forward of the pelvis, m/s²; `angles` (10, H), rad."""

    cadence_spm: float
    forces: ComplexArray
    angles: ComplexArray
    offsets: tuple[float, ...]


def make_cycle(person: Person, cadence_spm: float, speed_mps: float, *, range_of_motion: float = 1.0) -> Cycle:
    """The stride of a person at a cadence and speed; `range_of_motion` scales the legs and the pelvis's rotation.

    Steps shorter than is usual at a cadence lift the body less, by the square of their length as in an inverted
    pendulum (Zijlstra & Hof 2003); they turn and tilt pelvis and legs less, in proportion, and drive the body forward
    less and more smoothly: of Bovi's forward forces harmonics 4 and 6 grow with about the first and second to third
    power of step length against harmonic 2. Slower than usual legs swing nearly as far, quicker ones farther (Bovi).
    """
    manner = person.manner
    usual = person.cadence_at(person.speed_mps)
    pace = cadence_spm / usual
    length = float(np.clip(speed_mps / person.speed_at(cadence_spm), 0.3, 1.5))
    forces = _normal.ground_reaction(cadence_spm)
    forces[0] *= manner.vigour * length**2
    forces[1] *= _SIDEWAYS * manner.sideways
    forces[2] *= _FORWARD * manner.forward * manner.vigour**0.7 * _FORWARD_LEAD
    forces[2] *= length ** (0.5 * np.arange(1, HARMONICS + 1))
    forces[0] = _with_second_peak(forces[0], manner.phases[6])
    swing = range_of_motion * pace ** (0.8 if pace > 1 else 0.4) * length
    angles = np.zeros((len(ANGLES), HARMONICS), dtype=np.complex128)
    angles[0] = manner.yaw * swing * _normal.delayed(_scaled("rotation", _YAW), _YAW_DELAY)
    angles[1] = manner.pitch * pace**0.7 * _scaled("tilt", _PITCH)
    angles[2] = -manner.roll * pace**0.5 * length * _scaled("obliquity", _ROLL)
    angles[3], angles[4], angles[5] = (
        factor * angles[row] for factor, row in zip(_TRUNK_AGAINST_PELVIS, (1, 2, 0), strict=True)
    )
    thigh = swing * (_normal.angle("hip") - _normal.angle("tilt"))
    shank = thigh - swing * _normal.angle("knee")
    angles[6], angles[7] = _normal.half_a_stride_later(thigh), thigh
    angles[8], angles[9] = _normal.half_a_stride_later(shank), shank
    forces, angles = _personal(forces, angles, manner.phases, manner.asymmetry)
    thigh_mean = np.radians(_normal.HIP_OFFSET_DEG - _normal.TILT_OFFSET_DEG) * swing
    shank_mean = thigh_mean - np.radians(_normal.KNEE_OFFSET_DEG) * swing
    offsets = (0.0,) * 6 + (thigh_mean, thigh_mean, shank_mean, shank_mean)
    return Cycle(cadence_spm, forces, angles, tuple(float(x) for x in offsets))


def _scaled(name: str, factors: tuple[float, ...]) -> ComplexArray:
    out = _normal.angle(name)
    out[: len(factors)] *= np.array(factors)
    return out


def _with_second_peak(upwards: ComplexArray, size: float) -> ComplexArray:
    """The push-off peak drawn apart from the landing peak: the fourth harmonic and up, by a tenth or so."""
    out = upwards.copy()
    out[3] *= 1 + 0.6 * size
    return out


def _personal(
    forces: ComplexArray, angles: ComplexArray, phases: tuple[float, ...], asymmetry: tuple[float, ...]
) -> tuple[ComplexArray, ComplexArray]:
    """Shift the pelvis's own harmonics a little and let left and right differ."""
    orders = np.arange(1, HARMONICS + 1)
    forces, angles = forces.copy(), angles.copy()
    for row in range(3):
        angles[row] *= np.exp(1j * phases[row] * np.where(orders >= 3, 1.5, 0.8))
        forces[row] *= np.exp(1j * phases[3 + row] * np.where(orders >= 3, 0.7, 0.0))
        angles[row] = unequal(angles[row], asymmetry[row], phases[9 + row])
        forces[row] = unequal(forces[row], asymmetry[3 + row], phases[9 + row])
    return forces, angles


def unequal(harmonics: ComplexArray, size: float, phase: float) -> ComplexArray:
    """The curve times 1 + size·cos(2πp + phase): larger on one side than on the other."""
    out = harmonics.copy()
    half = 0.5 * size * np.exp(1j * phase)
    out[1:] += half * harmonics[:-1]
    out[:-1] += np.conj(half) * harmonics[1:]
    return out
