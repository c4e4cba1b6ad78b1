"""Into a Grafana and back: against a stand-in of its documented API, and a real one where the environment names it."""

from __future__ import annotations

import json
import os
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest
from typer.testing import CliRunner

from dashboards.grafana._alerts import alerts
from dashboards.grafana._build import dashboards
from dashboards.grafana._names import BUCKETS, FOLDER_UID, NAMES, UIDS
from dashboards.grafana._push import plan, push
from dashboards.grafana._remote import GrafanaRefused, Remote
from sagittal.cli import build
from sagittal.errors import SagittalError, SettingsError
from tests.grafana.stub import ADMIN, VIEWER, GrafanaStub

REAL = os.environ.get("SAGITTAL_TEST_GRAFANA_URL", "")
THINGS = 1 + len(BUCKETS) + len(NAMES) + len(alerts())
INFLUX = "http://influxdb:8086"


@dataclass
class Said:
    """How a command ended, and what it said."""

    returncode: int
    stdout: str
    stderr: str


@dataclass
class Desk:
    """A stand-in, and the command line with the files it needs."""

    stub: GrafanaStub
    folder: Path

    def run(self, *words: str, token: str = ADMIN, url: str | None = None) -> Said:
        (self.folder / "token").write_text(token)
        (self.folder / "influx").write_text("read-only\n")
        extra = (
            ["--influx-token-file", str(self.folder / "influx"), "--influx-url", INFLUX] if words[0] != "pull" else []
        )
        who = ["--token-file", str(self.folder / "token")] if "--user" not in words else []
        return said([*words, "--url", url or self.stub.url, *who, *extra])


def said(words: list[str]) -> Said:
    """What a command says, as `main` says it."""
    done = CliRunner().invoke(build(), ["dashboards", *words])
    if isinstance(done.exception, SagittalError):
        return Said(2, done.stdout, f"sagittal: {done.exception}\n")
    assert done.exception is None or isinstance(done.exception, SystemExit), done.exception
    return Said(done.exit_code, done.stdout, done.stderr)


@pytest.fixture
def stub() -> Iterator[GrafanaStub]:
    made = GrafanaStub()
    yield made
    made.close()


@pytest.fixture
def desk(stub: GrafanaStub, tmp_path: Path) -> Desk:
    return Desk(stub, tmp_path)


def pushed(stub: GrafanaStub, *, dry: bool = False, overwrite: bool = False, token: str = "read-only") -> list[str]:
    with Remote(stub.url, ADMIN) as remote:
        return [done for _, done in push(plan(remote, INFLUX, token), dry=dry, overwrite=overwrite)]


def test_everything_is_made_once_and_then_left_alone(stub: GrafanaStub) -> None:
    assert pushed(stub) == ["made"] * THINGS
    assert set(stub.dashboards) == set(UIDS.values())
    assert set(stub.sources) == set(BUCKETS)
    assert stub.sources["sagittal_days"]["jsonData"]["dbName"] == "sagittal_days"
    assert len(stub.rules) == len(alerts())
    assert all("provenance" not in rule for rule in stub.rules.values())
    before = len(stub.writes)
    assert pushed(stub) == ["same"] * THINGS
    assert len(stub.writes) == before


def test_the_secret_goes_out_and_never_comes_back(stub: GrafanaStub) -> None:
    pushed(stub)
    sent = [body for method, path, body in stub.requests if method == "POST" and path == "/api/datasources"]
    assert all(body and body["secureJsonData"] == {"httpHeaderValue1": "Token read-only"} for body in sent)
    assert "read-only" not in json.dumps(stub.sources)
    assert pushed(stub, token="another").count("replaced") == len(BUCKETS)


def test_a_dry_run_writes_nothing(stub: GrafanaStub) -> None:
    assert pushed(stub, dry=True) == ["would be made"] * THINGS
    assert stub.writes == []


def test_what_a_person_changed_is_not_overwritten_unasked(desk: Desk) -> None:
    assert desk.run("push").returncode == 0
    assert desk.run("diff").returncode == 0
    desk.stub.edit(UIDS["walking"], "My walking")
    differs = desk.run("diff")
    assert differs.returncode == 1
    assert '- "title": "My walking"' in differs.stdout
    refused = desk.run("push")
    assert refused.returncode == 2
    assert "someone changed it in Grafana" in refused.stderr
    assert desk.stub.dashboards[UIDS["walking"]]["dashboard"]["title"] == "My walking"
    pulled = desk.run("pull", "--out", str(desk.folder / "pulled"))
    assert pulled.returncode == 0, pulled.stderr
    assert json.loads((desk.folder / "pulled" / "walking.json").read_text())["title"] == "My walking"
    assert desk.run("push", "--overwrite").returncode == 0
    assert desk.stub.dashboards[UIDS["walking"]]["dashboard"]["title"] == "Walking"


