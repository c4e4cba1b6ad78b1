"""A block of samples: what a wearable becomes before anything is computed."""

from __future__ import annotations

import secrets
import sys
from array import array
from collections.abc import Sequence
from dataclasses import dataclass, replace
from enum import IntEnum, StrEnum
from operator import lt

from sagittal.errors import BlockError
from sagittal.names import Site, check_name
from sagittal.units import NS_PER_S

MAX_SAMPLES = 4096
"""Samples one block may hold: at 400 Hz ten seconds."""
AXES = 3
BOOT_ID_BYTES = 8
_MAX_OFFSET_NS = 2**32 - 1
_MAX_T_NS = 2**63 - 1


class ClockKind(IntEnum):
    """How the times of a block came about."""

    DEVICE = 1
    """The device's own clock, mapped to UTC by a fit to arrival times."""
    INDEX = 2
    """No device clock: the sample index, mapped to UTC by a fit to arrival times."""
    RECORDED = 3
    """Times that stood in a recording."""
    TRUE = 4
    """Exact times of a simulated body."""


class GapReason(StrEnum):
    """Why samples are missing before a block."""

    START = "start"
    """The first block of a stream: nothing is known of what came before."""
    LOST = "lost"
    """The device sent them, they did not arrive."""
    STALL = "stall"
    """The device stopped sending for a while."""
    RECONNECT = "reconnect"
    """The link was down."""
    CLOCK_RESET = "clock_reset"
    """The device's clock restarted or stepped back."""
    OVERRUN = "overrun"
    """The bridge's spool was full and dropped its oldest blocks."""
    NOT_A_NUMBER = "not_a_number"
    """The source held no usable number there."""
    NO_GYROSCOPE = "no_gyroscope"
    """The sensor measures no angular rates: its samples are not analysed."""
    RECORDING = "recording"
    """A hole in a recording."""
    ERASED = "erased"
    """Deleted on request."""


@dataclass(frozen=True, slots=True)
class Cursor:
    """A place in a stream of blocks: (boot_id, seq)."""

    boot_id: bytes
    seq: int


@dataclass(frozen=True, slots=True)
class Gap:
    """What is missing before a block: the reason, the number of samples where it is known, and the time.

    Where blocks are missing that once had their number, `since` is the place of the first of them: the count holds for
    whoever has everything before it, and nothing from it on.
    """

    reason: GapReason
    samples: int | None
    duration_ns: int
    since: Cursor | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Block:
    """Consecutive samples of one sensor, as they travel and rest.

    Attributes
    ----------
    wearer, site, device
        Pseudonym, place on the body, and the wearable's own name.
    boot_id, seq
        Eight bytes drawn anew whenever the numbering starts again; `seq` is contiguous within them.
    t0_ns
        UTC of the first sample, ns since 1970.
    dt_ns
        Measured time between samples, ns; with `offsets_ns` their mean.
    n
        Number of samples.
    acc, gyr, mag
        n × 3 little-endian int16 in the sensor frame, row by row; times their scale they are specific force
        in m/s² (gravity included), angular rate in rad/s, and magnetic flux density in µT.
    offsets_ns
        Where samples are uneven: n uint32 little-endian, ns after `t0_ns`, strictly increasing from 0.
    gap_before
        What is missing between this block and the one before, if anything.
    follows
        In the first block of a boot: the last block of the stream's boot before, where one is known.
    head
        True where the sender holds nothing older: what is missing before this block will never come.
    """

    wearer: str
    site: Site
    device: str
    boot_id: bytes
    seq: int
    t0_ns: int
    dt_ns: int
    n: int
    acc: bytes
    acc_scale: float
    gyr: bytes | None = None
    gyr_scale: float | None = None
    mag: bytes | None = None
    mag_scale: float | None = None
    clock: ClockKind = ClockKind.DEVICE
    offsets_ns: bytes | None = None
    gap_before: Gap | None = None
    follows: Cursor | None = None
    head: bool = False

    def __post_init__(self) -> None:
        _check(self)

    @property
    def cursor(self) -> Cursor:
        """This block's own place in its stream."""
        return Cursor(self.boot_id, self.seq)

    @property
    def duration_ns(self) -> int:
        """Time from the first to the last sample, ns."""
        if self.offsets_ns is None:
            return (self.n - 1) * self.dt_ns
        return int.from_bytes(self.offsets_ns[-4:], "little")

    @property
    def end_ns(self) -> int:
        """UTC at which the next sample is due, ns."""
        return self.t0_ns + self.duration_ns + self.dt_ns

    def times_ns(self) -> list[int]:
        """UTC of every sample, ns."""
        if self.offsets_ns is None:
            return [self.t0_ns + i * self.dt_ns for i in range(self.n)]
        return [self.t0_ns + offset for offset in _little_endian("I", self.offsets_ns)]

    def with_head(self) -> Block:
        """The same block, marked as the oldest that its sender holds."""
        return self if self.head else replace(self, head=True)


