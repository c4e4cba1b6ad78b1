"""Stores beside the truth, fed in order from the outbox; to add one, write a module like those here and name it below.

A sink's module has `from_settings(settings) -> Sink | None`, None where the settings don't ask for it.
"""

from __future__ import annotations

from importlib import import_module
from importlib.util import find_spec

from analytics.sinks._feeder import Feeder
from sagittal.protocols import Sink
from sagittal.settings import Settings

__all__ = ["Feeder", "open_sinks"]

_MODULES = ("analytics.sinks.influx",)


def open_sinks(settings: Settings) -> list[Sink]:
    """Every sink that the settings ask for."""
    found = [import_module(name).from_settings(settings) for name in _MODULES if find_spec(name) is not None]
    return [sink for sink in found if sink is not None]
