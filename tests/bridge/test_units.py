"""The check of units: gravity and turning tell g from m/s² and degrees from radians."""

from __future__ import annotations

import math
from collections.abc import Iterator
from itertools import islice

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sagittal.blocks import pack_int16
from sensor_bridge._units_check import UnitCheck, Verdict
from tests.bridge.air import G

RATE_HZ = 100
ACC, GYR = 0.003, 0.003


def judged(
    rows: Iterator[tuple[tuple[float, ...], tuple[float, ...]]], seconds: float = 6.0, rates: bool = True
) -> UnitCheck:
    check = UnitCheck()
    for number, (acc, gyr) in enumerate(islice(rows, round(seconds * RATE_HZ))):
        packed = [pack_int16([round(one / scale) for one in row]) for row, scale in ((acc, ACC), (gyr, GYR))]
        check.take([number * 10_000_000], packed[0], ACC, packed[1] if rates else None, GYR if rates else None)
    return check


def rest(g: float = 1.0) -> Iterator[tuple[tuple[float, ...], tuple[float, ...]]]:
    while True:
        yield (0.1 * g, -0.2 * g, g * G), (0.0, 0.0, 0.0)


def sway(g: float = 1.0, turn: float = 1.0, hz: float = 0.5) -> Iterator[tuple[tuple[float, ...], tuple[float, ...]]]:
    """±30° about one axis, as someone who bends and comes up."""
    number = 0
    while True:
        phase = 2 * math.pi * hz * number / RATE_HZ
        angle, rate = 0.5 * math.sin(phase), 0.5 * 2 * math.pi * hz * math.cos(phase)
        yield (g * G * math.cos(angle), g * G * math.sin(angle), 0.3 * g), (0.0, 0.0, -rate * turn)
        number += 1


@pytest.mark.parametrize("rows", [rest(), sway(), rest(1.03)], ids=["rest", "sway", "3 %"])
def test_right_units_pass_in_silence(rows: Iterator[tuple[tuple[float, ...], tuple[float, ...]]]) -> None:
    check = judged(rows)
    assert (check.verdict, check.say) == (Verdict.GOOD, "")


@pytest.mark.parametrize("g", [0.82, 0.9, 1.1, 1.18])
def test_off_by_up_to_a_fifth_passes_with_a_note(g: float) -> None:
    check = judged(rest(g))
    assert check.verdict is Verdict.GOOD
    assert "calibrate" in check.say


@pytest.mark.parametrize(
    ("g", "guess"),
    [(1 / G, "g taken for m/s²"), (G, "m/s² taken for g"), (0.5, "range"), (2.0, "range"), (0.001, "mg")],
)
def test_other_units_are_refused_with_a_guess(g: float, guess: str) -> None:
    for rows in (rest(g), sway(g)):
        check = judged(rows)
        assert check.verdict is Verdict.WRONG
        assert guess in check.say


def test_degrees_for_radians_and_the_reverse_are_seen_when_the_body_turns() -> None:
    assert "too much" in judged(sway(turn=180 / math.pi)).say
    assert "too little" in judged(sway(turn=math.pi / 180)).say
    assert judged(sway(turn=1.25)).verdict is Verdict.GOOD


def test_the_verdict_falls_within_five_seconds_and_at_rest_within_one_and_a_half() -> None:
    assert judged(rest(), 1.6).verdict is Verdict.GOOD
    assert judged(sway(), 5.1).verdict is Verdict.GOOD


def test_without_rates_gravity_alone_decides() -> None:
    assert judged(rest(), rates=False).verdict is Verdict.GOOD
    assert judged(rest(1 / G), rates=False).verdict is Verdict.WRONG


@given(st.lists(st.tuples(*[st.integers(-32768, 32767)] * 6), max_size=80), st.integers(1, 40))
def test_whatever_comes_a_verdict_is_reached_and_nothing_raised(rows: list[tuple[int, ...]], step_ms: int) -> None:
    check = UnitCheck()
    for number, row in enumerate(rows):
        check.take([number * step_ms * 1_000_000], pack_int16(row[:3]), ACC, pack_int16(row[3:]), GYR)
    check.decide()
    assert (check.verdict is Verdict.OPEN) == (not rows)
