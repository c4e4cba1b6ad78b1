"""The first simulated wearer: its gyroscope and accelerometer tell the same story, and a restart goes on with it."""

from __future__ import annotations

from itertools import islice

import numpy as np
import vqf

from sagittal.blocks import unpack_int16
from sagittal.names import PostureLabel
from sagittal.units import NS_PER_S
from simulators.first import ACC_SCALE, GYR_SCALE, SCHEDULE, Chunk, act_at, chunks


def rows(found: list[Chunk], name: str, scale: float) -> np.ndarray:
    return np.array([unpack_int16(getattr(chunk, name)) for chunk in found], float).reshape(-1, 3) * scale


def test_the_inclination_that_a_filter_finds_is_the_one_that_was_simulated() -> None:
    found = list(islice(chunks(0, 0, 100.0), 760))
    acc, gyr = rows(found, "acc", ACC_SCALE), rows(found, "gyr", GYR_SCALE)
    quat = vqf.VQF(0.01).updateBatch(gyr, acc)["quat6D"]
    w, x, y, z = quat.T
    up = np.c_[2 * (x * z - w * y), 2 * (y * z + w * x), 1 - 2 * (x * x + y * y)]
    flexion = np.degrees(np.arctan2(-up[:, 2], up[:, 0]))
    offset = flexion[300] - SCHEDULE[0].flexion_deg
    assert abs(offset) < 15, "the sensor sits a little askew"
    for second in range(4, 76):
        act, _, since_s, left_s = act_at(second)
        if since_s > 2.5 and left_s > 0.5 and act.posture is not PostureLabel.WALKING:
            assert abs(flexion[second * 100] - offset - act.flexion_deg) < 2


def test_a_restart_goes_on_where_the_schedule_stands() -> None:
    late = 13 * NS_PER_S
    whole = rows(list(islice(chunks(0, 0, 100.0), 200)), "acc", ACC_SCALE)[1300:]
    again = rows(list(islice(chunks(0, late, 100.0), 70)), "acc", ACC_SCALE)
    assert np.abs(whole[:700] - again).max() < 0.5, "the same motion but for the noise"


def test_the_same_arguments_give_the_same_samples() -> None:
    assert list(islice(chunks(5, 9, 50.0, seed=3), 20)) == list(islice(chunks(5, 9, 50.0, seed=3), 20))
