"""One bout of walking as a function of time: the pelvis's acceleration, the angles, and what contacts shake."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from sagittal.names import Site
from simulators._curves import FloatArray, Move, add_moves, product
from simulators._noise import Noise
from simulators.body import Manner
from simulators.walking._cycle import Cycle
from simulators.walking._normal import HARMONICS
from simulators.walking._steps import Steps

IntArray = npt.NDArray[np.intp]

# A contact at the lower back: a damped ring upwards, to the other foot, forwards, m/s², and about these axes, rad/s;
# its frequency, Hz, and decay, s. The skin under a 20-40 g sensor rings near 8 Hz.
_RING = np.array([3.8, 4.4, 4.2, 0.37, 0.76, 0.35])
_RING_HZ = np.array([8.0, 7.5, 7.5, 7.0, 7.5, 7.0])
_RING_DECAY_S = np.array([0.075, 0.08, 0.05, 0.07, 0.07, 0.07])
_SPEED = 1.2
_OWN_SPEED = np.array([0.0, 0.0, 1.0, 0.0, 1.0, 0.0])
"""Rings grow with a power of speed; at the trunk, forwards and in pitch, again with speed against one's own."""
_PUSH_OFF_S = 0.04
"""Forwards it begins before the contact, with the push-off of the other foot."""
_ROUGH = np.array([0.69, 0.74, 0.65, 0.175, 0.21, 0.14])
_ROUGH_BAND = (3.0, 20.0)
_ROUGH_KNOT_S = 0.014
_AMPLITUDE_CV = np.array([0.07, 0.12, 0.09, 0.12, 0.09, 0.06])
_AMPLITUDE_KNOT_S = 0.55
_LEG_CV = 0.03
_VARIES = (3, 5, 4, 5, 4, 3, 6, 6, 6, 6)
"""Which of the amplitudes above each angle follows."""
_SITE_GAIN: dict[Site, tuple[float, float, float, float]] = {
    Site.UPPER_TRUNK: (0.65, 0.30, 0.80, 0.8),
    Site.THIGH_LEFT: (2.0, 1.7, 2.0, 1.2),
    Site.THIGH_RIGHT: (2.0, 1.7, 2.0, 1.2),
    Site.SHANK_LEFT: (3.2, 2.6, 3.2, 1.5),
    Site.SHANK_RIGHT: (3.2, 2.6, 3.2, 1.5),
}
"""Ring and residual upwards, sideways, forwards and of rates, against the lower back."""