def test_what_changes_between_reading_and_writing_is_a_conflict(stub: GrafanaStub) -> None:
    pushed(stub)
    stub.edit(UIDS["day"], "Meanwhile")
    stub.moved.add(UIDS["day"])
    with pytest.raises(GrafanaRefused, match="changed by someone else meanwhile"):
        pushed(stub, overwrite=True)


def test_what_is_gone_comes_back(stub: GrafanaStub) -> None:
    pushed(stub)
    stub.folders.clear()
    stub.rules.pop("sagittal-silent")
    done = pushed(stub)
    assert done.count("made") == 2
    assert FOLDER_UID in stub.folders


def test_dashboards_that_come_from_files_are_left_to_the_files(stub: GrafanaStub) -> None:
    pushed(stub)
    stub.edit(UIDS["clinic"], "From a file")
    stub.dashboards[UIDS["clinic"]]["meta"]["provisioned"] = True
    with pytest.raises(GrafanaRefused, match="comes from files"):
        pushed(stub, overwrite=True)


def test_a_dashboard_in_another_folder_is_brought_back(stub: GrafanaStub) -> None:
    pushed(stub)
    stub.dashboards[UIDS["devices"]]["meta"]["folderUid"] = "elsewhere"
    assert pushed(stub).count("replaced") == 1
    assert stub.dashboards[UIDS["devices"]]["meta"]["folderUid"] == FOLDER_UID


@pytest.mark.parametrize(
    ("token", "says"), [("nobody", "not known there"), (VIEWER, "the role Admin in this organisation")]
)
def test_wrong_rights_are_said_in_one_line(desk: Desk, token: str, says: str) -> None:
    done = desk.run("push", token=token)
    assert done.returncode == 2
    assert done.stderr.count("\n") == 1
    assert says in done.stderr
    assert desk.stub.dashboards == {}


def test_a_grafana_that_is_away_or_broken_is_said(desk: Desk) -> None:
    away = desk.run("push", url="http://127.0.0.1:9")
    assert away.returncode == 2
    assert "no Grafana answers" in away.stderr
    desk.stub.failing = (503, {"message": "database is locked"})
    broken = desk.run("diff")
    assert broken.returncode == 2
    assert "database is locked" in broken.stderr


def test_a_service_account_is_made_once_and_its_token_is_kept_secret(desk: Desk) -> None:
    (desk.folder / "password").write_text("a-long-password")
    who = ("--user", "head", "--password-file", str(desk.folder / "password"))
    saved = desk.folder / "saved"
    for _ in range(2):
        done = desk.run("push", *who, "--save-token", str(saved))
        assert done.returncode == 0, done.stderr
    assert len(desk.stub.accounts) == 1
    assert saved.stat().st_mode & 0o077 == 0
    assert desk.run("diff", token=saved.read_text().strip()).returncode == 0


def test_the_password_that_everyone_knows_is_refused(stub: GrafanaStub) -> None:
    with pytest.raises(SettingsError, match="change it"):
        Remote(stub.url, ("admin", "admin"))
    assert stub.requests == []


def test_names_of_a_clinics_own_buckets_reach_grafana(stub: GrafanaStub) -> None:
    own = {uid: f"ward_{uid}" for uid in BUCKETS}
    with Remote(stub.url, ADMIN) as remote:
        list(push(plan(remote, INFLUX, "t", own), dry=False, overwrite=False))
    assert stub.sources["sagittal_detail"]["jsonData"]["dbName"] == "ward_sagittal_detail"
    constants = {
        one["name"]: one["query"] for one in stub.dashboards[UIDS["clinic"]]["dashboard"]["templating"]["list"]
    }
    assert constants["detail"] == "ward_sagittal_detail"


@pytest.mark.skipif(not REAL, reason="SAGITTAL_TEST_GRAFANA_URL names no Grafana")
def test_a_real_grafana_takes_it_all_and_says_it_back() -> None:
    with Remote(REAL, Path(os.environ["SAGITTAL_TEST_GRAFANA_TOKEN_FILE"]).read_text().strip()) as remote:
        list(push(plan(remote, INFLUX, "read-only"), dry=False, overwrite=True))
        assert {step.name: step.diff() for step in plan(remote, INFLUX, "read-only") if step.state != "same"} == {}
    assert dashboards().keys() == UIDS.keys()
