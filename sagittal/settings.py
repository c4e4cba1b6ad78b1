"""Settings: one TOML file, then `SAGITTAL_*` environment variables, which win (`SAGITTAL_PAGE__PORT=9000`)."""

from __future__ import annotations

import os
from datetime import time
from pathlib import Path
from typing import Annotated, Any, Literal
from zoneinfo import ZoneInfo, available_timezones

from platformdirs import user_config_path, user_data_path
from pydantic import BaseModel, ConfigDict, Field, SecretStr, ValidationError, field_validator, model_validator
from pydantic_settings import (
    BaseSettings,
    PydanticBaseSettingsSource,
    SettingsConfigDict,
    TomlConfigSettingsSource,
)
from pydantic_settings import (
    SettingsError as _SourceError,
)

from sagittal.errors import SettingsError
from sagittal.messages import Name
from sagittal.names import PRIMARY_SITES, Site

FILE_VARIABLE = "SAGITTAL_SETTINGS"


class _Section(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


class Device(_Section):
    """One wearable of a wearer: which driver reads it, where it sits, and how to find it."""

    name: Name
    site: Site = Site.LOWER_BACK
    driver: str = "simulated"
    address: str | None = None
    local_name: str | None = None
    serial: str | None = None
    service: str | None = None
    rate_hz: Annotated[float, Field(ge=10, le=400)] = 100.0
    options: dict[str, Any] = Field(default_factory=dict)


class Nudges(_Section):
    """When a wearer wants to be told; every number is the wearer's own choice, within what is kind."""

    mode: Literal["track", "train"] = "track"
    threshold_deg: Annotated[float, Field(ge=5, le=60)] | None = None
    delay_s: Annotated[float, Field(ge=3, le=600)] = 60.0
    per_hour: Annotated[int, Field(ge=0, le=30)] = 4
    quiet_start: str | None = None
    quiet_end: str | None = None
    break_after_min: Annotated[float, Field(ge=5, le=480)] | None = None

    @field_validator("quiet_start", "quiet_end")
    @classmethod
    def _a_time(cls, text: str | None) -> str | None:
        try:
            return None if text is None else time.fromisoformat(text).replace(tzinfo=None).isoformat("minutes")
        except ValueError:
            raise ValueError(f"{text!r} is no time of day: write it as 22:30") from None


class Wearer(_Section):
    """A wearer's profile; the id is a pseudonym."""

    id: Name
    height_m: Annotated[float, Field(ge=1.0, le=2.4)] | None = None
    sensor_height_m: Annotated[float, Field(ge=0.4, le=1.6)] | None = None
    time_zone: str = "UTC"
    devices: list[Device] = Field(default_factory=list)
    nudges: Nudges = Field(default_factory=Nudges)

    @field_validator("time_zone")
    @classmethod
    def _known_zone(cls, name: str) -> str:
        if name not in available_timezones():
            raise ValueError(f"time zone {name!r} is not known: use one such as 'Europe/Berlin'")
        return name

    @model_validator(mode="after")
    def _one_device_a_site(self) -> Wearer:
        sites = [device.site for device in self.devices]
        if len(set(sites)) != len(sites):
            raise ValueError(f"wearer {self.id!r} has two devices at one site: give each its own site")
        if sites and not any(site in PRIMARY_SITES for site in sites):
            raise ValueError(f"wearer {self.id!r} needs a device at one of {', '.join(PRIMARY_SITES)}")
        return self

    @property
    def zone(self) -> ZoneInfo:
        """The wearer's time zone."""
        return ZoneInfo(self.time_zone)


class Broker(_Section):
    """The MQTT broker: an own one on loopback where `url` is empty, else `mqtt://…` or `mqtts://…`."""

    url: str = ""
    port: Annotated[int, Field(ge=0, le=65535)] = 8421
    username: str | None = None
    password: SecretStr | None = None
    password_file: Path | None = None
    ca_file: Path | None = None
    keepalive_s: Annotated[int, Field(ge=2, le=10)] = 5


class Page(_Section):
    """The wearer's live page; `lan` listens on the network, with TLS and a log-in."""

    host: str = "127.0.0.1"
    port: Annotated[int, Field(ge=0, le=65535)] = 8420
    allowed_hosts: list[str] = Field(default_factory=list)
    lan: bool = False


class Spool(_Section):
    """The bridge's disk spool: what can't be delivered waits here, oldest dropped and marked beyond the caps."""

    max_mb: Annotated[float, Field(gt=0)] = 2_000.0
    max_days: Annotated[float, Field(gt=0)] = 14.0
    replay_blocks_per_s: Annotated[float, Field(gt=0)] = 200.0


class Bluetooth(_Section):
    """The bridge's adapter (hci1; empty is the first), and whether it may be switched off and on to heal it."""

    adapter: Annotated[str, Field(pattern=r"^(hci\d{1,2})?$")] = ""
    power_cycle: bool = True


class Worker(_Section):
    """The analytics worker: at most `commit_s` between two commits, and how long each kind of result is kept."""

    name: Name = "worker"
    commit_s: Annotated[float, Field(gt=0, le=2)] = 1.0
    posture_days: Annotated[float, Field(gt=0)] = 90.0
    recordings_days: Annotated[float, Field(ge=0)] = 0.0


class Influx(_Section):
    """An InfluxDB 2 beside the store; off where `url` is empty."""

    url: str = ""
    org: str = "sagittal"
    token: SecretStr | None = None
    token_file: Path | None = None
    bucket_detail: str = "sagittal_detail"
    bucket_minutes: str = "sagittal_minutes"
    bucket_days: str = "sagittal_days"


class Home(_Section):
    """The household's broker, for home automation; off where `url` is empty; only wearers named here are shown."""

    url: str = ""
    username: str | None = None
    password_file: Path | None = None
    ca_file: Path | None = None
    wearers: list[Name] = Field(default_factory=list)


class Settings(BaseSettings):
    """Everything that can be set."""

    model_config = SettingsConfigDict(
        env_prefix="SAGITTAL_", env_nested_delimiter="__", extra="forbid", frozen=True, validate_default=True
    )

    data_dir: Path = Field(default_factory=lambda: user_data_path("sagittal"))
    bridge_name: Name = "bridge"
    broker: Broker = Field(default_factory=Broker)
    page: Page = Field(default_factory=Page)
    spool: Spool = Field(default_factory=Spool)
    bluetooth: Bluetooth = Field(default_factory=Bluetooth)
    worker: Worker = Field(default_factory=Worker)
    influx: Influx = Field(default_factory=Influx)
    home: Home = Field(default_factory=Home)
    wearers: list[Wearer] = Field(default_factory=list)

    @model_validator(mode="after")
    def _one_wearer_a_name(self) -> Settings:
        ids = [wearer.id for wearer in self.wearers]
        if len(set(ids)) != len(ids):
            raise ValueError("two wearers have the same id: give each its own")
        return self

    @classmethod
    def settings_customise_sources(
        cls,
        settings_cls: type[BaseSettings],
        init_settings: PydanticBaseSettingsSource,
        env_settings: PydanticBaseSettingsSource,
        dotenv_settings: PydanticBaseSettingsSource,  # noqa: ARG003  # the signature is pydantic-settings'
        file_secret_settings: PydanticBaseSettingsSource,  # noqa: ARG003  # likewise
    ) -> tuple[PydanticBaseSettingsSource, ...]:
        """What was passed in wins over the environment, which wins over the file."""
        return (init_settings, env_settings, TomlConfigSettingsSource(settings_cls, settings_file()))

    def wearer(self, wearer_id: str) -> Wearer:
        """The profile of a wearer; one with defaults where none is set."""
        return next((wearer for wearer in self.wearers if wearer.id == wearer_id), Wearer(id=wearer_id))

    @property
    def broker_url(self) -> str:
        """Where clients find the broker."""
        return self.broker.url or f"mqtt://127.0.0.1:{self.broker.port}"

    @property
    def store_path(self) -> Path:
        """The SQLite store, the truth."""
        return self.data_dir / "store.sqlite"

    @property
    def spool_path(self) -> Path:
        """The bridge's spool."""
        return self.data_dir / "spool.sqlite"

    @property
    def recordings_dir(self) -> Path:
        """Raw recordings, where they are kept."""
        return self.data_dir / "recordings"

    @property
    def broker_dir(self) -> Path:
        """The own broker's files."""
        return self.data_dir / "broker"


def settings_file() -> Path:
    """The settings file: `$SAGITTAL_SETTINGS`, else the user's own; it need not exist."""
    named = os.environ.get(FILE_VARIABLE)
    return Path(named) if named else user_config_path("sagittal") / "sagittal.toml"


def load_settings(**overrides: object) -> Settings:
    """The effective settings.

    Raises
    ------
    SettingsError
        Where the file can't be read or a value is unknown or out of range: says which, and where.
    """
    path = settings_file()
    if os.environ.get(FILE_VARIABLE) and not path.is_file():
        raise SettingsError(f"{FILE_VARIABLE} names {path}, which is no file: create it, or unset the variable")
    try:
        return Settings(**overrides)  # type: ignore[arg-type]  # pydantic checks them
    except ValidationError as error:
        problems = "; ".join(
            f"{'.'.join(str(part) for part in problem['loc']) or 'settings'}: {problem['msg']}"
            for problem in error.errors()
        )
        raise SettingsError(f"settings from {path} and SAGITTAL_* are not usable: {problems}") from None
    except (_SourceError, ValueError, OSError) as error:
        raise SettingsError(f"settings file {path} can't be read: {error}") from None


def secret(value: SecretStr | None, file: Path | None, what: str) -> str | None:
    """A secret from its setting or its file; None where neither is set.

    Raises
    ------
    SettingsError
        Where the file can't be read.
    """
    if file is None:
        return value.get_secret_value() if value is not None else None
    try:
        return file.read_text(encoding="utf-8").strip()
    except OSError as error:
        raise SettingsError(f"{what}: {file} can't be read ({error.strerror}): check the path and the rights") from None
