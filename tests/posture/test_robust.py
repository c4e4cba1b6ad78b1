"""Whatever comes in: results with reasons, the same for every cutting, at any rate, never an exception."""

from __future__ import annotations

import json

import numpy as np
import pytest

import analytics
from analytics import SensorRecording
from analytics.analysis import blocks_of
from analytics.pipeline import command, dump_state, finish, initial_state, load_state, step
from sagittal.blocks import Block
from sagittal.messages import Command
from sagittal.names import PostureLabel, Site
from sagittal.results import Angles, Event, Minute, Posture, Result
from sagittal.settings import Wearer
from sagittal.units import NS_PER_S
from simulators.acts import hold, walk
from simulators.recording import record
from tests.posture.simulated import LEAD, blocks, last_word, recording, through

SHORT = (
    hold("stand", 5),
    hold("sit", 8),
    hold("stand", 5),
    walk(12),
    hold("stand", 4),
    hold("bend", 4),
    hold("stand", 4),
)


def again(found_blocks: list[Block], size: int) -> list[Block]:
    """The lead's samples in blocks of another size."""
    one = recording(6, SHORT).sites[LEAD]
    every = []
    for seq, start in enumerate(range(0, len(one.time_s), size)):
        part = slice(start, start + size)
        whole = found_blocks[0]
        acc = np.round(one.acc[part] / whole.acc_scale).astype("<i2").tobytes()
        gyr = np.round(one.gyr[part] / (whole.gyr_scale or 1.0)).astype("<i2").tobytes()
        times = np.round(one.time_s[part] * NS_PER_S).astype(np.int64)
        every.append(
            Block(
                wearer="recording",
                site=LEAD,
                device="recording",
                boot_id=b"recorded",
                seq=seq,
                t0_ns=int(times[0]),
                dt_ns=whole.dt_ns,
                n=len(times),
                acc=acc,
                acc_scale=whole.acc_scale,
                gyr=gyr,
                gyr_scale=whole.gyr_scale,
                clock=whole.clock,
                offsets_ns=(times - times[0]).astype("<u4").tobytes(),
                head=seq == 0,
            )
        )
    return every


@pytest.mark.parametrize("size", [7, 250, 400])
def test_cutting_and_restarts_change_no_word_of_posture(size: int) -> None:
    usual = blocks(recording(6, SHORT))
    state, results = initial_state(Wearer(id="w1")), []
    for at, block in enumerate(again(usual, size)):
        state, found = step(state, block)
        results += found
        if at % 5 == 3:
            state = load_state(dump_state(state))
    state, found = finish(state)
    assert [*results, *found] == whole()


def whole() -> list[Result]:
    """The same in the usual blocks."""
    return through(again(blocks(recording(6, SHORT)), 100))


def test_the_last_word_on_the_seconds_is_what_minutes_sum_up() -> None:
    rows = last_word(whole())
    summed: dict[str, float] = {}
    for minute in {one.t_ns: one for one in whole() if isinstance(one, Minute)}.values():
        for label, seconds in minute.exposure.posture_s.items():
            summed[label] = summed.get(label, 0.0) + seconds
    assert summed == {str(label): sum(row.posture is label for row in rows) for label in {row.posture for row in rows}}


def test_what_is_said_again_comes_before_the_newest_second() -> None:
    newest = -NS_PER_S
    for one in whole():
        if isinstance(one, Angles):
            assert one.t_ns >= newest
            newest = one.t_ns
    seconds = [one.t_ns for one in whole() if isinstance(one, Posture)]
    assert len(seconds) > len(set(seconds))
    assert seconds[-1] == max(seconds)


@pytest.mark.parametrize("rate_hz", [25.0, 50.0, 200.0, 400.0])
def test_any_rate_gives_the_same_postures(rate_hz: float) -> None:
    one = record(SHORT, seed=6, rate_hz=rate_hz).sites[LEAD]
    found = analytics.analyze({"waist": SensorRecording(one.time_s, one.acc, one.gyr)}).to_dict()
    labels = {span["posture"] for span in found["posture"]}
    assert labels == {"standing", "sitting", "walking", "bending", "transition"}


def broken(name: str) -> SensorRecording:
    one = recording(6, SHORT).sites[LEAD]
    acc, gyr, time_s = one.acc.copy(), one.gyr.copy(), one.time_s.copy()
    match name:
        case "stuck axis":
            acc[1000:, 1] = acc[1000, 1]
        case "stuck sensor":
            acc[800:], gyr[800:] = acc[800], gyr[800]
        case "clipped":
            acc, gyr = np.clip(acc, -12.0, 12.0), np.clip(gyr, -0.5, 0.5)
        case "dropped":
            acc[1500:1504] = 150.0
            gyr[1500:1560] = 20.0
        case "holes":
            acc[700:760] = np.nan
            acc[2000:2003] = np.nan
        case "back in time":
            time_s[2000:] -= 5.0
        case "ten seconds":
            acc, gyr, time_s = acc[:1000], gyr[:1000], time_s[:1000]
        case "half a second":
            acc, gyr, time_s = acc[:50], gyr[:50], time_s[:50]
        case "no gyroscope":
            gyr[:] = 0.0
        case "shaken":
            acc += np.random.default_rng(1).normal(0, 6, acc.shape)
            gyr += np.random.default_rng(2).normal(0, 3, gyr.shape)
    return SensorRecording(time_s, acc, gyr)


