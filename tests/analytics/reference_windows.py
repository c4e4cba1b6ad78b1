"""Reference recordings as 100 Hz windows, for the tests of single rooms before and beside the whole pipeline."""

from __future__ import annotations

import importlib.util
import itertools
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from vqf import VQF

from analytics._window import GRID_HZ, BoolArray, FloatArray, Window

BRIDGED_S = 0.1
GRAVITY = 9.80665


@dataclass(frozen=True)
class ReferenceWalk:
    """One recording: its description and, for every site, the pieces between long gaps."""

    name: str
    meta: dict[str, Any]
    pieces: dict[str, list[tuple[float, Window]]]


def reader(data_dir: Path) -> Any:
    """The `recordings` module that comes with the data."""
    if "reference_recordings" not in sys.modules:
        spec = importlib.util.spec_from_file_location("reference_recordings", data_dir / "recordings.py")
        assert spec is not None
        assert spec.loader is not None
        module = importlib.util.module_from_spec(spec)
        sys.modules["reference_recordings"] = module
        spec.loader.exec_module(module)
    return sys.modules["reference_recordings"]


def walks(data_dir: Path, set_name: str) -> Iterator[ReferenceWalk]:
    """Every recording of a set."""
    source = reader(data_dir)
    for name in source.names(set_name):
        record = source.load(name)
        pieces = {site: _site_pieces(record, site) for site in record.acc if not site.startswith("foot")}
        yield ReferenceWalk(name, record.meta, pieces)


def _site_pieces(record: Any, site: str) -> list[tuple[float, Window]]:
    if site in record.t:
        t = np.asarray(record.t[site], dtype=float)
    elif record.packet is not None:
        t = (record.packet - record.packet[0]) / record.fs
    else:
        t = np.arange(len(record.acc[site])) / record.fs
    return windows(t - t[0], record.acc[site], record.gyr[site])


def windows(t: FloatArray, acc: FloatArray, gyr: FloatArray) -> list[tuple[float, Window]]:
    """Windows on the grid (start in s, window) between gaps too long to bridge; times may jump back."""
    newest = np.maximum.accumulate(t)
    fresh = np.r_[True, t[1:] > newest[:-1]]
    t, acc, gyr = t[fresh], acc[fresh], gyr[fresh]
    cuts = np.flatnonzero(np.diff(t) > BRIDGED_S) + 1
    edges = np.r_[0, cuts, len(t)]
    found = []
    for first, end in itertools.pairwise(edges):
        if end - first >= GRID_HZ:
            found.append(_window(t[first:end], acc[first:end], gyr[first:end]))
    return found


def _window(t: FloatArray, acc: FloatArray, gyr: FloatArray) -> tuple[float, Window]:
    start = float(np.ceil(t[0] * GRID_HZ) / GRID_HZ)
    grid = start + np.arange(int((t[-1] - start) * GRID_HZ + 1e-6) + 1) / GRID_HZ
    resampled_acc = np.column_stack([np.interp(grid, t, column) for column in acc.T])
    resampled_gyr = np.column_stack([np.interp(grid, t, column) for column in gyr.T])
    place = np.clip(np.searchsorted(t, grid), 1, len(t) - 1)
    valid: BoolArray = np.diff(t)[place - 1] < 2.5 * float(np.median(np.diff(t)))
    return start, window_from_samples(resampled_acc, resampled_gyr, valid)


def window_from_samples(acc: FloatArray, gyr: FloatArray, valid: BoolArray | None = None) -> Window:
    """A window from samples already on the grid: up from VQF 6D, gravity scaled to 1 g."""
    vqf = VQF(1.0 / GRID_HZ)
    quat = vqf.updateBatch(np.ascontiguousarray(gyr), np.ascontiguousarray(acc))["quat6D"]
    bias, _sigma = vqf.getBiasEstimate()
    w, x, y, z = quat.T
    up = np.column_stack([2 * (x * z - w * y), 2 * (y * z + w * x), 1 - 2 * (x * x + y * y)])
    gain = GRAVITY / float(np.median(np.einsum("ij,ij->i", acc, up)))
    return Window(0, acc * gain, gyr - bias, up, np.ones(len(acc), dtype=bool) if valid is None else valid)
