"""A worker without its network: what is committed, what is resumed, what rubbish does."""

from __future__ import annotations

import random
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest

from analytics.store import Store, erase_wearer, open_reader
from analytics.worker._session import Session
from sagittal.blocks import Block, Gap, GapReason
from sagittal.codec import encode_block, read_blocks
from sagittal.messages import Command, DeviceHealth, DeviceState, SilenceReason
from sagittal.names import Site
from sagittal.results import Event, Posture
from sagittal.settings import Settings, Worker
from tests.conftest import Keep
from tests.worker.fakes import BOOT_A, POISON, START_NS, SumPipeline, block, stream

PLACE = ("w1", Site.LOWER_BACK)
Begin = Callable[..., tuple[Store, Session]]
"""A worker's store, and its session over it: settings, pipeline, clock."""


class Clock:
    now = 100.0

    def __call__(self) -> float:
        return self.now


@pytest.fixture
def settings(tmp_path: Path) -> Settings:
    return Settings(data_dir=tmp_path)


@pytest.fixture
def begin(keep: Keep) -> Begin:
    def begun(
        settings: Settings, pipeline: SumPipeline | None = None, clock: Clock | None = None
    ) -> tuple[Store, Session]:
        worker = f"worker-{random.random()}"
        store = keep(Store(settings.store_path, worker))
        return store, Session(store, settings, pipeline or SumPipeline(), worker, clock or Clock())

    return begun


def give(session: Session, *blocks: Block) -> None:
    for one in blocks:
        session.take_block(one.wearer, str(one.site), encode_block(one))


def postures(settings: Settings) -> list[tuple[int, float | None, float | None]]:
    reader = open_reader(settings.store_path)
    rows = [one for one in reader.results("w1", "posture", 0, 2**62) if isinstance(one, Posture)]
    reader.close()
    return [(one.t_ns, one.flexion_deg, one.lateral_deg) for one in rows]


def test_results_and_mark_are_told_only_after_they_are_committed(settings: Settings, keep: Keep, begin: Begin) -> None:
    store, session = begin(settings)
    give(session, *stream(5))
    assert [mark.boot_id for _, mark in session.marks()] == [None]
    told = session.commit({})
    ((place, mark),) = told.marks
    assert place == PLACE
    assert (mark.boot_id, mark.seq, mark.want) == (BOOT_A.hex(), 4, False)
    assert [row.result.kind for row in told.rows] == ["posture", "posture"]
    assert len(told.live) == 5
    assert [row.id for row in store.outbox(0, 10)] == [1, 2]
    assert postures(settings) == [(START_NS, 100.0, 4950.0), (START_NS + 10**9, 100.0, 14950.0)]
    assert keep(open_reader(settings.store_path)).samples() == 250


@pytest.mark.parametrize("seed", range(5))
def test_deaths_and_disorder_change_no_result(
    settings: Settings, tmp_path: Path, seed: int, keep: Keep, begin: Begin
) -> None:
    calm = Settings(data_dir=tmp_path / "calm")
    _, session = begin(calm)
    blocks = stream(60)
    give(session, *blocks)
    session.commit({})

    chance = random.Random(seed)
    mark = -1
    while mark < 59:
        _, session = begin(settings)
        again = blocks[mark + 1 :] + chance.choices(blocks, k=10)
        near = sorted(range(len(again)), key=lambda i: i + chance.random() * 8)
        for index in near[: chance.randint(5, 40)]:
            give(session, again[index])
            if chance.random() < 0.2:
                told = session.commit({})
                mark = told.marks[0][1].seq if told.marks else mark
        # The worker dies here: what it has not committed is gone.
    assert postures(settings) == postures(calm)
    assert keep(open_reader(settings.store_path)).samples() == 3000


