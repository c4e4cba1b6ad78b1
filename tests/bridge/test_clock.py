"""Sample times: against the truth, over wraps, resets, losses, stalls and reconnections."""

from __future__ import annotations

import random
from itertools import pairwise

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from benchmarks.clock import Case, errors
from sagittal.blocks import ClockKind, Gap, GapReason
from sensor_bridge._clock import SampleClock, Timed
from sensor_bridge.wearable import Clock, Counter, Packet

MS = 1_000_000
WAITS_MS = st.integers(0, 3000) | st.integers(10_000, 4_000_000)
US32, MS32, MS16 = Clock(1000, 32), Clock(MS, 32), Clock(MS, 16)


def packet(
    clock: Clock | None, device_ns: int, n: int = 1, anchor: int = 0, counter: Counter | None = None, count: int = 0
) -> Packet:
    ticks = None if clock is None else device_ns // clock.tick_ns % (1 << clock.bits)
    return Packet(
        acc=bytes(6 * n),
        acc_scale=1.0,
        clock=clock,
        ticks=ticks,
        anchor=anchor if clock else 0,
        counter=counter,
        count=None if counter is None else count % (1 << counter.bits),
    )


class Run:
    """A wearable at 100 Hz with a delay of 5 to 35 ms, whose true time is the host's."""

    def __init__(
        self, clock: Clock | None, device_start_ns: int = 0, utc_ns: int = 10**18, rate_hz: float = 100
    ) -> None:
        self.sut = SampleClock(rate_hz, utc_ns)
        self.clock, self.start, self.utc_ns = clock, device_start_ns, utc_ns
        self.rng = random.Random(3)
        self.out: list[Timed] = []
        self.now = self.last = 0

    def send(self, number: int, delay_ms: float | None = None, counter: Counter | None = None) -> None:
        t = number * 10 * MS
        wait = self.rng.uniform(5, 35) if delay_ms is None else delay_ms
        self.last = max(self.last, t + int(wait * MS))
        made = packet(self.clock, self.start + t, counter=counter, count=number)
        self.out += self.sut.take(made, self.last)

    def finish(self) -> list[Timed]:
        self.out += self.sut.flush()
        times = [t for one in self.out for t in one.t_ns]
        assert all(b > a for a, b in pairwise(times))
        return self.out

    def gaps(self) -> list[Gap]:
        return [one.gap for one in self.finish() if one.gap is not None]


@pytest.mark.parametrize("ppm", [20.0, 200.0, 7000.0, -7000.0])
@pytest.mark.parametrize("clock", [US32, MS32, None], ids=["us", "ms", "no clock"])
def test_times_lie_within_the_grid_of_the_link_and_beat_arrivals(ppm: float, clock: Clock | None) -> None:
    found = errors(Case("", 100.0, 1, ppm, clock), 150.0)
    rms = {name: (sum(one * one for one in each) / len(each)) ** 0.5 for name, each in found.items()}
    assert rms["Sagittal"] < 8.0  # two samples in three wait for the next of the link's 30 ms: that is its resolution
    assert rms["Sagittal"] < rms["arrival"] / 5


@pytest.mark.parametrize("clock", [US32, MS32, MS16, Clock(30518, 24), Clock(1, 64)])
def test_a_wrap_of_the_device_clock_leaves_no_trace(clock: Clock) -> None:
    run = Run(clock, (1 << clock.bits) * clock.tick_ns - 4_000 * MS)
    for number in range(800):
        run.send(number)
    assert run.gaps() == []
    assert sum(len(one.t_ns) for one in run.out) == 800
    assert run.sut.segments == 1


@pytest.mark.parametrize("lost", [1, 3, 200])
@pytest.mark.parametrize("clock", [US32, MS32])
def test_what_the_link_loses_is_counted_by_the_device_clock(clock: Clock, lost: int) -> None:
    run = Run(clock, 17 * MS)
    for number in [*range(500), *range(500 + lost, 1000)]:
        run.send(number)
    (gap,) = run.gaps()
    assert gap.samples == lost
    assert gap.reason is (GapReason.STALL if lost == 200 else GapReason.LOST)
    assert gap.duration_ns == pytest.approx(lost * 10 * MS, abs=5 * MS)


