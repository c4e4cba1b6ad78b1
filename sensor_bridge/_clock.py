"""When each sample was measured: the wearable's clock, or the number of the sample, mapped to UTC as packets arrive."""

from __future__ import annotations

import statistics
from dataclasses import dataclass
from itertools import pairwise

from sagittal.blocks import ClockKind, Gap, GapReason
from sagittal.units import NS_PER_S
from sensor_bridge._envelope import KNOWN_SD, Envelope
from sensor_bridge._pace import Pace
from sensor_bridge.wearable import Clock, Packet

OPENING_NS = 1_500_000_000
"""Packets of a new segment wait this long, so that one of them shows nearly the least delay of the link."""
SILENCE_NS = NS_PER_S
"""After this without a packet it is asked whether the wearable paused or the link held packets back."""
RECHECK_NS = 1_500_000_000
DRAINING = 0.8
SWITCH_NS = NS_PER_S // 2
"""Without clock the first packets may still have come at the rate before the set-up: the line begins after them."""
EARLY_NS, LATE_NS = NS_PER_S, 20 * NS_PER_S
"""A packet may seem early by the error of the first map, and late by what a wearable keeps while the link is bad."""
AWAY_NS, AWAY_EARLY_NS = 300 * NS_PER_S, 10 * NS_PER_S
"""After a longer break, or a shorter one in the first minute, the map of before is not drawn on."""
UNKNOWN_SD = 3e-3
LONG_WRAP_NS = 600 * NS_PER_S
WARM_NS, WARM_SLEW, SLEW = 60 * NS_PER_S, 0.02, 0.001
GAP_PERIODS, GAP_TICKS = 1.5, 1.25
STEP_PERIODS, STEP_MIN_S, STEP_PATIENCE_S = 1.6, 0.25, 20.0
"""Without clock a smaller or shorter step is not told from a link or a computer that is slow for a while."""
CLOCK_STEP_S, CLOCK_STEP_PATIENCE_S = 0.5, 10.0
GAIN = 1 / 256


@dataclass(frozen=True, slots=True)
class Timed:
    """A packet whose samples have their times: UTC, ns, rising strictly; and what is missing before it."""

    packet: Packet
    t_ns: list[int]
    kind: ClockKind
    gap: Gap | None = None