def test_a_commit_is_due_a_second_after_the_first_change(settings: Settings, begin: Begin) -> None:
    clock = Clock()
    _, session = begin(settings, clock=clock)
    assert not session.due(1.0)
    give(session, *stream(1))
    clock.now += 0.9
    assert not session.due(1.0)
    clock.now += 0.2
    assert session.due(1.0)
    session.commit({})
    assert not session.due(1.0)


def test_a_hole_that_lasts_is_asked_for_and_then_less_often(settings: Settings, begin: Begin) -> None:
    clock = Clock()
    _, session = begin(settings, clock=clock)
    give(session, block(0, head=True), block(2))
    assert session.wanted() == set()
    clock.now += 2.1
    assert session.wanted() == {PLACE}
    assert session.wanted() == set()
    clock.now += 2.1
    assert session.wanted() == set()
    clock.now += 2.1
    assert session.wanted() == {PLACE}
    give(session, block(1))
    clock.now += 100
    assert session.wanted() == set()


def test_a_head_that_counts_what_is_here_is_answered_with_the_mark_once_it_is_on_disk(
    settings: Settings, begin: Begin
) -> None:
    clock = Clock()
    _, session = begin(settings, clock=clock)
    gap = Gap(GapReason.OVERRUN, 100, 10**9, block(1).cursor)
    give(session, block(0, head=True), block(1), replace(block(3, head=True), gap_before=gap))
    assert session.wanted() == set(), "what is not on disk yet helps nobody"
    session.commit({})
    assert session.wanted() == {PLACE}
    assert session.wanted() == set()
    ((_, mark),) = session.marks()
    assert (mark.cursor, mark.run, mark.want) == (block(1).cursor, block(0).cursor, True)


def test_a_stream_that_begins_in_the_middle_asks_for_everything(settings: Settings, begin: Begin) -> None:
    _, session = begin(settings)
    one = block(7)
    assert session.take_block("w1", "lower_back", encode_block(one)) == PLACE
    mark = session.nothing_stored(PLACE)
    assert (mark.boot_id, mark.want) == (None, True)


RUBBISH = [
    b"",
    b"\xff" * 100,
    b"\x9f" * 5000,
    b"\xa1\x00\x01",
    b"\xbb\xff\xff\xff\xff\xff\xff\xff\xff",
    b"\x5b\x7f\xff\xff\xff\xff\xff\xff\xff",
    encode_block(block(0, head=True))[:-3],
    encode_block(block(0, head=True)) + b"\0",
    encode_block(block(0, head=True, wearer="someone-else")),
    encode_block(replace(block(0, head=True), site=Site.PELVIS)),
    b"{}" * 20000,
]


def test_rubbish_is_counted_and_harms_nothing(settings: Settings, begin: Begin) -> None:
    _, session = begin(settings)
    for seq, rubbish in enumerate(RUBBISH):
        give(session, block(seq, head=seq == 0))
        session.take_block("w1", "lower_back", rubbish)
        session.take_command("w1", "calibrate", rubbish)
        session.take_health("w1", "lower_back", rubbish)
    session.commit({})
    assert session.counts.malformed == 3 * len(RUBBISH) - 1, "an empty health message is a deleted retained one"
    assert session.counts.samples == 50 * len(RUBBISH)
    assert len(postures(settings)) == len(RUBBISH) // 2


def test_a_block_that_breaks_the_pipeline_costs_the_state_not_the_worker(
    settings: Settings, keep: Keep, begin: Begin
) -> None:
    _, session = begin(settings)
    give(session, *stream(4), block(4, value=POISON), *[block(seq) for seq in range(5, 10)])
    told = session.commit({})
    assert session.failures == 1
    assert told.marks[0][1].seq == 9
    event = keep(open_reader(settings.store_path)).latest("w1", "event")
    assert isinstance(event, Event)
    assert event.key == "pipeline_failed"


