"""Whoever can't begin lets go of the file that it had opened already; so does a command that is done."""

from __future__ import annotations

import sqlite3
from collections.abc import Callable
from contextlib import closing
from pathlib import Path

import psutil
import pytest
from typer.testing import CliRunner

from analytics.imports import Importing
from analytics.store import Store
from analytics.worker import Worker
from dashboards.page import Access
from sagittal.cli import build
from sagittal.errors import SagittalError
from sagittal.settings import Settings
from sensor_bridge._spool import Spool
from sensor_bridge.bridge import Bridge

RUBBISH = b"SQLite format 3\0" + b"\7" * 5000


def held(folder: Path) -> set[str]:
    """What this process holds open in a folder."""
    return {Path(file.path).name for file in psutil.Process().open_files() if Path(file.path).is_relative_to(folder)}


def spool(settings: Settings) -> None:
    settings.spool_path.parent.mkdir(parents=True, exist_ok=True)
    settings.spool_path.write_bytes(RUBBISH)
    Spool(settings.spool_path)


def access(settings: Settings) -> None:
    path = settings.data_dir / "access.sqlite"
    path.write_bytes(RUBBISH)
    Access(path)


def store(settings: Settings) -> None:
    """A store that opens but takes no row."""
    Store(settings.store_path, "before").close()
    with closing(sqlite3.connect(settings.store_path)) as db:
        db.execute("CREATE TRIGGER t BEFORE INSERT ON meta BEGIN SELECT raise(ABORT, 'no'); END")
    Store(settings.store_path, "now")


def imports(settings: Settings) -> None:
    """A store whose streams can't be read."""
    Store(settings.store_path, "before").close()
    with closing(sqlite3.connect(settings.store_path)) as db:
        db.execute("ALTER TABLE stream RENAME COLUMN samples TO others")
    Importing(settings)


def bridge(settings: Settings) -> None:
    """A bridge, as a worker, finds its broker's URL unusable when the file is open already."""
    Bridge(settings, [])


@pytest.mark.parametrize("begin", [spool, access, store, imports, bridge, Worker])
def test_what_can_not_begin_holds_no_file(begin: Callable[[Settings], object], tmp_path: Path) -> None:
    settings = Settings.model_validate({"data_dir": tmp_path, "broker": {"url": "http://127.0.0.1"}})
    with pytest.raises(SagittalError) as caught:
        begin(settings)
    assert held(tmp_path) == set(), caught.value


def test_the_commands_of_access_hold_no_file(tmp_path: Path) -> None:
    for words in (
        ("add", "dr-c", "--role", "clinician"),
        ("add", "anna", "--wearer", "w1"),
        ("token", "anna"),
        ("consent", "--wearer", "w1", "--to", "dr-c"),
        ("audit",),
        ("withdraw", "--wearer", "w1", "--to", "dr-c"),
        ("remove", "anna"),
        ("remove", "dr-c"),
    ):
        done = CliRunner().invoke(build(), ["access", *words, "--data-dir", str(tmp_path)])
        assert done.exit_code == 0, done.output
        assert held(tmp_path) == set()
