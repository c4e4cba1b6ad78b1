"""A sensor that measures no angular rates: marked, never guessed from."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace

import pytest

from analytics.pipeline import dump_state, finish, initial_state, load_state, step
from sagittal.blocks import GapReason
from sagittal.names import Site
from sagittal.results import Day, GapMark, Minute, Result
from sagittal.settings import Wearer
from sagittal.units import NS_PER_S
from tests.pipeline.test_pipeline import START_NS, cut


def results_of(sizes: Iterable[int], site: Site = Site.LOWER_BACK) -> list[Result]:
    state, out = initial_state(Wearer(id="w1")), []
    for block in cut(sizes, seconds=200):
        state, found = step(state, replace(block, gyr=None, gyr_scale=None, site=site))
        state = load_state(dump_state(state))
        out += found
    return [*out, *finish(state)[1]]


@pytest.mark.parametrize("size", [7, 50, 977])
def test_it_is_a_gap_of_whole_minutes_however_it_is_cut(size: int) -> None:
    found = results_of([size] * 3000)
    marks = [one for one in found if isinstance(one, GapMark)]
    assert [(one.t_ns, one.end_ns) for one in marks] == [
        (START_NS + i * 60 * NS_PER_S, START_NS + (i + 1) * 60 * NS_PER_S) for i in range(3)
    ]
    assert {one.reason for one in marks} == {GapReason.NO_GYROSCOPE}
    assert not [one for one in found if not isinstance(one, GapMark | Minute | Day)]


def test_beside_another_site_it_is_left_out() -> None:
    assert results_of([50] * 400, Site.UPPER_TRUNK) == []