class SampleClock:
    """Gives each sample of one wearable its UTC, over connections and reboots, at once and never backwards.

    A device clock is unwrapped and mapped to host time by a lower envelope; where there is none, the sample's number
    takes its place, and a loss shows only as a lasting step of the envelope, from a quarter second on, without number.
    Packets are held for 1.5 s when a segment opens, and after a silence without device clock; else they pass at once.
    The least delay of the link (about half a connection interval) stays in the times unless `exchange` tells.

    Parameters
    ----------
    rate_hz
        The nominal rate; the true one is measured.
    utc_offset_ns
        UTC minus the host's monotonic clock.
    """

    def __init__(self, rate_hz: float, utc_offset_ns: int) -> None:
        self._nominal_ns = self._period = NS_PER_S / rate_hz
        self._pace = Pace()
        self._tail = 0
        self.utc_offset_ns = utc_offset_ns
        self._held: list[tuple[Packet, int]] = []
        self._opening = True
        self._rechecking = False
        self._envelope: Envelope | None = None
        self._clock: Clock | None = None
        self._ticks: tuple[int, int] | None = None
        self._dev_last: int | None = None
        self._next_count: int | None = None
        self._t_last: int | None = None
        self._segment_at = 0
        self._arrival_last: int | None = None
        self._cause: GapReason | None = None
        self._drift: float | None = None
        self._delay_ns = self._delay_rtt_ns = 0
        self._mapped_until = 0
        self._lost_before = 0
        self.duplicates = 0
        self.segments = 0

    @property
    def holding(self) -> bool:
        """Whether packets wait for their times."""
        return bool(self._held)

    @property
    def rate_hz(self) -> float:
        """The measured rate, by the host's clock."""
        drift = self._envelope.drift if self._envelope else 0.0
        return NS_PER_S / (self._period * (1 + drift))

    @property
    def drift_ppm(self) -> float:
        """How much slower than the host's the device clock runs (without one: than the nominal rate), 1e-6."""
        return (self._envelope.drift if self._envelope else 0.0) * 1e6

    def take(self, packet: Packet, arrival_ns: int) -> list[Timed]:
        """Take a packet that arrived at `arrival_ns` (monotonic); packets whose times are known now, in order."""
        if packet.n == 0:
            return []
        if self._opening:
            return self._open(packet, arrival_ns)
        if self._held:
            return self._hold_on(packet, arrival_ns)
        if self._clock is None:
            silent = self._arrival_last is not None and arrival_ns - self._arrival_last > SILENCE_NS
            if silent and packet.counter is None:
                self._held, self._rechecking = [(packet, arrival_ns)], True
                return []
            return self._emit(packet, arrival_ns, None)
        dev = self._unwrap(packet, arrival_ns)
        if dev is None:
            self._held = [(packet, arrival_ns)]
            return []
        return self._emit(packet, arrival_ns, dev)

    def flush(self) -> list[Timed]:
        """What is held, with the best times there are."""
        if not self._held:
            return []
        if self._opening:
            return self._begin()
        if self._rechecking:
            return self._settle()
        return self._restart(GapReason.CLOCK_RESET) + self._begin()

    def link_down(self) -> list[Timed]:
        """The link is gone: what was held; what comes next follows a gap."""
        out = self.flush()
        self._opening = True
        self._cause = GapReason.RECONNECT
        return out

    def rebase(self, utc_offset_ns: int) -> list[Timed]:
        """UTC has stepped against the monotonic clock: what was held; what comes next follows a gap."""
        out = self.flush()
        self.utc_offset_ns = utc_offset_ns
        self._cause = self._cause or GapReason.CLOCK_RESET
        return out

    def exchange(self, sent_ns: int, received_ticks: int, answered_ticks: int, arrival_ns: int) -> None:
        """Take a two-way exchange: asked at `sent_ns`, answered at `arrival_ns`, device ticks when it came and went.

        Half of the shortest round trip is the delay of the answer (RFC 5905, section 8), which the envelope can't see.
        """
        if self._clock is None or self._ticks is None or self._envelope is None or self._opening:
            return
        span = 1 << self._clock.bits
        there = (answered_ticks - received_ticks) % span * self._clock.tick_ns
        ahead = (answered_ticks - self._ticks[0] + span // 2) % span - span // 2
        answered = self._ticks[1] + ahead * self._clock.tick_ns
        trip = arrival_ns - sent_ns - there
        if 0 < trip < NS_PER_S and (not self._delay_rtt_ns or trip < self._delay_rtt_ns):
            self._delay_rtt_ns = trip
            delay = self._envelope.at(answered) - (arrival_ns - trip // 2)
            self._delay_ns = max(0, min(delay, trip))

    # -- segments -----------------------------------------------------------------------------------------------------

    def _open(self, packet: Packet, arrival_ns: int) -> list[Timed]:
        out: list[Timed] = []
        if self._held and self._leaps(self._held[-1], (packet, arrival_ns)):
            out = self._begin() + self._restart(GapReason.CLOCK_RESET)
        self._held.append((packet, arrival_ns))
        if arrival_ns - self._held[0][1] < OPENING_NS:
            return out
        return out + self._begin()

    @staticmethod
    def _leaps(before: tuple[Packet, int], after: tuple[Packet, int]) -> bool:
        (a, _), (b, _) = before, after
        if a.clock != b.clock:
            return True
        if a.clock is None or a.ticks is None or b.ticks is None:
            return False
        ahead = (b.ticks - a.ticks) % (1 << a.clock.bits) * a.clock.tick_ns
        return ahead > after[1] - before[1] + 2 * EARLY_NS

    def _restart(self, cause: GapReason) -> list[Timed]:
        """Forget the segment; what is held opens the next."""
        self._opening, self._rechecking = True, False
        self._ticks = self._dev_last = self._next_count = None
        if self._envelope is not None:
            self._drift = self._envelope.drift
        self._envelope = None
        self._pace = Pace()
        self._cause = self._cause or cause
        return []

    def _begin(self) -> list[Timed]:
        """Open a segment, or go on with the one before where the device clock ran on through the break."""
        held, self._held = self._held, []
        self._opening = False
        first, arrival_ns = held[0]
        same = (
            self._clock is not None
            and first.clock == self._clock
            and self._envelope is not None
            and self._unwrap(first, arrival_ns) is not None
        )
        if not same:
            self._restart(self._cause or GapReason.CLOCK_RESET)
            self._opening = False
            self._start_segment(held)
        elif arrival_ns - (self._arrival_last or arrival_ns) > (AWAY_NS if self._settled else AWAY_EARLY_NS):
            self._map_anew(held)
        out: list[Timed] = []
        for packet, at in held:
            out += self._place(packet, at)
        return out

    @property
    def _settled(self) -> bool:
        return (self._arrival_last or 0) - self._segment_at >= WARM_NS

    def _map_anew(self, held: list[tuple[Packet, int]]) -> None:
        """After so long a break the old line is drawn too far: a new one, with the drift that was found."""
        assert self._envelope is not None
        assert self._clock is not None
        first, arrival_ns = held[0]
        dev = self._unwrap(first, arrival_ns) or 0
        sd = KNOWN_SD if self._settled else UNKNOWN_SD
        self._envelope = Envelope(self._envelope.drift, sd, 0.02, CLOCK_STEP_S)
        for packet, at in held:
            ahead = ((packet.ticks or 0) - (first.ticks or 0)) % (1 << self._clock.bits)
            self._envelope.add(dev + ahead * self._clock.tick_ns, at)
        self._mapped_until, self._segment_at = held[-1][1], arrival_ns

    def _start_segment(self, held: list[tuple[Packet, int]]) -> None:
        first, arrival_ns = held[0]
        self._clock = first.clock if first.ticks is not None else None
        self.segments += 1
        self._segment_at = arrival_ns
        self._delay_ns = self._delay_rtt_ns = 0
        self._mapped_until = held[-1][1]
        known = self._drift is not None
        if self._clock is None:
            step_s = max(STEP_MIN_S, STEP_PERIODS * self._nominal_ns / NS_PER_S)
            self._envelope = Envelope(self._drift or 0.0, KNOWN_SD if known else 0.05, 0.25, step_s)
            self._period = self._nominal_ns
            dev = -self._nominal_ns
            for packet, at in held:
                dev += packet.n * self._nominal_ns
                if at - arrival_ns >= SWITCH_NS or held[-1][1] - arrival_ns < SWITCH_NS:
                    self._envelope.add(round(dev), at)
            self._dev_last = round(-self._nominal_ns)
            return
        self._envelope = Envelope(self._drift or 0.0, KNOWN_SD if known else UNKNOWN_SD, 0.02, CLOCK_STEP_S)
        ticks = first.ticks or 0
        self._ticks = (ticks, ticks * self._clock.tick_ns)
        steps = []
        dev = self._ticks[1]
        self._envelope.add(dev, arrival_ns)
        for (a, _), (b, at) in pairwise(held):
            ahead = ((b.ticks or 0) - (a.ticks or 0)) % (1 << self._clock.bits) * self._clock.tick_ns
            steps.append(ahead / (b.n if b.anchor else a.n))
            dev += ahead
            self._envelope.add(dev, at)
        usual = statistics.median_low(steps) if steps else 0.0
        if 0.2 < usual / self._nominal_ns < 5:
            self._period = statistics.fmean(one for one in steps if 0.75 * usual <= one <= 1.25 * usual)

    def _hold_on(self, packet: Packet, arrival_ns: int) -> list[Timed]:
        """A packet after one that is held: an odd reading, or the first after a silence without device clock."""
        self._held.append((packet, arrival_ns))
        if self._rechecking:
            return self._settle() if arrival_ns - self._held[0][1] >= RECHECK_NS else []
        if packet.clock != self._clock or self._unwrap(packet, arrival_ns) is None:
            return self._restart(GapReason.CLOCK_RESET)
        (odd, odd_at), _ = self._held
        self._held = []
        return self._emit(odd, odd_at, None) + self._place(packet, arrival_ns)

    def _settle(self) -> list[Timed]:
        """After a silence without clock: held back on the link, or not measured at all."""
        held, self._held, self._rechecking = self._held, [], False
        assert self._envelope is not None
        assert self._dev_last is not None
        dev, late = self._dev_last, []
        for packet, at in held:
            dev += round(packet.n * self._nominal_ns)
            late.append(at - self._envelope.at(dev))
        half = held[0][1] + RECHECK_NS // 2
        first = min((one for one, (_, at) in zip(late, held, strict=True) if at < half), default=late[0])
        lasting = min((one for one, (_, at) in zip(late, held, strict=True) if at >= half), default=first)
        missing = round(lasting / self.period_host_ns)
        pause = lasting > max(STEP_MIN_S * NS_PER_S, STEP_PERIODS * self._nominal_ns, DRAINING * first)
        out: list[Timed] = []
        for index, (packet, at) in enumerate(held):
            out += self._emit(packet, at, None, missing if pause and index == 0 else 0)
        return out

    @property
    def period_host_ns(self) -> float:
        """Measured time between samples by the host's clock, ns."""
        return NS_PER_S / self.rate_hz

    # -- packets ------------------------------------------------------------------------------------------------------

    def _unwrap(self, packet: Packet, arrival_ns: int) -> int | None:
        """The device time of a packet's anchor; None where it can't belong to this segment."""
        if self._clock is None or self._ticks is None or packet.ticks is None or self._envelope is None:
            return None
        span = (1 << self._clock.bits) * self._clock.tick_ns
        dev = self._ticks[1] + (packet.ticks - self._ticks[0]) % (1 << self._clock.bits) * self._clock.tick_ns
        late = arrival_ns - self._envelope.at(dev)
        if span < LONG_WRAP_NS and arrival_ns - (self._arrival_last or arrival_ns) > span // 2:
            return None
        if late > span // 2:
            turns = (late + span // 2) // span
            dev += turns * span
            late = arrival_ns - self._envelope.at(dev)
        slack = round(1e-3 * (arrival_ns - (self._arrival_last or arrival_ns)))
        return dev if -EARLY_NS - slack < late < LATE_NS + slack else None

    def _place(self, packet: Packet, arrival_ns: int) -> list[Timed]:
        if self._clock is None:
            return self._emit(packet, arrival_ns, None)
        dev = self._unwrap(packet, arrival_ns)
        return self._emit(packet, arrival_ns, dev)

    def _emit(self, packet: Packet, arrival_ns: int, anchor: int | None, missing: int = 0) -> list[Timed]:
        """Times for a packet whose anchor's device time is known, or follows from the sample before."""
        assert self._envelope is not None
        period, last = self._period, self._dev_last
        counted = self._counted(packet)
        silent_ns = arrival_ns - (self._arrival_last or arrival_ns)
        if (anchor is not None and self._ticks and anchor == self._ticks[1] and last is not None) or counted == -1:
            self.duplicates += packet.n
            return []
        step = period
        sure = True
        if anchor is None:
            missing = missing or counted or self._lost_before
            self._lost_before = 0
            first = float((last if last is not None else 0) + (missing + 1) * period)
            anchor_dev = 0
        else:
            if packet.anchor and last is not None:
                tiled = (anchor - last) / (packet.anchor + 1)
                step = tiled if abs(tiled - period) < 0.2 * period else period
            first = anchor - packet.anchor * step
            anchor_dev = anchor
            missing, sure = self._missing(packet, first, counted)
            self._learn(packet, anchor, missing)
        end = round(first + (packet.n - 1) * step)
        if arrival_ns > self._mapped_until and (anchor is not None or self._clock is None):
            self._envelope.add(anchor_dev if self._clock else end, arrival_ns)
        gap_reason = self._reason(missing, first, silent_ns)
        if self._clock is None:
            sure = counted is not None and gap_reason is not GapReason.RECONNECT
        t, gap = self._times(packet.n, first, step, gap_reason, missing if sure else None, arrival_ns)
        if anchor is not None and packet.ticks is not None:
            self._ticks = (packet.ticks, anchor)
        self._dev_last = end
        if packet.counter is not None and packet.count is not None:
            ahead = packet.n if packet.counter.counts == "samples" else 1
            self._next_count = (packet.count + ahead) % (1 << packet.counter.bits)
        self._arrival_last = arrival_ns
        self._check_step()
        kind = ClockKind.INDEX if self._clock is None else ClockKind.DEVICE
        return [Timed(packet, [one + self.utc_offset_ns for one in t], kind, gap)]

    def _counted(self, packet: Packet) -> int | None:
        """Samples missing by the packet's counter; None where it does not tell, -1 for a repetition."""
        if packet.counter is None or packet.count is None or self._next_count is None:
            return None
        span = 1 << packet.counter.bits
        ahead = (packet.count - self._next_count) % span
        each = 1 if packet.counter.counts == "samples" else packet.n
        if ahead >= span - max(1, span // 8) and packet.clock is None and self._cause is None:
            return -1
        return ahead * each

    def _missing(self, packet: Packet, first: float, counted: int | None) -> tuple[int, bool]:
        """Samples between the last one and device time `first`, by the clock and where there is one by the counter.

        Whether the number is sure stands beside it.
        """
        if self._dev_last is None or self._clock is None:
            return 0, True
        hole = first - self._dev_last
        threshold = max(GAP_PERIODS * self._period, self._period + GAP_TICKS * self._clock.tick_ns)
        by_clock, sure = self._pace.count(hole, self._period) if hole > threshold else (0, True)
        if counted is None or packet.counter is None or self._cause is not None:
            return by_clock, sure  # a counter may stand still, or begin again, while nobody listens
        wrap = (1 << packet.counter.bits) * (1 if packet.counter.counts == "samples" else packet.n)
        counted += max(0, round((by_clock - counted) / wrap)) * wrap
        return (counted, True) if counted <= by_clock * 1.05 + 3 else (by_clock, sure)

    def _learn(self, packet: Packet, anchor: int, missing: int) -> None:
        tail, self._tail = self._tail, packet.n - packet.anchor
        if self._ticks is None or self._dev_last is None or self._clock is None or missing or self._cause is not None:
            self._pace.broken(anchor)
            return
        between = tail + packet.anchor
        each = (anchor - self._ticks[1]) / max(1, between)
        if 0.8 < each / self._period < 1.25:
            self._period += (each - self._period) * GAIN * min(16, between)
        self._pace.go(anchor, between, self._clock.tick_ns)

    def _reason(self, missing: int, first: float, silent_ns: int) -> GapReason | None:
        if self._cause is not None:
            return self._cause
        hole = 0.0 if self._dev_last is None else first - self._dev_last - self._period
        if missing == 0 and hole < 2 * self._period:
            return None
        paused = missing == 0 or (silent_ns > SILENCE_NS and hole > silent_ns / 2)
        return GapReason.STALL if paused else GapReason.LOST

    def _times(
        self, n: int, first: float, step: float, reason: GapReason | None, missing: int | None, arrival_ns: int
    ) -> tuple[list[int], Gap | None]:
        """Host times of n samples; the error against the map fades slowly, so that times stay even."""
        assert self._envelope is not None
        target = [self._envelope.at(round(first + i * step)) - self._delay_ns for i in range(n)]
        t_last, dev_last = self._t_last, self._dev_last
        if t_last is None:
            error = 0.0
        elif self._cause is not None or dev_last is None:
            error = float(max(0, t_last + round(self._period / 2) - target[0]))
        else:
            error = float(t_last - (self._envelope.at(dev_last) - self._delay_ns))
        warm = arrival_ns - self._segment_at < WARM_NS
        slew = WARM_SLEW if warm else SLEW
        before = target[0] if dev_last is None or t_last is None else min(target[0], t_last - round(error))
        out = []
        for one in target:
            elapsed = max(0, one - before)
            fade = min(abs(error) * min(1.0, elapsed / NS_PER_S), slew * elapsed)
            error -= fade if error > 0 else -fade
            before = one
            t = round(one + error)
            out.append(t if t_last is None else max(t, t_last + 1000))
            t_last = out[-1]
        gap = None
        if reason is not None and self._t_last is not None:
            duration = max(0, out[0] - self._t_last - round(self.period_host_ns))
            gap = Gap(reason, None if dev_last is None else missing, duration)
        self._cause = None
        self._t_last = out[-1]
        return out, gap

    def _check_step(self) -> None:
        """A lasting step up: without clock samples were lost; with one it stood still."""
        assert self._envelope is not None
        if self._clock is not None:
            if self._envelope.step(CLOCK_STEP_PATIENCE_S) is not None:
                self._envelope.accept_step(0.0)
                self._cause, self._dev_last = GapReason.CLOCK_RESET, None
            return
        height_s = self._envelope.step(STEP_PATIENCE_S)
        if height_s is not None and self._dev_last is not None:
            lost = round(height_s * NS_PER_S / self.period_host_ns)
            self._envelope.accept_step(lost * self._nominal_ns / NS_PER_S)
            self._lost_before = lost