@dataclass(frozen=True, slots=True)
class Gait:
    """A bout: steps, cycle, speed and the gain with which it begins and ends.

    `stir` scales what soft tissue adds: the speed against usual, less where steps are gentle; `haste` is the speed
    against one's own.
    """

    steps: Steps
    cycle: Cycle
    manner: Manner
    speed_mps: float
    gain: Sequence[Move]
    turns: Sequence[Move]
    rings: FloatArray
    ring_hz: FloatArray
    amplitude: Noise
    heading: Noise
    unsteady: float = 1.0
    step_shares: tuple[float, float] = (1.0, 1.0)
    stir: float = 1.0
    haste: float = 1.0

    def motion(self, t: FloatArray, channels: int) -> tuple[FloatArray, FloatArray, FloatArray]:
        """Pelvis's acceleration (3, n) in path axes, the first angles (channels, 3, n), and the heading (3, n), rad."""
        gain = np.zeros((3, len(t)))
        add_moves(gain, t, self.gain)
        phase = np.stack([self.steps.phase(t, order) for order in range(3)])
        forces, angles = self._harmonics(phase, channels)
        varied = self.amplitude.at(t, 2) * (np.concatenate([_AMPLITUDE_CV, [_LEG_CV]]) * self.unsteady)[:, None, None]
        varied[:, 0] += 1.0
        forces = forces * varied[:3, 0] * gain[0]
        heading = self._heading(t, gain)
        forces[2] += self.speed_mps * gain[1]
        forces[1] -= self.speed_mps * gain[0] * heading[1]
        factor = product(varied, gain[None])[list(_VARIES[:channels])]
        return forces, product(angles, factor), heading

    def contacts(self) -> tuple[FloatArray, FloatArray, FloatArray, FloatArray]:
        """Initial and final contacts, s, 1 where right, and lengths of the steps, m, in proportion to their times."""
        rows = slice(self.steps.first, self.steps.last + 1)
        times = self.steps.contacts[rows]
        right = np.asarray(1.0 - np.arange(self.steps.first, self.steps.last + 1) % 2, dtype=np.float64)
        gain = np.zeros((3, len(times)))
        before = self.steps.contacts[self.steps.first - 1 : self.steps.last]
        add_moves(gain, 0.5 * (times + before), self.gain)
        onto_right, onto_left = self.step_shares
        shares = onto_right * right + onto_left * (1 - right)
        length = np.asarray(self.speed_mps * gain[0] * (times - before) * shares)
        return times, self.steps.off[rows], right, length

    def _harmonics(self, phase: FloatArray, channels: int) -> tuple[FloatArray, FloatArray]:
        """The cycle's forces (3, n) and first angles (channels, 3, n) at a phase's curve (3, n)."""
        angles = self.cycle.angles[:channels]
        orders = 2j * np.pi * np.arange(1, HARMONICS + 1)
        rows = np.concatenate([self.cycle.forces, angles, angles * orders, angles * orders**2])
        first = 2 * np.pi * phase[0]
        cos, sin = np.empty((2, HARMONICS, len(first)))
        cos[0], sin[0] = np.cos(first), np.sin(first)
        for order in range(1, HARMONICS):
            cos[order] = cos[order - 1] * cos[0] - sin[order - 1] * sin[0]
            sin[order] = sin[order - 1] * cos[0] + cos[order - 1] * sin[0]
        curves = np.ascontiguousarray(rows.real) @ cos - np.ascontiguousarray(rows.imag) @ sin
        forces, value, slope, bend = np.split(curves, [3, 3 + channels, 3 + 2 * channels])
        value += np.array(self.cycle.offsets[:channels])[:, None]
        return forces, np.stack([value, slope * phase[1], bend * phase[1] ** 2 + slope * phase[2]], axis=1)

    def _heading(self, t: FloatArray, gain: FloatArray) -> FloatArray:
        wander = self.heading.at(t, 2)[0] * 0.03 * self.unsteady
        heading = product(wander, gain)
        add_moves(heading, t, self.turns)
        return heading

    def _since_contact(self, t: FloatArray) -> tuple[IntArray, FloatArray, FloatArray]:
        """The last contact before each time, how long ago it was, s, and how much of the step has passed."""
        contacts = self.steps.contacts
        place = np.clip(np.searchsorted(contacts, t) - 1, 0, len(contacts) - 2)
        since = np.maximum(t - contacts[place], 0.0)
        return place, since, since / (contacts[place + 1] - contacts[place])

    def shaken(self, t: FloatArray, site: Site, rough: Noise) -> FloatArray:
        """(6, n): what contacts and soft tissue add at a site, in its segment's axes: m/s², then rad/s."""
        gain = np.zeros((3, len(t)))
        add_moves(gain, t, self.gain)
        place, since, share = self._since_contact(t)
        early, before, _ = self._since_contact(t + _PUSH_OFF_S)
        ring = np.stack(
            [
                self.rings[at, one] * _ring(one, passed, self.ring_hz[at])
                for one in range(6)
                for at, passed in [(early, before) if one == 2 else (place, since)]
            ]
        )
        size = np.array(self.manner.rough) * _ROUGH * self.manner.firmness * np.sqrt(self.unsteady)
        size *= self.stir
        noise = rough.at(t)[:, 0] * size[:, None] * (0.55 + 0.9 * np.exp(-share / 0.25))
        up, side, ahead, turning = _SITE_GAIN.get(site, (1.0, 1.0, 1.0, 1.0))
        weight = np.array([up, side, ahead, turning, turning, turning])[:, None]
        if site in (Site.SHANK_LEFT, Site.THIGH_LEFT, Site.SHANK_RIGHT, Site.THIGH_RIGHT):
            own = 0 if site in (Site.SHANK_RIGHT, Site.THIGH_RIGHT) else 1
            ring = ring * np.where(place % 2 == own, 1.0, 0.3)
        else:
            weight *= self.haste ** _OWN_SPEED[:, None]
        return np.asarray(weight * gain[0] * (ring + noise))


def _ring(channel: int, since: FloatArray, hz: FloatArray) -> FloatArray:
    """d/dt of e^(−t/τ)·(1 − cos ωt) over ω: it leaves neither a speed nor an angle behind."""
    decay = _RING_DECAY_S[channel]
    omega = 2 * np.pi * _RING_HZ[channel] / 8.0 * hz
    tick = omega * since
    return np.asarray(np.exp(-since / decay) * (np.sin(tick) - (1 - np.cos(tick)) / (omega * decay)))


def draw_rings(
    rng: np.random.Generator, count: int, manner: Manner, stir: float, lift: tuple[float, float]
) -> tuple[FloatArray, FloatArray]:
    """Sizes (count, 6) and base frequencies (count,) of each contact's ring.

    Sizes vary by 22 % from contact to contact and by 18 % more along each axis. `lift` (right, left) is how much the
    leg is spared: it lands softer and the other harder.
    """
    sizes = _RING * np.array(manner.ring) * manner.firmness * stir**_SPEED
    each = np.exp(0.22 * rng.standard_normal((count, 1)) + 0.18 * rng.standard_normal((count, 6)))
    rings = sizes * each
    sign = np.where(np.arange(count) % 2 == 0, 1.0, -1.0)
    rings[:, 1] *= -sign
    rings[:, [3, 5]] *= sign[:, None]
    right = 1 - 0.5 * lift[0] + 0.6 * lift[1]
    left = 1 - 0.5 * lift[1] + 0.6 * lift[0]
    rings *= np.where(sign > 0, right, left)[:, None]
    return rings, 8.0 * np.exp(0.08 * rng.standard_normal(count))


def rough_noise(key: tuple[int, ...]) -> Noise:
    """What soft tissue adds between and after contacts, not locked to the stride."""
    return Noise(key, _ROUGH_KNOT_S, 6, _ROUGH_BAND, degree=3)


def amplitude_noise(key: tuple[int, ...]) -> tuple[Noise, Noise]:
    """How amplitudes change from stride to stride, and how the heading wanders."""
    return Noise((*key, 1), _AMPLITUDE_KNOT_S, 7), Noise((*key, 2), 1.5, 1)
