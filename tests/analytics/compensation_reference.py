"""Healthy bands from the recordings, and the figures of the compensation engine on every set.

`python -m tests.analytics.compensation_reference` prints the validation table, healthy bands made without the person
judged; with `bands` centre and spread of every metric (whole-set figures), with `spread` what other weights and other
people would have given.
"""

from __future__ import annotations

import os
import sys
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np

from analytics._window import GRID_HZ, FloatArray, Window
from analytics.compensation import Assessment, Bands, GaitEvidence, analyse_stretch, assess, bands
from analytics.compensation._departure import linked, weighted
from analytics.compensation._metrics import metric_rows, pelvis_metrics
from tests.analytics.reference_windows import ReferenceWalk, walks

SETS = ("healthy_walk", "stroke_walk", "stiff_knee", "mobilised_lab")
HEALTHY = ("healthy", "baseline", "HA")
PIECE_S = 60


@dataclass(frozen=True)
class Judged:
    """One recording: whose it is, what it shows, its evidence with one sensor and with all."""

    set_name: str
    name: str
    person: str
    condition: str
    pelvis: GaitEvidence
    every: GaitEvidence


def cut(window: Window, seconds: int = PIECE_S) -> Iterator[Window]:
    """Consecutive pieces of a window."""
    step = seconds * GRID_HZ
    for start in range(0, len(window), step):
        rows = slice(start, start + step)
        yield Window(window.index + start, window.acc[rows], window.gyr[rows], window.up[rows], window.valid[rows])


def evidence(walk: ReferenceWalk, sites: Iterable[str]) -> GaitEvidence:
    """Evidence of a whole recording from the sites named."""
    found = GaitEvidence()
    for site in sites:
        if site.startswith(("shank", "thigh")):
            continue
        for _start, window in walk.pieces.get(site, []):
            for piece in cut(window):
                found = found.merge(analyse_stretch({site: piece})[0])
    legs = {site: walk.pieces[site][0][1] for site in sites if site.startswith(("shank", "thigh"))}
    return found.merge(analyse_stretch(legs)[0]) if legs else found


def judged(data_dir: Path) -> list[Judged]:
    """Every walking recording of every set."""
    out = []
    for set_name in SETS:
        for walk in walks(data_dir, set_name):
            lead = "pelvis" if "pelvis" in walk.pieces else "lower_back"
            out.append(
                Judged(
                    set_name,
                    walk.name,
                    f"{set_name}/{walk.meta['subject']}",
                    walk.meta["condition"],
                    evidence(walk, [lead]),
                    evidence(walk, walk.pieces),
                )
            )
    return out