def test_what_the_link_loses_is_counted_by_a_counter_where_there_is_no_clock() -> None:
    run = Run(None)
    counter = Counter(8, "packets")
    for number in [*range(500), *range(507, 900)]:
        run.send(number, counter=counter)
    assert [(gap.reason, gap.samples) for gap in run.gaps()] == [(GapReason.LOST, 7)]


def test_a_burst_after_a_stall_of_the_link_is_no_gap() -> None:
    for clock in (US32, None):
        run = Run(clock)
        for number in range(2000):
            run.send(number, delay_ms=max(6.0, 15_000 - 10 * number) if 1200 <= number < 1500 else None)
        assert run.gaps() == []


def test_without_clock_a_pause_of_the_wearable_becomes_a_gap_of_its_length() -> None:
    run = Run(None)
    for number in [*range(1000), *range(1300, 2000)]:
        run.send(number)
    (gap,) = run.gaps()
    assert gap.reason is GapReason.STALL
    assert gap.samples is None
    assert gap.duration_ns == pytest.approx(3000 * MS, abs=40 * MS)


def test_without_clock_a_lasting_step_of_arrivals_is_a_loss() -> None:
    run = Run(None)
    for number in [*range(3000), *range(3040, 6000)]:
        run.send(number)
    (gap,) = run.gaps()
    assert gap.reason is GapReason.LOST
    assert gap.samples is None
    assert gap.duration_ns == pytest.approx(400 * MS, abs=30 * MS)
    assert run.out[-1].t_ns[-1] - run.utc_ns == pytest.approx(5999 * 10 * MS, abs=45 * MS)


def test_without_clock_a_computer_that_is_slow_for_a_while_is_no_loss() -> None:
    run = Run(None)
    for number in range(6000):
        slow = 60 if 1000 <= number < 3000 else 800 if 4000 <= number < 5000 else 0
        run.send(number, delay_ms=run.rng.uniform(5, 35) + slow)
    assert run.gaps() == []


def test_without_clock_a_rate_that_is_switched_at_the_start_is_no_loss() -> None:
    run = Run(None)
    for number in [0, 10, 20, *range(21, 2000)]:
        run.send(number)
    assert run.gaps() == []
    assert run.out[-1].t_ns[-1] - run.utc_ns == pytest.approx(1999 * 10 * MS, abs=45 * MS)


def test_a_clock_that_restarts_opens_a_new_segment() -> None:
    run = Run(US32, 3600 * 1000 * MS)
    for number in range(500):
        run.send(number)
    run.start = -500 * 10 * MS
    for number in range(500, 1000):
        run.send(number)
    (gap,) = run.gaps()
    assert gap.reason is GapReason.CLOCK_RESET
    assert gap.samples is None
    assert run.sut.segments == 2
    assert run.out[-1].t_ns[-1] - run.utc_ns == pytest.approx(999 * 10 * MS, abs=40 * MS)


def test_one_odd_reading_is_bridged_by_the_period() -> None:
    run = Run(MS32, 5_000_000 * MS)
    for number in range(800):
        run.start = 0 if number == 400 else 5_000_000 * MS
        run.send(number)
    assert run.gaps() == []
    assert sum(len(one.t_ns) for one in run.out) == 800


def test_over_a_reconnection_the_running_clock_counts_what_was_missed() -> None:
    run = Run(US32)
    for number in range(1000):
        run.send(number)
    run.out += run.sut.link_down()
    for number in range(1800, 2500):
        run.send(number)
    (gap,) = run.gaps()
    assert (gap.reason, gap.samples) == (GapReason.RECONNECT, 800)
    assert run.sut.segments == 1


