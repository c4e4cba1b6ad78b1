"""Writes tables and sample settings into README.md and docs/wearables.md anew: run it in the project's folder."""

from __future__ import annotations

from pathlib import Path

from sensor_bridge.wearables import WEARABLES
from sensor_bridge.wearables._table import documents

for path, text in documents(WEARABLES, Path.cwd()).items():
    path.write_text(text, encoding="utf-8")
