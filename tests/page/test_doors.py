"""Exports held to their own validators, and to the rules that those let pass."""

from __future__ import annotations

import copy
import json
import math
import shutil
import struct
import subprocess
import sys
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from dashboards.doors import (
    data_points,
    discovery,
    fhir_bundle,
    home_state,
    lint_bundle,
    lint_discovery,
    lint_points,
    write_bids,
    write_parquet,
)
from dashboards.doors.homeassistant import link_state, nudge_event, wish_of
from sagittal.blocks import Block, pack_int16
from sagittal.errors import SagittalError
from sagittal.names import Site
from sagittal.results import Change, Day, Event, Walk
from sagittal.settings import Wearer
from sagittal.units import NS_PER_S
from tests.page.fakes import NOW_NS, VERSION, MemoryReader, a_day, a_walk, health, posture

WEARER = Wearer(id="w1", time_zone="Europe/Berlin")


@pytest.fixture
def stored() -> MemoryReader:
    reader = MemoryReader()
    a_day(reader, "w1")
    marks: dict[str, float | None] = {"pain_back": 4.0, "pain_knee_left": 1.0}
    reader.add("w1", Event(t_ns=NOW_NS, event="diary", key="a", values=marks, tags=["rest"], version=VERSION))
    return reader


def rows(reader: MemoryReader, kind: str) -> list[Any]:
    return list(reader.results("w1", kind, 0, 2**62))


@pytest.fixture
def bundle(stored: MemoryReader) -> dict[str, Any]:
    [day] = rows(stored, "day")
    change = Change(
        metric="walking_speed_mps", value=1.0, baseline=1.2, spread=0.05, detectable_change=0.1, days=9, changed=True
    )
    whole = replace(day, changes=[change], not_assessable={"stride_length_m": "no_sensor_height"})
    return fhir_bundle(WEARER, [whole], rows(stored, "event"), NOW_NS)


def test_the_bundle_passes_the_library_and_our_own_rules(bundle: dict[str, Any]) -> None:
    r4b = pytest.importorskip("fhir.resources.R4B.bundle")
    r4b.Bundle.model_validate(bundle)
    assert lint_bundle(bundle) == []
    kinds = [entry["resource"]["resourceType"] for entry in bundle["entry"]]
    assert kinds.count("Observation") == 11
    text = json.dumps(bundle)
    assert "41957-2" in text
    assert "no sensor height" in text


def observation(bundle: dict[str, Any], code: str) -> dict[str, Any]:
    for entry in bundle["entry"]:
        resource: dict[str, Any] = entry["resource"]
        if resource["resourceType"] == "Observation" and resource["code"]["coding"][0]["code"] == code:
            return resource
    pytest.fail(f"no observation {code}")


FLAWS: list[tuple[str, Callable[[dict[str, Any]], Any]]] = [
    ("no collection", lambda b: b.update(type="transaction")),
    ("bdl-7", lambda b: b["entry"].append(b["entry"][0])),
    ("bdl-3", lambda b: b["entry"][0].update(request={})),
    ("status", lambda b: observation(b, "bends").update(status="done")),
    ("no Patient", lambda b: observation(b, "bends").update(subject={"reference": "urn:uuid:0"})),
    ("no Device", lambda b: observation(b, "bends").update(device=observation(b, "bends")["subject"])),
    ("obs-6", lambda b: observation(b, "bends").update(dataAbsentReason={"text": "x"})),
    ("obs-3", lambda b: observation(b, "41957-2").update(referenceRange=[{}])),
    ("unit", lambda b: observation(b, "bends")["valueQuantity"].update(code="minutes")),
    ("period", lambda b: observation(b, "bends")["effectivePeriod"].update(end="2020-01-01T00:00:00Z")),
    ("without value", lambda b: observation(b, "posture-minutes").update(component=[{"code": {}}])),
    ("verdict", lambda b: observation(b, "bends").update(interpretation=[{}])),
]


@pytest.mark.parametrize(("said", "spoil"), FLAWS, ids=[said for said, _spoil in FLAWS])
def test_the_rules_catch_what_the_library_lets_pass(
    bundle: dict[str, Any], said: str, spoil: Callable[[dict[str, Any]], Any]
) -> None:
    spoilt = copy.deepcopy(bundle)
    spoil(spoilt)
    assert any(said in problem for problem in lint_bundle(spoilt))


def test_the_same_data_give_the_same_bundle(stored: MemoryReader) -> None:
    made = [fhir_bundle(WEARER, rows(stored, "day"), rows(stored, "event"), NOW_NS) for _ in range(2)]
    assert made[0] == made[1]


