"""Writes the table of wearables into README.md and docs/wearables.md anew: run it in the project's folder."""

from __future__ import annotations

from pathlib import Path

from sensor_bridge.wearables import WEARABLES
from sensor_bridge.wearables._table import full, renewed, short

for path, table in ((Path("README.md"), short(WEARABLES)), (Path("docs/wearables.md"), full(WEARABLES))):
    path.write_text(renewed(path.read_text(encoding="utf-8"), table), encoding="utf-8")
