"""Days of different lives, and the short round that the demo shows."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace

import numpy as np

from sagittal.errors import SettingsError
from sagittal.names import Side
from simulators.acts import Act, Turned, hold, there_and_back, walk
from simulators.behaviours import Behaviour
from simulators.wearer import Plan

DAY_S = 86_400.0
HOUR_S = 3600.0
_MINUTE_S = 60.0

Draw = np.random.Generator
Menu = Sequence[tuple[float, Callable[[Draw], list[Act]]]]
"""Weights, and what one does then."""


@dataclass(frozen=True, slots=True)
class Scenario:
    """A way of spending time: `plan` gives the acts by seed; `worn_s` is when in a period a sensor is worn."""

    name: str
    about: str
    period_s: float
    plan: Callable[[int], Plan]
    worn_s: tuple[float, float]
    begin_s: float = 0.0
    """Where in the period a live run begins; a fleet spreads over the hour after it."""


def _minutes(draw: Draw, low: float, high: float) -> float:
    return float(_MINUTE_S * math.exp(draw.uniform(math.log(low), math.log(high))))


def _turns(draw: Draw, seconds: float) -> tuple[Turned, ...]:
    """A bend in the way every ten seconds or so, 45 to 180°."""
    times = np.arange(6.0, seconds - 5, 9.0)
    return tuple(
        Turned(float(t + draw.uniform(-2, 2)), float(draw.choice([45, 90, 90, 180]) * draw.choice([-1, 1])))
        for t in times
        if draw.random() < 0.5
    )


def _walk(draw: Draw, low_s: float, high_s: float, speed: float = 1.0) -> list[Act]:
    seconds = float(draw.uniform(low_s, high_s))
    return [
        walk(seconds, speed * float(draw.uniform(0.85, 1.1)), _turns(draw, seconds)),
        hold("stand", draw.uniform(4, 15)),
    ]


def _stairs(draw: Draw) -> list[Act]:
    return [walk(float(draw.uniform(9, 16)), 1.0, stairs=int(draw.choice([-1, 1]))), hold("stand", 4)]


def _sit(draw: Draw, poses: Sequence[str], low: float, high: float) -> list[Act]:
    """On a chair for some minutes, from one pose into another now and then."""
    left, acts = _minutes(draw, low, high), []
    while left > 20:
        seconds = min(left, _minutes(draw, 1.5, 12))
        acts.append(hold(str(draw.choice(list(poses))), max(20.0, seconds)))
        left -= seconds
    return acts or [hold(poses[0], 30)]


def _stand(draw: Draw, low_s: float, high_s: float) -> list[Act]:
    reach = str(draw.choice(["reach_up", "reach_forward", "reach_side", "stand"]))
    return [hold("stand", draw.uniform(low_s, high_s)), hold(reach, draw.uniform(4, 9)), hold("stand", 4)]


def _lift(draw: Draw) -> list[Act]:
    """Down for something and up again, by bending or by squatting."""
    pose = str(draw.choice(["bend", "bend", "squat", "work_bent"]))
    return [hold(pose, draw.uniform(4, 9), depth=float(draw.uniform(0.6, 1.1))), hold("stand", draw.uniform(3.5, 7))]


_DESK = ("sit_at_desk", "sit_at_desk", "sit", "sit_slouched", "sit_forward")
_EASY = ("recline", "sit_slouched", "sit", "recline")

_OFFICE: Menu = (
    (5.0, lambda draw: _sit(draw, _DESK, 12, 55)),
    (3.0, lambda draw: _walk(draw, 12, 90)),
    (1.5, lambda draw: _stand(draw, 10, 90)),
    (0.5, lambda draw: _lift(draw)),
    (0.4, lambda draw: _stairs(draw)),
)
_WAREHOUSE: Menu = (
    (5.0, lambda draw: _walk(draw, 10, 60)),
    (6.0, lambda draw: _lift(draw)),
    (2.0, lambda draw: _stand(draw, 8, 40)),
    (0.3, lambda draw: _sit(draw, ("sit", "sit_forward"), 5, 15)),
    (0.5, lambda draw: [hold("work_bent", draw.uniform(20, 60)), hold("stand", 6)]),
    (0.2, lambda draw: [hold("drive", _minutes(draw, 3, 10))]),
)
_HOME: Menu = (
    (4.0, lambda draw: _sit(draw, _EASY, 10, 50)),
    (3.0, lambda draw: _walk(draw, 8, 40, 0.9)),
    (2.0, lambda draw: _stand(draw, 15, 120)),
    (0.8, lambda draw: _lift(draw)),
    (0.2, lambda draw: [hold("lie_on_back", _minutes(draw, 10, 30)), hold("lie_on_left", _minutes(draw, 5, 20))]),
)
_OUTING: Menu = ((1.0, lambda draw: _walk(draw, 180, 600)), (0.5, lambda draw: _sit(draw, ("sit",), 2, 6)))
_REHABILITATION: Menu = (
    (2.5, lambda draw: _sit(draw, _EASY, 8, 25)),
    (3.0, lambda draw: _walk(draw, 25, 120)),
    (0.8, lambda draw: [there_and_back(float(draw.uniform(90, 200)), 12.0), hold("stand", 8)]),
    (1.5, lambda draw: _stand(draw, 15, 60)),
    (1.5, lambda draw: _lift(draw)),
)


def _night(draw: Draw, seconds: float) -> list[Act]:
    """In bed, turning over every half an hour or so."""
    poses = ["lie_on_back", "lie_on_left", "lie_on_right", "lie_on_front"]
    acts, left = [], seconds
    while left > 1:
        one = min(left, _minutes(draw, 12, 70)) if left > 1800 else left
        acts.append(hold(str(draw.choice(poses)), one))
        left -= one
    return acts


def _until(draw: Draw, acts: list[Act], end_s: float, menu: Menu) -> None:
    """More acts from a menu until a time of the day."""
    weights = np.array([weight for weight, _ in menu])
    edges = np.cumsum(weights / weights.sum())
    now = sum(act.duration_s for act in acts)
    while now < end_s:
        more = menu[min(int(np.searchsorted(edges, draw.random())), len(menu) - 1)][1](draw)
        acts += more
        now += sum(act.duration_s for act in more)


def _whole(acts: list[Act], period_s: float) -> list[Act]:
    """Cut or stretched to fill its period exactly, on whole nanoseconds."""
    kept: list[Act] = []
    now = 0.0
    for act in acts:
        left = period_s - now
        if left < act.duration_s + 10:
            return [*kept, replace(act, pose=act.pose, duration_s=left, speed=None, turns=())]
        kept.append(act)
        now += act.duration_s
    return [*kept, hold("stand", period_s - now)]


def _day(*parts: tuple[float, Menu | None]) -> Callable[[int], Plan]:
    """A day from seven in the morning: until which hour after it, from which menu (None: in bed)."""

    def of(seed: int) -> Plan:
        def plan(number: int) -> Sequence[Act]:
            draw = np.random.default_rng([seed, 61, number])
            acts: list[Act] = [hold("stand", 20)]
            for hours, menu in parts:
                if menu is None:
                    acts += _night(draw, hours * HOUR_S - sum(act.duration_s for act in acts))
                else:
                    _until(draw, acts, hours * HOUR_S, menu)
            return _whole(acts, DAY_S)

        return plan

    return of


def _round(*acts: Act) -> Callable[[int], Plan]:
    return lambda _seed: lambda _number: acts


def _declining(_seed: int) -> Plan:
    """Long walks that get slower and more stooped, eased by sitting or by bending forward, and begun anew."""
    worse = (Behaviour("decline", 1.0),)
    acts = (
        hold("stand", 20),
        Act("stand", 290, 1.0, behaviours=worse),
        hold("sit", 180),
        Act("stand", 290, 1.0, behaviours=worse),
        hold("work_bent", 60),
        Act("stand", 240, 1.0, tired_s=60, behaviours=worse),
        hold("recline", 220),
    )
    return lambda _number: acts


def severity(day: int, *, flaring: bool) -> float:
    """How far behaviours are from gone on a day of rehabilitation: halved in ten days; a flare in the third week."""
    now = 0.95 * 0.5 ** (day / 10.0)
    flare = 0.55 * math.exp(-(((day - 17) / 2.2) ** 2)) if flaring else 0.0
    return float(min(1.0, now + flare))


def _rehabilitation(*, flaring: bool) -> Callable[[int], Plan]:
    base = _day((1.5, _HOME), (8.0, _REHABILITATION), (15.0, _HOME), (24.0, None))

    def of(seed: int) -> Plan:
        plan = base(seed)
        side = Side.LEFT if seed % 2 else Side.RIGHT

        def with_behaviours(number: int) -> Sequence[Act]:
            wobble = float(np.random.default_rng([seed, 62, number]).normal(0, 0.04))
            now = min(1.0, max(0.0, severity(number, flaring=flaring) + wobble))
            has = (Behaviour("stiff_knee", now, side), Behaviour("guarded_back", min(1.0, 0.8 * now)))
            return [replace(act, behaviours=has) for act in plan(number)]

        return with_behaviours

    return of


_DEMO = _round(
    hold("stand", 6),
    walk(24),
    hold("stand", 4),
    hold("bend", 5),
    hold("stand", 4),
    hold("sit", 14),
    hold("sit_slouched", 14),
    hold("stand", 5),
)
_ALL_DAY = (0.0, 16 * HOUR_S)

SCENARIOS = {
    one.name: one
    for one in (
        Scenario("demo", "stands, walks, bends, sits and slouches, again and again", 76.0, _DEMO, (0.0, 76.0)),
        Scenario(
            "office",
            "a working day at a desk, with walks, stairs and an evening at home",
            DAY_S,
            _day((1.0, _HOME), (1.5, _OUTING), (10.0, _OFFICE), (10.5, _OUTING), (16.0, _HOME), (24.0, None)),
            _ALL_DAY,
            2 * HOUR_S,
        ),
        Scenario(
            "warehouse",
            "a working day on one's feet: walking, lifting, bending",
            DAY_S,
            _day((1.0, _HOME), (9.5, _WAREHOUSE), (16.0, _HOME), (24.0, None)),
            _ALL_DAY,
            2 * HOUR_S,
        ),
        Scenario(
            "retirement",
            "a day at home with a walk outside and a rest",
            DAY_S,
            _day((3.0, _HOME), (4.0, _OUTING), (16.0, _HOME), (24.0, None)),
            _ALL_DAY,
            2 * HOUR_S,
        ),
        Scenario(
            "rehabilitation",
            "weeks of a stiff knee and a guarded back that get better",
            DAY_S,
            _rehabilitation(flaring=False),
            (1.5 * HOUR_S, 8 * HOUR_S),
            1.5 * HOUR_S,
        ),
        Scenario(
            "rehabilitation_flaring",
            "the same with a flare in the third week",
            DAY_S,
            _rehabilitation(flaring=True),
            (1.5 * HOUR_S, 8 * HOUR_S),
            1.5 * HOUR_S,
        ),
        Scenario("declining", "walks that slow down and stoop, eased by rest", 1300.0, _declining, (0.0, 1300.0)),
    )
}
"""Every scenario by name."""


def scenario(name: str) -> Scenario:
    """The scenario of a name.

    Raises
    ------
    SettingsError
        Where there is none of it.
    """
    if name not in SCENARIOS:
        raise SettingsError(f"scenario {name!r} is not known: use one of {', '.join(SCENARIOS)}")
    return SCENARIOS[name]
