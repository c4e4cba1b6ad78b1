"""Recordings in files: CSV in SI units, and `.cborseq`."""

from __future__ import annotations

import logging
from pathlib import Path

import numpy as np

from analytics._window import FloatArray
from analytics.analysis._recording import SensorRecording
from analytics.pipeline._grid import IntArray, samples_of
from sagittal.blocks import Block
from sagittal.codec import read_blocks
from sagittal.errors import RecordingError
from sagittal.names import Site
from sagittal.units import NS_PER_S

_log = logging.getLogger(__name__)

HEADER = "time_s,acc_x,acc_y,acc_z,gyr_x,gyr_y,gyr_z"


def read_recording(path: Path, site: Site) -> SensorRecording:
    """The samples of a file; of a `.cborseq` those of the site, or of its only stream.

    Raises
    ------
    RecordingError
        Where it can't be read as what it is called.
    """
    return _from_blocks(path, site) if path.suffix == ".cborseq" else _from_csv(path)


def _from_csv(path: Path) -> SensorRecording:
    try:
        with path.open(encoding="utf-8-sig") as stream:
            header = stream.readline().strip().replace(" ", "")
            if header != HEADER:
                found = header[:60] or "nothing"
                raise RecordingError(f"{path} begins with {found!r}; its first line must be {HEADER}")
            lines = [line for line in stream if line.strip()]
    except (OSError, UnicodeDecodeError) as error:
        raise RecordingError(f"{path} can't be read ({error}): check the name and the format") from None
    if not lines:
        raise RecordingError(f"{path} holds no samples below its header")
    try:
        table = _numbers(lines)
    except ValueError as error:
        what = str(error).partition("; use")[0].rstrip(".")  # what follows is advice to programmers
        raise RecordingError(f"{path} holds something that is no number: {what}; a line is {HEADER}") from None
    if table.shape[1] != len(HEADER.split(",")):
        raise RecordingError(f"{path} has {table.shape[1]} columns, {len(HEADER.split(','))} are needed: {HEADER}")
    return SensorRecording(time_s=table[:, 0], acc=table[:, 1:4], gyr=table[:, 4:])


def _numbers(lines: list[str]) -> FloatArray:
    """(n, columns); cell by cell, which takes longer, only where some are empty."""
    try:
        return np.loadtxt(lines, delimiter=",", ndmin=2)
    except ValueError:
        return np.loadtxt(lines, delimiter=",", ndmin=2, converters=_number)


def _number(cell: str) -> float:
    """A number; an empty cell is none."""
    return float(cell) if cell.strip() else float("nan")


def _from_blocks(path: Path, site: Site) -> SensorRecording:
    streams: dict[tuple[str, Site], list[Block]] = {}
    for block in read_blocks(path):
        if not isinstance(block, Block):
            _log.warning("%s ends in a torn block: its last %d bytes are left out", path, block.length)
        else:
            streams.setdefault((block.wearer, block.site), []).append(block)
    chosen = [blocks for (_, found), blocks in streams.items() if found == site] or list(streams.values())
    if len(chosen) != 1:
        names = ", ".join(f"{wearer}/{found}" for wearer, found in streams)
        raise RecordingError(f"{path} holds several streams ({names}): record one wearer and site alone")
    if all(block.gyr is None for block in chosen[0]):
        raise RecordingError(f"{path} holds no angular rates: posture and gait need a wearable with a gyroscope")
    parts = [_samples(block) for block in chosen[0]]
    t_ns = np.concatenate([times for times, _ in parts])
    samples = np.vstack([values for _, values in parts])
    return SensorRecording(time_s=(t_ns - t_ns[0]) / NS_PER_S, acc=samples[:, :3], gyr=samples[:, 3:])


def _samples(block: Block) -> tuple[IntArray, FloatArray]:
    """Times and samples of a block; without angular rates its rows hold no numbers, which is a gap."""
    t_ns, samples = samples_of((block,))
    if block.gyr is None:
        samples[:, 3:] = np.nan
    return t_ns, samples
