"""A bout as it is published: every metric is there, or absent with the reason."""

from __future__ import annotations

from dataclasses import replace

import pytest

from analytics.analysis import SensorRecording, blocks_of
from analytics.analysis import analyze as analysed
from analytics.compensation import GaitEvidence, assess
from analytics.gait import Bout
from analytics.pipeline import initial_state, step
from analytics.pipeline._walk import QUALITY, walk_of
from sagittal.names import Site
from sagittal.results import Walk
from sagittal.settings import Wearer
from sagittal.units import NS_PER_S
from simulators import hold, record, walk

STEADY = Bout(100.0, 2100.0, True, 36, 35, True, None, 108.0, 1.11, 2.0, 1.3, 1.2, 0.9)


def test_a_long_steady_walk_has_every_metric_of_quality() -> None:
    made = record([hold("stand", 5), walk(40), hold("stand", 5)], seed=4).sites[Site.LOWER_BACK]
    (bout,) = analysed({"lower_back": SensorRecording(made.time_s, made.acc, made.gyr)}).walking_bouts
    assert bout["steady"]
    assert all(bout["metrics"][name] is not None for name in QUALITY)
    assert bout["metrics"]["phase_coordination_index_percent"] is not None
    assert not set(QUALITY) & set(bout["not_assessable"])
    assert not {"cadence_spm", "stride_duration_s"} & set(bout["metrics"])


@pytest.mark.parametrize("reason", ["bout not steady: fewer than 6 straight strides", None])
def test_what_is_absent_says_why(reason: str | None) -> None:
    told = walk_of(0, replace(STEADY, steady=reason is None, steady_reason=reason), assess(GaitEvidence()))
    for name in QUALITY:
        assert told.metrics[name] is None
        assert told.not_assessable[name] == (reason or "no walking seen yet")


def test_no_value_has_a_reason_for_being_absent() -> None:
    told = walk_of(0, replace(STEADY, not_assessable={"stride_length_m": "a reason"}), assess(GaitEvidence()))
    assert "stride_length_m" not in told.not_assessable
    absent = replace(STEADY, stride_length_m=None, not_assessable={"stride_length_m": "a reason"})
    assert walk_of(0, absent, assess(GaitEvidence())).not_assessable["stride_length_m"] == "a reason"


def test_a_bout_is_summed_up_within_five_seconds_of_its_end() -> None:
    acts = [hold("stand", 6), walk(9), hold("stand", 7), walk(33), hold("sit", 9), walk(75), hold("stand", 10)]
    made = record(acts, seed=6).sites[Site.LOWER_BACK]
    state = initial_state(Wearer(id="w1"))
    late_s = []
    for block in blocks_of(SensorRecording(made.time_s, made.acc, made.gyr), Site.LOWER_BACK):
        state, results = step(state, block)
        now_ns = block.t0_ns + block.duration_ns
        late_s += [(now_ns - one.end_ns) / NS_PER_S for one in results if isinstance(one, Walk) and one.final]
    assert len(late_s) == 3
    assert max(late_s) <= 5.0