BROKEN = (
    "stuck axis",
    "stuck sensor",
    "clipped",
    "dropped",
    "holes",
    "back in time",
    "ten seconds",
    "half a second",
    "no gyroscope",
    "shaken",
)


@pytest.mark.parametrize("name", BROKEN)
def test_a_flawed_recording_is_a_result(name: str) -> None:
    found = analytics.analyze({"lower_back": broken(name)}).to_dict()
    json.dumps(found, allow_nan=False)
    assert all(0.0 <= span["confidence"] <= 1.0 for span in found["posture"])
    if name != "half a second":
        assert found["posture"]


def test_a_shaken_sensor_is_unknown_not_guessed() -> None:
    labels = {span["posture"] for span in analytics.analyze({"lower_back": broken("shaken")}).to_dict()["posture"]}
    assert labels <= {"unknown", "transition", "walking"}


def test_absent_angles_have_their_reason() -> None:
    rows = last_word(through([*blocks_of(broken("ten seconds"), LEAD)]))
    assert rows
    assert all(row.flexion_deg is None and row.angle_reason for row in rows)


def test_calibrations_on_request_are_heard_and_saved() -> None:
    acts = (hold("stand", 14), hold("bend", 6), hold("stand", 4), hold("bend", 6), hold("stand", 4), hold("bend", 6))
    state, results = initial_state(Wearer(id="w1")), []
    for at, block in enumerate(blocks(record((*acts, hold("stand", 4), hold("bend", 6), hold("stand", 6)), seed=3))):
        state, found = step(state, block)
        results += found
        method = {1: "stand", 12: "bends"}.get(at)
        if method:
            wish = Command(
                id=f"wish-{at:08d}", t_ns=block.t0_ns, wearer="w1", verb="calibrate", values={"method": method}
            )
            state, _ = command(load_state(dump_state(state)), wish)
    events = [one for one in results if isinstance(one, Event) and one.event.startswith("calibrat")]
    assert [one.event for one in events] == ["calibrated", "calibrated"]
    assert events[0].tags == ["pose"]
    assert (events[1].values["range_deg"] or 0.0) > 40.0
    bent = [row for row in last_word(results) if row.posture is PostureLabel.BENDING and row.slouch_percent is not None]
    assert bent
    assert max(row.slouch_percent or 0.0 for row in bent) > 70.0


def test_a_missing_second_sensor_does_not_hold_up_the_first() -> None:
    found = recording(6, SHORT, (LEAD, Site.UPPER_TRUNK))
    every = blocks(found)
    without = [block for block in every if block.site is LEAD or block.t0_ns < 20 * NS_PER_S]
    state, newest, lead = initial_state(Wearer(id="w1")), 0, 0
    for block in without:
        state, results = step(state, block)
        newest = max([newest, *(one.t_ns for one in results if isinstance(one, Posture))])
        lead = max(lead, block.t0_ns)
    assert lead - newest <= 10 * NS_PER_S


def test_a_slipped_sensor_is_told_and_calibrated_anew() -> None:
    acts = (hold("stand", 5), walk(25), hold("stand", 6), walk(25), hold("stand", 12))
    one = record(acts, seed=4).sites[LEAD]
    cosine, sine = np.cos(np.radians(20.0)), np.sin(np.radians(20.0))
    slip = np.array([[cosine, 0.0, sine], [0.0, 1.0, 0.0], [-sine, 0.0, cosine]])
    acc, gyr = one.acc.copy(), one.gyr.copy()
    acc[3300:], gyr[3300:] = acc[3300:] @ slip.T, gyr[3300:] @ slip.T
    found = analytics.analyze({"lower_back": SensorRecording(one.time_s, acc, gyr)}).to_dict()
    told = [event["event"] for event in found["events"] if event["event"] in ("calibrated", "sensor_moved")]
    assert told == ["calibrated", "sensor_moved", "calibrated"]
    rows = last_word(through([*blocks_of(SensorRecording(one.time_s, acc, gyr), LEAD)]))
    late = [row.flexion_deg for row in rows[-4:] if row.flexion_deg is not None]
    assert late
    assert max(map(abs, late)) < 8.0
