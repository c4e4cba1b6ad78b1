"""A folder of recordings into the store: whole, stopped and gone on with, twice, and what is refused."""

from __future__ import annotations

import math
import shutil
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path

import numpy as np
import pytest
from typer.testing import CliRunner

from analytics.imports import Importing, Progress, find_recordings
from analytics.pipeline._grid import samples_of
from analytics.store import Store, open_reader
from analytics.worker._link import READER
from dashboards.doors import write_bids
from sagittal.cli import build
from sagittal.cli import import_ as command
from sagittal.errors import RecordingError
from sagittal.names import Site
from sagittal.results import Event, Result, Walk
from sagittal.settings import Nudges, Settings, Wearer
from tests.pipeline.test_pipeline import SECONDS, START_NS, cut, whole

KINDS = ("posture", "walk", "event", "gap", "minute", "day")


def csv_files(folder: Path, parts: int = 2) -> Path:
    """A wearer's recording as CSV files with absolute times, cut into parts."""
    folder.mkdir()
    rows = []
    for block in cut([100] * 10_000):
        t_ns, values = samples_of((block,))
        rows += [f"{t / 1e9:.3f}," + ",".join(f"{x:.6g}" for x in row) for t, row in zip(t_ns, values, strict=True)]
    size = math.ceil(len(rows) / parts)
    for part in range(parts):
        lines = ["time_s,acc_x,acc_y,acc_z,gyr_x,gyr_y,gyr_z", *rows[part * size : (part + 1) * size]]
        (folder / f"part{part}.csv").write_text("\n".join(lines) + "\n")
    return folder


def bids(folder: Path) -> Path:
    write_bids(cut([100] * 10_000), [], folder)
    return folder


def imported(
    source: Path, data: Path, wearer: str | None = None, stopped: Callable[[], bool] = lambda: False
) -> tuple[int, int]:
    data.mkdir(exist_ok=True)
    importing = Importing(Settings(data_dir=data, wearers=[Wearer(id="w1", nudges=Nudges(mode="train", delay_s=3))]))
    seen: list[Progress] = []
    try:
        found = find_recordings(source, wearer=wearer, zone=UTC)
        outcome = importing.run(found, seen.append, stopped)
    finally:
        importing.close()
    assert seen == sorted(seen, key=lambda one: one.samples)
    return outcome


def contents(data: Path, wearer: str = "w1") -> list[Result]:
    reader = open_reader(Settings(data_dir=data).store_path)
    try:
        return [row for kind in KINDS for row in reader.results(wearer, kind, 0, 2**62)]
    finally:
        reader.close()


def test_a_bids_folder_comes_back_as_it_was_exported(tmp_path: Path) -> None:
    assert imported(bids(tmp_path / "set"), tmp_path / "data") == (100 * SECONDS, 0)
    walks = [row for row in contents(tmp_path / "data") if isinstance(row, Walk)]
    assert len(walks) == 1
    (worn,) = [row for row in whole() if isinstance(row, Walk) and row.final]
    assert walks[0].cadence_spm == pytest.approx(worn.cadence_spm, abs=0.5)
    names = {row.event for row in contents(tmp_path / "data") if isinstance(row, Event)}
    assert "bend" in names
    assert "nudge" not in names, "nobody is nudged about the past"
    [day] = [row for row in contents(tmp_path / "data") if row.kind == "day"]
    assert day.t_ns <= START_NS


