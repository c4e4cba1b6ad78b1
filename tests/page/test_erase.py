"""Erasing: nothing of a wearer is left in any file here, what was exported included, and what can't be is said."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from typer.testing import CliRunner

from analytics.store import Commit, Mark, Store
from dashboards.page import Access, Role
from sagittal.blocks import Cursor
from sagittal.cli import build
from sagittal.names import Site
from sagittal.settings import Settings
from tests.conftest import free_port
from tests.page.fakes import MemoryReader, a_day, health

GONE, STAYS = "eraseme-pseudonym", "stays"
Run = Callable[..., Any]


@pytest.fixture
def run(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Run:
    monkeypatch.setenv("SAGITTAL_DATA_DIR", str(tmp_path / "data"))
    monkeypatch.setenv("SAGITTAL_BROKER__PORT", str(free_port()))
    monkeypatch.delenv("SAGITTAL_SETTINGS", raising=False)
    return lambda *arguments: CliRunner().invoke(build(), list(arguments))


@pytest.fixture
def data(tmp_path: Path, run: Run) -> Path:
    """A data folder with two wearers, their rights, and a recording."""
    folder = tmp_path / "data"
    folder.mkdir()
    settings = Settings(data_dir=folder)
    store = Store(settings.store_path, "test")
    for name in (GONE, STAYS):
        reader = MemoryReader()
        a_day(reader, name)
        rows = [(name, row) for row in reader.rows[name].values()]
        mark = Mark(name, Site.LOWER_BACK, Cursor(b"bootboot", 1), 1, 10, 1)
        device = {(name, "lower_back"): (health(1).to_json(), 1)}
        store.commit(Commit(results=rows, marks=[mark], devices=device, states={name: (name.encode(),)}))
        raw = settings.recordings_dir / name / "lower_back" / "2026-11-24.cborseq"
        raw.parent.mkdir(parents=True)
        raw.write_bytes(name.encode())
    store.close()
    book = Access(folder / "access.sqlite")
    book.add_actor("dr-c", Role.CLINICIAN, None)
    for name in (GONE, STAYS):
        book.add_actor(name, Role.WEARER, name)
        book.give_consent(name, "dr-c", "consent-1")
    book.close()
    return folder


def export_everything(run: Run, out: Path, wearer: str) -> list[Path]:
    days = ("--from", "2026-11-24", "--to", "2026-11-24", "--wearer", wearer)
    for arguments in (
        ("export", "--wearer", wearer, "--kind", "walk", "--out", str(out / "walks.csv")),
        ("share", "--as", "fhir", *days, "--out", str(out / "w.json")),
        ("share", "--as", "ieee1752", *days, "--out", str(out / "w1752.json")),
        ("report", *days, "--no-pdf", "--out", str(out / "visit")),
    ):
        done = run(*arguments)
        assert done.exit_code == 0, done.output
    return sorted(out.iterdir())


def bytes_of(folder: Path, but: str = "") -> dict[str, bytes]:
    files = [file for file in folder.rglob("*") if file.is_file() and not (but and file.name.startswith(but))]
    return {str(file.relative_to(folder)): file.read_bytes() for file in files}


def test_nothing_is_left_in_any_file_and_the_other_stays(data: Path, run: Run, tmp_path: Path) -> None:
    out = tmp_path / "out"
    out.mkdir()
    files = export_everything(run, out, GONE)
    assert len(files) == 4
    assert any(GONE.encode() in content for content in bytes_of(data).values())
    done = run("erase", "--wearer", GONE, "--yes")
    assert done.exit_code == 0, done.output
    assert "exports: 4 files deleted" in done.output
    assert "out of reach: copies that were sent on" in done.output
    assert list(out.iterdir()) == []
    left = [name for name, content in bytes_of(data, but="access.sqlite").items() if GONE.encode() in content]
    assert left == []
    book = Access(data / "access.sqlite")
    assert book.consents(GONE) == []
    assert [one.actor for one in book.consents(STAYS)] == ["dr-c"]
    book.close()
    assert run("export", "--wearer", STAYS, "--kind", "day").output.count("\n") == 2
    again = run("erase", "--wearer", GONE, "--yes")
    assert again.exit_code == 0, again.output


def test_an_export_that_was_changed_is_left_and_said(data: Path, run: Run, tmp_path: Path) -> None:
    out = tmp_path / "out"
    out.mkdir()
    export_everything(run, out, GONE)
    (out / "walks.csv").write_text("now something else")
    (out / "w.json").rename(out / "moved.json")
    done = run("erase", "--wearer", GONE, "--yes")
    assert done.exit_code != 0
    assert "walks.csv was changed since" in done.output
    assert (out / "walks.csv").read_text() == "now something else"
    (out / "walks.csv").unlink()
    done = run("erase", "--wearer", GONE, "--yes")
    assert done.exit_code == 0, done.output
    assert "1 no longer where they were written" in done.output


def test_the_ledger_of_exports_is_for_its_owner_only(data: Path, run: Run, tmp_path: Path) -> None:
    export_everything(run, tmp_path / "data", STAYS)
    ledger = data / "exports.jsonl"
    assert ledger.stat().st_mode & 0o077 == 0
    entries = [json.loads(line) for line in ledger.read_text().splitlines()]
    assert {entry["wearer"] for entry in entries} == {STAYS}


def test_a_household_that_cannot_be_reached_is_not_called_erased(
    data: Path, run: Run, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("SAGITTAL_HOME__URL", "mqtt://127.0.0.1:1")
    done = run("erase", "--wearer", GONE, "--yes")
    assert done.exit_code != 0
    assert "home: NOT ERASED" in done.output
