"""The body's segments at given times of one act: pelvis, upper trunk, thighs and shanks as rigid frames."""

from __future__ import annotations

import numpy as np

from sagittal.names import Site
from simulators._curves import FloatArray, add_moves, product
from simulators._noise import Noise
from simulators._rigid import FORWARD, RIGHT, UP, Frame, Point, path_frame
from simulators._runs import Run
from simulators.acts import CHANNELS
from simulators.body import Person
from simulators.walking._cycle import ANGLES

_AT = {name: place for place, name in enumerate(CHANNELS)}
_PELVIS = (_AT["pelvis_flexion"], _AT["pelvis_lateral"])
_SLOW_SWAY = np.radians([0.38, 0.25, 0.25])
_QUICK_SWAY = np.radians([0.030, 0.022, 0.022])
_EFFORT = np.radians([1.1, 0.7, 0.7])
_CAR_MPS2 = np.array([0.42, 0.22, 0.18])
_BREATH = np.radians([0.12, 0.40])
_LUMBAR_JOINT: Point = (0.11, 0.0, -0.04)
_POINTS: dict[str, Point] = {
    Site.LOWER_BACK: (0.055, 0.0, -0.10),
    Site.PELVIS: (0.03, 0.0, -0.11),
    Site.WAIST: (0.08, 0.0, 0.11),
    Site.UPPER_TRUNK: (0.29, 0.0, -0.09),
    Site.THIGH_LEFT: (-0.22, -0.02, 0.07),
    Site.THIGH_RIGHT: (-0.22, 0.02, 0.07),
    Site.SHANK_LEFT: (-0.16, -0.01, 0.04),
    Site.SHANK_RIGHT: (-0.16, 0.01, 0.04),
}
"""Where a sensor sits: up, right, forward, m, from the middle of the hips (upper trunk: the lumbar joint; thigh: the
hip; shank: the knee), in its segment's axes, for a body of 1.72 m."""
_TRUNK_SITES = (Site.LOWER_BACK, Site.PELVIS, Site.WAIST)


class Stirring:
    """What never stands quite still in one wearer: sway, effort in a change of posture, breathing, the road."""

    def __init__(self, seed: int) -> None:
        self.slow = Noise((seed, 11), 0.9, 3)
        self.quick = Noise((seed, 12), 0.16, 3)
        self.effort = Noise((seed, 13), 0.22, 3)
        self.road = Noise((seed, 14), 0.03, 3, (1.2, 11.0), degree=3)
        rng = np.random.default_rng([seed, 15])
        self.breath_hz, self.breath_phase = float(rng.uniform(0.2, 0.3)), float(rng.uniform(0, 6))

    def breath(self, t: FloatArray) -> FloatArray:
        """Breathing as a curve of unit size."""
        rate = 2 * np.pi * self.breath_hz
        angle = rate * t + self.breath_phase
        return np.stack([np.sin(angle), rate * np.cos(angle), -(rate**2) * np.sin(angle)])


