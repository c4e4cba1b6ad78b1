"""`analyze` on simulated recordings: found what is there, refused what can't be right, null with reasons."""

from __future__ import annotations

import json
from dataclasses import replace
from functools import cache
from itertools import islice
from pathlib import Path

import numpy as np
import pytest

import analytics
from analytics import SensorRecording
from analytics.analysis import read_recording
from sagittal.blocks import unpack_int16
from sagittal.codec import append_block
from sagittal.errors import NameRefused, RecordingError, SettingsError
from sagittal.names import Site
from tests.pipeline.test_pipeline import cut
from tests.simulated import ACC_SCALE, GYR_SCALE, chunks


@cache
def wearing(seconds: int = 45) -> SensorRecording:
    found = list(islice(chunks(0, 0, 100.0), 10 * seconds))
    acc = np.array([unpack_int16(chunk.acc) for chunk in found]).reshape(-1, 3) * ACC_SCALE
    gyr = np.array([unpack_int16(chunk.gyr) for chunk in found]).reshape(-1, 3) * GYR_SCALE
    return SensorRecording(time_s=5.0 + np.arange(len(acc)) / 100.0, acc=acc, gyr=gyr)


def changed(**what: object) -> SensorRecording:
    whole = wearing()
    kept = {"time_s": whole.time_s, "acc": whole.acc, "gyr": whole.gyr}
    return SensorRecording(**{**kept, **what})  # type: ignore[arg-type]


def test_a_recording_says_what_the_wearer_did() -> None:
    found = analytics.analyze({"lower_back": wearing()}, height_m=1.75).to_dict()
    json.dumps(found, allow_nan=False)
    (bout,) = found["walking_bouts"]
    assert bout["start_s"] == pytest.approx(12.0, abs=1)
    assert bout["end_s"] == pytest.approx(34.0, abs=1.5)
    assert bout["cadence_spm"] == pytest.approx(111, abs=2)
    assert {one["side"] for one in bout["initial_contacts"]} == {"left", "right"}
    every = found["initial_contacts"]
    assert [one["time_s"] for one in every] == sorted({one["time_s"] for one in every})
    assert [one["time_s"] for one in every if one["in_bout"]] == [one["time_s"] for one in bout["initial_contacts"]]
    assert all(one["time_s"] > bout["end_s"] for one in every if not one["in_bout"])
    labels = [span["posture"] for span in found["posture"]]
    assert "walking" in labels
    assert found["posture"][0]["start_s"] == pytest.approx(5.0, abs=0.02)
    assert all(a["end_s"] <= b["start_s"] + 1e-6 for a, b in zip(found["posture"], found["posture"][1:], strict=False))
    assert found["compensation_score"] is not None or found["compensation_reason"]
    assert "orientation" not in found
    assert found["quality"]["lower_back"]["samples"] == 4500


def test_orientation_has_one_quaternion_a_sample_on_its_time() -> None:
    acc = np.array(wearing().acc)
    acc[100:103] = np.nan
    found = analytics.analyze({"waist": changed(acc=acc)}, orientation=True).to_dict()
    turned = found["orientation"]["waist"]
    assert turned["time_s"] == np.asarray(wearing().time_s).tolist()
    quat = np.array(turned["quat_wxyz"])
    assert quat.shape == (4500, 4)
    assert np.allclose(np.linalg.norm(quat, axis=1), 1.0)
    assert found["quality"]["waist"]["rows_without_numbers"] == 3
    json.dumps(found, allow_nan=False)


def test_numbers_missing_and_time_stepping_back_are_results_not_errors() -> None:
    time_s = np.array(wearing().time_s)
    time_s[2000:] -= 3.0
    found = analytics.analyze({"pelvis": changed(time_s=time_s)}).to_dict()
    assert found["quality"]["pelvis"]["steps_back"] == 1
    acc = np.array(wearing().acc)
    acc[1500:1700] = np.nan
    found = analytics.analyze({"pelvis": changed(acc=acc)}).to_dict()
    assert found["quality"]["pelvis"]["gaps_restarted"] == 1
    assert len(found["walking_bouts"]) == 2