@pytest.mark.parametrize("state", [b"rubbish", b"{}", b"[]", b"\xff\xfe"])
def test_a_state_of_another_version_is_dropped_with_a_note(
    settings: Settings, state: bytes, keep: Keep, begin: Begin
) -> None:
    store, session = begin(settings)
    give(session, *stream(3))
    session.commit({})
    with store._transaction():
        store._db.execute("UPDATE state SET data=?", (state,))
    store.close()
    _, session = begin(settings)
    give(session, block(3))
    session.commit({})
    event = keep(open_reader(settings.store_path)).latest("w1", "event")
    assert isinstance(event, Event)
    assert event.key == "state_dropped"


def test_a_command_is_carried_out_once(settings: Settings, begin: Begin) -> None:
    command = Command(id="12345678", t_ns=START_NS, wearer="w1", verb="calibrate")
    for _ in range(2):
        store, session = begin(settings)
        session.take_command("w1", "calibrate", command.to_json())
        session.take_command("w1", "calibrate", command.to_json())
        session.take_command("w2", "calibrate", command.to_json())
        assert session.counts.malformed == 1
        session.commit({})
        assert len(store.outbox(0, 10)) == 1
        store.close()


def test_a_dead_bridge_silences_its_own_wearables(settings: Settings, keep: Keep, begin: Begin) -> None:
    _, session = begin(settings)
    health = DeviceHealth(
        t_ns=1, device="d", site=Site.LOWER_BACK, driver="x", state=DeviceState.STREAMING, bridge="b1"
    )
    session.take_health("w1", "lower_back", health.to_json())
    session.take_health("w2", "lower_back", health.model_copy(update={"bridge": "b2"}).to_json())
    assert session.bridge_gone("b3", only=False) == []
    ((wearer, silent),) = session.bridge_gone("b1", only=False)
    assert wearer == "w1"
    assert (silent.state, silent.reason) == (DeviceState.OFFLINE, SilenceReason.BRIDGE_GONE)
    assert session.bridge_gone("b1", only=False) == []
    session.commit({})
    reader = keep(open_reader(settings.store_path))
    assert reader.devices("w1")["lower_back"]["reason"] == "bridge_gone"
    assert reader.devices("w2")["lower_back"]["state"] == "streaming"


def test_erasing_beside_a_running_worker_takes_what_it_holds_too(settings: Settings, keep: Keep, begin: Begin) -> None:
    _, session = begin(settings)
    give(session, *stream(4), *stream(4, wearer="w2"))
    session.commit({})
    give(session, block(4), block(4, wearer="w2"))
    erase_wearer(settings.store_path, "w1")
    told = session.commit({})
    assert [place[0] for place, _ in told.marks] == ["w2"]
    assert keep(open_reader(settings.store_path)).wearers() == ["w2"]
    give(session, block(5, head=True))
    session.commit({})
    assert keep(open_reader(settings.store_path)).samples("w1") == 50


def test_a_recording_holds_every_block_once_whatever_a_crash_left(settings: Settings, begin: Begin) -> None:
    settings = settings.model_copy(update={"worker": Worker(recordings_days=3)})
    _, session = begin(settings)
    give(session, *stream(4))
    session.commit({})
    (file,) = settings.recordings_dir.rglob("*.cborseq")
    with file.open("ab") as torn:
        torn.write(encode_block(block(4))[:100])
    _, session = begin(settings)
    give(session, block(4), block(5))
    session.commit({})
    blocks = list(read_blocks(file))
    assert [one.seq for one in blocks if isinstance(one, Block)] == [0, 1, 2, 3, 4, 5]
    assert len(blocks) == 6


def test_a_repetition_has_the_mark_told_again(settings: Settings, begin: Begin) -> None:
    clock = Clock()
    _, session = begin(settings, clock=clock)
    give(session, *stream(3))
    session.commit({})
    assert session.repeated() == set()
    give(session, block(2))
    assert session.repeated() == {PLACE}
    ((_, mark),) = session.marks(want=False)
    assert (mark.seq, mark.want) == (2, False)
    give(session, block(1))
    assert session.repeated() == set()
    clock.now += 1.1
    assert session.repeated() == {PLACE}
    assert session.repeated() == set()