def test_stopped_anywhere_it_goes_on_and_twice_changes_nothing(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("analytics.imports._run._COMMIT_BLOCKS", 7)
    source = csv_files(tmp_path / "csv")
    whole = imported(source, tmp_path / "whole", "w1")
    assert whole == (100 * SECONDS, 0)
    calls = iter([False, False, True])
    first, _ = imported(source, tmp_path / "cut", "w1", lambda: next(calls))
    assert 0 < first < 100 * SECONDS
    second, skipped = imported(source, tmp_path / "cut", "w1")
    assert (first + second, skipped) == (100 * SECONDS, 0)
    assert contents(tmp_path / "cut") == contents(tmp_path / "whole")
    assert imported(source, tmp_path / "cut", "w1") == (0, 1), "the last file is looked through, the other known"
    assert contents(tmp_path / "cut") == contents(tmp_path / "whole")


def test_sinks_get_what_is_imported_and_mqtt_is_not_flooded(tmp_path: Path) -> None:
    (tmp_path / "data").mkdir()
    store = Store(Settings(data_dir=tmp_path / "data").store_path, "before")
    store.position("a sink")
    store.close()
    imported(csv_files(tmp_path / "csv"), tmp_path / "data", "w1")
    store = Store(Settings(data_dir=tmp_path / "data").store_path, "after")
    assert len(store.outbox(store.position("a sink"), 5000)) > SECONDS
    assert store.outbox(store.position(READER), 5000) == []
    store.close()


def test_g_and_degrees_a_second_are_turned_into_si_by_their_units(tmp_path: Path) -> None:
    one, other = bids(tmp_path / "si"), bids(tmp_path / "other")
    [motion] = other.rglob("*_motion.tsv")
    table = np.loadtxt(motion, delimiter="\t")
    table[:, 1:4] /= 9.80665
    table[:, 4:] = np.degrees(table[:, 4:])
    np.savetxt(motion, table, delimiter="\t", fmt="%.9g")
    [channels] = other.rglob("*_channels.tsv")
    channels.write_text(channels.read_text().replace("m/s^2", "g").replace("rad/s", "deg/s"))
    imported(one, tmp_path / "a")
    imported(other, tmp_path / "b")
    [walk], [same] = ([r for r in contents(tmp_path / d) if isinstance(r, Walk)] for d in ("a", "b"))
    assert walk.n_steps == same.n_steps
    assert walk.cadence_spm == pytest.approx(same.cadence_spm, abs=0.01)


def spoil_unit(root: Path) -> None:
    [channels] = root.rglob("*_channels.tsv")
    channels.write_text(channels.read_text().replace("m/s^2", "ft/s^2"))


def spoil_point(root: Path) -> None:
    [channels] = root.rglob("*_channels.tsv")
    channels.write_text(channels.read_text().replace("LowerBack", "Elbow"))


def spoil_header(root: Path) -> None:
    [motion] = root.rglob("*_motion.tsv")
    motion.write_text("latency\tx\ty\tz\tx\ty\tz\n" + motion.read_text())


def spoil_time(root: Path) -> None:
    next(root.rglob("*_scans.tsv")).unlink()


def spoil_date(root: Path) -> None:
    [scans] = root.rglob("*_scans.tsv")
    scans.write_text(scans.read_text().replace("2023-", "the day before "))


def spoil_channels(root: Path) -> None:
    next(root.rglob("*_channels.tsv")).unlink()


@pytest.mark.parametrize(
    ("spoil", "said"),
    [
        (spoil_unit, "ft/s"),
        (spoil_point, "--point"),
        (spoil_header, "without a header"),
        (spoil_time, "its date is unknown"),
        (spoil_date, "is no time"),
        (spoil_channels, "it is needed beside"),
    ],
)
def test_what_cannot_be_understood_is_refused_and_nothing_is_stored(
    tmp_path: Path, spoil: Callable[[Path], None], said: str
) -> None:
    source = bids(tmp_path / "set")
    spoil(source)
    with pytest.raises(RecordingError, match=said):
        imported(source, tmp_path / "data")
    assert contents(tmp_path / "data") == []


def test_older_than_what_is_stored_is_refused(tmp_path: Path) -> None:
    source = csv_files(tmp_path / "csv")
    later = tmp_path / "later"
    later.mkdir()
    shutil.move(source / "part1.csv", later / "part1.csv")
    imported(later, tmp_path / "data", "w1")
    with pytest.raises(RecordingError, match="import older files first"):
        imported(source, tmp_path / "data", "w1")


def test_a_csv_says_when_it_began_or_is_asked(tmp_path: Path) -> None:
    folder = tmp_path / "csv"
    folder.mkdir()
    line = "0.0,9.8,0,0,0,0,0\n0.01,9.8,0,0,0,0,0\n"
    head = "time_s,acc_x,acc_y,acc_z,gyr_x,gyr_y,gyr_z\n"
    (folder / "thigh_left_2026-11-24T0830.csv").write_text(head + line)
    [found] = find_recordings(folder, wearer="w1", zone=UTC)
    assert found.site is Site.THIGH_LEFT
    assert datetime.fromtimestamp(found.start_ns / 1e9, UTC) == datetime(2026, 11, 24, 8, 30, tzinfo=UTC)
    (folder / "walk.csv").write_text(head + line)
    with pytest.raises(RecordingError, match="--start"):
        find_recordings(folder, wearer="w1", zone=UTC)
    begun = datetime(2026, 11, 23, tzinfo=UTC)
    assert next(one.path.stem for one in find_recordings(folder, wearer="w1", zone=UTC, start=begun)) == "walk"
    with pytest.raises(RecordingError, match="--wearer"):
        find_recordings(folder, wearer=None, zone=UTC)


def test_the_command_says_what_came_of_it_and_waits_for_a_running_system(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("SAGITTAL_SETTINGS", raising=False)
    arguments = ["import", str(bids(tmp_path / "set")), "--data-dir", str(tmp_path / "data")]
    monkeypatch.setenv("SAGITTAL_DATA_DIR", str(tmp_path / "data"))
    done = CliRunner().invoke(build(), arguments)
    assert done.exit_code == 0, done.output
    assert "8,200 samples of w1; 0 of 1 streams were known already" in done.output
    (tmp_path / "data" / "run.json").write_text("{}")
    monkeypatch.setattr(command, "answers", lambda *_: True)
    done = CliRunner().invoke(build(), arguments)
    assert "stop it first" in str(done.exception)
