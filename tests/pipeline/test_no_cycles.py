"""What the pipeline lets go is free at once, so Python's collector of cycles may be asked for seldom."""

from __future__ import annotations

import gc
from collections.abc import Iterator

import pytest

from analytics.pipeline import finish, initial_state, steps
from benchmarks._feeds import feed
from sagittal.blocks import Block
from sagittal.collector import NEW_OBJECTS, collect_seldom
from sagittal.settings import Wearer


@pytest.fixture
def collector() -> Iterator[None]:
    """The collector as it was, once a test is over."""
    before = gc.get_threshold()
    yield
    gc.enable()
    gc.set_threshold(*before)
    gc.unfreeze()


@pytest.mark.usefixtures("collector")
def test_an_analysis_leaves_no_cycles_behind() -> None:
    blocks = list(feed("day").hours(0.15))
    analysed(blocks)  # what is made once, as tables are read
    gc.collect()
    gc.disable()
    analysed(blocks)
    assert gc.collect() == 0


def analysed(blocks: list[Block]) -> None:
    state, _ = steps(initial_state(Wearer(id="w1")), blocks)
    finish(state)


@pytest.mark.usefixtures("collector")
def test_what_is_there_is_left_alone_and_rounds_are_few() -> None:
    collect_seldom()
    assert gc.get_threshold()[0] == NEW_OBJECTS
    assert gc.get_freeze_count() > 10_000