def test_data_points_are_of_the_standards_shape(stored: MemoryReader) -> None:
    points = list(data_points(WEARER, rows(stored, "walk"), rows(stored, "day"), rows(stored, "event"), NOW_NS))
    walks = [point for point in points if point["header"]["schema_id"]["name"] == "physical-activity"]
    assert len(walks) == 4
    body = walks[0]["body"]
    assert body["activity_name"] == "walking"
    assert body["duration"]["unit"] in ("sec", "min", "h")
    assert body["base_movement_quantity"] == {"unit": "steps", "value": 857}
    assert body["effective_time_frame"]["time_interval"]["start_date_time"] == "2026-11-24T07:24:00.000+01:00"
    assert len({point["header"]["uuid"] for point in points}) == len(points)
    assert [p["header"]["modality"] for p in points].count("self-reported") == 1


def test_a_diary_entry_is_a_survey_and_the_rules_catch_what_open_schemas_let_pass(stored: MemoryReader) -> None:
    points = list(data_points(WEARER, rows(stored, "walk"), rows(stored, "day"), rows(stored, "event"), NOW_NS))
    assert lint_points(points) == []
    [survey] = [point for point in points if point["header"]["schema_id"]["name"] == "survey"]
    assert [item["question"]["label"] for item in survey["body"]["items"]] == ["pain_back", "pain_knee_left", "tags"]
    assert survey["body"]["items"][0]["answers"] == [{"value": 4}]
    assert survey["body"]["delivery_details"]["end_status"] == "completed"


POINTS: list[tuple[str, Callable[[dict[str, Any]], Any]]] = [
    ("no uuid", lambda p: p["header"].update(uuid="w1")),
    ("none that is used", lambda p: p["header"]["schema_id"].update(namespace="omh")),
    ("modality", lambda p: p["header"].update(modality="guessed")),
    ("time with its offset", lambda p: p["header"].update(source_creation_date_time="2026-11-24T08:00:00")),
    ("without its offset", lambda p: interval(p).update(start_date_time="2026-11-24T08:00:00")),
    ("ends before", lambda p: interval(p).update(end_date_time="2020-01-01T00:00:00Z")),
    ("unit 's'", lambda p: p["body"]["duration"].update(unit="s")),
    ("is no number", lambda p: p["body"]["duration"].update(value=math.nan)),
    ("no time interval", lambda p: p["body"].update(effective_time_frame={})),
]


def interval(point: dict[str, Any]) -> dict[str, Any]:
    found: dict[str, Any] = point["body"]["effective_time_frame"]["time_interval"]
    return found


@pytest.mark.parametrize(("said", "spoil"), POINTS, ids=[said for said, _spoil in POINTS])
def test_a_spoilt_data_point_is_caught(stored: MemoryReader, said: str, spoil: Callable[[dict[str, Any]], Any]) -> None:
    [point] = list(data_points(WEARER, rows(stored, "walk")[:1], [], [], NOW_NS))
    assert lint_points([point]) == []
    assert any("twice" in problem for problem in lint_points([point, point]))
    spoilt = copy.deepcopy(point)
    spoil(spoilt)
    assert any(said in problem for problem in lint_points([spoilt]))


def blocks(n: int = 5, gap_s: float = 0.0) -> list[Block]:
    made = []
    for seq in range(n):
        t0 = NOW_NS + seq * NS_PER_S // 2 + int((gap_s if seq > 2 else 0) * NS_PER_S)
        counts = pack_int16([int(1000 * math.sin(i)) for i in range(150)])
        made.append(
            Block(
                wearer="w-1_a",
                site=Site.LOWER_BACK,
                device="d",
                boot_id=struct.pack("<q", 7),
                seq=seq,
                t0_ns=t0,
                dt_ns=10_000_000,
                n=50,
                acc=counts,
                acc_scale=0.001,
                gyr=counts,
                gyr_scale=0.002,
            )
        )
    return made


