"""What the gait analysis remembers between two seconds: bounded, plain, exact to save and restore."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from analytics import _mounting as mounting_of
from analytics._mounting import Mounting, no_mounting
from analytics._window import GRID_HZ, FloatArray
from analytics.gait._runs import Run, no_run
from analytics.gait._table import COLUMNS

SAMPLES = 9


@dataclass(frozen=True)
class GaitState:
    """State between hops; make it with `new_state`, save it with `to_dict`.

    Attributes
    ----------
    start
        Grid row of the first buffered sample.
    seconds
        Buffered samples, one (100, 9) array of acc, gyr, up in the sensor frame a second; at most some 38 of them.
    decided
        Grid row up to which contacts are final.
    walked, active, quiet
        Hops since walking was last seen to go on, whether anything has moved since the last analysis, and hops since
        anything moved.
    mounting
        What walking has told of the mounting; outlives segments and can be saved with the wearer.
    run, turns
        The open run of walking and the turns since it began, (k, 3) start row, end row, degrees.
    sensor_height_m
        Of the wearer, where known; None takes a usual adult's.
    """

    start: int = 0
    seconds: tuple[FloatArray, ...] = ()
    decided: int = 0
    walked: int = 1000
    active: bool = False
    quiet: int = 0
    mounting: Mounting = field(default_factory=no_mounting)
    run: Run = field(default_factory=no_run)
    turns: FloatArray = field(default_factory=lambda: np.zeros((0, 3)))
    sensor_height_m: float | None = None

    @property
    def end(self) -> int:
        """Grid row after the last buffered sample."""
        full = max(len(self.seconds) - 1, 0) * GRID_HZ
        return self.start + full + (len(self.seconds[-1]) if self.seconds else 0)


def new_state(mounting: Mounting | None = None, sensor_height_m: float | None = None) -> GaitState:
    """A state at the start of a wear; `mounting` as saved from an earlier one, `sensor_height_m` above the floor."""
    return GaitState(mounting=mounting or no_mounting(), sensor_height_m=sensor_height_m)


def to_dict(state: GaitState) -> dict[str, Any]:
    """The state as numbers, strings and arrays."""
    return {
        "start": state.start,
        "seconds": list(state.seconds),
        "decided": state.decided,
        "walked": state.walked,
        "active": state.active,
        "quiet": state.quiet,
        "mounting": mounting_of.to_dict(state.mounting),
        "run": {
            "table": state.run.table,
            "total": state.run.total,
            "best": state.run.best,
            "length": state.run.length,
            "told": state.run.told,
        },
        "turns": state.turns,
        "sensor_height_m": state.sensor_height_m,
    }


def from_dict(plain: Mapping[str, Any]) -> GaitState:
    """What `to_dict` gave, exactly; arrays may come back as lists."""
    run, height = plain["run"], plain["sensor_height_m"]
    return GaitState(
        start=int(plain["start"]),
        seconds=tuple(np.asarray(second, dtype=float).reshape(-1, SAMPLES) for second in plain["seconds"]),
        decided=int(plain["decided"]),
        walked=int(plain["walked"]),
        active=bool(plain["active"]),
        quiet=int(plain["quiet"]),
        mounting=mounting_of.from_dict(plain["mounting"]),
        run=Run(
            np.asfortranarray(np.asarray(run["table"], dtype=float).reshape(-1, len(COLUMNS))),
            float(run["total"]),
            float(run["best"]),
            int(run["length"]),
            bool(run["told"]),
        ),
        turns=np.asarray(plain["turns"], dtype=float).reshape(-1, 3),
        sensor_height_m=None if height is None else float(height),
    )
