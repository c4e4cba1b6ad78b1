"""When the feet touch the ground: step times that vary as people's do, and the phase of the stride between them."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np

from sagittal.names import Side
from simulators._curves import FloatArray
from simulators.behaviours import Traits
from simulators.body import Person

_FIRST_STEPS = (1.16, 1.05)
_TURNING = 1.09
_WHITE = 0.013
_BEFORE = 3


@dataclass(frozen=True, slots=True)
class Steps:
    """Contacts of one bout: times (k,), s, even places right; `first` and `last` bound the real ones.

    `phase` gives strides since the first right contact. `off` are final contacts: times, of the foot that landed at
    the same place one stance before.
    """

    contacts: FloatArray
    off: FloatArray
    first: int
    last: int
    phase: Callable[[FloatArray, int], FloatArray]
    begins_right: bool

    def side(self, place: int) -> Side:
        """Which foot lands at a place."""
        return Side.RIGHT if place % 2 == 0 else Side.LEFT


def make_steps(
    rng: np.random.Generator,
    person: Person,
    traits: Traits,
    start_s: float,
    duration_s: float,
    step_s: float,
    fade: tuple[float, float] = (0.0, 0.0),
    slow: Sequence[tuple[float, float]] = (),
    uneven_times: float = 1.0,
) -> Steps:
    """Contacts from about `start_s` until about `start_s + duration_s` at a mean step time.

    Stride times wander with long memory (a sum of slow processes; DFA exponents of 0.75 to 0.8, Hausdorff 1995), each
    step jitters by 1 %, the first and last steps are slower. `uneven_times` scales both.
    """
    from scipy.interpolate import CubicSpline  # here, for it takes longer to load than a bridge to start

    count = max(4, round(duration_s / step_s))
    scale = traits.unsteady * uneven_times
    wander = person.manner.stride_cv * scale * _long_memory(rng, count)
    jitter = _WHITE * scale * rng.standard_normal(count)
    uneven = 0.5 * (traits.short_stance_right - traits.short_stance_left)
    place = np.arange(count)
    even = np.where(place % 2 == 0, uneven, -uneven)
    times = step_s * np.clip(1 + wander + jitter + even, 0.6, 1.6)
    times *= 1 + fade[0] * np.minimum(1.0, (fade[1] + step_s * place) / 300.0)
    times[:2] *= _FIRST_STEPS
    at = start_s + np.cumsum(times)
    for begin, end in slow:
        times[(at > begin - 0.7) & (at < end + 0.7)] *= _TURNING
    count = max(4, int(np.searchsorted(np.cumsum(times), duration_s - 1.6 * step_s)))
    times = times[:count]
    first_s = start_s + 0.5 * (duration_s - times[:-1].sum())
    inner = first_s + np.concatenate([[0.0], np.cumsum(times[:-1])])
    margin = step_s * np.arange(1, _BEFORE + 1)
    begins_right = bool(rng.random() < 0.5)
    before = _BEFORE if (_BEFORE % 2 == 0) == begins_right else _BEFORE + 1
    margin_before = step_s * np.arange(before, 0, -1)
    contacts = np.concatenate([inner[0] - margin_before, inner, inner[-1] + margin])
    phase = CubicSpline(contacts, 0.5 * np.arange(len(contacts)))
    return Steps(contacts, _final_contacts(contacts, traits, step_s), before, before + count - 1, phase, begins_right)


def _final_contacts(contacts: FloatArray, traits: Traits, step_s: float) -> FloatArray:
    """Stance is 62 % of the stride at comfortable speed, 2 % less a tenth of a second quicker (Bovi 2011)."""
    share = np.clip(0.62 + 0.2 * (step_s - 0.545), 0.57, 0.75)
    stance = np.full(len(contacts), share)
    stance[::2] -= 0.5 * (traits.short_stance_right - 0.3 * traits.short_stance_left)
    stance[1::2] -= 0.5 * (traits.short_stance_left - 0.3 * traits.short_stance_right)
    stride = np.empty(len(contacts))
    stride[:-2] = contacts[2:] - contacts[:-2]
    stride[-2:] = stride[-3]
    return np.asarray(contacts + stance * stride)


def _long_memory(rng: np.random.Generator, count: int) -> FloatArray:
    """Unit variance, nearly 1/f from two to two hundred steps: three slow processes and white noise."""
    total = np.zeros(count)
    for steps in (2.0, 12.0, 70.0):
        keep = np.exp(-1 / steps)
        noise = rng.standard_normal(count) * np.sqrt(1 - keep**2)
        value = rng.standard_normal()
        for index in range(count):
            value = keep * value + noise[index]
            total[index] += value
    return np.asarray(total / np.sqrt(3.0))