@pytest.mark.parametrize(
    ("rate_hz", "n", "clock", "true_hz"), [(104, 8, MS32, 103.1), (52, 4, MS32, 52), (100, 5, US32, 101.3)]
)
@pytest.mark.parametrize("known_s", [1, 20, 100])
def test_what_was_missed_while_the_link_was_away_is_counted_right_or_not_at_all(
    rate_hz: float, n: int, clock: Clock, true_hz: float, known_s: float
) -> None:
    """From three seconds to a quarter of an hour, after which the line of old arrivals is too old to be one."""
    sure = 0
    for lost_s in (3, 12, 60, 900):
        rng = random.Random(lost_s)
        sut, out, number = SampleClock(rate_hz, 10**18), [], 0
        for lost, seconds in ((0, known_s), (round(lost_s * true_hz), 6)):
            number += lost
            for _ in range(max(2, round(seconds * true_hz / n))):
                made = packet(clock, round((number / true_hz + 0.4567) * 10**9), n)
                number += n
                out += sut.take(made, round((number / true_hz + rng.uniform(0.005, 0.03)) * 10**9))
            out += sut.link_down()
        (gap,) = [one.gap for one in out if one.gap is not None]
        assert gap.samples in (None, round(lost_s * true_hz)), (lost_s, gap)
        assert gap.duration_ns == pytest.approx(lost_s * 10**9, abs=0.2 * 10**9)
        sure += gap.samples is not None
    assert sure >= (2 if known_s > 1 else 0)


def test_over_a_reconnection_after_a_reboot_the_number_is_unknown() -> None:
    for clock in (US32, None):
        run = Run(clock, 3600 * 1000 * MS)
        for number in range(1000):
            run.send(number)
        run.out += run.sut.link_down()
        run.start = -1800 * 10 * MS
        for number in range(1800, 2500):
            run.send(number)
        (gap,) = run.gaps()
        assert (gap.reason, gap.samples) == (GapReason.RECONNECT, None)
        assert gap.duration_ns == pytest.approx(800 * 10 * MS, abs=60 * MS)


def test_a_repetition_is_dropped_and_counted() -> None:
    run = Run(US32)
    for number in range(400):
        run.send(number)
        if number == 300:
            run.send(number)
    assert run.gaps() == []
    assert sum(len(one.t_ns) for one in run.out) == 400
    assert run.sut.duplicates == 1


def test_a_step_of_utc_is_followed_and_marked() -> None:
    run = Run(US32)
    for number in range(500):
        run.send(number)
    run.out += run.sut.rebase(10**18 + 3600 * 10**9)
    for number in range(500, 600):
        run.send(number)
    (gap,) = run.gaps()
    assert gap.reason is GapReason.CLOCK_RESET
    assert run.out[-1].t_ns[-1] - 10**18 - 3600 * 10**9 == pytest.approx(5990 * MS, abs=40 * MS)


def test_the_rate_is_measured_where_the_nominal_one_is_wrong() -> None:
    run = Run(MS32, rate_hz=105.0)
    for number in range(1000):
        run.send(number)
    assert run.gaps() == []
    assert run.sut.rate_hz == pytest.approx(100.0, rel=2e-3)
    assert {one.kind for one in run.out} == {ClockKind.DEVICE}


def test_a_two_way_exchange_takes_the_delay_of_the_link_off() -> None:
    run = Run(US32)
    for number in range(300):
        run.send(number, delay_ms=20.0)
    now = 3010 * MS
    for _ in range(3):
        run.sut.exchange(now, (now + 20 * MS) // 1000, (now + 21 * MS) // 1000, now + 41 * MS)
    for number in range(300, 3300):
        run.send(number, delay_ms=20.0)
    run.finish()
    assert run.out[0].t_ns[0] - run.utc_ns == pytest.approx(20 * MS, abs=2 * MS)
    assert run.out[-1].t_ns[-1] - run.utc_ns == pytest.approx(32_990 * MS, abs=2 * MS)


@settings(max_examples=40, deadline=None)
@given(st.lists(st.tuples(st.integers(0, 2**32 - 1), st.integers(1, 40), WAITS_MS), max_size=60))
def test_whatever_a_clock_says_no_sample_is_lost_or_runs_back(readings: list[tuple[int, int, int]]) -> None:
    sut, now, sent = SampleClock(100.0, 10**18), 0, 0
    out: list[Timed] = []
    for ticks, n, wait_ms in readings:
        now += wait_ms * MS
        sent += n
        out += sut.take(Packet(acc=bytes(6 * n), acc_scale=1.0, clock=US32, ticks=ticks), now)
    out += sut.flush()
    times = [t for one in out for t in one.t_ns]
    assert len(times) + sut.duplicates == sent
    assert all(b > a for a, b in pairwise(times))
