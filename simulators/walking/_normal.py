"""Published harmonics of normal walking: ground reaction, pelvis and legs.

A curve over the stride is offset + Re Σ c_h·exp(2πi·h·p), p from 0 to 1 between right initial contacts.
"""

from __future__ import annotations

import cmath
import math

import numpy as np
import numpy.typing as npt

ComplexArray = npt.NDArray[np.complex128]

HARMONICS = 10

_CADENCES = np.array([88.0, 110.0, 123.0, 141.0])
# Sum of both feet's mean ground reaction over body mass: amplitude m/s² @ phase °, at the cadences above. Harmonics
# 2 4 6 8 upwards, 2 4 6 forwards, 1 3 5 to the left. From the mean forces of healthy adults at four imposed speeds
# (Bovi et al. 2011, Gait & Posture 33:6).
_UPWARDS = (
    ((1.56, -38), (0.68, -62), (0.58, -98), (0.29, -134)),
    ((2.43, -29), (0.58, -44), (0.60, -80), (0.48, -114)),
    ((3.34, -32), (0.20, -52), (0.50, -73), (0.56, -96)),
    ((4.24, -38), (0.73, 121), (0.36, -24), (0.66, -77)),
)
_FORWARDS = (
    ((0.71, 16), (0.32, -44), (0.09, -116)),
    ((0.96, 32), (0.56, -9), (0.22, -61)),
    ((1.23, 39), (0.72, 5), (0.30, -39)),
    ((1.68, 56), (1.16, 27), (0.50, -6)),
)
_LEFTWARDS = (
    ((0.45, -127), (0.22, -174), (0.09, 143)),
    ((0.55, -119), (0.27, -164), (0.13, 146)),
    ((0.50, -117), (0.27, -169), (0.13, 135)),
    ((0.47, -104), (0.27, 179), (0.10, 137)),
)

# Joint angles of 24 young adults overground at comfortable speed, °: cos and sin of harmonics 1-6 of the median curve,
# from right contact. Fukuchi, Fukuchi & Duarte 2018, PeerJ 6:e4640 (CC BY 4.0); harmonic fit of the published data.
# Obliquity: right side up; rotation: right side forward; hip and knee flexion of the right leg.
_ANGLES = {
    "obliquity": (
        (2.7559, 0.0208, -1.4056, 0.0251, -0.1772, 0.0412),
        (3.1977, 0.0269, -0.085, 0.036, -0.1346, -0.0944),
    ),
    "rotation": ((5.4467, 0.1458, 0.8311, -0.0489, 0.3165, 0.0722), (2.6603, -0.0163, -0.3823, -0.009, 0.3944, 0.1517)),
    "tilt": ((0.5248, 0.7304, -0.2265, 0.1924, -0.0806, -0.0397), (0.3209, -0.2739, 0.0593, -0.1093, -0.0527, 0.0004)),
    "hip": ((18.9984, -3.0864, -0.4595, 0.1204, -0.4366, 0.041), (-2.1368, -0.8973, 1.889, -0.3685, 0.1995, -0.0096)),
    "knee": ((-1.9843, -15.866, -1.546, -1.0114, -0.8351, 0.1737), (-21.6488, 5.6592, 5.1659, 0.713, 1.0024, 0.2835)),
}
HIP_OFFSET_DEG, KNEE_OFFSET_DEG, TILT_OFFSET_DEG = 16.01, 21.12, 10.47
"""Means over the stride; hip flexion is measured against a pelvis that is tilted forward by the last."""


def ground_reaction(cadence_spm: float) -> ComplexArray:
    """(3, HARMONICS) m/s²: acceleration of the centre of mass upwards, to the right and forwards at a cadence."""
    out = np.zeros((3, HARMONICS), dtype=np.complex128)
    for axis, table, orders, sign in (
        (0, _UPWARDS, (2, 4, 6, 8), 1),
        (2, _FORWARDS, (2, 4, 6), 1),
        (1, _LEFTWARDS, (1, 3, 5), -1),
    ):
        for place, order in enumerate(orders):
            values = [sign * cmath.rect(row[place][0], math.radians(row[place][1])) for row in table]
            out[axis, order - 1] = _between(cadence_spm, values)
    slower = min(1.0, cadence_spm / _CADENCES[0])
    return np.asarray(out * np.array([slower**2.5, slower**1.1, slower**1.2])[:, None])


def _between(cadence_spm: float, values: list[complex]) -> complex:
    table = np.array(values)
    real, imaginary = (np.interp(cadence_spm, _CADENCES, part) for part in (table.real, table.imag))
    return complex(real, imaginary)


def angle(name: str) -> ComplexArray:
    """(HARMONICS,) rad: one of the published joint or pelvis angles."""
    cos, sin = _ANGLES[name]
    out = np.zeros(HARMONICS, dtype=np.complex128)
    out[: len(cos)] = np.radians(np.array(cos)) - 1j * np.radians(np.array(sin))
    return out


def half_a_stride_later(harmonics: ComplexArray) -> ComplexArray:
    """The same curve of the other leg."""
    return np.asarray(harmonics * (-1.0) ** np.arange(1, harmonics.shape[-1] + 1))


def delayed(harmonics: ComplexArray, share: float) -> ComplexArray:
    """The same curve later by a share of the stride."""
    return np.asarray(harmonics * np.exp(-2j * np.pi * share * np.arange(1, harmonics.shape[-1] + 1)))
