"""What a recording's samples are like: rate, gaps, rest, stuck and clipped values."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

import numpy as np
from numpy.typing import NDArray

from analytics._window import FloatArray
from analytics.analysis._recording import Checked
from analytics.pipeline import RESCALED_BEYOND
from sagittal.thresholds import threshold
from sagittal.units import STANDARD_GRAVITY_MPS2

_RESTING_RADPS = 0.1
_STUCK_S = 1.0
"""Real sensors are noisy: every value the same for so long comes from none that works."""
_CLIPPED_ROWS = 3
_CLIPS_ABOVE = {"acc": 15.0, "gyr": 3.0}
"""m/s² and rad/s: a limit below what walking brings is no full scale but a sensor at rest."""


def quality(one: Checked) -> dict[str, Any]:
    """One sensor's quality, as plain data; None where nothing can be said."""
    time_s, acc, gyr = one.usable
    step = np.diff(time_s)
    bridged, restart = threshold("gap.bridged_s"), threshold("gap.restart_s")
    usual = 1.5 * one.dt_s
    still = np.linalg.norm(gyr, axis=1) < _RESTING_RADPS
    rest = float(np.median(np.linalg.norm(acc[still], axis=1))) if still.any() else None
    share = None if rest is None else rest / STANDARD_GRAVITY_MPS2
    return {
        "samples": len(one.time_s),
        "rate_hz": round(1.0 / one.dt_s, 3),
        "duration_s": round(float(time_s.max() - time_s.min()), 3),
        "rows_without_numbers": int((~one.good).sum()),
        "steps_back": int((step <= 0).sum()),
        "gaps_bridged": int(((step > usual) & (step <= bridged)).sum()),
        "gaps": int(((step > bridged) & (step <= restart)).sum()),
        "gaps_restarted": int((step > restart).sum()),
        "stuck_s": round(_stuck_rows((*acc.T, *gyr.T), round(_STUCK_S / one.dt_s)) * one.dt_s, 3),
        "clipped_rows": _clipped_rows(acc, _CLIPS_ABOVE["acc"]) + _clipped_rows(gyr, _CLIPS_ABOVE["gyr"]),
        "rest_mps2": None if rest is None else round(rest, 3),
        "rescaled": share is not None and abs(1.0 / share - 1.0) > RESCALED_BEYOND,
    }


def _stuck_rows(values: Iterable[FloatArray], least: int) -> int:
    """Rows in runs of at least `least` in which no axis changes."""
    first, *others = values
    same = np.concatenate(([False], first[1:] == first[:-1]))
    for axis in others:
        if not same.any():
            return 0
        same[1:] &= axis[1:] == axis[:-1]
    return int(sum(length + 1 for length in _runs(same) if length + 1 >= least))


def _clipped_rows(values: FloatArray, above: float) -> int:
    """Rows at an axis's own largest value, three or more in a row."""
    total = 0
    for axis in values.T:
        for extreme in (float(axis.max()), float(axis.min())):
            at = axis == extreme
            if abs(extreme) > above and np.count_nonzero(at) >= _CLIPPED_ROWS:
                total += int(sum(n for n in _runs(at) if n >= _CLIPPED_ROWS))
    return total


def _runs(marked: NDArray[np.bool_]) -> NDArray[np.int64]:
    """Lengths of the runs of True."""
    edges = np.flatnonzero(np.diff(np.concatenate(([0], marked.view(np.int8), [0]))))
    return np.asarray(edges[1::2] - edges[::2], dtype=np.int64)
