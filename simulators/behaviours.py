"""Behaviours: what a body does differently, named by what one sees, never by a cause; any of them together.

Each takes a severity from 0 (nothing) to 1 (as much as is seen) and, where it has one, the side that is spared.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass, fields, replace

from sagittal.errors import SettingsError
from sagittal.names import Side


@dataclass(frozen=True, slots=True)
class Behaviour:
    """One behaviour with its severity, 0–1, and side."""

    name: str
    severity: float = 1.0
    side: Side | None = None

    def __post_init__(self) -> None:
        if self.name not in BEHAVIOURS:
            raise SettingsError(f"behaviour {self.name!r} is not known: use one of {', '.join(BEHAVIOURS)}")
        if not 0.0 <= self.severity <= 1.0:
            raise SettingsError(f"severity {self.severity} of {self.name} is out of range: choose 0 to 1")
        if self.name in SIDED and self.side is None:
            raise SettingsError(f"{self.name} needs a side: left or right")
        if self.side is not None and self.name not in SIDED | {"short_step"}:
            raise SettingsError(f"{self.name} has no side: leave {self.side} out")

    def scaled(self, factor: float) -> Behaviour:
        """The same with another severity."""
        return replace(self, severity=min(1.0, max(0.0, self.severity * factor)))


@dataclass(frozen=True, slots=True)
class Traits:
    """What behaviours come to, summed up; factors of 1, angles in degrees, left and right apart.

    `soft` scales what lifts, drives and shakes the body. `lift` is how much less one side pushes and the other lands
    harder (share); `short_stance` the stance time lost; `short_step` the share by which the step *onto the other foot*
    shortens; `stiff` the knee's range lost; `lean` the trunk's lean over the stance leg; `drop` the further fall of the
    pelvis on the swing side.
    """

    speed: float = 1.0
    cadence: float = 1.0
    sideways: float = 1.0
    rotation: float = 1.0
    roll: float = 1.0
    unsteady: float = 1.0
    soft: float = 1.0
    width: float = 1.0
    lift_left: float = 0.0
    lift_right: float = 0.0
    short_stance_left: float = 0.0
    short_stance_right: float = 0.0
    short_step_left: float = 0.0
    short_step_right: float = 0.0
    stiff_left: float = 0.0
    stiff_right: float = 0.0
    lean_left_deg: float = 0.0
    lean_right_deg: float = 0.0
    drop_left_deg: float = 0.0
    drop_right_deg: float = 0.0
    stoop_pelvis_deg: float = 0.0
    stoop_lumbar_deg: float = 0.0
    shift_deg: float = 0.0
    bend_range: float = 1.0
    bend_speed: float = 1.0
    lumbar_share: float = 1.0
    slouch_deg: float = 0.0
    decline: float = 0.0

    def of(self, name: str, side: Side) -> float:
        """One of the sided traits."""
        return float(getattr(self, f"{name}_{side}" if not name.endswith("_deg") else f"{name[:-4]}_{side}_deg"))


NORMAL = Traits()


def _stiff_knee(s: float, side: Side | None) -> dict[str, float]:
    return {
        f"stiff_{side}": 0.42 * s,
        f"lift_{side}": 1.05 * s,
        f"short_stance_{side}": 0.10 * s,
        "sideways": 1 + 0.9 * s,
        "roll": 1 + 0.25 * s,
        "speed": 1 - 0.10 * s,
        "cadence": 1 + 0.06 * s,
        "unsteady": 1 + 0.2 * s,
    }


def _limp(s: float, side: Side | None) -> dict[str, float]:
    """Mild: slower and even; severe: less time on the spared leg, a short step of the other, gentle steps.

    Before knee replacement steps at full speed are 20 % shorter (Wiik 2017); painful knees flatten the vertical force
    (Stauffer 1977).
    """
    uneven = max(0.0, s - 0.2) / 0.8
    return {
        "speed": 1 - 0.38 * s,
        "cadence": 1 + 0.12 * s,
        "soft": 1 - 0.5 * s,
        f"lift_{side}": 0.55 * uneven,
        f"short_stance_{side}": 0.15 * uneven,
        f"short_step_{side}": 0.22 * uneven,
        "rotation": 1 - 0.35 * s,
    }


def _short_step(s: float, side: Side | None) -> dict[str, float]:
    """Both sides: at 1 a third shorter than usual at its cadence, timed as a cautious gait (Herman 2005)."""
    if side is None:
        return {
            "speed": 1 - 0.30 * s,
            "cadence": 1 + 0.30 * s,
            "unsteady": 1 + 0.6 * s,
            "rotation": 1 - 0.25 * s,
        }
    return {f"short_step_{side}": 0.35 * s, f"lift_{side}": 0.3 * s, "speed": 1 - 0.15 * s}


def _trunk_lean(s: float, side: Side | None) -> dict[str, float]:
    return {f"lean_{side}_deg": 9.0 * s, "roll": 1 - 0.3 * s, "sideways": 1 + 0.35 * s, "speed": 1 - 0.1 * s}


def _pelvic_drop(s: float, side: Side | None) -> dict[str, float]:
    return {f"drop_{side}_deg": 6.0 * s, "sideways": 1 + 0.25 * s, "speed": 1 - 0.05 * s}


def _guarded_back(s: float, _: Side | None) -> dict[str, float]:
    """Bends less far and longer. Back pain: pelvis 48° in 3.18 s against 59° in 2.28 s (Laird 2019), about ¾ here."""
    return {
        "bend_range": 1 - 0.25 * s,
        "bend_speed": 1 - 0.60 * s,
        "lumbar_share": 1 - 0.35 * s,
        "rotation": 1 - 0.4 * s,
        "speed": 1 - 0.10 * s,
    }


def _forward_stoop(s: float, _: Side | None) -> dict[str, float]:
    return {"stoop_pelvis_deg": 15.0 * s, "stoop_lumbar_deg": 13.0 * s, "speed": 1 - 0.12 * s, "rotation": 1 - 0.2 * s}


def _lateral_shift(s: float, side: Side | None) -> dict[str, float]:
    return {"shift_deg": (14.0 if side is Side.RIGHT else -14.0) * s}


def _decline(s: float, _: Side | None) -> dict[str, float]:
    return {"decline": s, "stoop_lumbar_deg": 3.0 * s}


def _desk_slouch(s: float, _: Side | None) -> dict[str, float]:
    return {"slouch_deg": 18.0 * s}


def _slow_unsteady(s: float, _: Side | None) -> dict[str, float]:
    return {
        "speed": 1 - 0.45 * s,
        "unsteady": 1 + 1.8 * s,
        "width": 1 + 0.5 * s,
        "rotation": 1 - 0.3 * s,
        "sideways": 1 + 0.3 * s,
    }


BEHAVIOURS: dict[str, Callable[[float, Side | None], dict[str, float]]] = {
    "stiff_knee": _stiff_knee,
    "limp": _limp,
    "short_step": _short_step,
    "trunk_lean": _trunk_lean,
    "pelvic_drop": _pelvic_drop,
    "guarded_back": _guarded_back,
    "forward_stoop": _forward_stoop,
    "lateral_shift": _lateral_shift,
    "decline": _decline,
    "desk_slouch": _desk_slouch,
    "slow_unsteady": _slow_unsteady,
}
"""Every behaviour by name; sizes after docs/simulator.md."""

SIDED = frozenset({"stiff_knee", "limp", "trunk_lean", "pelvic_drop", "lateral_shift"})
"""Those that need a side."""

_FACTORS = frozenset(field.name for field in fields(Traits) if field.default == 1.0)


def traits(behaviours: Iterable[Behaviour]) -> Traits:
    """Behaviours composed: factors multiply, shares and degrees add."""
    total = {field.name: float(field.default) for field in fields(Traits)}  # type: ignore[arg-type]  # all are floats
    for one in behaviours:
        for name, value in BEHAVIOURS[one.name](one.severity, one.side).items():
            total[name] = total[name] * value if name in _FACTORS else total[name] + value
    return Traits(**total)


def parse_behaviour(text: str) -> Behaviour:
    """`name`, `name:severity` or `name:severity:side`, as on the command line.

    Raises
    ------
    SettingsError
        Where it names none, or a severity or side that can't be.
    """
    name, _, rest = text.partition(":")
    number, _, side = rest.partition(":")
    try:
        severity = float(number) if number else 1.0
        return Behaviour(name, severity, Side(side) if side else None)
    except ValueError:
        raise SettingsError(f"behaviour {text!r} must be NAME:SEVERITY:SIDE, such as limp:0.7:left") from None
