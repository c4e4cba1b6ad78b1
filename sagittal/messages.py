"""The small JSON messages around the results: watermarks, health, status, commands."""

from __future__ import annotations

from enum import StrEnum
from typing import Annotated, Any, Literal, Self

from pydantic import BaseModel, ConfigDict, Field

from sagittal.blocks import Cursor
from sagittal.names import NAME_PATTERN, Site

Name = Annotated[str, Field(pattern=f"^{NAME_PATTERN}$")]


class _Message(BaseModel):
    model_config = ConfigDict(extra="ignore", frozen=True, ser_json_inf_nan="null")

    def to_json(self) -> bytes:
        """The message as compact JSON in UTF-8."""
        return self.model_dump_json().encode()


class Watermark(_Message):
    """What a worker has committed of one stream, retained on `…/<site>/stored`.

    Everything up to and including (boot_id, seq), in the order in which the bridge numbered it, is in the store for
    good: the bridge may forget it. `worker` changes with every start of a worker; on a change, and whenever `want` is
    true, the bridge sends everything after the mark again. With `boot_id` null nothing of the stream is stored yet.
    (`run_boot_id`, `run_seq`) is a block from which on, as far as the worker knows, none was skipped up to the mark.
    """

    boot_id: str | None
    seq: Annotated[int, Field(ge=0, lt=2**53)]
    worker: str
    want: bool = False
    run_boot_id: str | None = None
    run_seq: Annotated[int, Field(ge=0, lt=2**53)] = 0

    @property
    def cursor(self) -> Cursor | None:
        """The mark as a place in the stream."""
        return None if self.boot_id is None else Cursor(bytes.fromhex(self.boot_id), self.seq)

    @property
    def run(self) -> Cursor | None:
        """Where the unbroken run begins that ends with the mark."""
        return None if self.run_boot_id is None else Cursor(bytes.fromhex(self.run_boot_id), self.run_seq)

    @classmethod
    def at(cls, cursor: Cursor | None, run: Cursor | None, worker: str, *, want: bool = False) -> Self:
        """The mark at a place, None where nothing is stored."""
        return cls(
            boot_id=cursor.boot_id.hex() if cursor else None,
            seq=cursor.seq if cursor else 0,
            worker=worker,
            want=want,
            run_boot_id=run.boot_id.hex() if run else None,
            run_seq=run.seq if run else 0,
        )


class DeviceState(StrEnum):
    """What a bridge is doing with a wearable."""

    SCANNING = "scanning"
    CONNECTING = "connecting"
    SETTING_UP = "setting_up"
    STREAMING = "streaming"
    STALLED = "stalled"
    WAITING = "waiting"
    OFFLINE = "offline"


class SilenceReason(StrEnum):
    """Why a wearable is silent."""

    NOT_FOUND = "not_found"
    BUSY = "busy"
    NO_PERMISSION = "no_permission"
    ADAPTER_OFF = "adapter_off"
    NO_ADAPTER = "no_adapter"
    NO_DATA = "no_data"
    LINK_LOST = "link_lost"
    REFUSED = "refused"
    UNITS = "units"
    NO_SPACE = "no_space"
    STOPPED = "stopped"
    BRIDGE_GONE = "bridge_gone"


class DeviceHealth(_Message):
    """A wearable's health, retained on `…/<site>/device`; rates in Hz, `t_ns` UTC.

    `bridge` names the bridge that looks after it, so that its wearables can be called silent when it is gone.
    """

    t_ns: int
    device: Name
    bridge: Name | None = None
    site: Site
    driver: str
    state: DeviceState
    reason: SilenceReason | None = None
    detail: str = ""
    battery_percent: float | None = None
    rssi_dbm: float | None = None
    rate_hz: float | None = None
    samples: int = 0
    samples_lost: int = 0
    reconnects: int = 0
    spooled_blocks: int = 0
    spooled_bytes: int = 0
    notes: list[str] = Field(default_factory=list)


class Status(_Message):
    """A bridge's or worker's own status, retained, with `state: offline` as its last will."""

    state: Literal["online", "offline"]
    t_ns: int
    version: str = ""
    detail: dict[str, Any] = Field(default_factory=dict)


class Command(_Message):
    """A wish of a person or program for one wearer, on `sagittal/v1/<wearer>/cmd/<verb>` (QoS 1, not retained).

    `id` makes a repeated delivery harmless. `values` by verb: `calibrate` {"method": "stand" | "bends"};
    `snooze` {"minutes": n}; `mode` {"mode": "track" | "train"} and the other choices of `[wearers.nudges]`, "own" or
    "off" to take one back; `nudge` {"wrong": true, "nudge_ns": t};
    `diary` {"pain_back": 0–10, "pain_knee_left": …, "pain_knee_right": …, "note": …, "tags": […]};
    `exercise` {"name": …, "start": true | false}; `remind` {"at": "10:30", "text": …} or {"remove": id}.
    """

    id: Annotated[str, Field(min_length=8, max_length=64)]
    t_ns: int
    wearer: Name
    verb: Literal["calibrate", "snooze", "mode", "nudge", "diary", "exercise", "remind"]
    values: dict[str, Any] = Field(default_factory=dict)
