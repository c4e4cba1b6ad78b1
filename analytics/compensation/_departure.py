"""How far metrics lie from healthy gait at the same cadence, and with what uncertainty."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass
from functools import lru_cache

import numpy as np
from numpy.typing import NDArray

from analytics._window import FloatArray
from analytics.compensation._bands import Band, Bands
from analytics.compensation._metrics import LINKS, METRICS, metric_table
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

    `sums` are the pooled strides'; `departures` holds (metrics, 1 + groups) values, a row for every metric that has a
    band: spreads, softened, positive away from healthy gait.
    """

    sums: FloatArray
    metrics: dict[str, float]
    departures: FloatArray


@dataclass(frozen=True, slots=True)
class Scale:
    """Bands as (metrics, 1) arrays, and the places of the metrics that have a link."""

    names: tuple[str, ...]
    centre: FloatArray
    spread: FloatArray
    slope: FloatArray
    links: tuple[tuple[str, NDArray[np.intp]], ...]


def scale_of(bands: Mapping[str, Band]) -> Scale:
    """The bands of some metrics; the spread is negative where smaller values depart from healthy gait."""
    link = np.array([band.link for band in bands.values()])
    return Scale(
        tuple(bands),
        np.array([[band.centre] for band in bands.values()]),
        np.array([[band.sign * band.spread] for band in bands.values()]),
        np.array([[band.slope] for band in bands.values()]),
        tuple((name, np.flatnonzero(link == name)) for name in dict.fromkeys(link.tolist()) if name != "identity"),
    )


def replicas(groups: FloatArray, table: Bands) -> Replicas | None:
    """All strides, and all but one group's, where enough groups hold strides; None for no strides."""
    total = groups.sum(axis=0)
    strides = SLOT["strides"]
    if total[strides] < _LEAST:
        return None
    rest = total - groups[groups[:, strides] > 0]
    several = len(rest) >= _JACKKNIFE_GROUPS and bool(rest[:, strides].min() >= _LEAST)
    values = metric_table(np.concatenate((total[None], rest)) if several else total[None])
    metrics = dict(zip(METRICS, values[0].tolist(), strict=True))
    return Replicas(total, metrics, departures(dict(zip(METRICS, values.T, strict=True)), table))


def departures(rows: Mapping[str, FloatArray], table: Bands) -> FloatArray:
    """Every metric's departure in spreads, (metrics, k), positive away from healthy gait.

    Monotone and smooth: as it is inside the band, leaning towards 3 outside, so no single metric decides.
    """
    scale = _scale(table)
    return np.asarray(_REACH * np.tanh((linked(rows, scale) - scale.centre) / (_REACH * scale.spread)))


@lru_cache(maxsize=2)
def _scale(table: Bands) -> Scale:
    return scale_of(table.metric)


def linked(rows: Mapping[str, FloatArray], scale: Scale) -> FloatArray:
    """(metrics, k) metrics on their link scales, brought to 105 steps/min by the slope one body shows over speeds."""
    values = np.array([rows[name] for name in scale.names])
    for link, places in scale.links:
        values[places] = LINKS[link](values[places])
    cadence = np.minimum(np.maximum(rows["cadence_spm"], _CADENCE_SPM[0]), _CADENCE_SPM[1])
    return np.asarray(values - scale.slope * np.log(cadence / _REFERENCE_SPM))


def weighted(found: FloatArray, table: Bands, group: str) -> FloatArray:
    """Weighted mean of the (metrics, k) departures of a group of metrics, or of groups of them."""
    return np.asarray(_shares(table, group) @ found)


@lru_cache(maxsize=64)
def _shares(table: Bands, group: str) -> FloatArray:
    """(metrics,) shares of the metrics in a group, those through its groups among them; they add up to one."""
    weights, names = table.weight[group], list(table.metric)
    shares = np.zeros(len(names))
    for name, weight in weights.items():
        own = np.eye(len(names))[names.index(name)] if name in table.metric else _shares(table, name)
        shares += weight / sum(weights.values()) * own
    return shares


def with_error(found: Replicas, table: Bands, group: str, stride_noise: float, repeat: float) -> Departure:
    """A departure of the pooled strides and its standard error.

    Leave-one-group-out jackknife where there are enough groups, at least what so many strides bring on average
    (`stride_noise` over the root of their number); `repeat` is the scatter between walks of one healthy person.
    """
    size, *left_out = weighted(found.departures, table, group).tolist()
    error = stride_noise / math.sqrt(found.metrics["strides"])
    k = len(left_out)
    if k:
        middle = sum(left_out) / k
        error = max(error, math.sqrt((k - 1) / k * sum((one - middle) ** 2 for one in left_out)))
    return Departure(size, math.hypot(error, repeat))


def logistic(x: float) -> float:
    """Between 0 and 1, one half at 0."""
    return 0.5 + 0.5 * math.tanh(0.5 * x)
