"""Settings: precedence, clear refusals, masked secrets."""

from __future__ import annotations

from pathlib import Path

import pytest

from sagittal.errors import NameRefused, SettingsError
from sagittal.settings import load_settings, secret
from sagittal.thresholds import thresholds
from sagittal.topics import Topic, command_topic, parse, site_topic, wearer_topic


@pytest.fixture
def file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    path = tmp_path / "sagittal.toml"
    monkeypatch.setenv("SAGITTAL_SETTINGS", str(path))
    path.write_text("")
    return path


def test_environment_wins_over_file_wins_over_defaults(file: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    file.write_text('bridge_name = "attic"\n[page]\nport = 9000\n[[wearers]]\nid = "w1"\ntime_zone = "Europe/Berlin"\n')
    monkeypatch.setenv("SAGITTAL_PAGE__PORT", "9001")
    settings = load_settings()
    assert (settings.bridge_name, settings.page.port, settings.page.host) == ("attic", 9001, "127.0.0.1")
    assert settings.wearer("w1").zone.key == "Europe/Berlin"
    assert settings.wearer("other").time_zone == "UTC"


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("[page]\nport = 99999\n", "page.port"),
        ("[pge]\nport = 1\n", "pge"),
        ("page = [", "can't be read"),
        ('[[wearers]]\nid = "Anna"\n', "wearers.0.id"),
        ('[[wearers]]\nid = "w1"\ntime_zone = "Mars/Base"\n', "Europe/Berlin"),
        ('[[wearers]]\nid = "w1"\n[[wearers]]\nid = "w1"\n', "same id"),
        ('[[wearers]]\nid = "w1"\n[[wearers.devices]]\nname = "d"\nsite = "thigh_left"\n', "lower_back"),
    ],
)
def test_what_can_not_be_used_is_named(file: Path, text: str, said: str) -> None:
    file.write_text(text)
    with pytest.raises(SettingsError, match=said.replace(".", r"\.")):
        load_settings()


def test_a_named_file_must_exist(file: Path) -> None:
    file.unlink()
    with pytest.raises(SettingsError, match="no file"):
        load_settings()


def test_secrets_come_from_files_and_are_masked(file: Path, tmp_path: Path) -> None:
    token = tmp_path / "token"
    token.write_text("s3cret\n")
    file.write_text(f'[influx]\ntoken = "t0ken"\n[broker]\npassword = "pa55"\npassword_file = "{token}"\n')
    settings = load_settings()
    assert "t0ken" not in settings.model_dump_json()
    assert "pa55" not in repr(settings)
    assert secret(settings.broker.password, settings.broker.password_file, "broker password") == "s3cret"
    with pytest.raises(SettingsError, match="absent"):
        secret(None, tmp_path / "absent", "token")


def test_topics_are_read_as_they_are_written() -> None:
    assert parse(site_topic("w1", "lower_back", "imu")) == Topic("w1", "lower_back", "imu")
    assert parse(wearer_topic("w1", "posture")) == Topic("w1", None, "posture")
    assert parse(command_topic("w1", "calibrate")) == Topic("w1", None, "cmd/calibrate")
    for other in ("sagittal/v1/W1/lower_back/imu", "sagittal/v1/w1/knee/imu", "sagittal/v2/w1/posture", "x", ""):
        assert parse(other) is None
    with pytest.raises(NameRefused):
        site_topic("w1/#", "lower_back", "imu")


def test_every_threshold_has_a_unit_and_a_source() -> None:
    assert len(thresholds()) >= 10
    assert all(one.unit and len(one.source) > 20 for one in thresholds().values())
