"""Blocks on the wire and in recordings: golden bytes, round trips, rubbish."""

from __future__ import annotations

import contextlib
import json
from dataclasses import replace
from pathlib import Path

import cbor2
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from sagittal.blocks import Block, ClockKind, Cursor, Gap, GapReason, pack_int16, pack_offsets, unpack_int16
from sagittal.codec import Torn, append_block, decode_block, encode_block, read_blocks
from sagittal.errors import BlockError, RecordingError, SagittalError
from sagittal.names import Site

GOLDEN = json.loads((Path(__file__).parent / "golden_blocks.json").read_text())


def block(n: int = 50, **changes: object) -> Block:
    fields: dict[str, object] = {
        "wearer": "w1",
        "site": Site.LOWER_BACK,
        "device": "sim-1",
        "boot_id": bytes(range(8)),
        "seq": 1000,
        "t0_ns": 1_795_000_000_000_000_000,
        "dt_ns": 10_000_000,
        "n": n,
        "acc": pack_int16(list(range(n * 3))),
        "acc_scale": 0.0048,
        "gyr": pack_int16([-value for value in range(n * 3)]),
        "gyr_scale": 0.001,
        **changes,
    }
    return Block(**fields)  # type: ignore[arg-type]


BLOCKS = {
    "plain": block(2),
    "uneven with gap": block(
        3,
        offsets_ns=pack_offsets([0, 9_000_000, 21_000_000]),
        gap_before=Gap(GapReason.LOST, 7, 70_000_000),
        clock=ClockKind.INDEX,
        gyr=None,
        gyr_scale=None,
    ),
    "first of a boot": block(
        1,
        seq=0,
        mag=pack_int16([1, 2, -3]),
        mag_scale=0.15,
        follows=Cursor(bytes(8), 41),
        gap_before=Gap(GapReason.RECONNECT, None, 3_000_000_000),
        head=True,
    ),
    "after dropped blocks": block(
        1, gap_before=Gap(GapReason.OVERRUN, 4321, 43_210_000_000, Cursor(bytes(range(8)), 914)), head=True
    ),
}


@pytest.mark.parametrize("name", BLOCKS)
def test_golden_bytes_in_both_directions(name: str) -> None:
    assert encode_block(BLOCKS[name]).hex() == GOLDEN[name]
    assert decode_block(bytes.fromhex(GOLDEN[name])) == BLOCKS[name]


def test_half_a_second_of_six_axes_takes_about_680_bytes() -> None:
    assert 640 <= len(encode_block(block(50))) <= 720


@st.composite
def blocks(draw: st.DrawFn) -> Block:
    n = draw(st.integers(1, 40))
    samples = st.lists(st.integers(-32768, 32767), min_size=n * 3, max_size=n * 3).map(pack_int16)
    steps = draw(st.lists(st.integers(1, 100_000_000), min_size=n - 1, max_size=n - 1))
    offsets = [0]
    for step in steps:
        offsets.append(offsets[-1] + step)
    gaps = st.builds(
        Gap,
        st.sampled_from(GapReason),
        st.none() | st.integers(0, 10**9),
        st.integers(0, 10**15),
        st.none() | st.builds(Cursor, st.binary(min_size=8, max_size=8), st.integers(0, 2**53 - 1)),
    )
    return block(
        n,
        wearer=draw(st.from_regex(r"[a-z0-9_-]{1,40}", fullmatch=True)),
        site=draw(st.sampled_from(Site)),
        boot_id=draw(st.binary(min_size=8, max_size=8)),
        seq=draw(st.integers(0, 2**53 - 1)),
        t0_ns=draw(st.integers(0, 9 * 10**18)),
        dt_ns=draw(st.integers(1, 10**10)),
        acc=draw(samples),
        gyr=draw(samples),
        offsets_ns=pack_offsets(offsets) if draw(st.booleans()) and offsets[-1] < 2**32 else None,
        gap_before=draw(st.none() | gaps),
        head=draw(st.booleans()),
    )


