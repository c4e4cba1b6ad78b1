"""All sensors of a recording as windows, for what needs whole strides of several of them at once."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass

import numpy as np

from analytics._window import GRID_HZ, FloatArray, Window
from analytics.compensation import GaitEvidence, analyse_stretch
from analytics.pipeline import _grid, _orientation
from sagittal.blocks import Block
from sagittal.names import Site
from sagittal.units import STANDARD_GRAVITY_MPS2

PIECE_S = 60


@dataclass(frozen=True, slots=True)
class Segment:
    """Uninterrupted rows of one sensor."""

    start_ns: int
    window: Window


def segments(blocks: Iterator[Block]) -> list[Segment]:
    """A sensor's blocks as filtered windows between gaps, scaled so that the mean upward force is gravity's."""
    found: list[Segment] = []
    grid, orientation = _grid.GridState(), _orientation.OrientationState()
    parts: list[Window] = []
    hops: list[_grid.Hop] = []
    for block in blocks:
        grid, cut = _grid.feed(grid, *_grid.samples_of(block))
        hops += cut
    hops += _grid.finish(grid)[1]
    for hop in hops:
        if len(hop.rows):
            orientation, window, _ = _orientation.follow(orientation, hop)
            parts.append(_raw(window, orientation))
        if hop.last:
            if parts:
                found.append(Segment(hop.segment_ns, _joined(parts)))
            parts, orientation = [], _orientation.OrientationState()
    return found


def evidence(sensors: Mapping[Site, list[Segment]], lead: Site) -> GaitEvidence:
    """What the whole recording says about gait: pelvis and trunk piece by piece, the legs together."""
    found = GaitEvidence()
    legs = {site: parts for site, parts in sensors.items() if site.startswith(("thigh", "shank"))}
    for site in (lead, Site.UPPER_TRUNK):
        for segment in sensors.get(site, []):
            for piece in _pieces(segment.window):
                found = found.merge(analyse_stretch({str(site): piece})[0])
    for windows in _together(legs):
        found = found.merge(analyse_stretch(windows)[0])
    return found


def _together(legs: Mapping[Site, list[Segment]]) -> Iterator[dict[str, Window]]:
    """Pieces of two minutes in which every leg sensor shows its longest uninterrupted stretch."""
    if not legs:
        return
    length_ns = 2 * PIECE_S * GRID_HZ * _grid.ROW_NS
    begin = min(part.start_ns for parts in legs.values() for part in parts)
    end = max(_end_ns(part) for parts in legs.values() for part in parts)
    for start_ns in range(begin, end, length_ns):
        inside = {site: _longest(parts, start_ns, start_ns + length_ns) for site, parts in legs.items()}
        yield {str(site): window for site, window in inside.items() if window is not None}


def _longest(parts: list[Segment], start_ns: int, end_ns: int) -> Window | None:
    best: Window | None = None
    for part in parts:
        first = max(0, -(-(start_ns - part.start_ns) // _grid.ROW_NS))
        last = min(len(part.window), (end_ns - part.start_ns) // _grid.ROW_NS)
        if last - first > (0 if best is None else len(best)):
            best = _slice(part.window, first, last)
    return best


def _end_ns(part: Segment) -> int:
    return part.start_ns + len(part.window) * _grid.ROW_NS


def _pieces(window: Window) -> Iterator[Window]:
    for start in range(0, len(window), PIECE_S * GRID_HZ):
        yield _slice(window, start, start + PIECE_S * GRID_HZ)


def _slice(window: Window, start: int, end: int) -> Window:
    rows = slice(start, end)
    return Window(window.index + start, window.acc[rows], window.gyr[rows], window.up[rows], window.valid[rows])


def _raw(window: Window, state: _orientation.OrientationState) -> Window:
    return Window(window.index, window.acc / state.scale, window.gyr, window.up, window.valid)


def _joined(parts: list[Window]) -> Window:
    acc, up = np.vstack([part.acc for part in parts]), np.vstack([part.up for part in parts])
    upward: FloatArray = np.einsum("ij,ij->i", acc, up)
    gain = STANDARD_GRAVITY_MPS2 / float(np.median(upward))
    gyr, valid = np.vstack([part.gyr for part in parts]), np.concatenate([part.valid for part in parts])
    return Window(parts[0].index, acc * gain, gyr, up, valid)
