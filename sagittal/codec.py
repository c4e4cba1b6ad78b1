"""Blocks as CBOR, alone on the wire or one after another in a `.cborseq` recording.

The layout stands as CDDL in docs/wire.md. Keys are small integers as in SenML-CBOR (RFC 8428); samples are typed
arrays (RFC 8746: tag 77 sint16 little endian, tag 70 uint32 little endian); encoding is deterministic (RFC 8949,
section 4.2); a recording is a CBOR sequence (RFC 8742).
"""

from __future__ import annotations

import io
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, BinaryIO, TypeVar

import cbor2

from sagittal.blocks import Block, ClockKind, Cursor, Gap, GapReason
from sagittal.errors import BlockError, NameRefused, RecordingError
from sagittal.names import check_site

_T = TypeVar("_T")

VERSION = 1
MAX_BLOCK_BYTES = 200_000
"""A block of 4096 samples of nine axes with offsets, and room to spare; larger input is refused unread."""

_SINT16_LE = 77
_UINT32_LE = 70

(_V, _WEARER, _SITE, _DEVICE, _BOOT, _SEQ, _T0, _DT, _N, _CLOCK) = range(10)
(_ACC, _ACC_SCALE, _GYR, _GYR_SCALE, _MAG, _MAG_SCALE, _OFFSETS, _GAP, _FOLLOWS, _HEAD) = range(10, 20)
_KNOWN = frozenset(range(20))


def encode_block(block: Block) -> bytes:
    """One block as one CBOR map, the same bytes for the same block every time."""
    fields: dict[int, Any] = {
        _V: VERSION,
        _WEARER: block.wearer,
        _SITE: str(block.site),
        _DEVICE: block.device,
        _BOOT: block.boot_id,
        _SEQ: block.seq,
        _T0: block.t0_ns,
        _DT: block.dt_ns,
        _N: block.n,
        _CLOCK: int(block.clock),
        _ACC: cbor2.CBORTag(_SINT16_LE, block.acc),
        _ACC_SCALE: block.acc_scale,
    }
    if block.gyr is not None:
        fields |= {_GYR: cbor2.CBORTag(_SINT16_LE, block.gyr), _GYR_SCALE: block.gyr_scale}
    if block.mag is not None:
        fields |= {_MAG: cbor2.CBORTag(_SINT16_LE, block.mag), _MAG_SCALE: block.mag_scale}
    if block.offsets_ns is not None:
        fields[_OFFSETS] = cbor2.CBORTag(_UINT32_LE, block.offsets_ns)
    if block.gap_before is not None:
        gap = block.gap_before
        since = [] if gap.since is None else [[gap.since.boot_id, gap.since.seq]]
        fields[_GAP] = [str(gap.reason), gap.samples, gap.duration_ns, *since]
    if block.follows is not None:
        fields[_FOLLOWS] = [block.follows.boot_id, block.follows.seq]
    if block.head:
        fields[_HEAD] = True
    return cbor2.dumps(fields, canonical=True)


def decode_block(data: bytes) -> Block:
    """One block from exactly one CBOR map.

    Raises
    ------
    BlockError
        Where the bytes are anything else: not CBOR, trailing bytes, too long, a wrong or unknown field.
    """
    if len(data) > MAX_BLOCK_BYTES:
        raise BlockError(f"{len(data)} bytes can't be one block: the limit is {MAX_BLOCK_BYTES}")
    stream = io.BytesIO(data)
    try:
        block = _block_from(_load(stream))
    except EOFError:
        raise BlockError(f"{len(data)} bytes end in the middle of a block") from None
    if stream.tell() != len(data):
        raise BlockError(f"{len(data) - stream.tell()} bytes follow the block: one message holds one block")
    return block


def _load(stream: BinaryIO) -> object:
    try:
        return cbor2.load(stream)
    except cbor2.CBORDecodeEOF:
        raise EOFError from None
    except (cbor2.CBORError, ValueError, TypeError, OverflowError, RecursionError, MemoryError) as error:
        raise BlockError(f"these bytes are not CBOR ({type(error).__name__})") from None


