"""Simulated wearers with known truth through `analyze` and through the pipeline, for the tests of posture."""

from __future__ import annotations

from collections.abc import Sequence
from functools import cache
from typing import Any

import numpy as np

import analytics
from analytics import SensorRecording
from analytics.analysis import blocks_of
from analytics.pipeline import finish, initial_state, step
from sagittal.blocks import Block
from sagittal.names import Site
from sagittal.results import Posture, Result
from sagittal.settings import Wearer
from simulators.acts import Act, hold, walk
from simulators.recording import Recording, record

LEAD = Site.LOWER_BACK
DAY = (
    hold("stand", 8),
    walk(20),
    hold("stand", 5),
    hold("bend", 4),
    hold("stand", 4),
    hold("squat", 4),
    hold("stand", 4),
    hold("sit", 16),
    hold("stand", 6),
    hold("sit", 12),
    hold("lie_on_back", 20),
    hold("lie_on_left", 14),
    hold("lie_on_right", 14),
    hold("sit", 8),
    hold("stand", 6),
)


@cache
def recording(seed: int, acts: Sequence[Act] = DAY, sites: Sequence[Site] = (LEAD,)) -> Recording:
    """A recording of the acts."""
    return record(acts, seed=seed, sites=sites)


def sensors(found: Recording) -> dict[str, SensorRecording]:
    """What `analyze` takes."""
    return {str(site): SensorRecording(one.time_s, one.acc, one.gyr) for site, one in found.sites.items()}


@cache
def analysed(seed: int, acts: Sequence[Act] = DAY, sites: Sequence[Site] = (LEAD,)) -> dict[str, Any]:
    """What `analyze` says of them."""
    return analytics.analyze(sensors(recording(seed, acts, sites))).to_dict()


def at(found: dict[str, Any], time_s: float) -> tuple[str, str | None]:
    """Label and detail at a time."""
    for span in found["posture"]:
        if span["start_s"] <= time_s < span["end_s"]:
            return span["posture"], span["detail"]
    return "none", None


def blocks(found: Recording) -> list[Block]:
    """All sites' blocks, the oldest first."""
    every = [
        block
        for site, one in found.sites.items()
        for block in blocks_of(SensorRecording(one.time_s, one.acc, one.gyr), site, origin_s=0.0)
    ]
    return sorted(every, key=lambda block: (block.t0_ns, block.site))


def through(every: Sequence[Block]) -> list[Result]:
    """Blocks through the pipeline."""
    state, results = initial_state(Wearer(id="w1")), []
    for block in every:
        state, found = step(state, block)
        results += found
    state, found = finish(state)
    return [*results, *found]


def last_word(results: Sequence[Result]) -> list[Posture]:
    """Every second as it was said last."""
    rows = {one.t_ns: one for one in results if isinstance(one, Posture)}
    return [rows[t_ns] for t_ns in sorted(rows)]


def middle(acts: Sequence[Act], place: int) -> float:
    """A time late in an act, when the way into it is over."""
    before = sum(act.duration_s for act in acts[:place])
    return before + 0.75 * acts[place].duration_s


def rms(values: Sequence[float]) -> float:
    """Root mean square."""
    return float(np.sqrt(np.mean(np.square(values))))
