"""From a nudge on the broker to a wearable that vibrates or lights up."""

from __future__ import annotations

import json
import time
from collections.abc import Iterable
from typing import Protocol, runtime_checkable

from sagittal.units import NS_PER_S
from sensor_bridge.source import Source

FRESH_NS = 10 * NS_PER_S
"""An older nudge is about a posture that may be over."""
SIGNAL_MS = 400


@runtime_checkable
class Signals(Protocol):
    """A source whose wearable can give a signal."""

    def haptic(self, on_ms: int) -> None:
        """Give a signal of this length; returns at once, from any thread."""
        ...


class Haptics:
    """Hands each fresh nudge to the wearables of its wearer, once."""

    def __init__(self, sources: Iterable[Source]) -> None:
        self._able: dict[str, list[Signals]] = {}
        for source in sources:
            if isinstance(source, Signals):
                self._able.setdefault(source.wearer, []).append(source)
        self._done: dict[str, int] = {}

    @property
    def wearers(self) -> list[str]:
        """Those whose events are worth hearing."""
        return list(self._able)

    def take(self, wearer: str, payload: bytes) -> bool:
        """Take an event as it came; whether it was passed on. Anything but a fresh nudge is left alone."""
        try:
            event = json.loads(payload)
            t_ns = int(event["t_ns"])
            is_nudge = event["event"] == "nudge"
        except (ValueError, TypeError, KeyError, OverflowError, RecursionError):
            return False
        now_ns = time.time_ns()
        if not is_nudge or not -FRESH_NS <= now_ns - t_ns <= FRESH_NS or t_ns <= self._done.get(wearer, 0):
            return False
        self._done[wearer] = t_ns
        for source in self._able.get(wearer, ()):
            source.haptic(SIGNAL_MS)
        return True
