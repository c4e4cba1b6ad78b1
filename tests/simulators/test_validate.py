"""The comparison with real walks tells what differs, finds nothing between twins, and holds the body to people."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from simulators.validate import _recordings as recordings
from simulators.validate._compare import Row, auc, place
from simulators.validate._features import ACCELERATION, GYROSCOPE, features
from simulators.validate._simulated import population

NAMES = ("a", "b")


def rows(seed: int, shift: float) -> list[Row]:
    rng = np.random.default_rng(seed)
    return [
        (f"{seed}-{person}", {"a": float(rng.normal(shift)), "b": float(rng.normal())})
        for person in range(16)
        for _ in range(3)
    ]


def test_a_classifier_tells_what_differs_and_nothing_else() -> None:
    assert auc(NAMES, rows(1, 0.0), rows(2, 4.0), repeats=5)[1] > 0.95
    assert 0.25 < auc(NAMES, rows(1, 0.0), rows(2, 0.0), repeats=10)[1] < 0.7
    near, far = place(NAMES, rows(1, 0.0), rows(2, 4.0))[::-1]
    assert near.inside
    assert not far.inside
    assert far.percentile == 100


@pytest.mark.data
@pytest.mark.slow
def test_simulated_walks_lie_among_real_ones(data_dir: Path) -> None:
    names = (*ACCELERATION, *GYROSCOPE)
    real = [(one.person, row) for one in recordings.healthy(data_dir) if (row := features(one.walked))]
    made = [(who, row) for who, walked in population(5, 12, 2) if (row := features(walked))]
    outside = [one.name for one in place(names, real, made) if not one.inside]
    low, middle, high = auc(ACCELERATION, real, made, repeats=20)
    print(f"outside: {outside or 'none'}; AUC {middle:.2f} ({low:.2f} to {high:.2f})")
    assert len(outside) <= 2
    assert middle < 0.9
