"""BIDS-motion (specification 1.11.1): samples without a header, their columns, units and places in a table beside them.

Times come from the LATENCY channel, so gaps show; where there is none, from the sampling frequency. Rates in deg/s and
accelerations in g are turned into SI; any other unit is refused. Each tracked point with both sensors is one stream.
"""

from __future__ import annotations

import json
import math
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, tzinfo
from pathlib import Path

import numpy as np

from analytics._window import FloatArray
from analytics.analysis import SensorRecording
from analytics.imports._table import Found
from sagittal.errors import NameRefused, RecordingError
from sagittal.names import Site, check_name
from sagittal.units import NS_PER_S, STANDARD_GRAVITY_MPS2

_UNITS = {
    "ACCEL": {"m/s^2": 1.0, "m/s2": 1.0, "g": STANDARD_GRAVITY_MPS2},
    "GYRO": {"rad/s": 1.0, "deg/s": math.radians(1.0)},
    "LATENCY": {"s": 1.0, "ms": 1e-3},
}
_PLACES = {
    Site.LOWER_BACK: ("lowerback", "lumbar", "lumbarspine", "l5", "l4", "l3"),
    Site.PELVIS: ("pelvis", "sacrum", "s1"),
    Site.WAIST: ("waist", "belt"),
    Site.UPPER_TRUNK: ("uppertrunk", "sternum", "chest", "thorax", "upperback", "c7"),
    Site.THIGH_LEFT: ("leftthigh", "thighleft", "leftupperleg"),
    Site.THIGH_RIGHT: ("rightthigh", "thighright", "rightupperleg"),
    Site.SHANK_LEFT: ("leftshank", "shankleft", "leftlowerleg"),
    Site.SHANK_RIGHT: ("rightshank", "shankright", "rightlowerleg"),
}


@dataclass(frozen=True, slots=True)
class _Channel:
    column: int
    kind: str
    component: str
    point: str
    unit: str


def bids_recordings(root: Path, zone: tzinfo, points: Mapping[str, Site]) -> Iterator[Found]:
    """Every stream of every motion file; `points` names the sites of tracked points that aren't understood by name.

    Raises
    ------
    RecordingError
        Where a file lacks its table of channels, its time, or a unit that is understood.
    """
    pseudonyms = _pseudonyms(root)
    for motion in sorted(root.rglob("*_motion.tsv")):
        stem = motion.name.removesuffix("_motion.tsv")
        channels = _channels(motion.with_name(f"{stem}_channels.tsv"))
        wearer = _wearer(stem, pseudonyms)
        start_ns = _start_ns(motion, zone)
        rate = _rate(motion.with_name(f"{stem}_motion.json"))
        for site, columns, scales in _streams(motion, channels, points):

            def read(
                motion: Path = motion,
                columns: list[int] = columns,
                scales: list[float] = scales,
                rate: float | None = rate,
            ) -> SensorRecording:
                return _samples(motion, columns, scales, rate)

            yield Found(motion, wearer, site, start_ns, read)


def _streams(
    motion: Path, channels: list[_Channel], points: Mapping[str, Site]
) -> Iterator[tuple[Site, list[int], list[float]]]:
    """Site, the columns of (time, acc x y z, gyr x y z) and their factors; column -1 where there is no time."""
    time = [channel for channel in channels if channel.kind == "LATENCY"][:1]
    lead = ([time[0].column], [_factor(motion, time[0])]) if time else ([-1], [1.0])
    named: dict[str, Site] = {}
    for point in dict.fromkeys(channel.point for channel in channels if channel.kind in ("ACCEL", "GYRO")):
        site = points.get(point) or _site(point)
        if site is not None:
            named[point] = site
    if not named:
        known = ", ".join(sorted({channel.point for channel in channels} - {"n/a"})) or "none"
        raise RecordingError(f"{motion}: no tracked point is a place we know ({known}): name it with --point {known}=…")
    for point, site in named.items():
        mine = {(channel.kind, channel.component): channel for channel in channels if channel.point == point}
        wanted = [mine.get((kind, axis)) for kind in ("ACCEL", "GYRO") for axis in "xyz"]
        six = [channel for channel in wanted if channel is not None]
        if len(six) < len(wanted):
            raise RecordingError(f"{motion}: {point} needs ACCEL and GYRO with components x, y and z")
        yield site, lead[0] + [one.column for one in six], lead[1] + [_factor(motion, one) for one in six]


