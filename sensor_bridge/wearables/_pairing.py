"""Acceleration and angular rates that arrive apart, brought together by the device's own time or by their order."""

from __future__ import annotations

from bisect import bisect_right
from collections import deque
from collections.abc import Sequence
from dataclasses import replace

from sagittal.blocks import AXES, pack_int16
from sagittal.units import NS_PER_S
from sensor_bridge.wearable import Event, Packet, Skipped, Stopped

MAX_STEP = 2.5
"""Angular rates further apart than so many periods are not bridged."""
PATIENCE_S = 4.0
MAX_WAITING = 4096
_ROW_BYTES = 2 * AXES


class ByTime:
    """Gives each packet of accelerations the angular rates at its samples' times, interpolated on the device's clock.

    Packets before the first angular rate are the beginning of a stream and are dropped silently; later ones without
    angular rates are told as skipped, so that the gap is seen. Where either stays away, the stream is over.
    """

    def __init__(self, period_ns: int) -> None:
        self._period_ns = period_ns
        self._times: list[int] = []
        self._rows: list[tuple[int, ...]] = []
        self._waiting: deque[tuple[list[int], Packet]] = deque()
        self._gyr_scale = 1.0
        self._newest = 0
        self._begun = False

    def gyr(self, times_ns: Sequence[int], rows: Sequence[tuple[int, ...]], scale: float) -> list[Event]:
        """Angular rates have come: counts of `scale` rad/s."""
        if self._times and times_ns[0] <= self._times[-1]:
            self._restart()
        self._gyr_scale = scale
        self._times.extend(times_ns)
        self._rows.extend(rows)
        events = self._ready()
        if self._times[-1] - self._times[0] > PATIENCE_S * NS_PER_S or len(self._times) > MAX_WAITING:
            self._forget(times_ns[0])
            events.append(Stopped("the accelerations have stopped coming"))
        return events

    def acc(self, times_ns: list[int], packet: Packet) -> list[Event]:
        """Accelerations have come."""
        if times_ns[-1] < self._newest:
            self._restart()
        self._newest = times_ns[-1]
        self._waiting.append((times_ns, packet))
        events = self._ready()
        waited_ns = times_ns[-1] - self._waiting[0][0][0] if self._waiting else 0
        if waited_ns > PATIENCE_S * NS_PER_S or len(self._waiting) > MAX_WAITING:
            self._waiting.clear()
            events.append(Stopped("the angular rates have stopped coming"))
        return events

    def _restart(self) -> None:
        """The clock has stepped back: nothing before it belongs to what comes."""
        self._times.clear()
        self._rows.clear()
        self._waiting.clear()
        self._newest = 0

    def _ready(self) -> list[Event]:
        events: list[Event] = []
        while self._waiting and self._times and self._times[-1] >= self._waiting[0][0][-1]:
            times, packet = self._waiting.popleft()
            rows = [self._at(t_ns) for t_ns in times]
            if None not in rows:
                self._begun = True
                flat = [value for row in rows if row is not None for value in row]
                events.append(replace(packet, gyr=pack_int16(flat), gyr_scale=self._gyr_scale))
            elif self._begun:
                events.append(Skipped(len(packet.acc), "no angular rates for these accelerations"))
            self._forget(times[-1])
        return events

    def _at(self, t_ns: int) -> tuple[int, ...] | None:
        after = bisect_right(self._times, t_ns)
        if not after:
            return self._rows[0] if self._times[0] - t_ns <= self._period_ns / 2 else None
        early, late = after - 1, min(after, len(self._times) - 1)
        span = self._times[late] - self._times[early]
        if span > MAX_STEP * self._period_ns:
            return None
        share = (t_ns - self._times[early]) / span if span else 0.0
        return tuple(round(a + share * (b - a)) for a, b in zip(self._rows[early], self._rows[late], strict=True))

    def _forget(self, before_ns: int) -> None:
        old = max(0, bisect_right(self._times, before_ns) - 1)
        del self._times[:old], self._rows[:old]


class ByOrder:
    """Pairs the nth acceleration with the nth angular rate, for sensors of one chip that tell no time.

    Where one runs ahead by more than `slack` samples something was lost on the other: both begin anew, which is told.
    """

    def __init__(self, slack: int) -> None:
        self._slack = slack
        self._acc = self._gyr = b""
        self._begun = False

    def add(self, acc: bytes, gyr: bytes, acc_scale: float, gyr_scale: float) -> list[Event]:
        """Rows of either have come; what is together now."""
        self._acc += acc
        self._gyr += gyr
        both = min(len(self._acc), len(self._gyr)) // _ROW_BYTES * _ROW_BYTES
        events: list[Event] = []
        if both:
            self._begun = True
            events.append(Packet(acc=self._acc[:both], acc_scale=acc_scale, gyr=self._gyr[:both], gyr_scale=gyr_scale))
            self._acc, self._gyr = self._acc[both:], self._gyr[both:]
        ahead = max(len(self._acc), len(self._gyr))
        if ahead > self._slack * _ROW_BYTES:
            self._acc = self._gyr = b""
            if self._begun:
                events.append(Skipped(ahead, "accelerations and angular rates no longer match"))
        return events
