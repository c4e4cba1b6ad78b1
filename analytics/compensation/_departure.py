"""How far metrics lie from healthy gait at the same cadence, and with what uncertainty."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np

from analytics._window import FloatArray
from analytics.compensation._bands import Band, Bands
from analytics.compensation._metrics import LINKS, metric_rows
from analytics.compensation._spectrum import SLOT

_REFERENCE_SPM = 105.0
_CADENCE_SPM = (50.0, 120.0)
"""Beyond, the slope is not followed: walking quicker than usual asks for no better gait."""
_REACH = 3.0
_JACKKNIFE_GROUPS = 6
_LEAST = 2.0


@dataclass(frozen=True, slots=True)
class Departure:
    """A departure from the healthy band in spreads between healthy people, and its standard error."""

    size: float
    error: float


@dataclass(frozen=True, slots=True)
class Replicas:
    """Metrics of the pooled strides, and of what is left without each group of blocks: (1 + groups,) values each."""

    rows: dict[str, FloatArray]

    @property
    def metrics(self) -> dict[str, float]:
        """The metrics of all strides."""
        return {name: float(values[0]) for name, values in self.rows.items()}


def replicas(groups: FloatArray) -> Replicas | None:
    """All strides, and all but one group's, where enough groups hold strides; None for no strides."""
    total = groups.sum(axis=0)
    if total[SLOT["strides"]] < _LEAST:
        return None
    rest = total - groups[groups[:, SLOT["strides"]] > 0]
    several = len(rest) >= _JACKKNIFE_GROUPS and bool((rest[:, SLOT["strides"]] >= _LEAST).all())
    return Replicas(metric_rows(np.vstack((total, rest)) if several else total[None]))


def z_score(name: str, rows: Mapping[str, FloatArray], table: Bands) -> FloatArray:
    """One metric's departure in spreads, positive away from healthy gait."""
    band = table.metric[name]
    return band.sign * (linked(rows[name], rows["cadence_spm"], band) - band.centre) / band.spread


def linked(values: FloatArray, cadence_spm: FloatArray, band: Band) -> FloatArray:
    """A metric on its link scale, brought to 105 steps/min by the slope that one body shows over its speeds."""
    cadence = np.clip(cadence_spm, *_CADENCE_SPM)
    return LINKS[band.link](values) - band.slope * np.log(cadence / _REFERENCE_SPM)


def soften(z: FloatArray) -> FloatArray:
    """Monotone and smooth: as it is inside the band, leaning towards 3 outside, so no single metric decides."""
    return _REACH * np.tanh(z / _REACH)


def weighted(rows: Mapping[str, FloatArray], table: Bands, group: str) -> FloatArray:
    """Weighted mean of the softened departures of a group of metrics, or of groups of them."""
    weights = table.weight[group]
    total = sum(
        (
            weight * (soften(z_score(name, rows, table)) if name in table.metric else weighted(rows, table, name))
            for name, weight in weights.items()
        ),
        start=np.zeros(()),
    )
    return np.asarray(total / sum(weights.values()))


def with_error(found: Replicas, table: Bands, group: str, stride_noise: float, repeat: float) -> Departure:
    """A departure of the pooled strides and its standard error.

    Leave-one-group-out jackknife where there are enough groups, at least what so many strides bring on average
    (`stride_noise` over the root of their number); `repeat` is the scatter between walks of one healthy person.
    """
    sizes = weighted(found.rows, table, group)
    error = stride_noise / float(np.sqrt(found.rows["strides"][0]))
    left_out = sizes[1:]
    k = len(left_out)
    if k:
        error = max(error, float(np.sqrt((k - 1) / k * ((left_out - left_out.mean()) ** 2).sum())))
    return Departure(float(sizes[0]), float(np.hypot(error, repeat)))