def _samples(motion: Path, columns: list[int], scales: list[float], rate: float | None) -> SensorRecording:
    read = columns if columns[0] >= 0 else columns[1:]
    try:
        table = np.loadtxt(motion, delimiter="\t", ndmin=2, usecols=read, converters=_number, encoding="utf-8")
    except (OSError, ValueError, IndexError) as error:
        raise RecordingError(f"{motion} can't be read ({error}): numbers without a header row are needed") from None
    if columns[0] < 0:
        if rate is None:
            raise RecordingError(f"{motion} has neither a LATENCY channel nor a SamplingFrequency: its time is unknown")
        table = np.column_stack([np.arange(len(table)) / rate, table])
    values: FloatArray = table * np.array(scales)
    return SensorRecording(time_s=values[:, 0], acc=values[:, 1:4], gyr=values[:, 4:])


def _channels(path: Path) -> list[_Channel]:
    rows = _table(path)
    needed = {"name", "component", "type", "tracked_point", "units"}
    if not rows or not needed <= rows[0].keys():
        raise RecordingError(f"{path} has no rows or lacks a column: {', '.join(sorted(needed))} are needed")
    return [
        _Channel(index, row["type"], row["component"].lower(), row["tracked_point"], row["units"])
        for index, row in enumerate(rows)
    ]


def _factor(motion: Path, channel: _Channel) -> float:
    known = _UNITS[channel.kind]
    if channel.unit not in known:
        raise RecordingError(
            f"{motion}: {channel.kind} in {channel.unit!r} is not understood: {', '.join(known)} would be"
        )
    return known[channel.unit]


def _start_ns(motion: Path, zone: tzinfo) -> int:
    """When the file begins, from the table of scans; a time without an offset is the wearer's own."""
    for folder in motion.parents[:3]:
        for scans in folder.glob("*_scans.tsv"):
            for row in _table(scans):
                if (folder / row.get("filename", "")).resolve() == motion.resolve():
                    return _instant_ns(row.get("acq_time", ""), zone, scans)
    raise RecordingError(f"{motion} stands in no *_scans.tsv with its acq_time: its date is unknown")


def _instant_ns(text: str, zone: tzinfo, where: Path) -> int:
    try:
        moment = datetime.fromisoformat(text)
    except ValueError:
        raise RecordingError(f"{where}: acq_time {text!r} is no time such as 2026-11-24T08:00:00Z") from None
    since = (moment if moment.tzinfo else moment.replace(tzinfo=zone)) - datetime(1970, 1, 1, tzinfo=UTC)
    return (since.days * 86_400 + since.seconds) * NS_PER_S + since.microseconds * 1000


def _pseudonyms(root: Path) -> dict[str, str]:
    path = root / "participants.tsv"
    rows = _table(path) if path.is_file() else []
    return {row["participant_id"]: row["pseudonym"] for row in rows if row.get("pseudonym") and "participant_id" in row}


def _wearer(stem: str, pseudonyms: Mapping[str, str]) -> str:
    label = stem.partition("_")[0]
    name = pseudonyms.get(label) or label.removeprefix("sub-").lower()
    try:
        return check_name("wearer", name)
    except NameRefused as error:
        raise RecordingError(f"{label}: {error}") from None


def _rate(path: Path) -> float | None:
    try:
        rate = json.loads(path.read_text(encoding="utf-8")).get("SamplingFrequency")
    except (OSError, ValueError, AttributeError):
        return None
    return float(rate) if isinstance(rate, int | float) and rate > 0 else None


def _site(point: str) -> Site | None:
    plain = "".join(character for character in point.lower() if character.isalnum())
    return next((site for site, names in _PLACES.items() if plain in names), None)


def _table(path: Path) -> list[dict[str, str]]:
    try:
        lines: Iterable[str] = path.read_text(encoding="utf-8-sig").splitlines()
    except (OSError, UnicodeDecodeError) as error:
        raise RecordingError(f"{path} can't be read ({error}): it is needed beside the samples") from None
    rows = [line.split("\t") for line in lines if line.strip()]
    return [dict(zip(rows[0], row, strict=False)) for row in rows[1:]]


def _number(cell: str) -> float:
    """A number; BIDS writes `n/a` where there is none."""
    return float("nan") if cell.strip() in ("n/a", "") else float(cell)