def _block_from(value: object) -> Block:
    if not isinstance(value, Mapping):
        raise BlockError(f"a block is a CBOR map, this is {type(value).__name__}")
    unknown = [key for key in value if not (type(key) is int and key in _KNOWN)]
    if unknown:
        raise BlockError(f"field {str(unknown[0])[:40]!r} is not known in version {VERSION} of a block")
    if value.get(_V) != VERSION:
        raise BlockError(
            f"block version {str(value.get(_V))[:20]} is not {VERSION}: update the older of the two programs"
        )
    try:
        return Block(
            wearer=_field(value, _WEARER, str),
            site=check_site(_field(value, _SITE, str)),
            device=_field(value, _DEVICE, str),
            boot_id=_field(value, _BOOT, bytes),
            seq=_field(value, _SEQ, int),
            t0_ns=_field(value, _T0, int),
            dt_ns=_field(value, _DT, int),
            n=_field(value, _N, int),
            clock=ClockKind(_field(value, _CLOCK, int)),
            acc=_array(value, _ACC, _SINT16_LE) or b"",
            acc_scale=_scale(value, _ACC_SCALE) or 0.0,
            gyr=_array(value, _GYR, _SINT16_LE),
            gyr_scale=_scale(value, _GYR_SCALE),
            mag=_array(value, _MAG, _SINT16_LE),
            mag_scale=_scale(value, _MAG_SCALE),
            offsets_ns=_array(value, _OFFSETS, _UINT32_LE),
            gap_before=_gap(value.get(_GAP)),
            follows=_cursor(value.get(_FOLLOWS)),
            head=_HEAD in value and _field(value, _HEAD, bool),
        )
    except (NameRefused, ValueError) as error:
        raise BlockError(f"not a block: {error}") from None


def _field(value: Mapping[Any, Any], key: int, kind: type[_T]) -> _T:
    found = value.get(key)
    if type(found) is not kind:
        raise BlockError(f"field {key} of a block is {type(found).__name__}, not {kind.__name__}")
    return found


def _array(value: Mapping[Any, Any], key: int, tag: int) -> bytes | None:
    found = value.get(key)
    if found is None:
        return None
    if not isinstance(found, cbor2.CBORTag) or found.tag != tag or type(found.value) is not bytes:
        raise BlockError(f"field {key} of a block is not a typed array with tag {tag}")
    return found.value


def _scale(value: Mapping[Any, Any], key: int) -> float | None:
    found = value.get(key)
    return float(found) if type(found) is int else None if found is None else _field(value, key, float)


def _gap(found: object) -> Gap | None:
    match found:
        case None:
            return None
        case [str(reason), None | int() as samples, int(duration_ns), *since] if len(since) < 2:
            return Gap(GapReason(reason), samples, duration_ns, _cursor(since[0]) if since else None)
    raise BlockError("gap_before is not [reason, samples or null, duration_ns] or that and a place")


def _cursor(found: object) -> Cursor | None:
    match found:
        case None:
            return None
        case [bytes(boot_id), int(seq)]:
            return Cursor(boot_id, seq)
    raise BlockError("a place in a stream is not [boot_id, seq]")


@dataclass(frozen=True, slots=True)
class Torn:
    """The end of a recording that holds no whole block, as after a power cut: where, and how many bytes."""

    offset: int
    length: int


def read_blocks(path: Path) -> Iterator[Block | Torn]:
    """The blocks of a `.cborseq` recording in order; a torn last block comes last, as `Torn`.

    Raises
    ------
    RecordingError
        Where the file can't be opened or is empty, or bytes inside it are no block.
    """
    try:
        data = path.read_bytes()
    except OSError as error:
        raise RecordingError(f"{path} can't be read ({error.strerror}): check the name and the rights") from None
    if not data:
        raise RecordingError(f"{path} is empty: record something into it first")
    stream = io.BytesIO(data)
    while (offset := stream.tell()) < len(data):
        try:
            yield _block_from(_load(stream))
        except EOFError:
            if offset == 0:
                raise RecordingError(
                    f"{path} holds no whole block: it is torn from the start, or no .cborseq"
                ) from None
            yield Torn(offset, len(data) - offset)
            return
        except BlockError as error:
            raise RecordingError(f"{path}, byte {offset}: {error}") from None


def append_block(stream: BinaryIO, block: Block) -> int:
    """Append a block to an open recording; the number of bytes written."""
    return stream.write(encode_block(block))
