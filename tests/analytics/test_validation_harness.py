"""The harness judges as it says: contacts one to one, time by time, rows met or not."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from benchmarks.validate._matching import covered, icc, match
from benchmarks.validate._recordings import changed, mirrored_site
from benchmarks.validate._report import Row, Section, document

TIMES = st.lists(st.floats(0, 60), max_size=20)


def test_pairs_are_the_closest_and_no_contact_counts_twice() -> None:
    found = match([1.00, 1.06, 3.0], [1.05, 2.0], 0.1, (["left", "right", "left"], ["right", "left"]))
    assert found.error_s == pytest.approx([0.01])
    assert (found.missed, found.extra) == (1, 2)
    assert found.f1 == pytest.approx(2 / 5)
    assert found.side_accuracy == 1.0


@given(TIMES, TIMES)
def test_every_contact_is_a_pair_missed_or_extra(ours: list[float], theirs: list[float]) -> None:
    found = match(ours, theirs, 0.25)
    assert len(found.error_s) + found.missed == len(theirs)
    assert len(found.error_s) + found.extra == len(ours)
    assert all(abs(error) <= 0.25 for error in found.error_s)
    assert match(theirs, ours, 0.25).f1 == pytest.approx(found.f1)


def test_time_is_covered_by_any_span() -> None:
    at_s = np.arange(0.0, 5.0, 1.0)
    assert covered([(1.0, 2.0), (4.0, 9.0)], at_s).tolist() == [False, True, True, False, True]


def test_agreement_of_walks_recorded_twice() -> None:
    assert icc([(100.0, 100.0), (90.0, 90.0), (110.0, 110.0)]) == pytest.approx(1.0)
    assert icc([(100.0, 110.0), (110.0, 100.0), (100.0, 110.0)]) < 0.0


def test_a_row_is_met_by_the_figure_that_is_shown() -> None:
    assert Row("F1", "3, 3", 0.9296, reach=0.93, digits=2).met
    assert Row("F1", "3, 3", 0.9249, reach=0.93, digits=2).met is False
    assert Row("error", "3, 3", 32.4, reach=32, better="less", digits=0).met
    assert Row("absent", "3, 3", None, reach=0.9).met is False
    assert Row("told only", "3, 3", 0.5).met is None
    page = document([Section("Gait", [Row("F1", "3, 3", 0.9, reach=0.93)], ["a note"], plots={"x.svg": "<svg/>"})])
    assert "| F1 | 3, 3 | 0.900 | – | ≥ 0.93 | **no** |" in page
    assert "(validation/x.svg)" in page


@pytest.mark.parametrize("change", ["turned at random", "upside down", "worn in front"])
def test_wearing_it_otherwise_is_a_rotation(change: str) -> None:
    acc, gyr = (np.random.default_rng(n).normal(size=(40, 3)) for n in (1, 2))
    a, g = changed(acc, gyr, change, "x")
    assert np.linalg.norm(a, axis=1) == pytest.approx(np.linalg.norm(acc, axis=1))
    assert np.cross(a, g) == pytest.approx(changed(np.cross(acc, gyr), gyr, change, "x")[0])


def test_a_mirror_swaps_sites() -> None:
    assert [mirrored_site(one) for one in ("thigh_left", "shank_right", "lower_back")] == [
        "thigh_right", "shank_left", "lower_back",
    ]  # fmt: skip
