"""The real walks in `SAGITTAL_DATA`, as the comparison reads them."""

from __future__ import annotations

import json
import zlib
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from simulators.validate._features import RATE_HZ, FloatArray, Walked

LOW_PASSED = frozenset({"Sub01"})
"""Of the treadmill set: signals without impacts or spectra."""


def half_of(person: str) -> str:
    """`tune` or `judge`, by the person's name: whom one looked at while sizes were last changed, and the others."""
    return ("tune", "judge")[zlib.crc32(person.encode()) % 2]


@dataclass(frozen=True, slots=True)
class Real:
    """One recording at one site: whose, in which group, and its samples."""

    person: str
    group: str
    walked: Walked


def healthy(folder: Path) -> Iterator[Real]:
    """Healthy people overground, two laboratories, lower back."""
    for path in sorted((folder / "healthy_walk").glob("*.npz")):
        yield _real(path, "lower_back", "healthy")
    for path in sorted((folder / "stroke_walk").glob("*_Healthy_*.npz")):
        yield _real(path, "lower_back", "healthy")


def after_stroke(folder: Path) -> Iterator[Real]:
    """People after a stroke, lower back."""
    for path in sorted((folder / "stroke_walk").glob("*_Stroke_*.npz")):
        yield _real(path, "lower_back", "stroke")


def treadmill(folder: Path, condition: str, site: str) -> Iterator[Real]:
    """The treadmill set at 0.75 m/s: `Baseline` or `StiffKnee`, any of its sites."""
    for path in sorted((folder / "stiff_knee").glob(f"*{condition}.npz")):
        if path.name[:5] not in LOW_PASSED:
            yield _real(path, site, condition)


def _real(path: Path, site: str, group: str) -> Real:
    with np.load(path) as stored:
        meta = json.loads(str(stored["meta"]))
        acc = stored[f"acc_{site}"] * float(stored["acc_scale"])
        gyr = stored[f"gyr_{site}"] * float(stored["gyr_scale"])
        time_s = np.arange(len(acc)) / float(stored["fs"])
        if f"t_{site}" in stored.files:
            time_s = stored[f"t_{site}"].astype(float)
        elif "packet" in stored.files:
            time_s = (stored["packet"] - stored["packet"][0]) / float(stored["fs"])
    return Real(f"{path.parent.name}/{meta['subject']}", group, Walked(*_even(time_s, acc, gyr)))


def _even(time_s: FloatArray, acc: FloatArray, gyr: FloatArray) -> tuple[FloatArray, FloatArray]:
    """On an even grid; what steps back in time is left out, small gaps are bridged straight."""
    rising = np.concatenate([[True], np.diff(np.maximum.accumulate(time_s)) > 0])
    kept = time_s[rising]
    grid = np.arange(kept[0], kept[-1], 1 / RATE_HZ)
    both = np.column_stack([acc, gyr])[rising]
    even = np.column_stack([np.interp(grid, kept, column) for column in both.T])
    return even[:, :3], even[:, 3:]
