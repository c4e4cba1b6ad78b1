"""A BIDS-motion folder of one raw recording, for researchers (BIDS specification 1.11.1, motion).

What the common validator lets pass is held here: no header row in motion.tsv, SI units, counts that fit, no "nan".
Labels after `sub-` are alphanumeric only, so a pseudonym is stripped and the map kept in participants.tsv. Axes are the
sensor's own, so the reference frame is local; times are in the latency channel, gaps show there.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, TextIO

from sagittal import __version__
from sagittal.blocks import AXES, Block, unpack_int16
from sagittal.errors import SagittalError
from sagittal.names import Site
from sagittal.results import NOTICE, Walk
from sagittal.units import NS_PER_S

_PLACES = {
    Site.LOWER_BACK: "LowerBack",
    Site.PELVIS: "Pelvis",
    Site.WAIST: "Waist",
    Site.UPPER_TRUNK: "UpperTrunk",
    Site.THIGH_LEFT: "LeftThigh",
    Site.THIGH_RIGHT: "RightThigh",
    Site.SHANK_LEFT: "LeftShank",
    Site.SHANK_RIGHT: "RightShank",
}
_TASK = "freeliving"
_NAMES = ("name", "component", "type", "tracked_point", "units", "placement", "reference_frame", "sampling_frequency")


@dataclass(slots=True)
class _Counts:
    start_ns: int = 0
    end_ns: int = 0
    samples: int = 0


def write_bids(blocks: Iterable[Block], walks: Sequence[Walk], folder: Path) -> Path:
    """Write one sensor's recording, read block by block, and its walking bouts as events; the motion file's path.

    Raises
    ------
    SagittalError
        Where the recording is empty, mixes sensors or lacks a gyroscope, or the folder holds something already.
    """
    if folder.exists() and any(folder.iterdir()):
        raise SagittalError(f"{folder} is not empty: name a new folder")
    source = iter(blocks)
    first = next(source, None)
    if first is None:
        raise SagittalError("the recording holds no block: nothing to export")
    if first.gyr is None:
        raise SagittalError("the recording has no gyroscope: this export needs both sensors")
    subject = "".join(character for character in first.wearer if character.isalnum())
    if not subject:
        raise SagittalError(f"the wearer's name {first.wearer!r} has no letter or digit to be named by in BIDS")
    session = datetime.fromtimestamp(first.t0_ns / NS_PER_S, UTC).strftime("%Y%m%dT%H%M%S")
    place = folder / f"sub-{subject}" / f"ses-{session}" / "motion"
    place.mkdir(parents=True)
    stem = f"sub-{subject}_ses-{session}_task-{_TASK}_tracksys-imu"
    motion = place / f"{stem}_motion.tsv"
    with motion.open("w", encoding="utf-8", newline="") as stream:
        counts = _samples(first, source, stream)
    rate = (counts.samples - 1) * NS_PER_S / max(1, counts.end_ns - counts.start_ns) if counts.samples > 1 else 0.0
    _sidecars(place, stem, first, counts, rate)
    _events(place, stem, walks, counts)
    _dataset(folder, subject, session, first, counts)
    return motion


def _samples(first: Block, rest: Iterator[Block], stream: TextIO) -> _Counts:
    counts = _Counts(start_ns=first.t0_ns)
    block: Block | None = first
    while block is not None:
        if (block.wearer, block.site) != (first.wearer, first.site):
            raise SagittalError(f"the recording mixes {first.site} and {block.site}: export one sensor at a time")
        if block.gyr is None or block.gyr_scale is None:
            raise SagittalError(f"block {block.seq} of the recording has no gyroscope: this export needs both sensors")
        acc, gyr = unpack_int16(block.acc), unpack_int16(block.gyr)
        for i, t_ns in enumerate(block.times_ns()):
            latency = (t_ns - counts.start_ns) / NS_PER_S
            row = [f"{latency:.6f}"]
            row += [f"{acc[AXES * i + axis] * block.acc_scale:.6g}" for axis in range(AXES)]
            row += [f"{gyr[AXES * i + axis] * block.gyr_scale:.6g}" for axis in range(AXES)]
            stream.write("\t".join(row) + "\n")
            counts.end_ns = t_ns
        counts.samples += block.n
        block = next(rest, None)
    return counts


def _sidecars(place: Path, stem: str, first: Block, counts: _Counts, rate: float) -> None:
    nominal = round(NS_PER_S / first.dt_ns, 3)
    _json(
        place / f"{stem}_motion.json",
        {
            "TaskName": _TASK,
            "TaskDescription": "Free living: whatever the wearer did.",
            "SamplingFrequency": nominal,
            "SamplingFrequencyEffective": round(rate, 4),
            "TrackingSystemName": "imu",
            "TrackedPointsCount": 1,
            "MotionChannelCount": 7,
            "ACCELChannelCount": 3,
            "GYROChannelCount": 3,
            "LATENCYChannelCount": 1,
            "RecordingDuration": round((counts.end_ns - counts.start_ns) / NS_PER_S, 3),
            "RecordingType": "continuous",
            "MissingValues": "n/a",
            "DeviceSerialNumber": "n/a",
            "SoftwareVersions": f"Sagittal {__version__}",
        },
    )
    point, where = _PLACES[first.site], first.site.replace("_", " ")
    rows = [("latency", "n/a", "LATENCY", "n/a", "s", "n/a", "n/a", str(nominal))]
    for kind, name, unit in (("ACCEL", "accel", "m/s^2"), ("GYRO", "gyro", "rad/s")):
        rows += [(f"imu_{name}_{axis}", axis, kind, point, unit, where, "local", str(nominal)) for axis in "xyz"]
    _tsv(place / f"{stem}_channels.tsv", _NAMES, rows)
    _json(
        place / f"{stem}_channels.json",
        {
            "reference_frame": {
                "Levels": {
                    "local": {
                        "SpatialAxes": "n/a",
                        "RotationRule": "right-hand",
                        "RotationOrder": "n/a",
                        "Description": "The sensor's own axes; how it is mounted is not known.",
                    }
                }
            }
        },
    )


def _events(place: Path, stem: str, walks: Sequence[Walk], counts: _Counts) -> None:
    rows = [
        (
            f"{(walk.start_ns - counts.start_ns) / NS_PER_S:.3f}",
            f"{(walk.end_ns - walk.start_ns) / NS_PER_S:.3f}",
            "walking",
        )
        for walk in sorted(walks, key=lambda walk: walk.start_ns)
        if counts.start_ns <= walk.start_ns < counts.end_ns
    ]
    _tsv(place / f"{stem}_events.tsv", ("onset", "duration", "trial_type"), rows)
    about = {"trial_type": {"Description": "What the analysis found.", "Levels": {"walking": "A walking bout."}}}
    _json(place / f"{stem}_events.json", about)


def _seconds(span_ns: int) -> str:
    return f"{span_ns / NS_PER_S:.3f}"


def _dataset(folder: Path, subject: str, session: str, first: Block, counts: _Counts) -> None:
    _json(
        folder / "dataset_description.json",
        {
            "Name": f"Recording of {first.wearer}",
            "BIDSVersion": "1.11.1",
            "DatasetType": "raw",
            "License": "n/a",
            "Authors": ["n/a"],
            "GeneratedBy": [{"Name": "Sagittal", "Version": __version__}],
        },
    )
    (folder / "README.md").write_text(f"# Recording of {first.wearer}\n\n{NOTICE}\n", encoding="utf-8")
    _tsv(folder / "participants.tsv", ("participant_id", "pseudonym"), [(f"sub-{subject}", first.wearer)])
    _json(folder / "participants.json", {"pseudonym": {"Description": "The wearer's name in the source."}})
    began = datetime.fromtimestamp(counts.start_ns // NS_PER_S, UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
    inside = f"motion/sub-{subject}_ses-{session}_task-{_TASK}_tracksys-imu_motion.tsv"
    scans = folder / f"sub-{subject}" / f"ses-{session}" / f"sub-{subject}_ses-{session}_scans.tsv"
    _tsv(scans, ("filename", "acq_time"), [(inside, began)])


def _tsv(path: Path, names: Sequence[str], rows: Iterable[Sequence[str]]) -> None:
    lines = ["\t".join(names), *("\t".join(row) for row in rows)]
    path.write_text("\n".join(lines) + "\n", encoding="utf-8")


def _json(path: Path, content: dict[str, Any]) -> None:
    path.write_text(json.dumps(content, indent=2) + "\n", encoding="utf-8")
