"""A simulated body whose long walk declines, and what a rest gives back, through the live path."""

from __future__ import annotations

from functools import cache

import pytest

from analytics import SensorRecording
from analytics.analysis import blocks_of
from analytics.pipeline import dump_state, finish, initial_state, load_state, step
from sagittal.names import Site
from sagittal.results import Event, Pattern, Result, Walk
from sagittal.settings import Wearer
from sagittal.units import NS_PER_S
from simulators import Behaviour, hold, record, walk

DAY_NS = 86_400 * NS_PER_S


@cache
def told(severity: float, pose: str = "sit") -> tuple[list[Result], Pattern]:
    """Everything said of a long walk, a rest and a short walk; and the decline in the long walk."""
    does = (Behaviour("decline", severity),)
    acts = [hold("stand", 8), walk(205, behaviours=does), hold(pose, 110), walk(50), hold("stand", 8)]
    one = record(acts, seed=6).sites[Site.LOWER_BACK]
    state, out = initial_state(Wearer(id="w1")), []
    for number, block in enumerate(
        blocks_of(SensorRecording(one.time_s, one.acc, one.gyr), Site.LOWER_BACK, base_ns=DAY_NS)
    ):
        state, found = step(state, block)
        out += found
        if number % 29 == 0:
            state = load_state(dump_state(state))
    state, found = finish(state)
    out += found
    longest = max((w for w in out if isinstance(w, Walk) and w.final), key=lambda w: w.end_ns - w.start_ns)
    return out, next(p for p in longest.compensations if p.pattern == "decline_within_walk")


def events(severity: float, pose: str = "sit") -> list[Event]:
    return [one for one in told(severity, pose)[0] if isinstance(one, Event) and one.event == "relief"]


def test_a_walk_that_fades_declines_and_a_seat_brings_it_back() -> None:
    pattern = told(1.0)[1]
    assert pattern.flagged
    assert (pattern.evidence["cadence_slope_per_min"] or 0) < 0
    (relief,) = events(1.0)
    seconds = (relief.t_ns - DAY_NS) / NS_PER_S
    assert seconds == pytest.approx(325, abs=8)


def test_an_even_walk_neither_declines_nor_needs_relief() -> None:
    pattern = told(0.0)[1]
    assert pattern.assessable
    assert not pattern.flagged
    assert not events(0.0)


def test_standing_still_is_no_rest() -> None:
    assert told(1.0, "stand")[1].flagged
    assert not events(1.0, "stand")
