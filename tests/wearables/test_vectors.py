"""Decoders held to packets of real and documented wearables, which stay outside the project."""

from __future__ import annotations

import json
import random
from itertools import pairwise
from pathlib import Path
from statistics import median
from typing import Any

import pytest

from sensor_bridge.wearable import Packet, Skipped, Wanted
from sensor_bridge.wearables import wearable, witmotion
from tests.conftest import absent
from tests.wearables.decoders import DECODERS, in_g

pytestmark = pytest.mark.data


@pytest.fixture(scope="module")
def vectors(data_dir: Path) -> Path:
    folder = data_dir.parent / "vectors"
    if not (folder / "vectors.json").is_file():
        absent("data", f"{folder} holds no packets of wearables")
    return folder


def flat(value: Any) -> dict[str, Any]:
    """Nested numbers and words, each under its path."""
    if isinstance(value, dict):
        return {f"{key}{path}": one for key, part in value.items() for path, one in flat(part).items()}
    if isinstance(value, list | tuple):
        return {f".{i}{path}": one for i, part in enumerate(value) for path, one in flat(part).items()}
    return {"": value}


def same(got: Any, expected: Any) -> bool:
    if isinstance(expected, str) or (isinstance(expected, int) and isinstance(got, int)):
        return bool(got == expected)
    return bool(got == pytest.approx(expected, rel=1e-6, abs=1e-6))


def test_every_packet_is_decoded_as_its_source_says(vectors: Path) -> None:
    seen: dict[str, int] = {}
    for vector in json.loads((vectors / "vectors.json").read_text()):
        got = DECODERS[vector["device"]](bytes.fromhex(vector["hex"]), vector["expect"])
        expected, decoded = flat(vector["expect"]), flat(got)
        assert decoded.keys() == expected.keys(), vector["what"]
        assert not [path for path in expected if not same(decoded[path], expected[path])], vector["what"]
        seen[vector["expected_from"]] = seen.get(vector["expected_from"], 0) + 1
    print(f"packets decoded: {seen}")
    assert sum(seen.values()) >= 29


def capture(vectors: Path) -> bytes:
    return (vectors / "witmotion28_head.bin").read_bytes()


def read(pieces: list[bytes]) -> tuple[list[Packet], int]:
    session = wearable("witmotion").open(
        {witmotion.DATA: frozenset({"notify"}), witmotion.COMMAND: frozenset({"write"})}, Wanted()
    )
    events = [event for piece in pieces for event in session.feed(witmotion.DATA, piece)]
    skipped = sum(event.length for event in events if isinstance(event, Skipped))
    return [event for event in events if isinstance(event, Packet)], skipped


def chunks(data: bytes, sizes: list[int]) -> list[bytes]:
    out: list[bytes] = []
    at = 0
    while at < len(data):
        size = sizes[len(out) % len(sizes)]
        out.append(data[at : at + size])
        at += size
    return out


@pytest.mark.parametrize("sizes", [[28], [20], [56], [244], [1], [random.Random(5).randint(1, 60) for _ in range(99)]])
def test_a_real_capture_is_read_whole_however_it_is_cut(vectors: Path, sizes: list[int]) -> None:
    packets, skipped = read(chunks(capture(vectors), sizes))
    assert len(packets) in (999, 1000), "the last frame may wait for the next"
    assert skipped == 0
    ticks = [packet.ticks or 0 for packet in packets]
    assert {b - a for a, b in pairwise(ticks)} == {50}
    norms = [sum(axis**2 for axis in in_g(packet)[0]) ** 0.5 for packet in packets]
    assert median(norms) == pytest.approx(1.0, abs=0.005)


def test_a_damaged_capture_costs_the_damaged_frames_only(vectors: Path) -> None:
    data, rng = bytearray(capture(vectors)), random.Random(7)
    places = sorted(rng.sample(range(40, len(data) - 40), 20), reverse=True)
    for place in places:
        del data[place]
    packets, skipped = read(chunks(bytes(data), [20]))
    print(f"20 bytes deleted: {len(packets)} of 1000 frames whole, {skipped} bytes skipped")
    assert len(packets) >= 1000 - 2 * len(places) - 1
    true, _ = read([capture(vectors)])
    known = {(packet.acc, packet.gyr) for packet in true}
    assert sum((packet.acc, packet.gyr) not in known for packet in packets) <= 1
