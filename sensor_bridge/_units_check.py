"""Whether a wearable's numbers are what they claim to be: m/s² and rad/s, by gravity and by how both sensors turn."""

from __future__ import annotations

import math
import statistics
from dataclasses import dataclass, field
from enum import Enum

from sagittal.blocks import unpack_int16
from sagittal.units import NS_PER_S, STANDARD_GRAVITY_MPS2

DECIDE_S = 5.0
WINDOW_S = 0.5
STILL_MPS2 = 0.15
NOTED, REFUSED_STILL, REFUSED_MOVING = 0.05, 0.2, 0.4
"""Off by up to 5 %: silently good; up to 20 %: good with a note; moving, the mean of 5 s may be off by 40 %."""
BLOCK_S = 0.1
DEGREES = 180 / math.pi
MAX_RATE_RADPS = 70.0
MIN_TURN_RADPS = 0.3
FIT = 0.5


class Verdict(Enum):
    """What the check has found so far."""

    OPEN = "open"
    GOOD = "good"
    WRONG = "wrong"


@dataclass(slots=True)
class UnitCheck:
    """Judges the first seconds of a connection; `say` holds what a person should know."""

    verdict: Verdict = Verdict.OPEN
    say: str = ""
    _norms: list[float] = field(default_factory=list)
    _rows: list[tuple[float, tuple[float, ...], tuple[float, ...] | None]] = field(default_factory=list)
    _still: list[float] = field(default_factory=list)
    _window: list[float] = field(default_factory=list)
    _window_from: int = 0
    _first: int | None = None

    def take(self, t_ns: list[int], acc: bytes, acc_scale: float, gyr: bytes | None, gyr_scale: float | None) -> None:
        """Take samples; the verdict falls after half a still second for gravity, after 5 s at the latest."""
        if self.verdict is not Verdict.OPEN or not t_ns:
            return
        accs = _rows(acc, acc_scale)
        gyrs = _rows(gyr, gyr_scale) if gyr is not None and gyr_scale is not None else [None] * len(accs)
        if self._first is None:
            self._first = self._window_from = t_ns[0]
        for t, a, w in zip(t_ns, accs, gyrs, strict=True):
            self._rows.append((t / NS_PER_S, a, w))
            norm = math.hypot(*a)
            self._norms.append(norm)
            self._window.append(norm)
            if t - self._window_from >= WINDOW_S * NS_PER_S:
                self._close(t)
        elapsed = (t_ns[-1] - self._first) / NS_PER_S
        turning = gyr is not None and self._turning()
        if elapsed >= DECIDE_S or (self._still and not turning and elapsed >= 2 * WINDOW_S):
            self.decide()

    def decide(self) -> None:
        """Decide with what there is."""
        if self.verdict is not Verdict.OPEN or not self._norms:
            return
        still = bool(self._still)
        g = (statistics.median(self._still) if still else statistics.fmean(self._norms)) / STANDARD_GRAVITY_MPS2
        self.verdict = Verdict.GOOD
        if abs(g - 1) > (REFUSED_STILL if still else REFUSED_MOVING):
            self._wrong(f"the accelerometer reads {g:.3g} g {'at rest' if still else 'on average'}{_guess(g)}")
        elif still and abs(g - 1) > NOTED:
            self.say = f"the accelerometer reads {abs(g - 1):.0%} too {'much' if g > 1 else 'little'}: calibrate it"
        self._check_rates()

    def _wrong(self, what: str) -> None:
        self.verdict = Verdict.WRONG
        self.say = f"{what}: check the driver, the range and the firmware of the wearable"

    def _close(self, t: int) -> None:
        if len(self._window) >= 5 and statistics.pstdev(self._window) < STILL_MPS2 * max(
            0.1, statistics.fmean(self._window) / STANDARD_GRAVITY_MPS2
        ):
            self._still.append(statistics.fmean(self._window))
        self._window, self._window_from = [], t

    def _turning(self) -> bool:
        rates = [math.hypot(*w) for _, _, w in self._rows[-50:] if w is not None]
        return bool(rates) and statistics.fmean(rates) > MIN_TURN_RADPS

    def _check_rates(self) -> None:
        """Gravity turns in the sensor as du/dt = u × ω; least squares tell the factor between both sides."""
        rates = [math.hypot(*w) for _, _, w in self._rows if w is not None]
        if not rates:
            return
        if statistics.median(rates) > MAX_RATE_RADPS:
            self._wrong(f"the gyroscope reads {statistics.median(rates):.0f} rad/s all the time (degrees?)")
            return
        xy = xx = yy = 0.0
        for (t0, u0, w0), (t1, u1, w1) in _pairs(self._rows):
            dt = t1 - t0
            mean_u = tuple((a + b) / 2 for a, b in zip(u0, u1, strict=True))
            mean_w = tuple((a + b) / 2 for a, b in zip(w0, w1, strict=True))
            for have, want in zip((b - a for a, b in zip(u0, u1, strict=True)), _cross(mean_u, mean_w), strict=True):
                xy += have * want * dt
                xx += (want * dt) ** 2
                yy += have**2
        if xx == 0.0 or yy == 0.0 or xy <= 0.0 or xy**2 / (xx * yy) < FIT:
            return
        factor = xy / xx
        if factor > DEGREES / 3:
            self._wrong("the gyroscope reads about 57 times too little (radians taken for degrees?)")
        elif factor < 3 / DEGREES:
            self._wrong("the gyroscope reads about 57 times too much (degrees taken for radians?)")


def _guess(g: float) -> str:
    for factor, what in (
        (STANDARD_GRAVITY_MPS2, "m/s² taken for g"),
        (1 / STANDARD_GRAVITY_MPS2, "g taken for m/s²"),
        (1000.0, "mg taken for g"),
        (0.001, "g taken for mg"),
        (2.0, "half the range"),
        (0.5, "twice the range"),
        (4.0, "a quarter of the range"),
        (0.25, "four times the range"),
    ):
        if abs(g / factor - 1) <= REFUSED_STILL:
            return f" ({what}?)"
    return ""


def _rows(data: bytes, scale: float) -> list[tuple[float, ...]]:
    values = unpack_int16(data)
    return [tuple(one * scale for one in values[i : i + 3]) for i in range(0, len(values), 3)]


def _cross(a: tuple[float, ...], b: tuple[float, ...]) -> tuple[float, float, float]:
    return (a[1] * b[2] - a[2] * b[1], a[2] * b[0] - a[0] * b[2], a[0] * b[1] - a[1] * b[0])


_Mean = tuple[float, tuple[float, ...], tuple[float, ...]]


def _pairs(rows: list[tuple[float, tuple[float, ...], tuple[float, ...] | None]]) -> list[tuple[_Mean, _Mean]]:
    """Neighbouring blocks of 0.1 s: mean time, mean direction of gravity, mean rate."""
    blocks: dict[int, list[tuple[float, tuple[float, ...], tuple[float, ...]]]] = {}
    for t, a, w in rows:
        norm = math.hypot(*a)
        if w is not None and norm > 0:
            blocks.setdefault(int((t - rows[0][0]) / BLOCK_S), []).append((t, tuple(x / norm for x in a), w))
    means = {
        index: (
            statistics.fmean(t for t, _, _ in block),
            tuple(statistics.fmean(u[i] for _, u, _ in block) for i in range(3)),
            tuple(statistics.fmean(w[i] for _, _, w in block) for i in range(3)),
        )
        for index, block in blocks.items()
    }
    return [(means[index], means[index + 1]) for index in means if index + 1 in means]
