"""How soon after its end a bout is told for good, live, block by block."""

from __future__ import annotations

from pathlib import Path

from analytics.analysis import blocks_of
from analytics.pipeline import initial_state, step
from benchmarks.validate._recordings import reader, sensors
from sagittal.names import PRIMARY_SITES
from sagittal.results import Walk
from sagittal.settings import Wearer
from sagittal.units import NS_PER_S


def delays_s(data: Path, set_name: str) -> list[float]:
    """Of every bout whose end was told before the recording's."""
    found: list[float] = []
    for name in reader(data).names(set_name):
        worn = sensors(reader(data).load(name), set_name)
        lead = next(site for site in PRIMARY_SITES if site in worn)
        state = initial_state(Wearer(id="judged"))
        for block in blocks_of(worn[lead], lead):
            state, results = step(state, block)
            now_ns = block.t0_ns + block.duration_ns
            found += [(now_ns - one.end_ns) / NS_PER_S for one in results if isinstance(one, Walk) and one.final]
    return found
