"""The line that a second sensor adds to the page: how the trunk is bent and turned against the pelvis."""

from __future__ import annotations

from zoneinfo import ZoneInfo

import pytest

from dashboards._clock import Clock
from dashboards.page._view import now_view
from sagittal.names import PostureLabel
from sagittal.results import Posture

NOW_NS = 1_700_000_000_000_000_000


def lines(**angles: float | str | None) -> list[str]:
    row = Posture(t_ns=NOW_NS, posture=PostureLabel.STANDING, since_ns=NOW_NS, confidence=0.9, version="1", **angles)  # type: ignore[arg-type]
    return now_view(row, True, Clock(NOW_NS, ZoneInfo("UTC"))).extra


@pytest.mark.parametrize(
    ("rotation_deg", "words"),
    [(12.4, "turned 12° to the left (±3°)"), (-12.4, "turned 12° to the right (±3°)"), (1.0, "not turned")],
)
def test_bend_and_turn_stand_in_one_line(rotation_deg: float, words: str) -> None:
    angles = {"lumbar_flexion_deg": 20.0, "lumbar_lateral_deg": -9.0, "flexion_deg": 1.0, "lateral_deg": 0.0}
    (line,) = lines(**angles, lumbar_rotation_deg=rotation_deg, lumbar_rotation_error_deg=2.6)
    assert line == f"Trunk against pelvis: 20° forwards, 9° to the left, {words}"


def test_a_turn_that_is_not_known_is_left_out_and_one_sensor_adds_nothing() -> None:
    (line,) = lines(flexion_deg=1.0, lumbar_flexion_deg=20.0, lumbar_lateral_deg=0.0, lumbar_rotation_reason="too long")
    assert "turned" not in line
    assert lines(flexion_deg=1.0, lateral_deg=0.0) == []