def new_boot_id() -> bytes:
    """Eight random bytes that name a new numbering."""
    return secrets.token_bytes(BOOT_ID_BYTES)


def pack_int16(rows: Sequence[int]) -> bytes:
    """Integers as little-endian int16.

    Raises
    ------
    BlockError
        Where one does not fit.
    """
    try:
        return _swapped(array("h", rows)).tobytes()
    except OverflowError:
        raise BlockError("a sample is outside int16: scale it, or clip it and say so") from None


def unpack_int16(data: bytes) -> list[int]:
    """Little-endian int16 as integers."""
    return _little_endian("h", data)


def pack_offsets(offsets_ns: Sequence[int]) -> bytes:
    """Sample offsets as little-endian uint32 nanoseconds.

    Raises
    ------
    BlockError
        Where one is negative or beyond 4.29 s: cut the block there.
    """
    if any(not 0 <= offset <= _MAX_OFFSET_NS for offset in offsets_ns):
        raise BlockError("a sample is more than 4.29 s after its block's first: cut the block before it")
    return _swapped(array("I", offsets_ns)).tobytes()


def _little_endian(code: str, data: bytes) -> list[int]:
    values = array(code)
    values.frombytes(data)
    return _swapped(values).tolist()


def _swapped(values: array[int]) -> array[int]:
    if sys.byteorder == "big":
        values.byteswap()
    return values


def _refuse(block: Block, what: str) -> BlockError:
    return BlockError(f"block {block.seq!r} of {block.wearer!r}/{block.site!r}: {what}")


def _check(block: Block) -> None:
    check_name("wearer", block.wearer)
    check_name("device", block.device)
    if len(block.boot_id) != BOOT_ID_BYTES:
        raise _refuse(block, f"boot_id has {len(block.boot_id)} bytes instead of {BOOT_ID_BYTES}")
    if not 0 <= block.seq < 2**53:
        raise _refuse(block, "seq is not a whole number from 0 to 2^53")
    if not 0 < block.n <= MAX_SAMPLES:
        raise _refuse(block, f"n is {block.n}; a block holds 1 to {MAX_SAMPLES} samples")
    if not 0 < block.dt_ns <= 10 * NS_PER_S:
        raise _refuse(block, f"dt_ns is {block.dt_ns}; it must be above 0 and at most 10 s")
    if not 0 <= block.t0_ns <= _MAX_T_NS - 10 * NS_PER_S * MAX_SAMPLES:
        raise _refuse(block, "t0_ns is before 1970 or beyond 2262")
    _check_samples(block)
    _check_offsets(block)
    if block.gap_before is not None and (block.gap_before.duration_ns < 0 or (block.gap_before.samples or 0) < 0):
        raise _refuse(block, "gap_before counts below zero")


def _check_samples(block: Block) -> None:
    for name, data, scale in (
        ("acc", block.acc, block.acc_scale),
        ("gyr", block.gyr, block.gyr_scale),
        ("mag", block.mag, block.mag_scale),
    ):
        if (data is None) != (scale is None):
            raise _refuse(block, f"{name} and its scale must come together")
        if data is None or scale is None:
            continue
        if len(data) != block.n * AXES * 2:
            raise _refuse(block, f"{name} has {len(data)} bytes; {block.n} samples need {block.n * AXES * 2}")
        if not 0.0 < scale < 1e6:
            raise _refuse(block, f"{name}_scale is {scale}; it must be above 0 and finite")


def _check_offsets(block: Block) -> None:
    if block.offsets_ns is None:
        return
    if len(block.offsets_ns) != block.n * 4:
        raise _refuse(block, f"offsets_ns has {len(block.offsets_ns)} bytes; {block.n} samples need {block.n * 4}")
    offsets = _little_endian("I", block.offsets_ns)
    if offsets[0] != 0 or not all(map(lt, offsets, offsets[1:])):
        raise _refuse(block, "offsets_ns must rise strictly from 0")
