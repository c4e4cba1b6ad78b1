"""What a wearer does, one act after another: postures, walks, and how one leads into the next."""

from __future__ import annotations

import math
from dataclasses import dataclass
from types import MappingProxyType

from sagittal.errors import SettingsError
from sagittal.names import PostureLabel
from simulators.behaviours import Behaviour

CHANNELS = (
    "heading",
    "pelvis_flexion",
    "pelvis_lateral",
    "roll",
    "lumbar_flexion",
    "lumbar_lateral",
    "lumbar_axial",
    "thigh_left",
    "thigh_right",
    "shank_left",
    "shank_right",
    "height",
    "ahead",
    "sway",
    "effort",
    "car",
)
"""What a pose sets: angles (rad), the pelvis's height and place ahead (shares of the thigh's length), and how much
standing sway, unsteady effort and a car's vibration there is (0–1). `roll` turns a lying body about its long axis."""


@dataclass(frozen=True, slots=True)
class Pose:
    """A posture: its label, its family for the way from one to another, and what it sets, degrees and shares."""

    label: PostureLabel
    family: str
    detail: str | None = None
    pelvis_flexion: float = 0.0
    pelvis_lateral: float = 0.0
    roll: float = 0.0
    lumbar_flexion: float = 0.0
    lumbar_lateral: float = 0.0
    lumbar_axial: float = 0.0
    thigh: float = 0.0
    shank: float = 0.0
    height: float = 0.0
    ahead: float = 0.0
    sway: float = 1.0
    car: float = 0.0


_SEAT = {"thigh": 84.0, "shank": 4.0, "height": -0.98, "ahead": -0.85, "sway": 0.45}
_BED = {"thigh": 86.0, "shank": 84.0, "height": -1.5, "ahead": -0.9, "sway": 0.06, "pelvis_flexion": -87.0}
_SITTING, _LYING, _STANDING = PostureLabel.SITTING, PostureLabel.LYING, PostureLabel.STANDING

POSES = MappingProxyType(
    {
        "stand": Pose(_STANDING, "upright"),
        "reach_up": Pose(_STANDING, "upright", "reaching", pelvis_flexion=-4, lumbar_flexion=-9),
        "reach_forward": Pose(_STANDING, "upright", "reaching", pelvis_flexion=10, lumbar_flexion=14, ahead=-0.1),
        "reach_side": Pose(_STANDING, "upright", "reaching", pelvis_lateral=6, lumbar_lateral=13, lumbar_axial=-12),
        "bend": Pose(PostureLabel.BENDING, "upright", None, 54, lumbar_flexion=46, thigh=-5, shank=-2, ahead=-0.3),
        "work_bent": Pose(PostureLabel.BENDING, "upright", None, 27, lumbar_flexion=22, ahead=-0.15),
        "squat": Pose(
            PostureLabel.SQUATTING, "upright", None, 38, lumbar_flexion=9, thigh=62, shank=-27, height=-0.8, ahead=-0.3
        ),
        "sit": Pose(_SITTING, "seated", None, -12, lumbar_flexion=14, **_SEAT),
        "sit_at_desk": Pose(_SITTING, "seated", None, -17, lumbar_flexion=25, **_SEAT),
        "sit_slouched": Pose(_SITTING, "seated", "slouched", -32, lumbar_flexion=36, **_SEAT),
        "sit_forward": Pose(_SITTING, "seated", None, 2, lumbar_flexion=26, **_SEAT),
        "recline": Pose(_SITTING, "seated", "reclined", -42, lumbar_flexion=24, **_SEAT),
        "drive": Pose(_SITTING, "seated", "car", -27, lumbar_flexion=26, **_SEAT, car=1.0),
        "lie_on_back": Pose(_LYING, "lying", "on_back", **_BED),
        "lie_on_left": Pose(_LYING, "lying", "on_left", roll=90, **_BED),
        "lie_on_right": Pose(_LYING, "lying", "on_right", roll=-90, **_BED),
        "lie_on_front": Pose(_LYING, "lying", "on_front", roll=180, **_BED),
        "on_table": Pose(PostureLabel.NOT_WORN, "table", None, -84, roll=140, height=-0.2, sway=0.0),
    }
)
"""Poses by name: flexion of the pelvis against upright standing, of the lumbar spine against the pelvis. Bending after
Laird et al. 2019 (full bend: lumbar 52, pelvis 59°); office sitting after Davidson & Callaghan 2025 (posterior pelvis,
43-79 % of lumbar flexion); squat after an open recording (OpenCap example, Apache-2.0)."""


@dataclass(frozen=True, slots=True)
class Turned:
    """A turn within a walk: s after its start, and degrees, left positive."""

    at_s: float
    angle_deg: float


@dataclass(frozen=True, slots=True)
class Act:
    """One thing a wearer does: a pose held, or a walk where `speed` is given (share of the own comfortable speed).

    `depth` scales how far the pose goes (a bend of half the depth); `stairs` is +1 up or -1 down; `tired_s` is for
    how long the wearer has walked already without a rest; `behaviours` come on top of the wearer's own.
    """

    pose: str
    duration_s: float
    speed: float | None = None
    turns: tuple[Turned, ...] = ()
    depth: float = 1.0
    stairs: int = 0
    tired_s: float = 0.0
    behaviours: tuple[Behaviour, ...] = ()

    def __post_init__(self) -> None:
        if self.pose not in POSES:
            raise SettingsError(f"pose {self.pose!r} is not known: use one of {', '.join(POSES)}")
        if not (math.isfinite(self.duration_s) and self.duration_s > 0):
            raise SettingsError(f"an act of {self.duration_s} s can't be done: choose more than 0 s")
        if self.speed is not None and not 0.15 <= self.speed <= 1.8:
            raise SettingsError(f"a walk at {self.speed} of one's own speed can't be simulated: choose 0.15 to 1.8")

    @property
    def label(self) -> PostureLabel:
        """What the truth calls it."""
        return PostureLabel.WALKING if self.speed is not None else POSES[self.pose].label

    @property
    def detail(self) -> str | None:
        """What kind of it."""
        return (
            ("", "stairs_up", "stairs_down")[self.stairs] or None if self.speed is not None else POSES[self.pose].detail
        )


def hold(pose: str, duration_s: float, depth: float = 1.0) -> Act:
    """A pose held, the way into it included."""
    return Act(pose, duration_s, depth=depth)


def walk(duration_s: float, speed: float = 1.0, turns: tuple[Turned, ...] = (), **more: object) -> Act:
    """A walk that begins and ends standing."""
    return Act("stand", duration_s, speed, turns, **more)  # type: ignore[arg-type]  # Act checks them


def there_and_back(duration_s: float, leg_s: float, speed: float = 1.0, side: float = 1.0) -> Act:
    """A walk on a straight path with half turns at its ends."""
    count = max(0, int((duration_s - 3.0) / (leg_s + 2.8)))
    turns = tuple(Turned((one + 1) * (leg_s + 2.8) - 2.8, 180.0 * side * (-1) ** one) for one in range(count))
    return walk(duration_s, speed, turns)
