"""Postures of simulated people: the right label, nothing that was not there, sides, events, more than one sensor."""

from __future__ import annotations

import json

import numpy as np
import pytest

import analytics
from analytics import SensorRecording
from sagittal.names import Site
from simulators.acts import hold, walk
from tests.posture.simulated import DAY, LEAD, analysed, at, blocks, last_word, middle, recording, rms, sensors, through

SEEDS = (1, 2, 3, 4)
EXPECTED = {
    0: "standing",
    1: "walking",
    2: "standing",
    3: "bending",
    4: "standing",
    6: "standing",
    7: "sitting",
    8: "standing",
    9: "sitting",
    10: "lying",
    11: "lying",
    12: "lying",
    13: "sitting",
    14: "standing",
}


@pytest.mark.parametrize("seed", SEEDS)
def test_every_posture_is_named(seed: int) -> None:
    found = analysed(seed)
    json.dumps(found, allow_nan=False)
    named = {place: at(found, middle(DAY, place))[0] for place in EXPECTED}
    assert named == EXPECTED
    assert {span["posture"] for span in found["posture"]} <= {*EXPECTED.values(), "squatting", "transition"}


def test_squats_are_squats_more_often_than_not_and_never_a_seat() -> None:
    seen = [at(analysed(seed), middle(DAY, 5))[0] for seed in SEEDS]
    assert "sitting" not in seen
    assert seen.count("squatting") >= len(SEEDS) // 2


@pytest.mark.parametrize("seed", SEEDS)
def test_lying_says_on_which_side_once_forward_is_known(seed: int) -> None:
    found = analysed(seed)
    assert [at(found, middle(DAY, place))[1] for place in (10, 11, 12)] == ["supine", "left side", "right side"]


@pytest.mark.parametrize("seed", SEEDS)
def test_what_happened_becomes_events(seed: int) -> None:
    events = [event["event"] for event in analysed(seed)["events"]]
    assert events.count("stand_to_sit") >= 2
    assert events.count("sit_to_stand") >= 2
    assert 1 <= events.count("bend") <= 2
    rises = [event for event in analysed(seed)["events"] if event["event"] == "sit_to_stand" and event["duration_s"]]
    assert all(0.5 < event["duration_s"] < 6.0 for event in rises)


@pytest.mark.parametrize("turn", ["upside down", "across", "in front"])
def test_any_mounting_gives_the_same_labels(turn: str) -> None:
    matrix = {
        "upside down": np.diag([-1.0, -1.0, 1.0]),
        "across": np.array([[0.0, 1.0, 0.0], [-1.0, 0.0, 0.0], [0.0, 0.0, 1.0]]),
        "in front": np.diag([1.0, -1.0, -1.0]),
    }[turn]
    one = recording(1).sites[LEAD]
    turned = SensorRecording(one.time_s, one.acc @ matrix.T, one.gyr @ matrix.T)
    found = analytics.analyze({"lower_back": turned}).to_dict()
    assert {place: at(found, middle(DAY, place))[0] for place in EXPECTED} == EXPECTED


def test_an_offset_accelerometer_changes_no_label() -> None:
    one = recording(2).sites[LEAD]
    offset = SensorRecording(one.time_s, one.acc + np.array([0.6, -0.5, 0.7]), one.gyr)
    found = analytics.analyze({"lower_back": offset}).to_dict()
    assert {place: at(found, middle(DAY, place))[0] for place in EXPECTED} == EXPECTED


TWO_TRUNK = (
    hold("stand", 6),
    walk(25),
    hold("stand", 5),
    hold("bend", 5),
    hold("stand", 4),
    hold("reach_side", 6),
    hold("stand", 4),
    hold("sit_slouched", 15),
)


@pytest.mark.parametrize("seed", [1, 4])
def test_two_trunk_sensors_tell_lumbar_bends(seed: int) -> None:
    found = recording(seed, TWO_TRUNK, (LEAD, Site.UPPER_TRUNK))
    rows = last_word(through(blocks(found)))
    time_s, truth = found.sites[LEAD].time_s, found.truth
    flexion = truth.trunk_flexion_deg - truth.pelvis_flexion_deg
    lateral = truth.trunk_lateral_deg - truth.pelvis_lateral_deg
    walking = (time_s > 10) & (time_s < 28)
    errors: list[tuple[float, float]] = []
    for row in rows:
        now = (time_s >= row.t_ns / 1e9) & (time_s < row.t_ns / 1e9 + 1)
        if row.lumbar_flexion_deg is not None and row.lumbar_lateral_deg is not None and row.t_ns > 32e9:
            bent = row.lumbar_flexion_deg - (flexion[now].mean() - flexion[walking].mean())
            aside = row.lumbar_lateral_deg - (lateral[now].mean() - lateral[walking].mean())
            errors.append((float(bent), float(aside)))
    assert len(errors) > 25
    print(f"lumbar flexion {rms([a for a, _ in errors]):.2f} deg, lateral {rms([b for _, b in errors]):.2f} deg RMS")
    assert rms([a for a, _ in errors]) < 4.0
    assert rms([b for _, b in errors]) < 4.0


def test_a_thigh_sensor_tells_standing_from_sitting_where_no_move_was_seen() -> None:
    acts = (hold("stand", 4), walk(12), hold("stand", 4), hold("sit", 30))
    found = recording(3, acts, (LEAD, Site.THIGH_LEFT))
    alone = {str(LEAD): sensors(found)[str(LEAD)]}
    together = analytics.analyze(sensors(found)).to_dict()
    assert at(together, 45.0)[0] == "sitting"
    late = {
        name: SensorRecording(*(np.asarray(part)[3000:] for part in (one.time_s, one.acc, one.gyr)))
        for name, one in alone.items()
    }
    label, detail = at(analytics.analyze(late).to_dict(), 45.0)
    assert (label, detail) == ("standing", "standing or sitting")


@pytest.mark.parametrize("seed", [2, 4])
def test_a_sleeper_is_worn(seed: int) -> None:
    acts = (hold("stand", 6), walk(15), hold("sit", 10), hold("lie_on_back", 400))
    found = analysed(seed, acts)
    assert "not_worn" not in {event["event"] for event in found["events"]}
    assert at(found, 200.0) == at(found, 425.0) == ("lying", "supine")


def test_a_sensor_on_a_table_is_not_worn_and_a_still_sitter_is() -> None:
    acts = (hold("sit", 60), hold("on_table", 200))
    found = analysed(5, acts)
    assert at(found, 250.0)[0] == "not_worn"
    assert "not_worn" in {event["event"] for event in found["events"]}
    still = analysed(5, (hold("sit_at_desk", 240),))
    assert "not_worn" not in {span["posture"] for span in still["posture"]}
