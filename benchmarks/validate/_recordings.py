"""Reference recordings through `analytics.analyze`, two at a time, each way of wearing the sensor once."""

from __future__ import annotations

import importlib.util
import sys
from collections.abc import Mapping
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass
from functools import cache
from itertools import repeat
from multiprocessing import get_context
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from analytics import SensorRecording, analyze
from sagittal.names import PRIMARY_SITES, Site

FloatArray = NDArray[np.float64]

WORKERS = 2
CHANGES = ("as recorded", "turned at random", "upside down", "worn in front", "mirrored")
_OTHER_SITES = {"broad": "lower_back", "posture_adl": "waist"}
"""The site a set's only sensor is analysed as, where its own name is no site."""


@dataclass(frozen=True)
class Judged:
    """One recording with its reference, and all that `analyze` said about it (`to_dict`)."""

    name: str
    meta: dict[str, Any]
    ref: dict[str, Any]
    record: Any
    found: dict[str, Any]

    @property
    def person(self) -> str:
        """Whose recording it is."""
        return str(self.meta["subject"])


def reader(data: Path) -> Any:
    """The `recordings` module that lies beside the data."""
    name = "sagittal_reference_recordings"
    if name not in sys.modules:
        spec = importlib.util.spec_from_file_location(name, data / "recordings.py")
        if spec is None or spec.loader is None:
            raise SystemExit(f"{data} holds no recordings.py: SAGITTAL_DATA must name the folder of recordings")
        module = importlib.util.module_from_spec(spec)
        sys.modules[name] = module
        spec.loader.exec_module(module)
    return sys.modules[name]


def sensors(record: Any, set_name: str, change: str = "as recorded") -> dict[str, SensorRecording]:
    """The sites that `analyze` knows, each in its own time; feet serve as reference only."""
    found = {}
    for place, acc in record.acc.items():
        site = _OTHER_SITES.get(set_name, place)
        if site not in {str(one) for one in Site}:
            continue
        time_s = times(record, place)
        a, g = changed(acc, record.gyr[place], change, f"{record.name}/{place}")
        found[mirrored_site(site) if change == "mirrored" else site] = SensorRecording(time_s, a, g)
    return found


def times(record: Any, place: str) -> FloatArray:
    """Seconds of every sample from the sensor's own clock, the packet counter or the rate."""
    if place in record.t:
        return np.asarray(record.t[place], dtype=float)
    if record.packet is not None:
        return np.asarray(record.packet - record.packet[0], dtype=float) / float(record.fs)
    return np.arange(len(record.acc[place])) / float(record.fs)


def changed(acc: FloatArray, gyr: FloatArray, change: str, name: str) -> tuple[FloatArray, FloatArray]:
    """The samples as another way of wearing the sensor, or another body, would have given them."""
    if change == "turned at random":
        turn = _any_rotation(np.random.default_rng(int.from_bytes(name.encode(), "little") % 2**32))
        return acc @ turn.T, gyr @ turn.T
    if change == "upside down":  # half a turn about the third axis: x and y point the other way
        half = np.array([-1.0, -1.0, 1.0])
        return acc * half, gyr * half
    if change == "worn in front":  # half a turn about the first axis, which points up in these sets
        half = np.array([1.0, -1.0, -1.0])
        return acc * half, gyr * half
    if change == "mirrored":  # a mirror turns one axis of acceleration and the other two of angular rate
        return acc * np.array([1.0, -1.0, 1.0]), gyr * np.array([-1.0, 1.0, -1.0])
    return acc, gyr


def mirrored_site(site: str) -> str:
    """Left for right."""
    side = {"left": "right", "right": "left"}
    place, _, last = site.rpartition("_")
    return f"{place}_{side[last]}" if last in side else site


def _any_rotation(rng: np.random.Generator) -> FloatArray:
    q, r = np.linalg.qr(rng.normal(size=(3, 3)))
    q = q * np.sign(np.diag(r))
    return np.asarray(q * np.linalg.det(q))


@cache
def analysed(
    data: Path, set_name: str, change: str = "as recorded", primary_only: bool = False, orientation: bool = False
) -> tuple[Judged, ...]:
    """Every recording of a set, analysed as it is or changed; kept for the other sections."""
    names = reader(data).names(set_name)
    jobs = [repeat(x) for x in (data, set_name, change, primary_only, orientation)]
    with ProcessPoolExecutor(WORKERS, mp_context=get_context("spawn")) as pool:
        found = list(pool.map(_analyse, names, *jobs))
    records = [reader(data).load(name) for name in names]
    return tuple(
        Judged(name, one.meta, one.ref, one, what) for name, one, what in zip(names, records, found, strict=True)
    )


def _analyse(
    name: str, data: Path, set_name: str, change: str, primary_only: bool, orientation: bool
) -> dict[str, Any]:
    record = reader(data).load(name)
    sites: Mapping[str, SensorRecording] = sensors(record, set_name, change)
    if primary_only:
        lead = next(site for site in PRIMARY_SITES if site in sites)
        sites = {lead: sites[lead]}
    meta = record.meta
    heights = {key: meta[key] for key in ("height_m", "sensor_height_m") if meta.get(key)}
    return analyze(sites, orientation=orientation, **heights).to_dict()


def people(judged: tuple[Judged, ...] | list[Judged]) -> str:
    """How many people and recordings a figure rests on."""
    return f"{len({one.person for one in judged})}, {len(judged)}"