@given(blocks())
def test_decoding_undoes_encoding(one: Block) -> None:
    assert decode_block(encode_block(one)) == one
    assert len(one.times_ns()) == one.n
    assert pack_int16(unpack_int16(one.acc)) == one.acc


@settings(max_examples=300)
@given(st.binary(max_size=300))
def test_rubbish_never_escapes_as_another_error(data: bytes) -> None:
    with contextlib.suppress(BlockError):
        decode_block(data)


@pytest.mark.parametrize("name", BLOCKS)
def test_a_block_cut_anywhere_is_refused(name: str) -> None:
    whole = encode_block(BLOCKS[name])
    for length in range(len(whole)):
        with pytest.raises(BlockError):
            decode_block(whole[:length])


@settings(max_examples=300)
@given(st.data())
def test_one_wrong_byte_never_escapes_as_another_error(data: st.DataObject) -> None:
    good = bytearray(encode_block(BLOCKS["uneven with gap"]))
    good[data.draw(st.integers(0, len(good) - 1))] ^= data.draw(st.integers(1, 255))
    with contextlib.suppress(BlockError):
        decode_block(bytes(good))


@pytest.mark.parametrize(
    "hostile",
    [
        b"\x81" * 100_000,
        b"\xbb\xff\xff\xff\xff\xff\xff\xff\xff",
        b"\x9b\xff\xff\xff\xff\xff\xff\xff\xff",
        cbor2.dumps({"v": 1}),
        cbor2.dumps([1, 2]),
        cbor2.dumps({0: 2}),
        encode_block(BLOCKS["plain"]) + b"\x00",
        bytes(300_000),
    ],
    ids=["deep", "huge map", "huge array", "text keys", "no map", "other version", "trailing", "too long"],
)
def test_hostile_bytes_are_refused(hostile: bytes) -> None:
    with pytest.raises(BlockError):
        decode_block(hostile)


@pytest.mark.parametrize(
    "changes",
    [
        {"wearer": "Anna"},
        {"wearer": ""},
        {"boot_id": b"123"},
        {"n": 0},
        {"acc": b"12"},
        {"acc_scale": float("nan")},
        {"acc_scale": 0.0},
        {"gyr": None},
        {"dt_ns": 0},
        {"t0_ns": -1},
        {"seq": -1},
        {"offsets_ns": pack_offsets([5, 10])},
        {"offsets_ns": pack_offsets([0, 0])},
    ],
)
def test_impossible_blocks_can_not_be_made(changes: dict[str, object]) -> None:
    with pytest.raises(SagittalError):
        block(**{"n": 2, **changes})  # type: ignore[arg-type]


def test_a_recording_is_read_back_and_a_torn_end_reported(tmp_path: Path) -> None:
    path = tmp_path / "r.cborseq"
    with path.open("wb") as stream:
        sizes = [append_block(stream, replace(BLOCKS["plain"], seq=seq)) for seq in range(5)]
    whole = path.read_bytes()
    assert [b.seq for b in read_blocks(path) if isinstance(b, Block)] == [0, 1, 2, 3, 4]
    for cut in range(1, sizes[-1]):
        path.write_bytes(whole[:-cut])
        *good, torn = read_blocks(path)
        assert [b.seq for b in good if isinstance(b, Block)] == [0, 1, 2, 3]
        assert torn == Torn(sum(sizes[:4]), sizes[-1] - cut)


@pytest.mark.parametrize("content", [b"", b"time_s,acc_x\n0,1\n", b"\xa1"])
def test_what_is_no_recording_says_so(tmp_path: Path, content: bytes) -> None:
    path = tmp_path / "r.cborseq"
    path.write_bytes(content)
    with pytest.raises(RecordingError, match=r"r\.cborseq"):
        list(read_blocks(path))
