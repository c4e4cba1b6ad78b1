"""What the gait analysis says: typed, in SI units, rows counted on the 100 Hz grid from the start of the segment."""

from __future__ import annotations

from dataclasses import dataclass, field


@dataclass(frozen=True, slots=True)
class Contacts:
    """Feet touching the ground, in order of time: grid row (sub-sample), whether the right foot, how sure (0–1)."""

    row: tuple[float, ...] = ()
    right: tuple[bool, ...] = ()
    confidence: tuple[float, ...] = ()

    def __len__(self) -> int:
        return len(self.row)


@dataclass(frozen=True, slots=True)
class Turn:
    """A change of direction within a bout: grid rows and angle in degrees, positive to the left (El-Gohary 2014)."""

    start_row: float
    end_row: float
    angle_deg: float


@dataclass(frozen=True, slots=True)
class Bout:
    """A walking bout; one that is not `final` will be told again with the same `start_row`.

    Every number that can't be trusted is None and its reason stands in `not_assessable` under the same name.
    `metrics` holds the further numbers of the bout, units in their names. `closing_contacts` are the steps
    that follow without a pause, to the foot set down beside the other: Mobilise-D bouts end before them.
    """

    start_row: float
    end_row: float
    final: bool
    n_steps: int
    n_strides: int
    steady: bool
    steady_reason: str | None
    cadence_spm: float
    stride_duration_s: float | None
    stride_duration_cv_percent: float | None
    stride_length_m: float | None
    walking_speed_mps: float | None
    confidence: float
    metrics: dict[str, float | None] = field(default_factory=dict)
    not_assessable: dict[str, str] = field(default_factory=dict)
    contacts: Contacts = field(default_factory=Contacts)
    closing_contacts: Contacts = field(default_factory=Contacts)
    turns: tuple[Turn, ...] = ()


@dataclass(frozen=True, slots=True)
class MountingKnown:
    """The mounting after more walking: unit vectors in the sensor frame; `slipped` where the sensor has moved."""

    row: int
    up: tuple[float, float, float]
    forward: tuple[float, float, float]
    quality: float
    slipped: bool


GaitResult = Bout | MountingKnown
