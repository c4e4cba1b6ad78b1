"""Orientation, calibration, posture, gait and compensation; the worker, the store and sinks around them.

`analyze` and what belongs to it are loaded when first used, so that readers of the store need no numerics.
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from analytics.analysis import Analysis, SensorRecording, analyze
    from analytics.pipeline import VERSION

__all__ = ["VERSION", "Analysis", "SensorRecording", "analyze"]

_HOMES = {
    "Analysis": "analytics.analysis",
    "SensorRecording": "analytics.analysis",
    "VERSION": "analytics.pipeline",
    "analyze": "analytics.analysis",
}


def __getattr__(name: str) -> Any:
    if name not in _HOMES:
        raise AttributeError(f"module 'analytics' has no attribute {name!r}")
    return getattr(import_module(_HOMES[name]), name)
