"""How far metrics lie from healthy gait at the same cadence, and with what uncertainty."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from analytics._window import FloatArray
from analytics.compensation._bands import Band, Bands
from analytics.compensation._metrics import LINKS, pelvis_metrics
from analytics.compensation._spectrum import SLOT

_REFERENCE_SPM = 105.0
_CADENCE_SPM = (50.0, 120.0)
"""Beyond, the slope is not followed: walking quicker than usual asks for no better gait."""
_REACH = 3.0
_JACKKNIFE_GROUPS = 6


@dataclass(frozen=True, slots=True)
class Departure:
    """A departure from the healthy band in spreads between healthy people, and its standard error."""

    size: float
    error: float


def z_score(name: str, metrics: dict[str, float], table: Bands) -> float:
    """One metric's departure in spreads, positive away from healthy gait."""
    band = table.metric[name]
    return band.sign * (linked(metrics[name], metrics["cadence_spm"], band) - band.centre) / band.spread


def linked(value: float, cadence_spm: float, band: Band) -> float:
    """A metric on its link scale, brought to 105 steps/min by the slope that one body shows over its speeds."""
    cadence = float(np.clip(cadence_spm, *_CADENCE_SPM))
    return LINKS[band.link](value) - band.slope * float(np.log(cadence / _REFERENCE_SPM))


def soften(z: float) -> float:
    """Monotone and smooth: as it is inside the band, leaning towards 3 outside, so no single metric decides."""
    return _REACH * float(np.tanh(z / _REACH))


def group_departure(metrics: dict[str, float], table: Bands, group: str) -> float:
    """Weighted mean of the softened departures of a group of metrics."""
    weights = table.weight[group]
    return sum(w * soften(z_score(name, metrics, table)) for name, w in weights.items()) / sum(weights.values())


def with_error(
    groups: FloatArray, size: Callable[[dict[str, float]], float], stride_noise: float, repeat: float
) -> Departure | None:
    """A departure of the pooled strides and its standard error.

    Leave-one-group-out jackknife where enough groups hold strides, at least what so many strides bring on average
    (`stride_noise` over the root of their number); `repeat` is the scatter between walks of one healthy person.
    """
    metrics = pelvis_metrics(groups.sum(axis=0))
    if not metrics:
        return None
    whole = size(metrics)
    error = stride_noise / float(np.sqrt(metrics["strides"]))
    held = np.flatnonzero(groups[:, SLOT["strides"]])
    if len(held) >= _JACKKNIFE_GROUPS:
        total = groups.sum(axis=0)
        left_out = np.array([size(pelvis_metrics(total - groups[row])) for row in held])
        k = len(held)
        error = max(error, float(np.sqrt((k - 1) / k * ((left_out - left_out.mean()) ** 2).sum())))
    return Departure(whole, float(np.hypot(error, repeat)))
