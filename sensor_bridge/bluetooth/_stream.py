"""From a link's events to samples with times: the clock, the check of units, battery, and the notes for the person."""

from __future__ import annotations

import random
import time
from dataclasses import dataclass, field, replace

from sagittal.blocks import Gap, GapReason
from sagittal.messages import DeviceState, SilenceReason
from sensor_bridge._clock import SampleClock, Timed
from sensor_bridge._units_check import UnitCheck, Verdict
from sensor_bridge.bluetooth._link import Link
from sensor_bridge.source import Outlet, Samples
from sensor_bridge.wearable import Battery, Event, Note, Packet, Skipped, Stopped, TimeReply

WALL_STEP_NS = 300_000_000
READ_NS = 1_000_000


def utc_offset_ns() -> int:
    """UTC minus the monotonic clock; read anew where the process was held up between the two."""
    for _ in range(10):
        before = time.monotonic_ns()
        utc = time.time_ns()
        after = time.monotonic_ns()
        if after - before < READ_NS:
            break
    return utc - (before + after) // 2


@dataclass(slots=True)
class Handed:
    """What of a wearable went on, over its connections: until when (UTC, ns), and whether any since was held back."""

    until_ns: int | None = None
    withheld: bool = False


@dataclass(slots=True)
class Stream:
    """One connection's stream. `decoded_at` is when a sample was last decoded, not a repetition (monotonic, s).

    `early` counts samples that came before the set-up had ended: of another rate or range, they are no part of it.
    """

    link: Link
    clock: SampleClock
    outlet: Outlet
    handed: Handed = field(default_factory=Handed)
    decoded_at: float = field(default_factory=time.monotonic)
    good: bool = False
    ended: tuple[SilenceReason, str] | None = None
    skipped_bytes: int = 0
    spacing_s: float = 0.0
    early: int = 0
    _check: UnitCheck = field(default_factory=UnitCheck)
    _held: list[Samples] = field(default_factory=list)
    _notes: set[str] = field(default_factory=set)
    _asked: dict[int, int] = field(default_factory=dict)
    _offset_ns: int = field(default_factory=utc_offset_ns)
    _overruns: int = 0

    def __post_init__(self) -> None:
        if abs(self._offset_ns - self.clock.utc_offset_ns) > WALL_STEP_NS:
            self._give(self.clock.rebase(self._offset_ns))
        for event, arrival_ns in self.link.drain():
            if isinstance(event, Packet):
                self.early += event.n
            else:
                self._take(event, arrival_ns)

    def pump(self) -> None:
        """Take what has come since."""
        self._watch_wall()
        for event, arrival_ns in self.link.drain():
            self._take(event, arrival_ns)

    def question(self) -> int:
        """A token for a question about the device's time, asked now."""
        token = random.getrandbits(32)
        self._asked = {token: time.monotonic_ns()}
        return token

    def close(self) -> None:
        """The connection is over: hand over what was held back."""
        self._give(self.clock.link_down())
        self._check.decide()
        self._judge()

    def _take(self, event: Event, arrival_ns: int) -> None:
        match event:
            case Packet():
                timed = self.clock.take(event, arrival_ns)
                if timed or self.clock.holding:
                    self.decoded_at = time.monotonic()
                self.spacing_s = event.n / max(1.0, self.clock.rate_hz)
                self._give(timed)
            case Battery(percent):
                self.outlet.state(self._state(), battery_percent=percent)
            case Note(text):
                self._note(text)
            case Skipped(length):
                self.skipped_bytes += length
            case Stopped(why):
                self.ended = (SilenceReason.NO_DATA, f"the wearable stopped: {why}")
            case TimeReply(token, received, sent):
                asked_ns = self._asked.pop(token, None)
                if asked_ns is not None:
                    self.clock.exchange(asked_ns, received, sent, arrival_ns)

    def _state(self) -> DeviceState:
        return DeviceState.STREAMING if self.good else DeviceState.SETTING_UP

    def _note(self, text: str) -> None:
        if text and text not in self._notes:
            self._notes.add(text)
            self.outlet.state(self._state(), note=text)

    def _watch_wall(self) -> None:
        offset_ns = utc_offset_ns()
        if abs(offset_ns - self._offset_ns) > WALL_STEP_NS:
            self._offset_ns = offset_ns
            self._give(self.clock.rebase(offset_ns))

    def _give(self, timed: list[Timed]) -> None:
        for one in timed:
            gap = one.gap
            if self.link.overruns > self._overruns:
                self._overruns = self.link.overruns
                if gap is not None and gap.reason is GapReason.LOST:
                    gap = replace(gap, reason=GapReason.OVERRUN)
            samples = _samples(one, gap)
            if self._check.verdict is Verdict.GOOD:
                self._out(samples)
            elif self._check.verdict is Verdict.OPEN:
                self._held.append(samples)
                self._check.take(samples.t_ns, samples.acc, samples.acc_scale, samples.gyr, samples.gyr_scale)
                self._judge()
            else:
                self.handed.withheld = True

    def _judge(self) -> None:
        """Once the units are known to be right, what was held goes on; where they are wrong, nothing does."""
        if self._check.verdict is Verdict.OPEN:
            return
        held, self._held = self._held, []
        if self._check.verdict is Verdict.WRONG:
            self.ended = self.ended or (SilenceReason.UNITS, self._check.say)
            self.handed.withheld |= bool(held)
            return
        self._note(self._check.say)
        for samples in held:
            self._out(samples)

    def _out(self, samples: Samples) -> None:
        self.good = True
        handed, first_ns = self.handed, samples.t_ns[0]
        if handed.withheld and handed.until_ns is not None:
            reason = samples.gap_before.reason if samples.gap_before else GapReason.RECONNECT
            away_ns = max(0, first_ns - handed.until_ns - round(self.clock.period_host_ns))
            samples = replace(samples, gap_before=Gap(reason, None, away_ns))
        handed.until_ns, handed.withheld = samples.t_ns[-1], False
        self.outlet.samples(samples)


def _samples(timed: Timed, gap: Gap | None) -> Samples:
    packet = timed.packet
    return Samples(
        t_ns=timed.t_ns,
        acc=packet.acc,
        acc_scale=packet.acc_scale,
        gyr=packet.gyr,
        gyr_scale=packet.gyr_scale,
        clock=timed.kind,
        gap_before=gap,
    )
