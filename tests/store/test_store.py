"""The store: one transaction, same key same place, safe beside readers, clear words where it can't."""

from __future__ import annotations

import os
import sqlite3
import subprocess
import sys
import threading
from contextlib import closing
from dataclasses import replace
from pathlib import Path

import pytest

from analytics.store import Commit, Erased, Mark, Store, erase_wearer, open_reader
from sagittal.blocks import Cursor, GapReason
from sagittal.errors import StoreError
from sagittal.names import PostureLabel, Site
from sagittal.protocols import Reader
from sagittal.results import Angles, Event, Exposure, GapMark, Minute, Posture, Result, Walk
from sagittal.units import NS_PER_S
from tests.conftest import Keep

BOOT = b"\1" * 8


def posture(second: int, label: PostureLabel = PostureLabel.SITTING) -> Posture:
    return Posture(
        t_ns=second * NS_PER_S, posture=label, since_ns=0, confidence=0.9, flexion_deg=12.5, version="1", detail="x"
    )


def walk(start_s: int, steps: int) -> Walk:
    return Walk(
        start_ns=start_s * NS_PER_S,
        end_ns=(start_s + 10) * NS_PER_S,
        final=False,
        n_steps=steps,
        n_strides=steps // 2,
        steady=True,
        cadence_spm=110.0,
        confidence=0.8,
        version="1",
    )


def results() -> list[tuple[str, Result]]:
    return [
        ("w1", posture(1)),
        ("w1", posture(2)),
        ("w1", walk(1, 4)),
        ("w1", Event(t_ns=5, event="bend", key="a", version="1")),
        ("w1", Event(t_ns=5, event="bend", key="b", version="1")),
        ("w1", GapMark(t_ns=7, end_ns=9, site=Site.LOWER_BACK, reason=GapReason.LOST)),
        ("w1", Minute(t_ns=0, exposure=Exposure(posture_s={"sitting": 2.0}), version="1")),
        ("w2", posture(1)),
    ]


def mark(seq: int, samples: int = 50) -> Mark:
    return Mark("w1", Site.LOWER_BACK, Cursor(BOOT, seq), seq * NS_PER_S, samples, 1)


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "data" / "store.sqlite"


def content(path: Path) -> dict[str, list[tuple[object, ...]]]:
    with closing(sqlite3.connect(path, isolation_level=None)) as db:
        return {table: db.execute(f"SELECT * FROM {table}").fetchall() for table in ("posture", "document")}


def test_what_was_committed_is_read_back_the_same(path: Path, keep: Keep) -> None:
    store = keep(Store(path, "a"))
    rows = store.commit(Commit(results=results(), states={"w1": (b"state", b"parts")}, marks=[mark(0), mark(1)]))
    reader: Reader = keep(open_reader(path))
    assert reader.wearers() == ["w1", "w2"]
    assert list(reader.results("w1", "posture", 0, 10 * NS_PER_S)) == [posture(1), posture(2)]
    assert list(reader.results("w1", "posture", 0, 2 * NS_PER_S)) == [posture(1)]
    assert list(reader.results("w1", "event", 0, 6)) == [results()[3][1], results()[4][1]]
    assert reader.latest("w1", "walk") == walk(1, 4)
    assert reader.latest("w1", "gap") == results()[5][1]
    assert reader.latest("w1", "day") is None
    assert [row.id for row in rows] == list(range(1, 9))
    assert [row.result for row in rows] == [result for _, result in results()]
    assert store.state("w1") == (b"state", b"parts")
    (stream,) = store.streams()
    assert (stream.cursor, stream.samples, stream.blocks, stream.boots) == (Cursor(BOOT, 1), 100, 2, frozenset({BOOT}))
    reader.close()


def test_writing_twice_changes_nothing_and_a_later_version_replaces(path: Path, keep: Keep) -> None:
    store = keep(Store(path, "a"))
    store.commit(Commit(results=results()))
    before = content(path)
    store.commit(Commit(results=results()))
    assert content(path) == before
    store.commit(Commit(results=[("w1", walk(1, 12))]))
    reader = keep(open_reader(path))
    assert list(reader.results("w1", "walk", 0, 2 * NS_PER_S)) == [walk(1, 12)]


