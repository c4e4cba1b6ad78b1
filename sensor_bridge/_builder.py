"""Samples as they come from a wearable, cut into numbered blocks."""

from __future__ import annotations

from dataclasses import dataclass, field
from operator import sub

from sagittal.blocks import AXES, Block, ClockKind, Cursor, Gap, GapReason, pack_offsets
from sagittal.names import Site

BLOCK_NS = 500_000_000
EVEN_NS = 20_000
"""Within 20 µs of an even grid samples are sent as even, for clocks are noisier; recorded times stay as they are."""
_SAMPLE_BYTES = AXES * 2


@dataclass(frozen=True, slots=True, kw_only=True)
class Samples:
    """Consecutive samples of one sensor with their UTC times, ns, and little-endian int16 rows with their scales.

    `gap_before` says what is missing before the first of them, if anything.
    """

    t_ns: list[int]
    acc: bytes
    acc_scale: float
    gyr: bytes | None = None
    gyr_scale: float | None = None
    clock: ClockKind = ClockKind.DEVICE
    gap_before: Gap | None = None


@dataclass(slots=True)
class BlockBuilder:
    """Collects samples of one stream until half a second is together, and numbers the blocks."""

    wearer: str
    site: Site
    device: str
    boot_id: bytes
    follows: Cursor | None
    block_ns: int = BLOCK_NS
    _seq: int = 0
    _pending: Samples | None = None
    _dt_ns: int = 10_000_000
    _first_gap: Gap | None = field(default_factory=lambda: Gap(GapReason.START, None, 0))

    def add(self, samples: Samples) -> list[Block]:
        """Take samples in order; the blocks that became whole."""
        if not samples.t_ns:
            return []
        out: list[Block] = []
        pending = self._pending
        if pending is not None and not _joins(pending, samples):
            out.append(self._block(pending))
            pending = None
        pending = samples if pending is None else _join(pending, samples)
        while pending is not None and (cut := self._cut(pending)):
            out.append(self._block(_slice(pending, 0, cut)))
            pending = _slice(pending, cut, len(pending.t_ns)) if cut < len(pending.t_ns) else None
        self._pending = pending
        return out

    def flush(self) -> list[Block]:
        """What is left, as a shorter block."""
        pending, self._pending = self._pending, None
        return [] if pending is None else [self._block(pending)]

    def _cut(self, pending: Samples) -> int:
        first = pending.t_ns[0]
        for index, t_ns in enumerate(pending.t_ns):
            if t_ns - first >= self.block_ns:
                return index
        return 0

    def _block(self, samples: Samples) -> Block:
        t, n = samples.t_ns, len(samples.t_ns)
        if n > 1:
            self._dt_ns = max(1, round((t[-1] - t[0]) / (n - 1)))
        tolerance_ns = 0 if samples.clock is ClockKind.RECORDED else EVEN_NS
        grid = range(t[0], t[0] + n * self._dt_ns, self._dt_ns)
        even = max(map(abs, map(sub, t, grid))) <= tolerance_ns
        gap, first = samples.gap_before, self._first_gap
        self._first_gap = None
        block = Block(
            wearer=self.wearer,
            site=self.site,
            device=self.device,
            boot_id=self.boot_id,
            seq=self._seq,
            t0_ns=t[0],
            dt_ns=self._dt_ns,
            n=n,
            acc=samples.acc,
            acc_scale=samples.acc_scale,
            gyr=samples.gyr,
            gyr_scale=samples.gyr_scale,
            clock=samples.clock,
            offsets_ns=None if even else pack_offsets([one - t[0] for one in t]),
            gap_before=gap or first,
            follows=self.follows if self._seq == 0 else None,
        )
        self._seq += 1
        return block


def _joins(a: Samples, b: Samples) -> bool:
    return (
        b.gap_before is None
        and b.t_ns[0] > a.t_ns[-1]
        and (a.acc_scale, a.gyr_scale, a.clock) == (b.acc_scale, b.gyr_scale, b.clock)
    )


def _join(a: Samples, b: Samples) -> Samples:
    gyr = a.gyr + b.gyr if a.gyr is not None and b.gyr is not None else None
    return Samples(
        t_ns=a.t_ns + b.t_ns,
        acc=a.acc + b.acc,
        acc_scale=a.acc_scale,
        gyr=gyr,
        gyr_scale=a.gyr_scale,
        clock=a.clock,
        gap_before=a.gap_before,
    )


def _slice(samples: Samples, start: int, end: int) -> Samples:
    cut = slice(start * _SAMPLE_BYTES, end * _SAMPLE_BYTES)
    return Samples(
        t_ns=samples.t_ns[start:end],
        acc=samples.acc[cut],
        acc_scale=samples.acc_scale,
        gyr=None if samples.gyr is None else samples.gyr[cut],
        gyr_scale=samples.gyr_scale,
        clock=samples.clock,
        gap_before=samples.gap_before if start == 0 else None,
    )