def test_the_bids_folder_passes_its_validator_and_what_that_lets_pass(tmp_path: Path) -> None:
    folder = tmp_path / "bids"
    motion = write_bids(blocks(gap_s=3.0), [a_walk(NOW_NS + NS_PER_S // 10, 1.0)], folder)
    lines = motion.read_text().splitlines()
    assert len(lines) == 250
    assert all(len(line.split("\t")) == 7 for line in lines)
    assert "nan" not in motion.read_text()
    assert [float(line.split("\t")[0]) for line in (lines[0], lines[1], lines[-1])] == [0.0, 0.01, 5.49]
    validator = shutil.which("bids-validator-deno", path=str(Path(sys.executable).parent)) or shutil.which(
        "bids-validator-deno"
    )
    if validator is None:
        pytest.skip("bids-validator-deno is not installed")
    done = subprocess.run([validator, "--format", "json", str(folder)], capture_output=True, text=True, timeout=120)
    issues = json.loads(done.stdout)["issues"]["issues"]
    assert [issue for issue in issues if issue["severity"] == "error"] == []
    assert done.returncode == 0


def test_bids_refuses_what_it_cannot_hold(tmp_path: Path) -> None:
    with pytest.raises(SagittalError, match="no block"):
        write_bids([], [], tmp_path / "a")
    mixed = [*blocks(2), replace(blocks(1)[0], site=Site.PELVIS)]
    with pytest.raises(SagittalError, match="mixes"):
        write_bids(mixed, [], tmp_path / "b")
    with pytest.raises(SagittalError, match="gyroscope"):
        write_bids([replace(blocks(1)[0], gyr=None, gyr_scale=None)], [], tmp_path / "c")
    (tmp_path / "x").write_text("")
    with pytest.raises(SagittalError, match="not empty"):
        write_bids(blocks(), [], tmp_path)


def test_home_assistant_takes_the_whole_device() -> None:
    topic, payload = discovery("w1")
    assert lint_discovery(topic, payload) == []
    assert len(json.loads(payload)["cmps"]) == 11


SPOILT: list[tuple[str, Callable[[dict[str, Any]], Any]]] = [
    ("unknown root key", lambda d: d.update({"~": "x"})),
    ("neither ids", lambda d: d.update(dev={})),
    ("origin", lambda d: d.update(o={})),
    ("no uniq_id", lambda d: d["cmps"]["tilt"].pop("uniq_id")),
    ("platform", lambda d: d["cmps"]["tilt"].update(p="angle")),
    ("class", lambda d: d["cmps"]["tilt"].update(dev_cla="angle")),
    ("unit", lambda d: d["cmps"]["slouched"].update(unit_of_meas="minutes")),
    ("enum", lambda d: d["cmps"]["posture"].pop("dev_cla")),
    ("state class total", lambda d: d["cmps"]["slouched"].update(stat_cla="measurement")),
    ("category config", lambda d: d["cmps"]["battery"].update(ent_cat="config")),
    ("its types", lambda d: d["cmps"]["nudge"].pop("evt_typ")),
    ("command topic", lambda d: d["cmps"]["snooze"].pop("cmd_t")),
    ("no valid JSON", lambda d: d["cmps"]["tilt"].update(min=math.nan)),
]


@pytest.mark.parametrize(("said", "spoil"), SPOILT, ids=[said for said, _spoil in SPOILT])
def test_the_rules_catch_what_home_assistant_would_drop(said: str, spoil: Callable[[dict[str, Any]], Any]) -> None:
    topic, payload = discovery("w1")
    root = json.loads(payload)
    spoil(root)
    assert any(said in problem for problem in lint_discovery(topic, json.dumps(root).encode()))
    assert lint_discovery("homeassistant/device/a b/config", payload)


def test_unknown_is_null_and_never_absent() -> None:
    _topic, payload = home_state("w1", None, None, None)
    state = json.loads(payload)
    _topic, full = home_state("w1", posture(NOW_NS), a_stored_day(), health(NOW_NS))
    assert state.keys() == json.loads(full).keys()
    assert state["tilt"] is None
    assert json.loads(full)["tilt"] == 14.0
    assert link_state("w1", None)[1] == b"offline"


def a_stored_day() -> Day:
    reader = MemoryReader()
    a_day(reader, "w1")
    found = reader.latest("w1", "day")
    assert isinstance(found, Day)
    return found


def test_nudges_go_out_and_presses_come_in() -> None:
    event = nudge_event("w1", Event(t_ns=NOW_NS, event="nudge", text="Sit up?", version=VERSION))
    assert event == ("sagittal/ha/w1/nudge", b'{"event_type":"posture","text":"Sit up?"}')
    assert nudge_event("w1", Event(t_ns=NOW_NS, event="bend", version=VERSION)) is None
    assert wish_of("sagittal/ha/w1/set/snooze", b"PRESS") == ("w1", "snooze", {"minutes": 60})
    assert wish_of("sagittal/ha/w1/set/mode", b"train") == ("w1", "mode", {"mode": "train"})
    assert wish_of("sagittal/ha/w1/set/mode", b"shout") is None
    assert wish_of("sagittal/ha/w1/state", b"PRESS") is None


def test_a_walk_that_goes_on_is_not_exported() -> None:
    going: Walk = a_walk(NOW_NS, 60.0, final=False)
    assert list(data_points(WEARER, [going], [], [], NOW_NS)) == []


def test_parquet_gives_back_what_was_stored(stored: MemoryReader, tmp_path: Path) -> None:
    parquet = pytest.importorskip("pyarrow.parquet")
    assert write_parquet(rows(stored, "walk"), tmp_path / "walk.parquet") == 4
    table = parquet.read_table(tmp_path / "walk.parquet").to_pylist()
    walks: list[Walk] = rows(stored, "walk")
    assert [row["start_ns"] for row in table] == [walk.start_ns for walk in walks]
    assert [row["cadence_spm"] for row in table] == [walk.cadence_spm for walk in walks]
    with pytest.raises(SagittalError, match="another place"):
        write_parquet(walks, tmp_path / "nowhere" / "walk.parquet")
