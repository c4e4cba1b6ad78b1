"""What `sagittal scan` says of what it hears, and what `sagittal pair` makes of it."""

from __future__ import annotations

import pytest

pytest.importorskip("bleak")

from bleak.backends.device import BLEDevice

from sagittal.cli._near import UNKNOWN, Near, _describe, _near
from sagittal.cli.pair import _device
from sagittal.names import Site
from sensor_bridge.bluetooth import Sighting
from sensor_bridge.wearable import Advertisement


def near(name: str, named: dict[str, str] | None = None) -> Near:
    sighting = Sighting(BLEDevice("AA:BB:CC:DD:EE:FF", name, None), Advertisement(name), -60.0, 0.0)
    return _near(sighting, *_describe(sighting, named or {}), None)


@pytest.mark.parametrize(
    ("name", "driver", "kind", "remark"),
    [
        ("WT901BLE67", "witmotion", "WitMotion BLE 5.0", ""),
        ("Polar Sense 1A2B3C4D", "polar", "Polar Verity Sense", ""),
        ("Polar H10 1A2B3C4D", "polar", "Polar H10", "no gyroscope"),
        ("BBC micro:bit [zatig]", "microbit", "micro:bit", "no gyroscope"),
        ("Shimmer3R-1A2B", None, "Shimmer", "calibration"),
        ("Someone's phone", None, "", UNKNOWN),
    ],
)
def test_each_is_told_what_it_is_or_why_not(name: str, driver: str | None, kind: str, remark: str) -> None:
    told = near(name)
    assert (told.driver, told.kind) == (driver, kind)
    assert remark in told.remark


def test_one_in_the_settings_is_told_so() -> None:
    assert "me/back" in near("WT901BLE67", {"aa:bb:cc:dd:ee:ff": "me/back"}).remark


@pytest.mark.parametrize(("name", "alone"), [("Polar H10 1A2B3C4D", True), ("Polar Sense 1A2B3C4D", False)])
def test_a_pair_without_gyroscope_is_written_as_one(name: str, alone: bool) -> None:
    made = _device(near(name), "polar", Site.LOWER_BACK, 100.0)
    assert made.get("options", {}).get("accelerometer_only", False) == alone
