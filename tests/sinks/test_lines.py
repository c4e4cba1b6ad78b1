"""Results as lines: names, floats only, escaping, and what names a point."""

from __future__ import annotations

import re
from dataclasses import fields, replace
from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from analytics.sinks._lines import BUCKET_OF, _flat, points, reading_point
from sagittal.names import PostureLabel
from sagittal.protocols import Reading, Row
from sagittal.results import Event, Posture
from tests.sinks.samples import NOW_S, day, every_kind, posture, rows, walk

NS = 10**9
NUMBERS = {one.name for one in fields(Posture) if one.name.endswith(("_deg", "_percent", "_spm"))} | {"confidence"}


def lines(result: object) -> list[str]:
    return [point.line for point in points(rows([result])[0], "worker")]  # type: ignore[list-item]


def test_a_second_of_posture() -> None:
    (line,) = lines(replace(posture(1), detail=None, lateral_deg=-2.5, since_ns=1_500_000_000))
    assert line == (
        'posture,wearer=anna,source=worker posture="sitting",since_ms=1500.0,version="1",confidence=0.9,'
        f"flexion_deg=12.5,flexion_min_deg=12.5,flexion_max_deg=12.5,lateral_deg=-2.5 {NOW_S + 1}000000000"
    )


def test_the_quick_way_for_posture_says_what_the_general_one_would() -> None:
    numbers: dict[str, Any] = dict.fromkeys(NUMBERS, 1.5)
    full = Posture(
        t_ns=5, posture=PostureLabel.LYING, detail="a b", since_ns=2_000_000, angle_reason="g", version="2", **numbers
    )
    (line,) = lines(full)
    pairs = line[len("posture,wearer=anna,source=worker ") :].rsplit(" ", 1)[0]
    assert set(re.split(r",(?=[a-z_]+=)", pairs)) == {f"{k}={float(v) if k in NUMBERS else v}" for k, v in _flat(full)}


def test_patterns_and_changes_are_measurements_of_their_own() -> None:
    assert [line.split(" ")[0] for line in lines(day())] == [
        "day,wearer=anna,source=worker",
        "day_pattern,wearer=anna,source=worker,pattern=asymmetric_gait",
        "day_change,wearer=anna,source=worker,metric=walking_speed_mps",
    ]
    assert [line.split(" ")[0] for line in lines(walk(0))] == [
        "walk,wearer=anna,source=worker",
        "walk_pattern,wearer=anna,source=worker,pattern=asymmetric_gait",
    ]


def test_every_result_has_a_bucket_and_every_number_is_a_float() -> None:
    for row in rows(every_kind()):
        for point in points(row, "worker"):
            assert point.measurement in BUCKET_OF
            values = point.line[len(point.series) + 1 :]
            assert not re.search(r"=-?\d+i[, ]", re.sub(r'"(\\.|[^"\\])*"', '""', values))


@given(st.text(), st.text(), st.dictionaries(st.text(), st.floats(allow_nan=True, allow_infinity=True), max_size=4))
def test_no_text_breaks_a_line(text: str, key: str, values: dict[str, float | None]) -> None:
    event = Event(t_ns=NOW_S * NS, event="note", key=key, text=text, values=values, version="1")
    (point,) = points(Row(1, "anna", None, event), "worker")
    outside = re.sub(r'"(\\.|[^"\\])*"', '""', point.line, flags=re.DOTALL)
    assert "\n" not in outside
    assert re.fullmatch(r"\S+ (?:[^ ]|\\ )+ \d+", outside)
    assert "nan" not in outside.rsplit(" ", 1)[0].split("values.")[0]
    assert NOW_S * NS <= point.t_ns < NOW_S * NS + 10**6


@given(st.text(min_size=1), st.text(min_size=1))
def test_events_of_one_name_and_moment_stay_apart(first: str, second: str) -> None:
    made = [
        points(Row(1, "anna", None, Event(t_ns=NOW_S * NS, event="note", key=key, version="1")), "w")[0]
        for key in (first, second)
    ]
    assert (made[0].t_ns == made[1].t_ns) == (first == second)


def test_a_reading_without_values_is_none() -> None:
    assert reading_point(Reading("service", 5, {"behind_s": None}), "w") is None
    made = reading_point(Reading("device", 5, {"battery_percent": 50, "state": "streaming"}, "anna", "lower_back"), "w")
    assert made is not None
    assert made.line == 'device,wearer=anna,source=w,site=lower_back battery_percent=50.0,state="streaming" 5'