class Frames:
    """The segments at rising times t (n,), s, within one act."""

    def __init__(
        self, run: Run, t: FloatArray, person: Person, stirring: Stirring, *, legs: bool, whole: bool = False
    ) -> None:
        self._person = person
        curves = np.zeros((len(CHANNELS), 3, len(t)))
        for place, name in enumerate(CHANNELS):
            curves[place, 0] = run.base[name]
            add_moves(curves[place], t, [move for move in run.moves if move.channel == name])
        self._curves = curves
        forces = np.zeros((3, len(t)))
        yaw = np.zeros((3, len(t)))
        if run.gait is not None:
            forces, angles, heading = run.gait.motion(t, len(ANGLES) if legs else 6)
            yaw = angles[0]
            for row, name in enumerate(ANGLES[1 : len(angles)], 1):
                curves[_AT[name]] += angles[row]
            curves[_AT["heading"]] += heading
        forces[UP] += curves[_AT["height"], 2]
        forces[FORWARD] += curves[_AT["ahead"], 2]
        self._stir(stirring, t, yaw, forces)
        path = path_frame(forces, curves[_AT["heading"]], whole=whole)
        self._yaw = yaw
        self._level = path.turned(UP, yaw)
        self.pelvis = self._turned(self._level, curves[_PELVIS[0]], curves[_PELVIS[1]])

    def site(self, site: Site) -> FloatArray:
        """(6, n): specific force and rate at a site, in its segment's axes."""
        frame = self.pelvis if site in _TRUNK_SITES else self.trunk() if site is Site.UPPER_TRUNK else self.leg(site)
        size = self._person.height_m / 1.72
        up, right, forward = _POINTS[site]
        return np.concatenate([frame.force_at((up * size, right * size, forward * size)), frame.rate])

    def trunk(self) -> Frame:
        """The upper trunk, from the lumbar joint."""
        at = self._curves
        bent = self.pelvis.moved(_LUMBAR_JOINT).turned(RIGHT, -at[_AT["lumbar_flexion"]])
        return bent.turned(FORWARD, at[_AT["lumbar_lateral"]]).turned(UP, at[_AT["lumbar_axial"]])

    def _turned(self, level: Frame, flexion: FloatArray, lateral: FloatArray) -> Frame:
        return level.turned(RIGHT, -flexion).turned(FORWARD, lateral).turned(UP, self._curves[_AT["roll"]])

    def leg(self, site: Site) -> Frame:
        """A thigh, from the hip, or a shank, from the knee."""
        at, side = self._curves, "left" if site.endswith("left") else "right"
        half = self._person.hip_half_m * (-1 if side == "left" else 1)
        hip = self.pelvis.moved((0.0, half, 0.0))
        upright = hip.turned(UP, -at[_AT["roll"]]).turned(FORWARD, -at[_PELVIS[1]]).turned(RIGHT, at[_PELVIS[0]])
        upright = upright.turned(UP, -self._yaw)
        thigh = upright.turned(RIGHT, at[_AT[f"thigh_{side}"]])
        if site in (Site.THIGH_LEFT, Site.THIGH_RIGHT):
            return thigh.turned(UP, at[_AT["roll"]])
        knee = thigh.moved((-self._person.thigh_m, 0.0, 0.0)).turned(RIGHT, -at[_AT[f"thigh_{side}"]])
        return knee.turned(RIGHT, at[_AT[f"shank_{side}"]]).turned(UP, at[_AT["roll"]])

    def _stir(self, stirring: Stirring, t: FloatArray, yaw: FloatArray, forces: FloatArray) -> None:
        """Sway, effort and breathing on the pelvis's and the trunk's angles, a car's vibration on the forces."""
        at, sway = self._curves, self._curves[_AT["sway"]]
        size = self._person.sway
        swaying = stirring.slow.at(t, 2) * (size * _SLOW_SWAY)[:, None, None]
        swaying += stirring.quick.at(t, 2) * (size * _QUICK_SWAY)[:, None, None]
        stirred = product(swaying, sway[None])
        if at[_AT["effort"]].any():
            effort = stirring.effort.at(t, 2) * _EFFORT[:, None, None]
            stirred += product(effort, at[_AT["effort"]][None])
        if at[_AT["car"], 0].any():
            forces += stirring.road.at(t)[:, 0] * _CAR_MPS2[:, None] * at[_AT["car"], 0]
        at[_PELVIS[0]] += stirred[0]
        at[_PELVIS[1]] += stirred[1]
        yaw += stirred[2]
        at[_AT["lumbar_flexion"]] -= 0.5 * stirred[0]
        if sway[0].any():
            breath = stirring.breath(t)
            at[_PELVIS[0]] += _BREATH[0] * breath
            at[_AT["lumbar_flexion"]] += _BREATH[1] * breath