@pytest.mark.parametrize(
    ("broken", "words"),
    [
        ({"acc": np.asarray(wearing().acc) / 9.80665}, "9.80665"),
        ({"gyr": np.degrees(np.asarray(wearing().gyr)) * 3}, "degrees"),
        ({"acc": np.zeros((4500, 3))}, "m/s"),
        ({"acc": np.zeros((10, 3))}, "same n"),
        ({"time_s": np.full(4500, np.nan)}, "0 usable samples"),
    ],
)
def test_what_cannot_be_right_is_refused(broken: dict[str, object], words: str) -> None:
    with pytest.raises(RecordingError, match=words):
        analytics.analyze({"lower_back": changed(**broken)})


def test_sites_and_heights_are_checked() -> None:
    with pytest.raises(RecordingError, match="lower_back, pelvis, waist"):
        analytics.analyze({"thigh_left": wearing()})
    with pytest.raises(NameRefused, match="elbow"):
        analytics.analyze({"elbow": wearing()})
    with pytest.raises(SettingsError, match="height_m"):
        analytics.analyze({"lower_back": wearing()}, height_m=17.5)


def write_csv(path: Path, header: str = "time_s,acc_x,acc_y,acc_z,gyr_x,gyr_y,gyr_z") -> Path:
    table = np.column_stack((np.asarray(wearing().time_s), np.asarray(wearing().acc), np.asarray(wearing().gyr)))
    np.savetxt(path, table, delimiter=",", header=header, comments="", fmt="%.9g")
    return path


def test_a_csv_and_a_cborseq_give_the_same_walk(tmp_path: Path) -> None:
    from_csv = analytics.analyze({"lower_back": read_recording(write_csv(tmp_path / "a.csv"), Site.LOWER_BACK)})
    with (tmp_path / "a.cborseq").open("wb") as stream:
        for block in cut([50] * 90, 100.0):
            append_block(stream, block)
    from_blocks = analytics.analyze({"lower_back": read_recording(tmp_path / "a.cborseq", Site.LOWER_BACK)})
    (a,), (b,) = from_csv.walking_bouts, from_blocks.walking_bouts
    assert a["cadence_spm"] == pytest.approx(b["cadence_spm"], abs=0.5)


def test_a_torn_end_is_told_and_the_rest_is_read(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    file = tmp_path / "a.cborseq"
    with file.open("wb") as stream:
        for block in cut([50] * 4, 100.0):
            append_block(stream, block)
    file.write_bytes(file.read_bytes()[:-100])
    assert np.shape(read_recording(file, Site.LOWER_BACK).time_s) == (150,)
    assert "torn" in caplog.text


def test_a_recording_without_angular_rates_is_refused_and_a_part_without_is_a_gap(tmp_path: Path) -> None:
    blocks = list(cut([50] * 4, 100.0))
    bare = [replace(block, gyr=None, gyr_scale=None) for block in blocks]
    for name, some in (("none.cborseq", bare), ("part.cborseq", [*blocks[:2], *bare[2:]])):
        with (tmp_path / name).open("wb") as stream:
            for block in some:
                append_block(stream, block)
    with pytest.raises(RecordingError, match="gyroscope"):
        read_recording(tmp_path / "none.cborseq", Site.LOWER_BACK)
    assert np.isnan(np.asarray(read_recording(tmp_path / "part.cborseq", Site.LOWER_BACK).gyr)).all(axis=1).sum() == 100


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("", "first line"),
        ("time,ax,ay,az,gx,gy,gz\n1,2,3,4,5,6,7\n", "first line"),
        ("time_s,acc_x,acc_y,acc_z,gyr_x,gyr_y,gyr_z\n", "no samples"),
        ("time_s,acc_x,acc_y,acc_z,gyr_x,gyr_y,gyr_z\n1,2,3,four,5,6,7\n", "no number"),
        ("time_s,acc_x,acc_y,acc_z,gyr_x,gyr_y,gyr_z\n1,2,3\n", "columns"),
    ],
)
def test_a_csv_of_another_kind_is_refused(tmp_path: Path, text: str, words: str) -> None:
    (tmp_path / "a.csv").write_text(text)
    with pytest.raises(RecordingError, match=words):
        read_recording(tmp_path / "a.csv", Site.LOWER_BACK)


def test_a_missing_file_is_refused(tmp_path: Path) -> None:
    with pytest.raises(RecordingError, match="can't be read"):
        read_recording(tmp_path / "none.csv", Site.LOWER_BACK)
