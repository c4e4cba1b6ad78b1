"""People: sizes from height and sex, and a way of walking drawn for each, so that no two are clones."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Literal

import numpy as np

from sagittal.errors import SettingsError

Sex = Literal["female", "male"]

MIN_HEIGHT_M, MAX_HEIGHT_M = 1.3, 2.2

# Segment lengths as shares of body height: Drillis & Contini 1966, as tabulated in Winter, Biomechanics and Motor
# Control of Human Movement.
_THIGH, _SHANK, _ANKLE, _HIP_TO_SHOULDER = 0.245, 0.246, 0.039, 0.288
_UNEVEN = np.array([0.08, 0.08, 0.08, 0.10, 0.08, 0.25])
_HIP_BREADTH_M = {"female": 0.175, "male": 0.170}


@dataclass(frozen=True, slots=True)
class Manner:
    """How a person walks: factors of 1 on what is usual, angles in rad; see `draw_person` for their spread.

    `firmness` moves everything above 5 Hz together, `vigour` vertical and forward acceleration. `asymmetry` is a
    lasting difference between left and right; `phases` shift the harmonics of each channel.
    """

    cadence: float = 1.0
    vigour: float = 1.0
    firmness: float = 1.0
    forward: float = 1.0
    sideways: float = 1.0
    yaw: float = 1.0
    roll: float = 1.0
    pitch: float = 1.0
    ring: tuple[float, ...] = (1.0,) * 6
    rough: tuple[float, ...] = (1.0,) * 6
    asymmetry: tuple[float, ...] = (0.0,) * 6
    phases: tuple[float, ...] = (0.0,) * 12
    stride_cv: float = 0.016
    unsteady: float = 1.0


@dataclass(frozen=True, slots=True)
class Person:
    """A simulated person: m, m/s, and a `Manner` of walking; `sway` scales how quietly one stands and sits."""

    height_m: float = 1.72
    sex: Sex = "female"
    speed_mps: float = 1.3
    manner: Manner = Manner()
    sway: float = 1.0

    def __post_init__(self) -> None:
        if not MIN_HEIGHT_M <= self.height_m <= MAX_HEIGHT_M:
            raise SettingsError(
                f"height {self.height_m} m can't be simulated: choose {MIN_HEIGHT_M} to {MAX_HEIGHT_M} m"
            )
        check_speed(self.speed_mps)

    @property
    def thigh_m(self) -> float:
        """Hip to knee."""
        return _THIGH * self.height_m

    @property
    def shank_m(self) -> float:
        """Knee to ankle."""
        return _SHANK * self.height_m

    @property
    def leg_m(self) -> float:
        """Hip to floor."""
        return (_THIGH + _SHANK + _ANKLE) * self.height_m

    @property
    def hip_half_m(self) -> float:
        """From the middle to a hip joint."""
        return _HIP_BREADTH_M[self.sex] / 2 * self.height_m / 1.72

    @property
    def trunk_m(self) -> float:
        """Hip to shoulder."""
        return _HIP_TO_SHOULDER * self.height_m

    def cadence_at(self, speed_mps: float) -> float:
        """Steps a minute at a speed: 110·(v/0.70)^0.56, v in body heights a second, fitted to Bovi et al. 2011."""
        return float(110.0 * (speed_mps / self.height_m / 0.70) ** 0.56 * self.manner.cadence)

    def speed_at(self, cadence_spm: float) -> float:
        """The speed at which a cadence is this person's own, m/s."""
        return float(0.70 * self.height_m * (cadence_spm / 110.0 / self.manner.cadence) ** (1 / 0.56))


def check_speed(speed_mps: float) -> float:
    """The walking speed, if a body can walk at it.

    Raises
    ------
    SettingsError
        Where it can't.
    """
    if not 0.2 <= speed_mps <= 2.2:
        raise SettingsError(f"walking speed {speed_mps} m/s can't be simulated: choose 0.2 to 2.2 m/s")
    return speed_mps


def draw_person(rng: np.random.Generator, height_m: float | None = None, sex: Sex | None = None) -> Person:
    """A person of the general population, never the same twice.

    Heights are those of European adults (about 1.66 and 1.79, SD 0.065 m); comfortable speed 1.3 ± 0.13 m/s (Bohannon &
    Andrews 2011); SD of cadence at a given speed 5 %; the rest is as wide as needed for walks to spread as real ones do
    (docs/simulator.md).
    """
    sex = sex or ("female" if rng.random() < 0.5 else "male")
    height = height_m or float(np.clip(rng.normal(1.66 if sex == "female" else 1.79, 0.065), 1.45, 2.05))
    speed = float(np.clip(rng.normal(1.22, 0.13), 0.85, 1.6))
    return Person(height, sex, speed, draw_manner(rng), sway=float(rng.lognormal(0, 0.3)))


def draw_manner(rng: np.random.Generator) -> Manner:
    """A way of walking."""
    common, own = rng.standard_normal(), rng.standard_normal(24)
    firm = np.exp(0.30 * common)
    return Manner(
        cadence=float(np.exp(0.05 * own[0])),
        vigour=float(np.exp(0.12 * common + 0.14 * own[1])),
        firmness=float(firm),
        forward=float(np.exp(0.12 * own[2])),
        sideways=float(np.exp(0.20 * own[3])),
        yaw=float(np.exp(0.28 * own[4])),
        roll=float(np.exp(0.30 * own[5])),
        pitch=float(np.exp(0.45 * own[6])),
        ring=tuple(float(x) for x in np.exp(0.32 * own[7:13])),
        rough=tuple(float(x) for x in np.exp(0.30 * own[13:19])),
        asymmetry=tuple(float(x) for x in rng.normal(0, _UNEVEN, 6)),
        phases=tuple(float(x) for x in rng.normal(0, 0.35, 12)),
        stride_cv=float(np.exp(np.log(0.020) + 0.5 * own[19])),
        unsteady=float(np.exp(0.25 * own[20])),
    )


def reseated(person: Person, rng: np.random.Generator) -> Person:
    """The same person with the sensor put on anew: its seat changes what it reads in pitch and forwards."""
    manner = person.manner
    changed = replace(
        manner,
        pitch=manner.pitch * float(np.exp(0.20 * rng.standard_normal())),
        forward=manner.forward * float(np.exp(0.10 * rng.standard_normal())),
        ring=tuple(float(x * np.exp(0.10 * rng.standard_normal())) for x in manner.ring),
    )
    return replace(person, manner=changed)
