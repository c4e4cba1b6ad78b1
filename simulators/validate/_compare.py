"""Two sets of walks side by side: each feature's place, and whether a classifier tells them apart."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from scipy.optimize import minimize

from simulators.validate._features import FloatArray

FOLDS = 5
REPEATS = 100
_PENALTY = 1.0

Row = tuple[str, dict[str, float]]
"""Whose walk, and its features."""


@dataclass(frozen=True, slots=True)
class Placed:
    """One feature: 5, 50 and 95 % of real and simulated walks, and where the simulated median lies among the real."""

    name: str
    real: tuple[float, float, float]
    simulated: tuple[float, float, float]
    percentile: float

    @property
    def inside(self) -> bool:
        """Whether the simulated median lies within the real 5-95 % band."""
        return self.real[0] <= self.simulated[1] <= self.real[2]


def place(names: Sequence[str], real: Sequence[Row], simulated: Sequence[Row]) -> list[Placed]:
    """Each feature's place."""
    out = []
    for name in names:
        a, b = (np.array([row[name] for _, row in rows]) for rows in (real, simulated))
        low, middle, high = (float(x) for x in np.percentile(a, [5, 50, 95]))
        found = [float(x) for x in np.percentile(b, [5, 50, 95])]
        percentile = float(100 * np.mean(a < found[1]))
        out.append(Placed(name, (low, middle, high), (found[0], found[1], found[2]), percentile))
    return out


def auc(
    names: Sequence[str], real: Sequence[Row], simulated: Sequence[Row], seed: int = 1, repeats: int = REPEATS
) -> tuple[float, float, float]:
    """How well a logistic regression tells simulated from real: 5, 50 and 95 % of the area under the ROC curve.

    Ridge penalty 1 on standardised features; five folds that keep a person's walks together; equally many people and
    walks a person on both sides; people, walks and folds are drawn anew for each repetition.
    """
    rng = np.random.default_rng(seed)
    found = [_once(rng, names, real, simulated) for _ in range(repeats)]
    low, middle, high = (float(x) for x in np.percentile(found, [5, 50, 95]))
    return low, middle, high


def halves(names: Sequence[str], real: Sequence[Row], seed: int = 1) -> tuple[float, float, float]:
    """The same of two random halves of the real people against each other: what chance alone gives."""
    rng = np.random.default_rng(seed)
    people = sorted({who for who, _ in real})
    found = []
    for _ in range(REPEATS):
        half = set(rng.permutation(people)[: len(people) // 2])
        sides = [[row for row in real if (row[0] in half) is one] for one in (True, False)]
        found.append(_once(rng, names, sides[0], sides[1]))
    low, middle, high = (float(x) for x in np.percentile(found, [5, 50, 95]))
    return low, middle, high


def _once(rng: np.random.Generator, names: Sequence[str], real: Sequence[Row], simulated: Sequence[Row]) -> float:
    rows, labels, folds = _drawn(rng, names, real, simulated)
    scores = np.zeros(len(labels))
    for fold in range(FOLDS):
        train = folds != fold
        centre, spread = rows[train].mean(axis=0), rows[train].std(axis=0) + 1e-12
        weights = _fit((rows[train] - centre) / spread, labels[train])
        scores[~train] = (rows[~train] - centre) / spread @ weights[:-1] + weights[-1]
    positive, negative = scores[labels == 1], scores[labels == 0]
    above = positive[:, None] > negative[None]
    return float(above.mean() + 0.5 * (positive[:, None] == negative[None]).mean())


def _drawn(
    rng: np.random.Generator, names: Sequence[str], real: Sequence[Row], simulated: Sequence[Row]
) -> tuple[FloatArray, FloatArray, FloatArray]:
    both = [{who: [row for name, row in side if name == who] for who, _ in side} for side in (real, simulated)]
    count = min(len(people) for people in both)
    rows, labels, folds = [], [], []
    for label, people in enumerate(both):
        chosen = rng.permutation(sorted(people))[:count]
        for place_, who in enumerate(chosen):
            mine = people[str(who)]
            for one in rng.permutation(len(mine))[:3]:
                rows.append([mine[one][name] for name in names])
                labels.append(float(label))
                folds.append(float(place_ % FOLDS))
    return np.array(rows), np.array(labels), np.array(folds)


def _fit(rows: FloatArray, labels: FloatArray) -> FloatArray:
    def loss(weights: FloatArray) -> tuple[float, FloatArray]:
        score = rows @ weights[:-1] + weights[-1]
        wrong = 1 / (1 + np.exp(-score)) - labels
        ridge = _PENALTY * weights[:-1]
        value = np.logaddexp(0, score).sum() - labels @ score + 0.5 * ridge @ weights[:-1]
        return float(value), np.append(rows.T @ wrong + ridge, wrong.sum())

    return np.asarray(minimize(loss, np.zeros(rows.shape[1] + 1), jac=True, method="L-BFGS-B").x)
