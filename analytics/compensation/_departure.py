"""How far metrics lie from healthy gait at the same cadence, and with what uncertainty."""

from __future__ import annotations

import math
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
    """Metrics of the pooled strides, and departures of theirs and of what is left without each group of blocks.

    `departures` holds (1 + groups,) values of every metric that has a band: spreads, softened, positive away from
    healthy gait.
    """

    metrics: dict[str, float]
    departures: dict[str, FloatArray]


def replicas(groups: FloatArray, table: Bands) -> Replicas | None:
    """All strides, and all but one group's, where enough groups hold strides; None for no strides."""
    total = groups.sum(axis=0)
    if total[SLOT["strides"]] < _LEAST:
        return None
    rest = total - groups[groups[:, SLOT["strides"]] > 0]
    several = len(rest) >= _JACKKNIFE_GROUPS and bool((rest[:, SLOT["strides"]] >= _LEAST).all())
    rows = metric_rows(np.vstack((total, rest)) if several else total[None])
    return Replicas({name: float(values[0]) for name, values in rows.items()}, departures(rows, table))


def departures(rows: Mapping[str, FloatArray], table: Bands) -> dict[str, FloatArray]:
    """Every metric's departure in spreads, positive away from healthy gait.

    Monotone and smooth: as it is inside the band, leaning towards 3 outside, so no single metric decides.
    """
    bands = table.metric
    centre, spread, sign = (
        np.array([[getattr(band, name)] for band in bands.values()]) for name in ("centre", "spread", "sign")
    )
    z = sign * (linked(rows, bands) - centre) / spread
    return dict(zip(bands, _REACH * np.tanh(z / _REACH), strict=True))


def linked(rows: Mapping[str, FloatArray], bands: Mapping[str, Band]) -> FloatArray:
    """(metrics, k) metrics on their link scales, brought to 105 steps/min by the slope one body shows over speeds."""
    values = np.array([rows[name] for name in bands])
    links = np.array([band.link for band in bands.values()])
    for link in dict.fromkeys(links.tolist()):
        values[links == link] = LINKS[link](values[links == link])
    slope = np.array([[band.slope] for band in bands.values()])
    cadence = np.minimum(np.maximum(rows["cadence_spm"], _CADENCE_SPM[0]), _CADENCE_SPM[1])
    return np.asarray(values - slope * np.log(cadence / _REFERENCE_SPM))


def weighted(found: Mapping[str, FloatArray], table: Bands, group: str) -> FloatArray:
    """Weighted mean of the departures of a group of metrics, or of groups of them."""
    weights = table.weight[group]
    total = sum(
        (
            weight * (found[name] if name in table.metric else weighted(found, table, name))
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
    sizes = weighted(found.departures, table, group)
    error = stride_noise / math.sqrt(found.metrics["strides"])
    left_out = sizes[1:]
    k = len(left_out)
    if k:
        error = max(error, float(np.sqrt((k - 1) / k * ((left_out - left_out.mean()) ** 2).sum())))
    return Departure(float(sizes[0]), math.hypot(error, repeat))
