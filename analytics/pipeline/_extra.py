"""Sensors beside the leading one: their samples on the same grid of UTC rows, kept until walking has been decided.

A second of the leading sensor waits for the others, so that results depend on what was measured and not on whose
block came first; a site that is more than `WAIT_S` of data behind is not waited for.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from analytics._window import BoolArray, Window
from analytics.pipeline import _grid, _orientation
from analytics.pipeline._grid import ROW_NS, GridState, Hop
from analytics.pipeline._orientation import OrientationState
from sagittal.blocks import Block
from sagittal.names import Site
from sagittal.units import NS_PER_S

WAIT_S = 8
"""Data time for which a second of the leading sensor waits: twice the longest usual block."""
KEEP_S = 90
_LEAST_SHARE = 0.5


@dataclass(frozen=True, slots=True)
class Rows:
    """Up to a second of oriented rows: UTC of the first, (n, 9) acc, gyr, up as float32, validity."""

    start_ns: int
    samples: NDArray[np.float32]
    valid: BoolArray

    @property
    def end_ns(self) -> int:
        """UTC behind the last row."""
        return self.start_ns + len(self.valid) * ROW_NS


@dataclass(frozen=True, slots=True)
class Extra:
    """One site: its grid, its orientation, what it measured lately, and how far it has come."""

    grid: GridState = field(default_factory=GridState)
    orientation: OrientationState = field(default_factory=OrientationState)
    recent: tuple[Rows, ...] = ()
    end_ns: int = -1


def feed(state: Extra, block: Block) -> Extra:
    """Take a block of samples."""
    grid, hops = _grid.feed(state.grid, *_grid.samples_of((block,)))
    orientation, fresh = state.orientation, []
    for hop in hops:
        orientation, rows = _oriented(orientation, hop)
        fresh += rows
    recent, end_ns = (*state.recent, *fresh), state.end_ns
    if recent:
        end_ns = recent[-1].end_ns
        recent = tuple(one for one in recent if one.end_ns > end_ns - KEEP_S * NS_PER_S)
    return Extra(grid, orientation, recent, end_ns)


def finish(state: Extra) -> Extra:
    """No more samples will come: the rest of the last second."""
    grid, hops = _grid.finish(state.grid)
    recent, orientation = state.recent, state.orientation
    for hop in hops:
        orientation, rows = _oriented(orientation, hop)
        recent += tuple(rows)
    return Extra(grid, orientation, recent, recent[-1].end_ns if recent else state.end_ns)


def forget(sites: Mapping[Site, Extra], before_ns: int) -> dict[Site, Extra]:
    """Without the rows that nothing will ask for any more."""
    return {
        site: replace(one, recent=tuple(rows for rows in one.recent if rows.end_ns > before_ns))
        if one.recent and one.recent[0].end_ns <= before_ns
        else one
        for site, one in sites.items()
    }


def ready(sites: Iterable[Extra], hop: Hop, newest_ns: int) -> bool:
    """Whether every site has come as far as a second of the leading sensor, or need not be waited for."""
    end_ns = hop.start_ns + len(hop.rows) * ROW_NS
    if newest_ns - end_ns > WAIT_S * NS_PER_S:
        return True
    return all(one.end_ns >= end_ns or newest_ns - one.end_ns > WAIT_S * NS_PER_S for one in sites)


def windows(sites: Mapping[Site, Extra], start_ns: int, rows: int) -> dict[str, Window]:
    """Site to its window over the same rows; a site that measured less than half of them is left out."""
    found = {str(site): _window(one.recent, start_ns, rows) for site, one in sites.items()}
    return {site: window for site, window in found.items() if window is not None}


def _window(recent: tuple[Rows, ...], start_ns: int, rows: int) -> Window | None:
    samples = np.zeros((rows, 9))
    valid = np.zeros(rows, dtype=bool)
    known = np.full(rows, -1)
    for part in recent:
        at = (part.start_ns - start_ns) // ROW_NS
        first, last = max(at, 0), min(at + len(part.valid), rows)
        if first < last:
            samples[first:last] = part.samples[first - at : last - at]
            valid[first:last] = part.valid[first - at : last - at]
            known[first:last] = np.arange(first, last)
    if not rows or float(np.mean(valid)) < _LEAST_SHARE:
        return None
    held = np.maximum.accumulate(known)
    samples = samples[np.where(held >= 0, held, int(np.argmax(known >= 0)))]
    return Window(0, samples[:, :3], samples[:, 3:6], samples[:, 6:], valid)


def _oriented(state: OrientationState, hop: Hop) -> tuple[OrientationState, list[Rows]]:
    rows: list[Rows] = []
    if len(hop.rows):
        state, lot = _orientation.follow(state, [hop])
        rows.append(Rows(hop.start_ns, lot.samples[0].astype(np.float32), hop.valid))
    return (_orientation.restart(state) if hop.last else state), rows


def restored(plain: Mapping[str, Any]) -> dict[Site, Extra]:
    """The sites of a saved state."""
    return {
        Site(site): Extra(
            GridState(**one["grid"]),
            OrientationState(**one["orientation"]),
            tuple(Rows(**rows) for rows in one["recent"]),
            one["end_ns"],
        )
        for site, one in plain.items()
    }
