"""What was counted in sessions of a movement, in words."""

from __future__ import annotations

from collections.abc import Sequence

from dashboards._words import duration, word
from dashboards.content import Movement
from sagittal.results import Event


def counted_words(movement: Movement, sessions: Sequence[Event]) -> str:
    """What was counted over some sessions; empty where nothing could be."""
    total = sum(event.values.get(movement.counts) or 0.0 for event in sessions) if movement.counts else 0.0
    if not total:
        return ""
    what = word(f"exercise.counts_{movement.counts}")
    amount = duration(total) if movement.counts.endswith("_s") else f"{total:.0f}"
    return word("exercise.counted", n=amount, what=what)
