"""What is written about wearables is what the registry says."""

from __future__ import annotations

import os
import subprocess
import sys
import tomllib
from pathlib import Path

import pytest

from sagittal.errors import SagittalError
from sagittal.settings import Device
from sensor_bridge.wearables import WEARABLES, wearable
from sensor_bridge.wearables._table import documents, renewed

ROOT = Path(__file__).parents[2]


def test_tables_and_samples_are_the_registrys() -> None:
    for path, text in documents(WEARABLES, ROOT).items():
        assert path.read_text(encoding="utf-8") == text, "run python -m sensor_bridge.wearables"


def test_every_driver_is_told_about() -> None:
    text = (ROOT / "docs" / "wearables.md").read_text(encoding="utf-8")
    assert all(text.count(f"`{one.driver}`") >= 1 for one in WEARABLES)


def test_settings_in_the_text_are_good() -> None:
    text = (ROOT / "docs" / "wearables.md").read_text(encoding="utf-8")
    for block in text.split("```toml\n")[1:]:
        for entry in tomllib.loads(block.split("```")[0])["wearers"]["devices"]:
            assert wearable(Device.model_validate(entry).driver) in WEARABLES


def test_a_document_without_a_place_is_refused() -> None:
    with pytest.raises(SagittalError, match="no place"):
        renewed("nothing here", "wearables", "| a |\n")


def test_no_numerics_are_needed() -> None:
    program = (
        "import sys; sys.modules['numpy'] = sys.modules['scipy'] = sys.modules['bumble'] = None; "
        "import sensor_bridge.wearables as w; assert len(w.WEARABLES) >= 13"
    )
    subprocess.run([sys.executable, "-c", program], check=True, env={**os.environ, "PYTHONPATH": str(ROOT)})
