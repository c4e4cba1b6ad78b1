"""Rest and walks are taken many seconds at once: to the last bit what one second after the other leads to."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from analytics.pipeline import _pipeline, dump_state, finish, initial_state, steps
from analytics.pipeline._state import State
from benchmarks._feeds import feed
from sagittal.blocks import Block
from sagittal.results import Event, Result
from sagittal.settings import Nudges, Wearer

NUDGED = Wearer(id="rest", nudges=Nudges(mode="train", threshold_deg=5.0, delay_s=10.0, break_after_min=5))


def blocks() -> list[Block]:
    """A quarter of an hour of a simulated day."""
    return list(feed("day").hours(0.25))


def told(given: list[Block], wearer: Wearer) -> Iterator[tuple[State, list[Result]]]:
    """What lots of a minute lead to, and what comes at the end."""
    state = initial_state(wearer)
    for first in range(0, len(given), 60):
        state, results = steps(state, given[first : first + 60])
        yield state, results
    yield finish(state)


@pytest.mark.parametrize("wearer", [Wearer(id="rest"), NUDGED], ids=["tracked", "nudged"])
def test_many_at_once_is_second_by_second(wearer: Wearer, monkeypatch: pytest.MonkeyPatch) -> None:
    given, taken = blocks(), []

    def counted(*asked: object) -> int:
        taken.append(goes_on(*asked))  # type: ignore[arg-type]  # passed on as it comes
        return taken[-1]

    goes_on = _pipeline._goes_on
    monkeypatch.setattr(_pipeline, "_goes_on", counted)
    at_once = [(dump_state(state), results) for state, results in told(given, wearer)]
    monkeypatch.setattr(_pipeline, "_goes_on", lambda *_: 0)
    one_by_one = [(dump_state(state), results) for state, results in told(given, wearer)]
    assert max(taken) > 30
    said = {one.event for _, results in at_once for one in results if isinstance(one, Event)}
    assert (wearer is NUDGED) == bool(said & {"nudge", "break_due"})
    for (state, results), (as_state, as_results) in zip(at_once, one_by_one, strict=True):
        assert results == as_results
        assert state == as_state
