"""Contacts into runs and strides: how they arrive and what else is described with them changes nothing."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from analytics._window import GRID_HZ, FloatArray
from analytics.gait import _table
from analytics.gait._runs import Run, Walk, feed, no_run, walk_of
from analytics.gait._signals import Signals


def contacts(seed: int, size: int, likely: float) -> FloatArray:
    """Contacts in turn left and right, with pauses, unlikely ones and ones astray among them."""
    rng = np.random.default_rng(seed)
    table = np.zeros((size, len(_table.COLUMNS)))
    pauses = np.where(rng.random(size) < 0.1, rng.uniform(150.0, 350.0, size), 0.0)
    table[:, _table.ROW] = np.cumsum(rng.normal(55.0, 2.0, size) + pauses)
    table[:, _table.SIDE] = np.arange(size) % 2
    table[:, _table.ODDS] = rng.normal(likely, 1.0, size)
    table[:, _table.COHERENCE] = np.where(rng.random(size // 20 + 1) < 0.8, 0.6, -0.2).repeat(20)[:size]
    table[:, _table.HUMP], table[:, _table.PERIOD], table[:, _table.CUE], table[:, _table.RHYTHM] = 0.5, 1.1, 0.5, 0.6
    return table


def plain(walks: list[Walk]) -> list[tuple[list[list[float]], list[list[float]]]]:
    return [(walk.table.tolist(), walk.closing.tolist()) for walk in walks]


def fed(table: FloatArray, cuts: list[int]) -> tuple[Run, list[Walk]]:
    run, walks = no_run(), list[Walk]()
    for part in np.split(table, cuts):
        run, closed = feed(run, part)
        walks += closed
    return run, walks


@settings(deadline=None)
@given(
    st.integers(0, 10_000),
    st.integers(1, 150),
    st.floats(-0.5, 1.5),
    st.lists(st.integers(0, 150), max_size=12).map(sorted),
)
def test_contacts_fed_in_parts_are_those_fed_at_once(seed: int, size: int, likely: float, cuts: list[int]) -> None:
    table = contacts(seed, size, likely)
    whole, walks = fed(table, [])
    run, others = fed(table, cuts)
    assert plain(others) == plain(walks)
    assert (run.table.tolist(), run.length) == (whole.table.tolist(), whole.length)
    assert (run.total, run.best) == pytest.approx((whole.total, whole.best))
    last, other = walk_of(whole), walk_of(run)
    assert plain([other] if other else []) == plain([last] if last else [])


def test_there_is_walking_among_those_contacts() -> None:
    walks = [fed(contacts(seed, 150, 0.8), [])[1] for seed in range(20)]
    assert sum(len(one) for one in walks) > 20


def stretch(vertical: FloatArray, rates: FloatArray) -> Signals:
    slow = np.zeros(len(vertical) // 4)
    return Signals(vertical, rates, vertical, vertical, slow, slow, slow, slow, slow, slow)


@given(st.integers(0, 10_000), st.integers(0, 20), st.integers(0, 20))
def test_strides_of_some_contacts_are_those_of_all(seed: int, first: int, last: int) -> None:
    rng = np.random.default_rng(seed)
    table = contacts(seed, 20, 1.0)
    signals = stretch(rng.normal(0.1, 1.0, 3000), rng.normal(0.1, 1.0, (3, 3000)))
    whole = _table.with_strides(signals, table, 0, len(table))
    some = _table.with_strides(signals, table, first, max(first, last))
    assert some == pytest.approx(whole[first : max(first, last)], abs=1e-9)


def test_a_stride_is_told_by_its_samples() -> None:
    # Two steps of 0.5 s a stride: the pelvis rises by 20 mm and 40 mm, tilts by 6 degrees and turns by 0.2 rad; the
    # accelerometer's offset makes no height.
    n = 400
    at = np.arange(n) / GRID_HZ
    second_step = (at // 0.5) % 2
    omega = 2.0 * np.pi / 0.5
    vertical = np.where(second_step > 0, 0.010, 0.020) * omega**2 * np.cos(omega * at) + 0.3
    tilt = np.radians(3.0) * 2.0 * np.pi * np.cos(2.0 * np.pi * at)
    rates = np.stack((tilt, np.zeros(n), np.full(n, 0.2)))
    table = np.zeros((5, len(_table.COLUMNS)))
    table[:, _table.ROW], table[:, _table.SIDE] = 50.0 * np.arange(1, 6), np.arange(5) % 2
    found = _table.with_strides(stretch(vertical, rates), table, 2, 5)
    assert found[:, _table.STRIDE] == pytest.approx(1.0)
    assert found[:, _table.TURN] == pytest.approx(0.2, abs=0.01)
    assert found[:, _table.PITCH] == pytest.approx(6.0, abs=0.2)
    assert found[:, (_table.ROLL, _table.YAW)] == pytest.approx(0.0, abs=0.2)
    assert found[:, (_table.RISE_A, _table.RISE_B)] == pytest.approx(
        np.array([[0.02, 0.04], [0.04, 0.02], [0.02, 0.04]]), abs=0.002
    )
    assert found[:, _table.IMPACT] == pytest.approx(vertical[[150, 200, 250]], rel=0.05)


@pytest.mark.parametrize("sides", [[0, 0, 1], [0, 1, 1]])
def test_a_missed_contact_ends_no_stride(sides: list[int]) -> None:
    table = np.zeros((3, len(_table.COLUMNS)))
    table[:, _table.ROW], table[:, _table.SIDE] = (50.0, 100.0, 150.0), sides
    assert _table.with_strides(stretch(np.ones(400), np.ones((3, 400))), table, 0, 3)[:, _table.STRIDE].tolist() == [
        0.0,
        0.0,
        0.0,
    ]
