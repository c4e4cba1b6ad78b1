"""A recording in SI units, checked, and cut into the blocks that live samples come in."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike, NDArray

from analytics._window import BoolArray, FloatArray
from sagittal.blocks import Block, ClockKind, Gap, GapReason
from sagittal.errors import RecordingError
from sagittal.names import Site
from sagittal.thresholds import threshold
from sagittal.units import NS_PER_S

BLOCK_SAMPLES = 100
MAX_BLOCK_NS = 4 * NS_PER_S
_BOOT_ID = b"recorded"
_FULL_SCALE = 32_767
_FASTEST_RADPS = 40.0
"""Beyond 2300 deg/s no body-worn sensor reads: such numbers are degrees."""
_TURNING_RADPS = 6.0
"""Nobody turns at 340 deg/s for half of a recording: such numbers are degrees."""


@dataclass(frozen=True)
class SensorRecording:
    """One sensor's samples.

    Attributes
    ----------
    time_s
        (n,) seconds on an axis common to all sensors.
    acc, gyr
        (n, 3) specific force in m/s² and angular rate in rad/s, sensor frame, any mounting.
    """

    time_s: ArrayLike
    acc: ArrayLike
    gyr: ArrayLike


@dataclass(frozen=True, slots=True)
class Checked:
    """A recording as arrays, and which rows hold numbers only."""

    time_s: FloatArray
    acc: FloatArray
    gyr: FloatArray
    good: BoolArray

    @property
    def usable(self) -> tuple[FloatArray, FloatArray, FloatArray]:
        """Time, acc and gyr of the good rows; no copy where all are."""
        every = self.time_s, self.acc, self.gyr
        return every if self.good.all() else (every[0][self.good], every[1][self.good], every[2][self.good])

    @property
    def dt_s(self) -> float:
        """Usual time between samples."""
        steps = np.diff(self.usable[0])
        steps = steps[steps > 0]
        return float(np.median(steps)) if len(steps) else 0.01


def check(recording: SensorRecording, site: Site) -> Checked:
    """The recording, if its shape and units can be right.

    Raises
    ------
    RecordingError
        Where it is empty, of unequal lengths, or in g or degrees.
    """
    time_s = np.asarray(recording.time_s, dtype=float)
    acc, gyr = np.asarray(recording.acc, dtype=float), np.asarray(recording.gyr, dtype=float)
    if time_s.ndim != 1 or acc.shape != (len(time_s), 3) or gyr.shape != (len(time_s), 3):
        raise RecordingError(f"{site}: time_s must be (n,), acc and gyr (n, 3), with the same n")
    good = np.isfinite(time_s)
    for axis in (*acc.T, *gyr.T):
        good &= np.isfinite(axis)
    if good.sum() < 2:
        raise RecordingError(f"{site}: the recording holds {good.sum()} usable samples; two or more are needed")
    found = Checked(time_s, acc, gyr, good)
    _, force, turning = found.usable
    length = float(np.median(np.linalg.norm(force, axis=1)))
    if not 4.0 < length < 25.0:
        unit = "g: multiply by 9.80665" if 0.4 < length < 2.5 else "no unit that is known"
        raise RecordingError(f"{site}: acc has a median length of {length:.3g}; m/s² is needed, this looks like {unit}")
    rate = np.linalg.norm(turning, axis=1)
    if float(np.percentile(rate, 99)) > _FASTEST_RADPS or float(np.median(rate)) > _TURNING_RADPS:
        raise RecordingError(f"{site}: gyr reaches {rate.max():.3g}; rad/s is needed, this looks like degrees a second")
    return found


def blocks_of(
    recording: SensorRecording,
    site: Site,
    *,
    wearer: str = "recording",
    origin_s: float | None = None,
    base_ns: int = 0,
) -> Iterator[Block]:
    """The recording as blocks; the time `origin_s` (its first where None) becomes `base_ns`.

    A row without numbers is a gap, time that steps back begins anew.

    Raises
    ------
    RecordingError
        Where the recording can't be what it should be.
    """
    return blocks_of_checked(check(recording, site), site, wearer=wearer, origin_s=origin_s, base_ns=base_ns)


def blocks_of_checked(
    found: Checked, site: Site, *, wearer: str = "recording", origin_s: float | None = None, base_ns: int = 0
) -> Iterator[Block]:
    """The same for a recording that is checked already."""
    rows = np.flatnonzero(found.good)
    time_s, acc, gyr = found.usable
    origin_s = float(time_s[0]) if origin_s is None else origin_s
    t_ns = np.round((time_s - origin_s) * NS_PER_S).astype(np.int64) + base_ns
    acc_scale, gyr_scale = _scale(acc), _scale(gyr)
    counts = _counts(acc, acc_scale), _counts(gyr, gyr_scale)
    dt_ns = max(1, round(found.dt_s * NS_PER_S))
    end_ns: int | None = None
    for seq, (start, end) in enumerate(_cuts(t_ns)):
        lost = int(rows[start] - rows[start - 1] - 1) if start else 0
        times = t_ns[start:end]
        yield Block(
            wearer=wearer,
            site=site,
            device="recording",
            boot_id=_BOOT_ID,
            seq=seq,
            t0_ns=int(times[0]),
            dt_ns=dt_ns,
            n=end - start,
            acc=counts[0][start:end].tobytes(),
            acc_scale=acc_scale,
            gyr=counts[1][start:end].tobytes(),
            gyr_scale=gyr_scale,
            clock=ClockKind.RECORDED,
            offsets_ns=(times - times[0]).astype("<u4").tobytes(),
            gap_before=_gap(end_ns, int(times[0]), dt_ns, lost),
            head=seq == 0,
        )
        end_ns = int(times[-1]) + dt_ns


def _cuts(t_ns: NDArray[np.int64]) -> Iterator[tuple[int, int]]:
    """Where blocks begin and end: at a hundred samples, four seconds, and wherever time does not go on."""
    step = np.diff(t_ns)
    breaks = np.flatnonzero((step <= 0) | (step > round(threshold("gap.bridged_s") * NS_PER_S))) + 1
    start = 0
    for until in (*breaks.tolist(), len(t_ns)):
        while start < until:
            end = min(start + BLOCK_SAMPLES, until)
            end = start + int(np.searchsorted(t_ns[start:end], t_ns[start] + MAX_BLOCK_NS, side="right"))
            yield start, end
            start = end


def _gap(end_ns: int | None, t0_ns: int, dt_ns: int, lost: int) -> Gap | None:
    if end_ns is None:
        return Gap(GapReason.START, None, 0)
    if t0_ns < end_ns - dt_ns:
        return Gap(GapReason.CLOCK_RESET, None, 0)
    if lost:
        return Gap(GapReason.NOT_A_NUMBER, lost, max(0, t0_ns - end_ns))
    missing_ns = t0_ns - end_ns
    return Gap(GapReason.RECORDING, None, missing_ns) if missing_ns > 2 * dt_ns else None


def _scale(values: FloatArray) -> float:
    return max(float(np.abs(values).max()), 1e-6) / _FULL_SCALE


def _counts(values: FloatArray, scale: float) -> NDArray[np.int16]:
    return np.clip(np.round(values / scale), -_FULL_SCALE, _FULL_SCALE).astype("<i2")