def healthy_bands(recordings: list[Judged], without: str | None = None) -> Bands:
    """The shipped table with centre and spread of healthy people, one of them left out."""
    table = bands()
    people: dict[str, list[dict[str, float]]] = {}
    for item in recordings:
        if item.condition in HEALTHY and item.person != without and item.pelvis.strides >= 4:
            people.setdefault(item.person, []).append(pelvis_metrics(item.pelvis.pelvis.sum(axis=0)))
    metric = {}
    for name, band in table.metric.items():
        values = [
            [float(linked(np.array(m[name]), np.array(m["cadence_spm"]), band)) for m in found]
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


def left_out(recordings: list[Judged], *, every: bool = False) -> list[tuple[Judged, Assessment]]:
    """Every recording judged by bands in which its person has no part."""
    tables: dict[str, Bands] = {}
    out = []
    for item in recordings:
        if item.person not in tables:
            tables[item.person] = healthy_bands(recordings, without=item.person)
        out.append((item, assess(item.every if every else item.pelvis, table=tables[item.person])))
    return out


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


def cadence(item: Judged) -> float:
    """Steps per minute."""
    return pelvis_metrics(item.pelvis.pelvis.sum(axis=0))["cadence_spm"]


def score(assessment: Assessment) -> float:
    """The score; a missing one counts as nothing found."""
    return assessment.score if assessment.score is not None else 0.0


def table(recordings: list[Judged]) -> dict[str, float]:
    """The figures of issue 4, bands leave-one-person-out."""
    one, six = left_out(recordings), left_out(recordings, every=True)

    def of(found: list[tuple[Judged, Assessment]], set_name: str, condition: str) -> list[tuple[Judged, Assessment]]:
        return [(r, a) for r, a in found if r.set_name == set_name and r.condition == condition]

    def scores(found: list[tuple[Judged, Assessment]]) -> FloatArray:
        return np.array([score(a) for _r, a in found])

    def flagged(found: list[tuple[Judged, Assessment]]) -> float:
        return float(np.mean([a.flagged for _r, a in found]))

    stroke, well = of(one, "stroke_walk", "stroke"), of(one, "stroke_walk", "healthy")
    stiff, plain = of(one, "stiff_knee", "stiff_knee"), of(one, "stiff_knee", "baseline")
    stiff6, plain6 = of(six, "stiff_knee", "stiff_knee"), of(six, "stiff_knee", "baseline")
    walk = of(one, "healthy_walk", "healthy")
    same = [[x for x in group if 95 <= cadence(x[0]) <= 120] for group in (stroke, well)]
    twice: dict[str, list[float]] = {}
    for item, found in stroke + well:
        twice.setdefault(item.person, []).append(score(found))
    all_well = np.r_[scores(well), scores(plain), scores(walk)]
    return {
        "stroke AUC": auc(scores(stroke), scores(well)),
        "stroke AUC at 95-120": auc(scores(same[0]), scores(same[1])),
        "stroke AUC against all healthy": auc(scores(stroke), all_well),
        "score ICC": icc([(v[0], v[1]) for v in twice.values() if len(v) > 1]),
        "stiff AUC pelvis": auc(scores(stiff), scores(plain)),
        "stiff AUC against all healthy": auc(scores(stiff), all_well),
        "stiff AUC six": auc(scores(stiff6), scores(plain6)),
        "stiff side pelvis": float(np.mean([_named(a) == "left" for _r, a in stiff])),
        "stiff side six": float(np.mean([_named(a) == "left" for _r, a in stiff6])),
        "flagged healthy_walk": flagged(walk),
        "flagged stroke_walk healthy": flagged(well),
        "flagged stroke": flagged(stroke),
        "flagged stiff pelvis": flagged(stiff),
        "flagged baseline pelvis": flagged(plain),
        "flagged stiff six": flagged(stiff6),
        "flagged baseline six": flagged(plain6),
        "scored": float(np.mean([a.score is not None for r, a in one if r.set_name != "mobilised_lab"])),
    }


def _named(assessment: Assessment) -> str | None:
    return next((p.side for p in assessment.patterns if p.side is not None), None)


def spread(recordings: list[Judged], draws: int = 300) -> dict[str, tuple[float, float, float]]:
    """5, 50 and 95 % of the AUCs over random weights of the score, and over people drawn with replacement."""
    scored = [r for r in recordings if r.pelvis.strides >= 4]
    people = sorted({r.person for r in scored})
    tables = {person: healthy_bands(recordings, without=person) for person in people}
    weights = bands().weight["score"]
    x = np.array(
        [
            [float(weighted(metric_rows(r.pelvis.pelvis.sum(axis=0)[None]), tables[r.person], g)[0]) for g in weights]
            for r in scored
        ]
    )
    usual = x @ np.array(list(weights.values())) / sum(weights.values())
    stroke, well, stiff, plain = (
        np.array([r.set_name == s and r.condition == c for r in scored])
        for s, c in (
            ("stroke_walk", "stroke"),
            ("stroke_walk", "healthy"),
            ("stiff_knee", "stiff_knee"),
            ("stiff_knee", "baseline"),
        )
    )
    rng = np.random.default_rng(0)
    found: dict[str, list[float]] = {"weights: stroke": [], "weights: stiff knee": [], "people: stroke": []}
    mine = [np.flatnonzero([r.person == p for r in scored]) for p in people if p.startswith("stroke_walk")]
    for _ in range(draws):
        d = x @ rng.dirichlet(np.ones(len(weights)))
        found["weights: stroke"].append(auc(d[stroke], d[well]))
        found["weights: stiff knee"].append(auc(d[stiff], d[plain]))
        drawn = np.concatenate([mine[k] for k in rng.integers(0, len(mine), len(mine))])
        ill, fit = drawn[stroke[drawn]], drawn[well[drawn]]
        if len(ill) and len(fit):
            found["people: stroke"].append(auc(usual[ill], usual[fit]))
    return {name: tuple(np.quantile(v, (0.05, 0.5, 0.95))) for name, v in found.items()}


def main() -> None:
    """Print what was asked for."""
    recordings = judged(Path(os.environ["SAGITTAL_DATA"]))
    if "bands" in sys.argv:
        for name, band in healthy_bands(recordings).metric.items():
            print(f"{name:32s} centre {band.centre:7.3f} spread {band.spread:6.3f}")
        return
    if "spread" in sys.argv:
        for name, (low, middle, high) in spread(recordings).items():
            print(f"{name:34s} {low:.3f} {middle:.3f} {high:.3f}")
        return
    for name, value in table(recordings).items():
        print(f"{name:34s} {value:.3f}")


if __name__ == "__main__":
    main()
