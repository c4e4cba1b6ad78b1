"""Sums over blocks of strides, and weights of metrics, against plain loops."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from analytics._window import FloatArray
from analytics.compensation import bands
from analytics.compensation._departure import weighted
from analytics.compensation._evidence import GROUPS, GaitEvidence, deal
from analytics.compensation._spectrum import CHANNELS, SLOT, SLOTS, StretchSpectrum, spectrum
from analytics.compensation._strides import Channels, _first_peaks, channels, find_strides
from tests.analytics.synthetic_walk import Gait, walk


def looked_at(gait: Gait) -> tuple[Channels, FloatArray, FloatArray, StretchSpectrum]:
    """A walk's channels, where its good strides start and end, and their blocks."""
    window = walk(gait)
    body = channels(window)
    strides = find_strides(window, body)
    assert strides is not None
    found = spectrum(body, strides, None)
    assert found is not None
    return body, strides.start[strides.good], strides.end[strides.good], found


def test_a_block_holds_the_strides_that_follow_one_another() -> None:
    _, start, end, found = looked_at(Gait())
    counts = found.rows[:, SLOT["strides"]].astype(int)
    assert counts.sum() == len(start)
    assert counts.min() >= 4
    assert counts.max() <= 7
    for row, at, piece in zip(found.rows, found.at, np.split(np.arange(len(start)), counts.cumsum()[:-1]), strict=True):
        assert row[SLOT["duration"]] == pytest.approx((end - start)[piece].sum() / 100)
        assert at == pytest.approx((start[piece[0]] + end[piece[-1]]) / 2)


def test_power_splits_into_what_repeats_with_the_step_and_what_with_the_stride() -> None:
    *_, found = looked_at(Gait(irregularity=0.0, timing_cv=0.0))
    sums = found.rows.sum(axis=0)
    for channel in CHANNELS:
        even, odd, total = (sums[SLOT[f"{kind}_{channel}"]] for kind in ("even", "odd", "total"))
        assert even + odd == pytest.approx(total, rel=0.02)


def test_squares_are_those_of_the_samples_of_the_strides() -> None:
    body, start, end, found = looked_at(Gait())
    pieces = zip(start.round().astype(int), end.round().astype(int), strict=True)
    squares = sum(float(body.signals[:3, a:b].var(axis=1).sum()) for a, b in pieces)
    told = sum(float(found.rows[:, SLOT[f"square_{channel}"]].sum()) for channel in CHANNELS[:3])
    assert told == pytest.approx(squares, rel=0.02)


@given(st.integers(0, 2**32 - 1), st.floats(-1.0, 1.0))
def test_the_first_peak_nearly_as_high_as_the_highest_is_the_stride(seed: int, level: float) -> None:
    curves = (np.random.default_rng(seed).normal(size=(5, 60)).cumsum(axis=1) / 10 + level).astype(np.float32)
    for curve, lag, height in zip(curves, *_first_peaks(curves), strict=True):
        tops = [k for k in range(17, 59) if curve[k] > max(0, curve[k + 1]) and curve[k] >= curve[k - 1]]
        best = max((curve[k] for k in tops), default=0.0)
        first = next((k for k in tops if curve[k] >= np.float32(0.8) * best), None)
        assert height == (0.0 if first is None else curve[first])
        assert lag == 0.0 if first is None else abs(lag - first) <= 0.5


def test_a_group_weighs_its_metrics_as_the_table_says() -> None:
    table = bands()
    names = list(table.metric)
    away = np.random.default_rng(0).normal(size=(len(names), 3))

    def mean(group: str) -> FloatArray:
        weights = table.weight[group]
        parts = [
            weight * (away[names.index(name)] if name in table.metric else mean(name))
            for name, weight in weights.items()
        ]
        return np.asarray(np.sum(parts, axis=0) / sum(weights.values()))

    for group in ("score", "asymmetric_gait", "short_step", "pelvic_drop_or_hike"):
        np.testing.assert_allclose(weighted(away, table, group), mean(group), rtol=1e-12)


@given(st.lists(st.integers(0, 3 * GROUPS), max_size=4))
def test_blocks_are_dealt_in_turn_across_pieces(sizes: list[int]) -> None:
    rows = np.arange(1.0, 1 + sum(sizes))[:, None] * np.ones(len(SLOTS))
    evidence, at = GaitEvidence(), 0
    for size in sizes:
        piece = rows[at : at + size]
        evidence = evidence.merge(GaitEvidence(deal(piece), size, seen=size, sites=("lower_back",)))
        at += size
    expected = [rows[group::GROUPS].sum(axis=0) for group in range(GROUPS)]
    np.testing.assert_array_equal(evidence.pelvis, np.array(expected))
