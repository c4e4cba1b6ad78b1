"""What a folder holds that can be imported."""

from __future__ import annotations

import re
from collections.abc import Mapping
from datetime import datetime, timedelta, tzinfo
from pathlib import Path

import numpy as np

from analytics.analysis import read_recording
from analytics.imports._bids import bids_recordings
from analytics.imports._table import Found
from sagittal.errors import RecordingError
from sagittal.names import Site
from sagittal.units import NS_PER_S

_STAMP = re.compile(r"(\d{4})-?(\d{2})-?(\d{2})[T_ -]?(\d{2})[:h-]?(\d{2})(?:[:m-]?(\d{2}))?")
_EPOCH_S = 366 * 86_400
"""Beyond this `time_s` counts from 1970, below from the file's own beginning."""


def find_recordings(
    root: Path,
    *,
    wearer: str | None,
    zone: tzinfo,
    start: datetime | None = None,
    points: Mapping[str, Site] | None = None,
) -> list[Found]:
    """Every stream in a folder, oldest first: a BIDS data set where it is one, else its CSV files.

    Parameters
    ----------
    wearer
        Whose they are; needed for CSV, for BIDS None takes the participants'.
    zone
        The zone of times without an offset.
    start
        When a CSV file begins that does not say so itself: in its times or in its name.
    points
        Sites of tracked points that aren't understood by name.

    Raises
    ------
    RecordingError
        Where there is nothing to import, or a file's place or time can't be known.
    """
    if not root.is_dir():
        raise RecordingError(f"{root} is no folder: name the folder that holds the recordings")
    if (root / "dataset_description.json").is_file():
        found = list(bids_recordings(root, zone, points or {}))
        if wearer is not None:
            found = [Found(one.path, wearer, one.site, one.start_ns, one.read) for one in found]
    else:
        if wearer is None:
            raise RecordingError(f"{root} holds no BIDS data set: for CSV files name the wearer with --wearer")
        found = [_csv(path, wearer, zone, start) for path in sorted(root.rglob("*.csv"))]
    if not found:
        raise RecordingError(f"{root} holds no *_motion.tsv and no *.csv")
    return sorted(found, key=lambda one: (one.wearer, one.start_ns))


def _csv(path: Path, wearer: str, zone: tzinfo, start: datetime | None) -> Found:
    first_s = _first_s(path)
    if first_s >= _EPOCH_S:
        start_ns = round(first_s * 1e6) * 1000
    else:
        moment = _stamped(path.stem, zone) or start
        if moment is None:
            raise RecordingError(
                f"{path} does not say when it began: put its time into its name (2026-11-24T0800) or give --start"
            )
        start_ns = round(moment.timestamp()) * NS_PER_S
    site = next((site for site in Site if site in path.stem), Site.LOWER_BACK)
    return Found(path, wearer, site, start_ns, lambda: read_recording(path, site))


def _first_s(path: Path) -> float:
    try:
        with path.open(encoding="utf-8-sig") as lines:
            next(lines)
            return float(next(line for line in lines if line.strip()).partition(",")[0])
    except (OSError, UnicodeDecodeError, StopIteration, ValueError):
        return float(np.asarray(read_recording(path, Site.LOWER_BACK).time_s)[0])  # which says what is wrong


def _stamped(stem: str, zone: tzinfo) -> datetime | None:
    found = _STAMP.search(stem)
    if found is None:
        return None
    year, month, day, hour, minute, second = (int(part or 0) for part in found.groups())
    try:
        moment = datetime(year, month, day, tzinfo=zone)
        return moment + timedelta(hours=hour, minutes=minute, seconds=second)
    except ValueError:
        return None
