"""Polar's measurement data: frames, their delta compression, and the settings of the control point.

Layout after polarofficial/polar-ble-sdk (8fb5311c, 2026-05-29: PmdDataFrame, PmdSetting, AccData, GyrData, MagData) and
its technical_documentation/online_measurement.pdf.
"""

from __future__ import annotations

import struct
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from itertools import pairwise

ACC, GYRO, MAG, SDK_MODE = 2, 5, 6, 9
RATE, RESOLUTION, RANGE, RANGE_MILLI, CHANNELS, FACTOR = 0, 1, 2, 3, 4, 5
_WIDTHS = {RATE: 2, RESOLUTION: 2, RANGE: 2, RANGE_MILLI: 4, CHANNELS: 1, FACTOR: 4, 6: 16}
_HEAD = struct.Struct("<BQB")
_COMPRESSED = 0x80
_MAX_SAMPLES = 2048
_FLOAT = struct.Struct("<f")
_BITS = struct.Struct("<I")


class BadFrame(ValueError):
    """Bytes that are no frame."""


@dataclass(frozen=True, slots=True)
class Frame:
    """A frame's samples: `rows` × `scale` are mg, °/s or gauss; `t_ns` is the time of the last one, since 2000."""

    kind: int
    t_ns: int
    rows: list[tuple[float, ...]]
    scale: float


def parse(data: bytes, factor: float = 1.0) -> Frame:
    """A frame's samples; `factor` came with the answer to the start.

    Raises
    ------
    BadFrame
        Where it is cut off, or of a type that is not known.
    """
    if len(data) <= _HEAD.size:
        raise BadFrame("a frame without samples")
    kind, t_ns, type_ = _HEAD.unpack_from(data)
    kind &= 0x3F
    body = data[_HEAD.size :]
    layout = _LAYOUTS.get((kind, type_))
    if layout is None:
        raise BadFrame(f"frame type {type_:#x} of measurement {kind} is not known")
    scale = factor * layout.unit
    if type_ & _COMPRESSED:
        rows: list[tuple[float, ...]] = [tuple(row) for row in _expand(body, layout)]
    else:
        rows = [tuple(row) for row in _plain(body, layout)]
    return Frame(kind, t_ns, rows, scale)


@dataclass(frozen=True, slots=True)
class _Layout:
    width: int
    channels: int
    unit: float
    floats: bool = False


_LAYOUTS = {
    (ACC, 0x00): _Layout(1, 3, 1.0),
    (ACC, 0x01): _Layout(2, 3, 1.0),
    (ACC, 0x02): _Layout(3, 3, 1.0),
    (ACC, 0x80): _Layout(2, 3, 1000.0),
    (ACC, 0x81): _Layout(2, 3, 1.0),
    (GYRO, 0x80): _Layout(2, 3, 1.0),
    (GYRO, 0x81): _Layout(4, 3, 1.0, floats=True),
    (MAG, 0x80): _Layout(2, 3, 1.0),
    (MAG, 0x81): _Layout(2, 4, 0.001),
}


def _integers(data: bytes, width: int) -> list[int]:
    return [int.from_bytes(data[i : i + width], "little", signed=True) for i in range(0, len(data), width)]


def _grouped(flat: Sequence[int], channels: int) -> list[Sequence[int]]:
    return [flat[i : i + channels] for i in range(0, len(flat), channels)]


def _plain(body: bytes, layout: _Layout) -> list[Sequence[int]]:
    size = layout.width * layout.channels
    if len(body) % size:
        raise BadFrame("a sample is cut off")
    return _grouped(_integers(body, layout.width), layout.channels)


def _expand(body: bytes, layout: _Layout) -> Iterable[Sequence[float]]:
    """The reference sample and those that the deltas after it make: signed, least significant bit first."""
    start = layout.width * layout.channels
    if len(body) < start:
        raise BadFrame("the reference sample is cut off")
    current = _integers(body[:start], layout.width)
    rows = [list(current)]
    at = start
    while at < len(body):
        if at + 2 > len(body):
            raise BadFrame("a block of deltas is cut off")
        width, count = body[at], body[at + 1]
        at += 2
        length = -(-width * count * layout.channels // 8)
        if at + length > len(body) or not 0 < width <= 32 or len(rows) + count > _MAX_SAMPLES:
            raise BadFrame("a block of deltas is cut off")
        for delta in _deltas(body[at : at + length], width, count, layout.channels):
            current = [value + step for value, step in zip(current, delta, strict=True)]
            rows.append(current)
        at += length
    return [[_as_float(value) for value in row] for row in rows] if layout.floats else rows


def _deltas(data: bytes, width: int, count: int, channels: int) -> Iterable[list[int]]:
    bits, mask, sign = int.from_bytes(data, "little"), (1 << width) - 1, 1 << (width - 1)
    for _ in range(count):
        row = []
        for _ in range(channels):
            value = bits & mask
            row.append(value - (value & sign) * 2)
            bits >>= width
        yield row


def _as_float(pattern: int) -> float:
    value: float = _FLOAT.unpack(_BITS.pack(pattern & 0xFFFFFFFF))[0]
    return value


def compress(kind: int, type_: int, t_ns: int, rows: Sequence[Sequence[int]]) -> bytes:
    """A delta frame of int16 samples, as the wearable sends it."""
    deltas = [[b - a for a, b in zip(one, two, strict=True)] for one, two in pairwise(rows)]
    out = _HEAD.pack(kind, t_ns, type_) + struct.pack(f"<{len(rows[0])}h", *rows[0])
    if not deltas:
        return out
    width = max(max(value.bit_length(), (-value - 1).bit_length()) + 1 for row in deltas for value in row)
    bits = shift = 0
    for row in deltas:
        for value in row:
            bits |= (value & ((1 << width) - 1)) << shift
            shift += width
    return out + bytes((width, len(deltas))) + bits.to_bytes(-(-shift // 8), "little")


def plain(kind: int, t_ns: int, rows: Sequence[Sequence[int]]) -> bytes:
    """A frame of type 1 of int16 samples, as the wearable sends it."""
    flat = [value for row in rows for value in row]
    return _HEAD.pack(kind, t_ns, 1) + struct.pack(f"<{len(flat)}h", *flat)


def settings(parameters: bytes) -> dict[int, list[float]]:
    """The settings in an answer of the control point: what may be chosen, or with a start what was.

    Raises
    ------
    BadFrame
        Where they are cut off.
    """
    out: dict[int, list[float]] = {}
    at = 0
    while at + 2 <= len(parameters):
        what, count = parameters[at], parameters[at + 1]
        width = _WIDTHS.get(what)
        at += 2
        if width is None or at + width * count > len(parameters):
            raise BadFrame("settings are cut off or not known")
        pieces = [parameters[at + i * width : at + (i + 1) * width] for i in range(count)]
        if what == FACTOR:
            out[what] = [_FLOAT.unpack(piece)[0] for piece in pieces]
        else:
            out[what] = [int.from_bytes(piece, "little") for piece in pieces]
        at += width * count
    return out


def pack_settings(chosen: dict[int, Sequence[float]]) -> bytes:
    """Settings as they travel."""
    out = b""
    for what, values in chosen.items():
        out += bytes((what, len(values)))
        for value in values:
            out += _FLOAT.pack(value) if what == FACTOR else int(value).to_bytes(_WIDTHS[what], "little")
    return out
