"""Uneven, counted samples onto the even 100 Hz grid, the same whatever blocks they came in."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from itertools import pairwise

import numpy as np
from numpy.typing import NDArray

from analytics._evolve import evolve
from analytics._window import GRID_HZ, BoolArray, FloatArray
from sagittal.blocks import Block
from sagittal.thresholds import threshold
from sagittal.units import NS_PER_S

ROW_NS = NS_PER_S // GRID_HZ
HOP = GRID_HZ
_RESTART_NS = round(threshold("gap.restart_s") * NS_PER_S)
_BRIDGED_NS = round(threshold("gap.bridged_s") * NS_PER_S)
_AXES = 6

IntArray = NDArray[np.int64]


@dataclass(frozen=True, slots=True)
class Hop:
    """Up to a second of grid rows: UTC of the first row's segment, row number in it, (n, 6) acc and gyr, validity."""

    segment_ns: int
    index: int
    rows: FloatArray
    valid: BoolArray
    last: bool = False

    @property
    def start_ns(self) -> int:
        """UTC of the first row."""
        return self.segment_ns + self.index * ROW_NS


@dataclass(frozen=True)
class GridState:
    """Where the grid stands: the segment's first row in UTC, rows cut so far, the rest of a hop, the last sample."""

    segment_ns: int = -1
    cut: int = 0
    rest: FloatArray = field(default_factory=lambda: np.zeros((0, _AXES)))
    valid: BoolArray = field(default_factory=lambda: np.zeros(0, dtype=bool))
    last_ns: int = -1
    last: FloatArray = field(default_factory=lambda: np.zeros(_AXES))
    bridged: int = 0


def samples_of(blocks: Sequence[Block]) -> tuple[IntArray, FloatArray]:
    """Times, UTC ns, and (n, 6) acc in m/s² and gyr in rad/s of blocks; without gyroscope its columns are zero."""
    n = [block.n for block in blocks]
    data = [*(block.acc for block in blocks), *(block.gyr or bytes(6 * block.n) for block in blocks)]
    counts = np.frombuffer(b"".join(data), "<i2").reshape(2, -1, 3)
    scale = np.array([[block.acc_scale for block in blocks], [block.gyr_scale or 0.0 for block in blocks]])
    by_axis = np.empty((2, 3, counts.shape[1]))
    np.multiply(counts.transpose(0, 2, 1), scale.repeat(n, axis=1)[:, None], out=by_axis)
    return _times(blocks, n), by_axis.reshape(_AXES, -1).T


def _times(blocks: Sequence[Block], n: Sequence[int]) -> IntArray:
    """UTC of every sample, ns."""
    behind = [
        np.arange(0, block.n * block.dt_ns, block.dt_ns)
        if block.offsets_ns is None
        else np.frombuffer(block.offsets_ns, "<u4")
        for block in blocks
    ]
    times: IntArray = np.array([block.t0_ns for block in blocks]).repeat(n)
    times += behind[0] if len(behind) == 1 else np.concatenate(behind)
    return times


def feed(state: GridState, t_ns: IntArray, samples: FloatArray) -> tuple[GridState, list[Hop]]:
    """Take samples; the whole hops they complete. A step back or a gap of more than 0.5 s ends the segment."""
    times, by_axis = np.empty(len(t_ns) + 1, dtype=np.int64), np.empty((_AXES, len(t_ns) + 1))
    times[0], times[1:] = state.last_ns if state.last_ns >= 0 else t_ns[0], t_ns
    by_axis[:, 0], by_axis[:, 1:] = state.last, samples.T
    steps = times[1:] - times[:-1]
    fresh = (steps <= 0) | (steps > _RESTART_NS)
    hops: list[Hop] = []
    edges = [*fresh.nonzero()[0].tolist(), len(t_ns)]
    if edges[0]:
        state, hops = _extend(state, times[: edges[0] + 1], steps[: edges[0]], by_axis[:, : edges[0] + 1])
    for start, end in pairwise(edges):
        state, found = finish(state)
        hops += found
        state = _begin(state, int(t_ns[start]), samples[start])
        if end > start + 1:
            part = slice(start + 1, end + 1)
            state, found = _extend(state, times[part], steps[start + 1 : end], by_axis[:, part])
            hops += found
    return state, hops


def finish(state: GridState) -> tuple[GridState, list[Hop]]:
    """End the segment: its rest, marked as the last of it."""
    if state.segment_ns < 0:
        return state, []
    rest = Hop(state.segment_ns, state.cut, state.rest, state.valid, last=True)
    return GridState(bridged=state.bridged), [rest]


def _begin(state: GridState, t_ns: int, sample: FloatArray) -> GridState:
    """The first grid row is the first sample's, moved to the next whole hundredth of a second."""
    segment_ns = -(-t_ns // ROW_NS) * ROW_NS
    on_grid = segment_ns == t_ns
    return GridState(
        segment_ns=segment_ns,
        rest=sample[None, :].copy() if on_grid else np.zeros((0, _AXES)),
        valid=np.ones(int(on_grid), dtype=bool),
        last_ns=t_ns,
        last=sample.copy(),
        bridged=state.bridged,
    )


def _extend(state: GridState, times: IntArray, steps: IntArray, by_axis: FloatArray) -> tuple[GridState, list[Hop]]:
    """Rows up to the last of (6, n) samples, of which the first is the one before; `steps` lie between their times."""
    kept = len(state.rest)
    first = state.segment_ns + (state.cut + kept) * ROW_NS
    grid = np.arange(first, int(times[-1]) + 1, ROW_NS, dtype=np.int64)
    behind, step, low, high = _around(grid, times, steps, by_axis)
    rows, valid = np.empty((_AXES, kept + len(grid))), np.empty(kept + len(grid), dtype=bool)
    rows[:, :kept], valid[:kept] = state.rest.T, state.valid
    made = rows[:, kept:]
    np.subtract(high, low, out=made)
    made *= behind / step
    made += low
    np.less_equal(step, _BRIDGED_NS, out=valid[kept:])
    bridged = len(grid) - int(np.count_nonzero(valid[kept:]))
    turned, count = rows.T, len(valid) // HOP
    hops = [
        Hop(state.segment_ns, state.cut + at, turned[at : at + HOP], valid[at : at + HOP])
        for at in range(0, count * HOP, HOP)
    ]
    return (
        evolve(
            state,
            cut=state.cut + count * HOP,
            rest=turned[count * HOP :].copy(),
            valid=valid[count * HOP :].copy(),
            last_ns=int(times[-1]),
            last=by_axis[:, -1].copy(),
            bridged=state.bridged + bridged,
        ),
        hops,
    )


def _around(
    grid: IntArray, times: IntArray, steps: IntArray, by_axis: FloatArray
) -> tuple[IntArray, IntArray, FloatArray, FloatArray]:
    """Of every row: time since the sample before it, from there to the one at or behind it, and both as (6, n).

    The first row lies behind the first sample. Where there is a row to every sample, nothing has to be looked for.
    """
    n = len(grid)
    if n < len(times):
        behind, step = grid - times[:n], steps[:n]
        if np.count_nonzero((behind > 0) & (behind <= step)) == n:
            return behind, step, by_axis[:, :n], by_axis[:, 1 : n + 1]
    left = np.searchsorted(times, grid, side="left") - 1
    return grid - times[left], steps[left], by_axis.take(left, axis=1), by_axis.take(left + 1, axis=1)