def test_reading_pages_through_more_rows_than_one_fetch(path: Path, keep: Keep) -> None:
    store = keep(Store(path, "a"))
    events: list[tuple[str, Result]] = [
        ("w1", Event(t_ns=i // 3, event="note", key=f"{i % 3}", version="1")) for i in range(4500)
    ]
    store.commit(Commit(results=[("w1", posture(i)) for i in range(4500)]))
    store.commit(Commit(results=events))
    reader = keep(open_reader(path))
    assert [one.t_ns for one in reader.results("w1", "posture", 0, 10**18) if isinstance(one, Posture)] == [
        i * NS_PER_S for i in range(4500)
    ]
    assert list(reader.results("w1", "event", 0, 10**18)) == [result for _, result in events]


def test_a_commit_that_fails_leaves_nothing_behind(path: Path, keep: Keep) -> None:
    store = keep(Store(path, "a"))
    store.commit(Commit(results=[("w1", posture(1))], marks=[mark(0)]))
    before = content(path)
    bad = replace(posture(2), flexion_deg=float("nan"))
    with pytest.raises(Exception, match="not finite"):
        store.commit(Commit(results=[("w1", posture(3)), ("w1", bad)], marks=[mark(1)]))
    angles = Angles(t_ns=0, dt_ns=1, flexion_deg=[1.0], lateral_deg=[None])
    with pytest.raises(StoreError, match="live only"):
        store.commit(Commit(results=[("w1", posture(3)), ("w1", angles)], marks=[mark(1)]))
    assert content(path) == before
    assert store.streams()[0].cursor == Cursor(BOOT, 0)


def test_a_second_worker_takes_over_and_the_first_can_commit_no_more(path: Path, keep: Keep) -> None:
    first = keep(Store(path, "a"))
    second = keep(Store(path, "b"))
    with pytest.raises(StoreError, match="another worker"):
        first.commit(Commit(results=results()))
    second.commit(Commit(results=results()))


def test_the_outbox_keeps_rows_until_every_reader_has_them(path: Path, keep: Keep) -> None:
    store = keep(Store(path, "a"))
    assert store.position("mqtt") == 0
    store.commit(Commit(results=results()))
    assert store.position("late") == 8
    assert [row.id for row in store.outbox(5, 2)] == [6, 7]
    store.commit(Commit(positions={"mqtt": 3}))
    store.forget(0, 90, ["mqtt", "late"])
    assert [row.id for row in store.outbox(0, 100)] == [4, 5, 6, 7, 8]
    store.forget(0, 90, ["late"])
    assert store.outbox(0, 100) == []
    store.commit(Commit(results=[("w1", posture(9))]))
    assert [row.id for row in store.outbox(0, 100)] == [9], "ids never repeat"


def test_old_seconds_go_and_minutes_stay(path: Path, keep: Keep) -> None:
    store = keep(Store(path, "a"))
    store.commit(Commit(results=results()))
    store.forget(2 * NS_PER_S + 86_400 * NS_PER_S, 1, [])
    reader = keep(open_reader(path))
    assert list(reader.results("w1", "posture", 0, 10**18)) == [posture(2)]
    assert reader.latest("w1", "minute") is not None


def test_a_reader_too_far_behind_is_told_of(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, keep: Keep) -> None:
    monkeypatch.setattr("analytics.store._writer._OUTBOX_ROWS", 3)
    store = keep(Store(tmp_path / "store.sqlite", "w"))
    store.position("late")
    store.commit(Commit(results=[("w1", posture(second)) for second in range(10)]))
    assert store.forget(0, 90, ["late"]) == 7
    assert [row.id for row in store.outbox(0, 100)] == [8, 9, 10]
    store.commit(Commit(positions={"late": 10}))
    assert store.forget(0, 90, ["late"]) == 0


def test_commands_and_devices_are_remembered(path: Path, keep: Keep) -> None:
    store = keep(Store(path, "a"))
    store.commit(
        Commit(commands=[("command-1", "w1", 5)], devices={("w1", "lower_back"): (b'{"state":"streaming"}', 77)})
    )
    assert store.command_seen("command-1")
    assert not store.command_seen("command-2")
    reader = keep(open_reader(path))
    assert reader.devices("w1") == {"lower_back": {"state": "streaming", "seen_ns": 77}}


def test_erasing_leaves_no_byte_and_tells_the_worker(path: Path, keep: Keep) -> None:
    store = keep(Store(path, "a"))
    odd = Event(t_ns=1, event="note", key="", text="zebra-in-the-attic", version="1")
    store.commit(
        Commit(
            results=[*results(), ("w1", odd)], states={"w1": (b"zebra-in-the-state", b"zebra" * 5000)}, marks=[mark(0)]
        )
    )
    gone = erase_wearer(path, "w1")
    assert gone["posture"] == 2
    assert gone["stream"] == 1
    with pytest.raises(Erased) as caught:
        store.commit(Commit(results=results()))
    assert caught.value.wearers == {"w1"}
    store.commit(Commit(results=[("w2", posture(3))]))
    reader = keep(open_reader(path))
    assert reader.wearers() == ["w2"]
    store.close()
    reader.close()
    assert not any(b"zebra" in file.read_bytes() for file in path.parent.iterdir())


def test_only_what_is_new_of_a_state_is_written(path: Path, keep: Keep) -> None:
    store = keep(Store(path, "a"))
    log = path.with_name(path.name + "-wal")
    large = [bytes([n]) * 10_000 for n in range(40)]
    store.commit(Commit(states={"w1": large}))
    before = log.stat().st_size
    for n in range(5):
        state = [*large[n + 1 :], b"new" * 100 * n, large[0], large[0]]
        store.commit(Commit(states={"w1": state, "w2": state[:2]}))
        assert store.state("w1") == tuple(state)
        assert store.state("w2") == tuple(state[:2])
    assert store.state("w3") is None
    assert before > 400_000
    assert log.stat().st_size - before < 300_000


def test_a_reader_beside_a_writer_sees_only_whole_commits(path: Path, keep: Keep) -> None:
    store = keep(Store(path, "a"))
    store.commit(Commit(results=[("w1", posture(0))]))
    done = threading.Event()
    torn: list[int] = []

    def read() -> None:
        reader = keep(open_reader(path))
        while not done.is_set():
            count = len(list(reader.results("w1", "posture", 0, 10**18)))
            if count % 10 != 1:
                torn.append(count)

    thread = threading.Thread(target=read)
    thread.start()
    for start in range(1, 1000, 10):
        store.commit(Commit(results=[("w1", posture(start + i)) for i in range(10)]))
    done.set()
    thread.join()
    assert torn == []


def test_no_store_is_one_clear_line(path: Path) -> None:
    with pytest.raises(StoreError, match="sagittal run"):
        open_reader(path)


@pytest.mark.parametrize(
    "rubbish", [b"not a database, certainly not one of ours" * 100, b"SQLite format 3\0" + b"\7" * 5000]
)
def test_a_damaged_store_is_refused_and_left_alone(path: Path, rubbish: bytes) -> None:
    path.parent.mkdir()
    path.write_bytes(rubbish)
    with pytest.raises(StoreError, match="move it away"):
        Store(path, "a")
    assert path.read_bytes() == rubbish


def test_a_store_of_a_later_version_is_refused(path: Path) -> None:
    Store(path, "a").close()
    with closing(sqlite3.connect(path, isolation_level=None)) as db:
        db.execute("PRAGMA user_version=99")
    with pytest.raises(StoreError, match="update this program"):
        Store(path, "a")
    with pytest.raises(StoreError, match="update this program"):
        open_reader(path)


def test_a_store_of_the_first_layout_is_brought_up_to_date_and_keeps_its_rows(path: Path, keep: Keep) -> None:
    row = Posture(t_ns=5, posture=PostureLabel.SITTING, since_ns=1, confidence=0.5, flexion_deg=3.0, version="1")
    store = keep(Store(path, "a"))
    store.commit(Commit(results=[("w1", row)]))
    store.close()
    new = ("lumbar_rotation_deg", "lumbar_rotation_error_deg", "lumbar_rotation_reason")
    with closing(sqlite3.connect(path, isolation_level=None)) as db:
        for column in new:
            db.execute(f"ALTER TABLE posture DROP COLUMN {column}")
        db.execute("PRAGMA user_version=1")
    with pytest.raises(StoreError, match="start `sagittal run` once"):
        open_reader(path)
    Store(path, "a").close()
    Store(path, "a").close()
    reader = keep(open_reader(path))
    assert list(reader.results("w1", "posture", 0, 10)) == [row]


def test_a_folder_that_is_a_file_is_one_clear_line(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    with pytest.raises(StoreError, match="rights"):
        Store(tmp_path / "file" / "store.sqlite", "a")


@pytest.mark.skipif(os.geteuid() == 0, reason="root may write everywhere")
def test_a_read_only_folder_is_one_clear_line(tmp_path: Path) -> None:
    tmp_path.chmod(0o500)
    with pytest.raises(StoreError, match="rights"):
        Store(tmp_path / "store.sqlite", "a")


FULL = """
import resource, signal, sys
from pathlib import Path
from analytics.store import Commit, Store
from sagittal.errors import StoreError
from sagittal.results import Event
signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
store = Store(Path(sys.argv[1]), "a")
resource.setrlimit(resource.RLIMIT_FSIZE, (400_000, 400_000))
committed = 0
try:
    while True:
        store.commit(Commit(results=[("w1", Event(t_ns=committed, event="note", text="x" * 9000, version="1"))]))
        committed += 1
except StoreError as error:
    print(committed, str(error).count("\\n"), error)
"""


def test_a_full_disk_stops_with_one_line_and_keeps_what_was_committed(path: Path, keep: Keep) -> None:
    done = subprocess.run([sys.executable, "-c", FULL, str(path)], capture_output=True, text=True, check=True)
    committed, newlines, said = done.stdout.split(" ", 2)
    assert newlines == "0"
    assert "store" in said
    reader = keep(open_reader(path))
    assert len(list(reader.results("w1", "event", 0, 10**18))) == int(committed) > 0
