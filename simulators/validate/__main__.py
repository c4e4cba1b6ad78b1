"""`python -m simulators.validate`: the tables of docs/simulator.md, made anew."""

from __future__ import annotations

import argparse
import os
import sys
from collections.abc import Callable, Iterable, Sequence
from pathlib import Path

from sagittal.names import Site
from simulators.validate import _recordings as recordings
from simulators.validate._compare import REPEATS, Row, auc, halves, place
from simulators.validate._features import ACCELERATION, GYROSCOPE, UNITS, Walked, features
from simulators.validate._legs import LEG_FEATURES, leg_features
from simulators.validate._plots import plot
from simulators.validate._simulated import impaired, on_treadmill, population

_ALL = (*ACCELERATION, *GYROSCOPE)
_REACH = {"accelerations": 0.75, "with gyroscope": 0.85}
Measure = Callable[[Walked], dict[str, float] | None]


def main() -> int:
    """Compare, print, and say by the exit status whether everything is within reach."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--people", type=int, default=51, help="healthy people to simulate, three walks each")
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--half", choices=("tune", "judge"), help="real people of one half alone; healthy walks only")
    parser.add_argument("--plots", type=Path, help="write SVG figures into this folder")
    asked = parser.parse_args()
    folder = Path(os.environ.get("SAGITTAL_DATA", ""))
    if not (folder / "healthy_walk").is_dir():
        sys.stderr.write(
            "SAGITTAL_DATA names no folder of reference recordings: set it, such as SAGITTAL_DATA=~/data\n"
        )
        return 2
    people = (one for one in recordings.healthy(folder) if asked.half in (None, recordings.half_of(one.person)))
    real = _rows(((one.person, one.walked) for one in people), features)
    simulated = _rows(population(asked.seed, asked.people, 3), features)
    good = _table("healthy walks, lower back", _ALL, real, simulated)
    for title, names in (("accelerations", ACCELERATION), ("with gyroscope", _ALL)):
        low, middle, high = auc(names, real, simulated, asked.seed)
        own = halves(names, real, asked.seed)
        print(
            f"AUC, {len(names)} features, {title}: {middle:.2f} ({low:.2f} to {high:.2f} over {REPEATS} splits), "
            f"to reach: {_REACH[title]} or less; halves of the real people {own[1]:.2f} ({own[0]:.2f} to {own[2]:.2f})"
        )
        good &= middle <= _REACH[title]
    _relation("cadence and vertical RMS", real, simulated)
    if asked.half:
        return 0 if good else 1
    for title, found, made in _others(folder, asked.seed):
        _table(title, _ALL, found, made)
    for site in (Site.SHANK_LEFT, Site.THIGH_LEFT):
        for condition, stiff in (("Baseline", False), ("StiffKnee", True)):
            there = _rows(
                ((one.person, one.walked) for one in recordings.treadmill(folder, condition, site)), leg_features
            )
            _table(
                f"{site}, treadmill, {condition}",
                LEG_FEATURES,
                there,
                _rows(on_treadmill(asked.seed, 12, stiff=stiff, site=site), leg_features),
            )
    if asked.plots:
        for path in plot(asked.plots, real, simulated):
            print(f"wrote {path}")
    return 0 if good else 1


def _others(folder: Path, seed: int) -> Iterable[tuple[str, list[Row], list[Row]]]:
    stroke = ((one.person, one.walked) for one in recordings.after_stroke(folder))
    yield (
        "after a stroke, beside limps and unsteady walks",
        _rows(stroke, features),
        _rows(impaired(seed, 24), features),
    )
    for condition, stiff in (("Baseline", False), ("StiffKnee", True)):
        found = ((one.person, one.walked) for one in recordings.treadmill(folder, condition, "pelvis"))
        made = _rows(on_treadmill(seed, 16, stiff=stiff), features)
        yield f"treadmill 0.75 m/s, pelvis, {condition}", _rows(found, features), made


def _rows(walks: Iterable[tuple[str, Walked]], measure: Measure) -> list[Row]:
    found = ((who, measure(walked)) for who, walked in walks)
    return [(who, row) for who, row in found if row is not None]


def _table(title: str, names: Sequence[str], real: Sequence[Row], simulated: Sequence[Row]) -> bool:
    people = len({who for who, _ in real})
    print(f"\n{title}: {len(real)} real walks of {people} people, {len(simulated)} simulated")
    print(f"{'feature':14s} {'real 5/50/95 %':>25s} {'simulated 5/50/95 %':>25s} {'percentile':>11s}")
    inside = 0
    for one in place(names, real, simulated):
        bands = (" ".join(f"{value:8.2f}" for value in band) for band in (one.real, one.simulated))
        mark = "" if one.inside else "  outside"
        print(f"{one.name:14s} {next(bands)} {next(bands)} {one.percentile:10.0f}{mark}  {UNITS.get(one.name, '')}")
        inside += one.inside
    print(f"medians within the real 5-95 % band: {inside} of {len(names)}")
    return inside == len(names)


def _relation(title: str, real: Sequence[Row], simulated: Sequence[Row]) -> None:
    import numpy as np

    for name, rows in (("real", real), ("simulated", simulated)):
        cadence, rms = (np.log([row[one] for _, row in rows]) for one in ("cadence", "rms_V"))
        slope = float(np.polyfit(cadence, rms, 1)[0])
        print(f"{title}, {name}: RMS ∝ cadence^{slope:.1f}, r {np.corrcoef(cadence, rms)[0, 1]:.2f}")


if __name__ == "__main__":
    sys.exit(main())
