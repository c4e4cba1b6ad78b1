"""A bout made from a person, what the person does differently, and how long and how fast to walk."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np

from sagittal.names import Side
from simulators._curves import Move
from simulators.behaviours import Traits
from simulators.body import Person
from simulators.walking._cycle import Cycle, make_cycle, unequal
from simulators.walking._gait import Gait, amplitude_noise, draw_rings, rough_noise
from simulators.walking._normal import ComplexArray
from simulators.walking._steps import Steps, make_steps

__all__ = ["Turning", "make_gait", "rough_noise"]

_SLOWEST_MPS, _FASTEST_MPS = 0.2, 2.2
_USUAL_MPS = 1.14
_SLOWER_UNEVEN = 0.8
"""Timing varies more below one's own speed (Kang & Dingwell 2008), by this power of it."""
_STAIRS_SPM = {1: 72.0, -1: 88.0}


@dataclass(frozen=True, slots=True)
class Turning:
    """A turn while walking: from when, s since the bout's start, and by how much, rad, left positive."""

    start_s: float
    angle: float


def make_gait(
    key: tuple[int, ...],
    person: Person,
    traits: Traits,
    start_s: float,
    duration_s: float,
    speed_mps: float,
    turnings: Sequence[Turning] = (),
    stairs: int = 0,
    tired_s: float = 0.0,
) -> Gait:
    """Walking from `start_s` for `duration_s`, standing at both ends; `tired_s` is how long one has walked before."""
    rng = np.random.default_rng(key)
    speed = float(np.clip(speed_mps * traits.speed, _SLOWEST_MPS, _FASTEST_MPS))
    cadence = _STAIRS_SPM[stairs] * person.manner.cadence if stairs else person.cadence_at(speed) * traits.cadence
    fade = _fade(traits, tired_s)
    turns = [_turn(start_s + one.start_s, one.angle) for one in turnings]
    slow = [(turn.start_s, turn.end_s) for turn in turns]
    uneven = max(1.0, person.speed_mps / speed_mps) ** _SLOWER_UNEVEN
    steps = make_steps(rng, person, traits, start_s, duration_s, 60.0 / cadence, fade, slow, uneven)
    cycle = _changed(make_cycle(person, cadence, speed, range_of_motion=traits.rotation**0.5), traits)
    if stairs:
        cycle = _on_stairs(cycle, stairs)
    stir, haste = traits.soft * speed / _USUAL_MPS, speed / person.speed_mps
    rings, ring_hz = draw_rings(rng, len(steps.contacts), person.manner, stir, (traits.lift_right, traits.lift_left))
    amplitude, heading = amplitude_noise(key)
    return Gait(
        steps,
        cycle,
        person.manner,
        speed,
        _gain(steps, turns, fade),
        turns,
        rings,
        ring_hz,
        amplitude,
        heading,
        person.manner.unsteady * traits.unsteady,
        _step_shares(traits),
        stir,
        haste,
    )


def _turn(start_s: float, angle: float) -> Move:
    """90° in 1.6 s, 180° in about 2.8 s, 360° in 4.6 s."""
    return Move("heading", start_s, 0.75 + 2.05 * (abs(angle) / np.pi) ** 0.9, angle)


def _fade(traits: Traits, tired_s: float) -> tuple[float, float]:
    """How much slower a declining walk becomes within five minutes, and how far it has come."""
    return 0.16 * traits.decline, tired_s


def _step_shares(traits: Traits) -> tuple[float, float]:
    """Lengths of steps onto the right and the left foot, relative to even: a spared leg shortens the other's step."""
    right, left = 1 - traits.short_step_left, 1 - traits.short_step_right
    mean = 0.5 * (right + left)
    return right / mean, left / mean


