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
_AXES = 6

IntArray = NDArray[np.int64]


@dataclass(frozen=True)
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
    n = np.array([block.n for block in blocks])
    samples = np.empty((int(n.sum()), _AXES))
    for columns, data, scale in (
        (slice(0, 3), [block.acc for block in blocks], [block.acc_scale for block in blocks]),
        (
            slice(3, 6),
            [block.gyr or bytes(6 * block.n) for block in blocks],
            [block.gyr_scale or 0.0 for block in blocks],
        ),
    ):
        counts = np.frombuffer(b"".join(data), "<i2").reshape(-1, 3)
        np.multiply(counts, np.repeat(scale, n)[:, None], out=samples[:, columns])
    t0_ns = np.repeat(np.array([block.t0_ns for block in blocks]), n)
    return t0_ns + _offsets(blocks, n), samples


def _offsets(blocks: Sequence[Block], n: IntArray) -> IntArray:
    """Of every sample, ns behind its block's first."""
    place = np.arange(int(n.sum())) - np.repeat(np.cumsum(n) - n, n)
    offsets: IntArray = place * np.repeat(np.array([block.dt_ns for block in blocks]), n)
    uneven = [block.offsets_ns for block in blocks if block.offsets_ns is not None]
    if uneven:
        where = np.repeat(np.array([block.offsets_ns is not None for block in blocks]), n)
        offsets[where] = np.frombuffer(b"".join(uneven), "<u4")
    return offsets


def feed(state: GridState, t_ns: IntArray, samples: FloatArray) -> tuple[GridState, list[Hop]]:
    """Take samples; the whole hops they complete. A step back or a gap of more than 0.5 s ends the segment."""
    restart_ns = round(threshold("gap.restart_s") * NS_PER_S)
    before = np.concatenate(([state.last_ns], t_ns[:-1]))
    step = t_ns - before
    fresh = (step <= 0) | (step > restart_ns) | (before < 0)
    hops: list[Hop] = []
    edges = [*np.flatnonzero(fresh).tolist(), len(t_ns)]
    if edges[0] > 0:
        state, found = _extend(state, t_ns[: edges[0]], samples[: edges[0]])
        hops += found
    for start, end in pairwise(edges):
        state, found = finish(state)
        hops += found
        state = _begin(state, int(t_ns[start]), samples[start])
        state, found = _extend(state, t_ns[start + 1 : end], samples[start + 1 : end])
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


def _extend(state: GridState, t_ns: IntArray, samples: FloatArray) -> tuple[GridState, list[Hop]]:
    if not len(t_ns):
        return state, []
    times = np.concatenate(([state.last_ns], t_ns))
    values = np.vstack((state.last, samples))
    first = state.segment_ns + (state.cut + len(state.rest)) * ROW_NS
    grid = np.arange(first, int(times[-1]) + 1, ROW_NS, dtype=np.int64)
    right = np.searchsorted(times, grid, side="left")
    left = np.maximum(right - 1, 0)
    step = times[right] - times[left]
    share = np.where(step > 0, (grid - times[left]) / np.maximum(step, 1), 0.0)[:, None]
    rows = np.vstack((state.rest, values[left] + (values[right] - values[left]) * share))
    bridged = step > round(threshold("gap.bridged_s") * NS_PER_S)
    valid = np.concatenate((state.valid, ~bridged))
    hops = [
        Hop(state.segment_ns, state.cut + at, rows[at : at + HOP], valid[at : at + HOP])
        for at in range(0, len(rows) - HOP + 1, HOP)
    ]
    kept = len(hops) * HOP
    return (
        evolve(
            state,
            cut=state.cut + kept,
            rest=rows[kept:].copy(),
            valid=valid[kept:].copy(),
            last_ns=int(times[-1]),
            last=values[-1].copy(),
            bridged=state.bridged + int(bridged.sum()),
        ),
        hops,
    )
