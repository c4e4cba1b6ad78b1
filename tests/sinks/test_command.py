"""`sagittal sink`: as its user would, against the real server."""

from __future__ import annotations

import os
import re
import subprocess
import sys
import threading
from pathlib import Path
from typing import Any

import pytest

from analytics.sinks._backfill import backfill
from analytics.sinks.influx import from_settings
from analytics.store import Commit, Store, open_reader
from tests.sinks.conftest import Place
from tests.sinks.samples import day, every_kind, posture, rows
from tests.sinks.servers import ADMIN, InfluxServer
from tests.sinks.test_contract import EXPECTED, counts

pytestmark = pytest.mark.influx


def sagittal(*words: str, settings: Place | None = None, **environment: Any) -> subprocess.CompletedProcess[str]:
    about = {} if settings is None else variables(settings)
    return subprocess.run(
        [sys.executable, "-m", "sagittal.cli", *words],
        capture_output=True, text=True, timeout=60, env={**os.environ, **about, **environment},
    )  # fmt: skip


def variables(place: Place) -> dict[str, str]:
    influx = place.settings.influx
    return {
        "SAGITTAL_DATA_DIR": str(place.settings.data_dir),
        "SAGITTAL_INFLUX__URL": influx.url,
        "SAGITTAL_INFLUX__ORG": influx.org,
        "SAGITTAL_INFLUX__TOKEN_FILE": str(influx.token_file),
        "SAGITTAL_INFLUX__BUCKET_DETAIL": influx.bucket_detail,
        "SAGITTAL_INFLUX__BUCKET_MINUTES": influx.bucket_minutes,
        "SAGITTAL_INFLUX__BUCKET_DAYS": influx.bucket_days,
    }


def test_set_up_fill_export_and_erase(place: Place, tmp_path: Path) -> None:
    store = Store(place.settings.store_path, "w")
    store.commit(Commit(results=[(who, one) for who in ("anna", "bob") for one in every_kind()]))
    store.close()
    for _ in range(2):
        done = sagittal("sink", "backfill", settings=place)
        assert (done.returncode, done.stderr) == (0, "")
        assert counts(place) == {name: 2 * count for name, count in EXPECTED.items()}
    done = sagittal("sink", "check", settings=place)
    assert (done.returncode, done.stdout) == (0, "influx: all is well\n")

    done = sagittal("sink", "export", "--wearer", "anna", "--out", str(tmp_path / "out"), settings=place)
    assert done.returncode == 0, done.stderr
    walks = (tmp_path / "out" / "walk.csv").read_text().splitlines()
    assert len(walks) == 2
    assert "walking_speed_mps" in walks[0]
    assert sorted(path.name for path in (tmp_path / "out").iterdir()) == sorted(f"{name}.csv" for name in EXPECTED)

    done = sagittal("erase", "--wearer", "anna", "--yes", settings=place, SAGITTAL_BROKER__PORT="1")
    assert "sinks: influx erased" in done.stdout
    assert {row["wearer"] for found in place.content().values() for row in found} == {"bob"}
    done = sagittal("sink", "erase", "--wearer", "bob", "--yes", settings=place)
    assert done.stdout == "influx: nothing of bob is left\n"
    assert not any(place.content().values())


def test_init_makes_what_is_missing_and_leaves_the_rest(shared_server: InfluxServer, tmp_path: Path) -> None:
    (tmp_path / "admin").write_text(ADMIN + "\n")
    words = ("sink", "init", "--admin-token-file", str(tmp_path / "admin"), "--token-dir", str(tmp_path / "tokens"))
    about: dict[str, Any] = {"SAGITTAL_INFLUX__URL": shared_server.url, "SAGITTAL_INFLUX__ORG": "another clinic"}
    done = sagittal(*words, **about)
    assert done.returncode == 0, done.stderr
    assert "organisation another clinic: made" in done.stdout
    assert "bucket sagittal_detail: made, keeps 90 days" in done.stdout
    before = {path.name: path.read_text() for path in (tmp_path / "tokens").iterdir()}
    assert before.keys() == {"worker.token", "grafana.token"}
    assert all((tmp_path / "tokens" / name).stat().st_mode & 0o077 == 0 for name in before)
    (tmp_path / "tokens" / "grafana.token").unlink()
    done = sagittal(*words, **about)
    assert "token of worker: works" in done.stdout
    assert "token of grafana: made" in done.stdout
    assert (tmp_path / "tokens" / "worker.token").read_text() == before["worker.token"]
    left = shared_server.call("GET", "/api/v2/authorizations?org=another%20clinic")["authorizations"]
    assert sorted(one["description"] for one in left) == [
        "sagittal grafana sagittal_detail",
        "sagittal worker sagittal_detail",
    ]


@pytest.mark.parametrize(
    ("about", "says"),
    [
        ({"SAGITTAL_INFLUX__URL": ""}, "no sink is set"),
        ({"SAGITTAL_INFLUX__URL": "http://127.0.0.1:1"}, "sagittal sink init"),
        ({"SAGITTAL_INFLUX__URL": "influx", "SAGITTAL_INFLUX__TOKEN": "t"}, "no address"),
        ({"SAGITTAL_INFLUX__URL": "http://127.0.0.1:1", "SAGITTAL_INFLUX__TOKEN_FILE": "/nowhere"}, "can't be read"),
    ],
)
def test_what_is_missing_is_said_in_one_line(about: dict[str, Any], says: str, tmp_path: Path) -> None:
    done = sagittal("sink", "check", SAGITTAL_DATA_DIR=str(tmp_path), **about)
    assert done.returncode == 2
    assert re.fullmatch(rf"sagittal: .*{says}.*\n", done.stderr)


def test_a_server_that_is_away_or_refuses_is_said(place: Place) -> None:
    done = sagittal("sink", "check", settings=place, SAGITTAL_INFLUX__URL="http://127.0.0.1:1")
    assert done.returncode == 1
    assert "can't be reached" in done.stdout
    done = sagittal("sink", "check", settings=place, SAGITTAL_INFLUX__BUCKET_DAYS="no-such-bucket")
    assert done.returncode == 1
    assert "bucket no-such-bucket: InfluxDB" in done.stdout


def test_backfill_beside_a_worker_leaves_the_newest_word(place: Place) -> None:
    """A worker tells the day anew all the while; whatever backfill writes, the last word stands at the end."""
    store = Store(place.settings.store_path, "w")
    worker = from_settings(place.settings)
    assert worker is not None
    going = threading.Event()
    last = 0

    def work() -> None:
        nonlocal last
        for last in range(1, 60):
            made = store.commit(Commit(results=[("anna", day(last)), ("anna", posture(last))]))
            worker.write(made)
            going.set()

    thread = threading.Thread(target=work)
    thread.start()
    going.wait(10)
    reader = open_reader(place.settings.store_path)
    while thread.is_alive():
        backfill(reader, place.sink)
    backfill(reader, place.sink)
    thread.join()
    reader.close()
    store.close()
    worker.close()
    assert [row["bends"] for row in place.rows("day")] == [last]
    assert len(place.rows("posture")) == last


def test_a_row_more_than_once_in_the_outbox_is_one_point(place: Place) -> None:
    place.sink.write(rows([posture(1), posture(1)]))
    assert len(place.rows("posture")) == 1
