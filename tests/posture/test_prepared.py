"""What is worked out for many seconds at once is what it would be second by second, to the last bit."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator, Sequence

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray
from vqf import VQF

from analytics.posture import PostureState, Prepared, Seen, posture_break, posture_prepare, posture_step
from sagittal.names import Site
from sagittal.units import NS_PER_S
from tests.posture.simulated import recording

LEAD = recording(11).sites[Site.LOWER_BACK]
SECONDS = len(LEAD.acc) // 100
WALKED_S = range(8, 28)
"""When the simulated wearer walks."""


def samples(seed: int) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """A day in short as (seconds, 100, 6) rows and (seconds, 100, 4) orientations, in a sensor turned at random."""
    turn, factors = np.linalg.qr(np.random.default_rng(seed).normal(size=(3, 3)))
    turn = turn * np.sign(np.diag(factors))
    turn = turn * np.linalg.det(turn)
    acc, gyr = (np.ascontiguousarray(one[: 100 * SECONDS] @ turn.T) for one in (LEAD.acc, LEAD.gyr))
    quat = VQF(0.01).updateBatch(gyr, acc)["quat6D"]
    return np.concatenate((acc, gyr), axis=1).reshape(SECONDS, 100, 6), quat.reshape(SECONDS, 100, 4)


def cut(counts: Sequence[int]) -> Iterator[slice]:
    """The seconds in batches of so many, over and over."""
    start = 0
    while start < SECONDS:
        for count in counts:
            yield slice(start, min(start + count, SECONDS))
            start += count


def through(seed: int, counts: Sequence[int]) -> tuple[PostureState, list[Prepared], list[Seen]]:
    """All seconds in batches of so many, and the end of the samples."""
    rows, quat = samples(seed)
    state = PostureState()
    every: list[Prepared] = []
    said: list[Seen] = []
    for part in cut(counts):
        prepared = posture_prepare(state, rows[part], quat[part]) if part.start < SECONDS else []
        every += prepared
        for place, one in enumerate(prepared, part.start):
            walking = place in WALKED_S
            state, seen = posture_step(
                state,
                one,
                place * NS_PER_S,
                walking=walking,
                cadence_spm=100.0 if walking else None,
                decided_ns=max(0, place - 5) * NS_PER_S,
                version="t",
            )
            said.append(seen)
    state, seen = posture_break(state, last=True)
    return state, every, [*said, seen]


def digest(one: Prepared) -> str:
    """A second's numbers, all but how it is told as one of its batch."""
    found = hashlib.sha256()
    batch = one.batch
    arrays = (one.acc, *one.tail, one.buffer, batch.turns[one.place], batch.pairs[one.place])
    for value in (*arrays, *one[2:]):
        found.update(value.tobytes() if isinstance(value, np.ndarray) else repr(value).encode())
    return found.hexdigest()


@settings(max_examples=10, deadline=None)
@given(st.integers(0, 2**16), st.lists(st.integers(1, 70), min_size=1, max_size=6))
def test_no_batch_changes_a_bit(seed: int, counts: list[int]) -> None:
    alone, together = through(seed, [1]), through(seed, counts)
    assert [digest(one) for one in together[1]] == [digest(one) for one in alone[1]]
    assert together[2] == alone[2]
    assert together[0].stream.buffer.tobytes() == alone[0].stream.buffer.tobytes()
    assert together[0].stream.course == alone[0].stream.course
