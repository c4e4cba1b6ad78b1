"""Healthy bands from the recordings, each person judged by bands in which it has no part.

`python -m benchmarks.validate._bands` prints centre and spread of every metric, as they stand in bands.toml; with
`spread` what other weights of the score and other people would have given.
"""

from __future__ import annotations

import os
import sys
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass, replace
from functools import cache
from itertools import repeat
from multiprocessing import get_context
from pathlib import Path

import numpy as np

from analytics.analysis import gait_evidence
from analytics.compensation import Assessment, Bands, GaitEvidence, assess, bands
from analytics.compensation._departure import departures, linked, scale_of, weighted
from analytics.compensation._metrics import metric_rows, pelvis_metrics
from benchmarks.validate._recordings import WORKERS, FloatArray, reader, sensors
from sagittal.names import PRIMARY_SITES

SETS = ("healthy_walk", "stroke_walk", "stiff_knee")
HEALTHY = ("healthy", "baseline")


@dataclass(frozen=True)
class Walked:
    """One recording: whose it is, what it shows, its evidence with one sensor and with all."""

    set_name: str
    name: str
    person: str
    condition: str
    retest: bool
    aid: bool
    pelvis: GaitEvidence
    every: GaitEvidence

    @property
    def metrics(self) -> dict[str, float]:
        """Metrics of the pelvis's sensor."""
        return pelvis_metrics(self.pelvis.pelvis.sum(axis=0))

    @property
    def cadence_spm(self) -> float:
        """Steps per minute of the good strides; 0 without any."""
        return self.metrics.get("cadence_spm", 0.0)


@cache
def walked(data: Path) -> tuple[Walked, ...]:
    """Every walk of the sets that compensation is judged on."""
    jobs = [(set_name, name) for set_name in SETS for name in reader(data).names(set_name)]
    with ProcessPoolExecutor(WORKERS, mp_context=get_context("spawn")) as pool:
        return tuple(pool.map(_walked, repeat(data), *zip(*jobs, strict=True)))


def _walked(data: Path, set_name: str, name: str) -> Walked:
    record = reader(data).load(name)
    every = sensors(record, set_name)
    lead = next(site for site in PRIMARY_SITES if site in every)
    alone = gait_evidence({lead: every[lead]})
    whole = gait_evidence(every) if len(every) > 1 else alone
    meta = record.meta
    again, aid = bool(meta.get("retest")), bool(meta.get("walking_aid"))
    return Walked(set_name, name, f"{set_name}/{meta['subject']}", meta["condition"], again, aid, alone, whole)


def healthy_bands(walks: tuple[Walked, ...], without: str | None = None) -> Bands:
    """The shipped table with centre and spread of healthy people, one of them left out."""
    table = bands()
    people: dict[str, list[dict[str, float]]] = {}
    for walk in walks:
        if walk.condition in HEALTHY and walk.person != without and walk.pelvis.strides >= table.line["strides_min"]:
            people.setdefault(walk.person, []).append(walk.metrics)
    metric = {}
    for name, band in table.metric.items():
        scale = scale_of({name: band})
        values = [
            linked({one: np.array([m[one] for m in found]) for one in (name, "cadence_spm")}, scale)[0].tolist()
            for found in people.values()
        ]
        centre, spread = _centre_and_spread(values)
        metric[name] = replace(band, centre=centre, spread=spread)
    return replace(table, metric=metric)


def _centre_and_spread(values: list[list[float]]) -> tuple[float, float]:
    means = np.array([np.mean(v) for v in values])
    centre = float(np.median(means))
    mad = 1.4826 * float(np.median(np.abs(means - centre)))
    clipped = np.clip(means, centre - 2.5 * mad, centre + 2.5 * mad)
    within = float(np.mean([np.var(v, ddof=1) for v in values if len(v) > 1]))
    return centre, float(np.sqrt(0.5 * mad**2 + 0.5 * clipped.var(ddof=1) + 0.5 * within))


@cache
def left_out(walks: tuple[Walked, ...], every: bool = False) -> tuple[tuple[Walked, Assessment], ...]:
    """Every walk judged by bands in which its person has no part."""
    tables = {person: healthy_bands(walks, without=person) for person in sorted({walk.person for walk in walks})}
    return tuple((one, assess(one.every if every else one.pelvis, table=tables[one.person])) for one in walks)


def auc(ill: FloatArray, well: FloatArray) -> float:
    """Chance that one of the first lies above one of the second."""
    a, b = np.asarray(ill)[:, None], np.asarray(well)[None, :]
    return float((a > b).mean() + 0.5 * (a == b).mean())


def icc(pairs: list[tuple[float, float]]) -> float:
    """One-way intraclass correlation of walks recorded twice."""
    values = np.array(pairs)
    between = 2 * values.mean(axis=1).var(ddof=1)
    within = float(((values[:, 0] - values[:, 1]) ** 2 / 2).mean())
    return float((between - within) / (between + within))


def spread(walks: tuple[Walked, ...], draws: int = 300) -> dict[str, tuple[float, float, float]]:
    """5, 50 and 95 % of the AUCs over random weights of the score, and over people drawn with replacement."""
    scored = [walk for walk in walks if walk.pelvis.strides >= bands().line["strides_min"]]
    people = sorted({walk.person for walk in scored})
    tables = {person: healthy_bands(walks, without=person) for person in people}
    weights = bands().weight["score"]
    judged = [(tables[walk.person], metric_rows(walk.pelvis.pelvis.sum(axis=0)[None])) for walk in scored]
    away = [(table, departures(rows, table)) for table, rows in judged]
    x = np.array([[float(weighted(found, table, group)[0]) for group in weights] for table, found in away])
    usual = x @ np.array(list(weights.values())) / sum(weights.values())
    where = {c: np.array([w.condition == c and w.set_name != "healthy_walk" for w in scored]) for c in CONDITIONS}
    stroke, well, stiff, plain = (where[c] for c in CONDITIONS)
    rng = np.random.default_rng(0)
    found: dict[str, list[float]] = {"weights: stroke": [], "weights: stiff knee": [], "people: stroke": []}
    mine = [np.flatnonzero([w.person == p for w in scored]) for p in people if p.startswith("stroke_walk")]
    for _ in range(draws):
        d = x @ rng.dirichlet(np.ones(len(weights)))
        found["weights: stroke"].append(auc(d[stroke], d[well]))
        found["weights: stiff knee"].append(auc(d[stiff], d[plain]))
        drawn = np.concatenate([mine[k] for k in rng.integers(0, len(mine), len(mine))])
        ill, fit = drawn[stroke[drawn]], drawn[well[drawn]]
        if len(ill) and len(fit):
            found["people: stroke"].append(auc(usual[ill], usual[fit]))
    return {name: tuple(np.quantile(v, (0.05, 0.5, 0.95))) for name, v in found.items()}


CONDITIONS = ("stroke", "healthy", "stiff_knee", "baseline")


def main() -> None:
    """Print what was asked for."""
    walks = walked(Path(os.environ["SAGITTAL_DATA"]))
    if "spread" in sys.argv:
        for name, (low, middle, high) in spread(walks).items():
            print(f"{name:34s} {low:.3f} {middle:.3f} {high:.3f}")
        return
    for name, band in healthy_bands(walks).metric.items():
        print(f"{name:32s} centre {band.centre:7.3f} spread {band.spread:6.3f}")


if __name__ == "__main__":
    main()