def _on_stairs(cycle: Cycle, stairs: int) -> Cycle:
    """Stairs after Bovi 2011: more pelvic obliquity and thigh, little knee push-off; downwards harder landings."""
    forces, angles, offsets = cycle.forces.copy(), cycle.angles.copy(), list(cycle.offsets)
    forces[0] *= 0.9 if stairs > 0 else 1.5
    forces[2] *= 0.6
    angles[2] *= 1.9 if stairs > 0 else 0.9
    offsets[1] += np.radians(9.0 if stairs > 0 else -2.0)
    offsets[6] = offsets[7] = np.radians(24.0 if stairs > 0 else 16.0)
    offsets[8] = offsets[9] = np.radians(-28.0 if stairs > 0 else -32.0)
    return replace(cycle, forces=forces, angles=angles, offsets=tuple(float(x) for x in offsets))


def _gain(steps: Steps, turns: Sequence[Move], fade: tuple[float, float]) -> list[Move]:
    """From standing to steady in two steps, back to standing in four, less in turns."""
    first, last = steps.contacts[steps.first], steps.contacts[steps.last]
    step = float(np.median(np.diff(steps.contacts)))
    gain = [
        Move("gain", first - 0.9 * step, 2.4 * step, 1.0),
        Move("gain", last - 3.2 * step, 3.9 * step, -1.0),
    ]
    if fade[0]:
        lost = 1.6 * (_spent(fade, last - first) - _spent(fade, 0.0))
        gain.append(Move("gain", first, last - first, -lost))
        gain.append(Move("gain", last - 3.2 * step, 3.9 * step, lost))
    for turn in turns:
        dip = 0.5 * min(1.0, abs(turn.delta) / np.pi)
        third = 0.45 * turn.duration_s
        gain.append(Move("gain", turn.start_s - 0.3 * third, third, -dip))
        gain.append(Move("gain", turn.end_s - 0.7 * third, third, dip))
    return gain


def _spent(fade: tuple[float, float], seconds: float) -> float:
    return fade[0] * min(1.0, (fade[1] + seconds) / 300.0)


def _changed(cycle: Cycle, traits: Traits) -> Cycle:
    """The cycle with what behaviours do to it."""
    forces, angles = cycle.forces.copy(), cycle.angles.copy()
    forces[1] *= traits.sideways
    forces[[0, 2]] *= traits.soft
    angles[0] *= traits.rotation
    angles[5] *= traits.rotation
    angles[2] *= traits.roll
    for side, peak in ((Side.RIGHT, 0.6), (Side.LEFT, 0.1)):
        lift = traits.of("lift", side)
        phase = -2 * np.pi * peak
        for row, share in ((0, 1.0), (2, 0.9)):
            forces[row] = unequal(forces[row], lift * share, phase)
        angles[1, 0] += np.radians(2.4) * lift * np.exp(1j * (phase + 1.2))
    _over_stance(angles, traits)
    _stiff(angles, traits)
    return replace(cycle, forces=forces, angles=angles)


def _over_stance(angles: ComplexArray, traits: Traits) -> None:
    """Trunk lean over, and pelvic drop away from, the stance leg: half-waves centred on its mid-stance."""
    for side, centre, sign in ((Side.RIGHT, 0.3, 1.0), (Side.LEFT, 0.8, -1.0)):
        wave = np.zeros(angles.shape[1], dtype=np.complex128)
        wave[:2] = np.array([0.5, 0.21]) * np.exp(-2j * np.pi * centre * np.arange(1, 3))
        lean, drop = np.radians(traits.of("lean_deg", side)), np.radians(traits.of("drop_deg", side))
        angles[4] += sign * lean * wave * 1.5
        angles[2] += -sign * drop * wave * 1.5 + sign * 0.15 * lean * wave


def _stiff(angles: ComplexArray, traits: Traits) -> None:
    for side, thigh, shank in ((Side.LEFT, 6, 8), (Side.RIGHT, 7, 9)):
        stiff = traits.of("stiff", side)
        knee = angles[thigh] - angles[shank]
        angles[thigh] *= 1 - 0.85 * stiff
        angles[shank] = angles[thigh] - (1 - stiff) * knee
