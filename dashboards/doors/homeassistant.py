"""Home Assistant: a wearer as a device with sensors, buttons and a nudge event, by MQTT discovery.

Opt-in per wearer, since discovery shows a wearer to everyone in that home, and published to the household's own broker:
Home Assistant drops MQTT 3.1.1 in 2027.1, which is all that the bundled broker speaks. One wrong root key makes Home
Assistant drop the whole device with a single line in its log, so the payload is held to its rules by `lint_discovery`.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from datetime import datetime
from typing import Any

from sagittal import __version__
from sagittal.messages import DeviceHealth, DeviceState
from sagittal.names import PostureLabel, check_name
from sagittal.results import Day, Event, Posture
from sagittal.units import NS_PER_S

PREFIX = "sagittal/ha"
STATUS_TOPIC = "homeassistant/status"
"""Home Assistant says `online` here when it starts: then discovery and state are sent again."""
_NUDGES = {"nudge": "posture", "break_due": "break", "nudge_followed": "followed"}

ROOT_KEYS = frozenset({"dev", "o", "cmps", "avty", "avty_mode", "stat_t", "cmd_t", "qos", "child_devices"})
_PLATFORMS = frozenset({"sensor", "binary_sensor", "event", "button", "number", "select"})
_UNITS: dict[str, set[str | None]] = {
    "duration": {"min", "s", "h", "d"},
    "battery": {"%"},
    "signal_strength": {"dBm", "dB"},
    "enum": {None},
}
_OBJECT_ID = re.compile(r"[a-zA-Z0-9_-]+")


def discovery(wearer: str) -> tuple[str, bytes]:
    """The topic and the retained payload that announce a wearer."""
    check_name("wearer", wearer)
    base, ident = f"{PREFIX}/{wearer}", f"sagittal_{wearer}"
    payload: dict[str, Any] = {
        "dev": {"ids": [ident], "name": f"Sagittal {wearer}", "sw": __version__},
        "o": {"name": "sagittal", "sw": __version__},
        "avty": [{"t": f"{PREFIX}/state"}, {"t": f"{base}/link"}],
        "avty_mode": "all",
        "stat_t": f"{base}/state",
        "qos": 1,
        "cmps": {name: {**about, "uniq_id": f"{ident}_{name}"} for name, about in _components(base).items()},
    }
    return f"homeassistant/device/{ident}/config", _compact(payload)


def withdrawal(wearer: str) -> list[tuple[str, bytes]]:
    """Empty retained messages that take a wearer out of Home Assistant; its recorder's history stays out of reach."""
    base = f"{PREFIX}/{check_name('wearer', wearer)}"
    topics = (f"homeassistant/device/sagittal_{wearer}/config", f"{base}/state", f"{base}/link", f"{base}/mode")
    return [(topic, b"") for topic in topics]


def home_state(wearer: str, posture: Posture | None, day: Day | None, health: DeviceHealth | None) -> tuple[str, bytes]:
    """The state of every component as one JSON; unknown is null, never absent and never NaN."""
    start = None if day is None else datetime.fromtimestamp(day.t_ns / NS_PER_S).astimezone().isoformat()
    state = {
        "posture": PostureLabel.UNKNOWN if posture is None else str(posture.posture),
        "tilt": None if posture is None or posture.flexion_deg is None else round(posture.flexion_deg, 1),
        "slouch_min": None if day is None else round(day.exposure.slouched_s / 60, 1),
        "steps": None if day is None else day.exposure.steps,
        "day_start": start,
        "battery": None if health is None else health.battery_percent,
        "rssi": None if health is None else health.rssi_dbm,
        "worn": posture is not None and posture.posture is not PostureLabel.NOT_WORN,
    }
    return f"{PREFIX}/{check_name('wearer', wearer)}/state", _compact(state)


def link_state(wearer: str, health: DeviceHealth | None) -> tuple[str, bytes]:
    """Whether the wearable can be heard; retained."""
    up = health is not None and health.state is DeviceState.STREAMING
    return f"{PREFIX}/{check_name('wearer', wearer)}/link", b"online" if up else b"offline"


def nudge_event(wearer: str, event: Event) -> tuple[str, bytes] | None:
    """A nudge for automations, not retained; None for any other event."""
    kind = _NUDGES.get(event.event)
    if kind is None:
        return None
    about = {"event_type": kind, "text": event.text}
    return f"{PREFIX}/{check_name('wearer', wearer)}/nudge", _compact(about)


def wish_of(topic: str, payload: bytes) -> tuple[str, str, dict[str, Any]] | None:
    """A press or choice in Home Assistant as (wearer, verb, values); None for anything that is none."""
    match topic.removeprefix(f"{PREFIX}/").split("/"):
        case [wearer, "set", "snooze"] if payload == b"PRESS":
            return wearer, "snooze", {"minutes": 60}
        case [wearer, "set", "calibrate"] if payload == b"PRESS":
            return wearer, "calibrate", {"method": "stand"}
        case [wearer, "set", "mode"] if payload in (b"track", b"train"):
            return wearer, "mode", {"mode": payload.decode()}
    return None


def lint_discovery(topic: str, payload: bytes) -> list[str]:
    """What Home Assistant (2026.11) would refuse or silently drop in a discovery message; empty when all is well."""
    parts = topic.split("/")
    problems = []
    if len(parts) != 4 or parts[0] != "homeassistant" or parts[3] != "config" or not _OBJECT_ID.fullmatch(parts[2]):
        problems.append(f"the topic {topic} is not homeassistant/device/<object id>/config")
    try:
        root = json.loads(payload, parse_constant=_refuse)
    except ValueError as error:
        return [*problems, f"no valid JSON: {error}"]
    problems += [f"unknown root key {key!r}: the whole device is dropped" for key in sorted(set(root) - ROOT_KEYS)]
    if not root.get("dev", {}).get("ids") and not root.get("dev", {}).get("cns"):
        problems.append("the device has neither ids nor connections")
    if not root.get("o", {}).get("name"):
        problems.append("the origin has no name")
    for name, component in root.get("cmps", {}).items():
        problems += [f"{name}: {problem}" for problem in _lint_component(component)]
    return problems


def _lint_component(component: dict[str, Any]) -> Iterator[str]:
    if component.get("p") not in _PLATFORMS:
        yield "no known platform"
    if not component.get("uniq_id"):
        yield "no uniq_id: the whole device is dropped"
    kind = component.get("dev_cla")
    if kind is not None and component.get("p") == "sensor":
        if kind not in _UNITS:
            yield f"device class {kind!r} is none that is used here"
        elif component.get("unit_of_meas") not in _UNITS[kind]:
            yield f"unit {component.get('unit_of_meas')!r} does not fit the class {kind}"
    if "ops" in component and component["p"] == "sensor" and kind != "enum":
        yield "options need the class enum"
    if "lrst_val_tpl" in component and component.get("stat_cla") != "total":
        yield "a last reset needs the state class total"
    if component.get("p") == "sensor" and component.get("ent_cat") == "config":
        yield "a sensor can't be of the category config"
    if component.get("p") == "event" and not component.get("evt_typ"):
        yield "an event needs its types"
    if component.get("p") in ("button", "number", "select") and not component.get("cmd_t"):
        yield "no command topic"


def _components(base: str) -> dict[str, dict[str, Any]]:
    return {
        "posture": {
            "p": "sensor",
            "name": "Posture",
            "dev_cla": "enum",
            "ops": [str(label) for label in PostureLabel],
            "val_tpl": "{{ value_json.posture }}",
        },
        "tilt": _sensor("Tilt", "tilt", unit_of_meas="°", stat_cla="measurement", sug_dsp_prc=0),
        "slouched": _sensor(
            "Slouched today",
            "slouch_min",
            dev_cla="duration",
            unit_of_meas="min",
            stat_cla="total",
            lrst_val_tpl="{{ value_json.day_start }}",
        ),
        "steps": _sensor("Steps today", "steps", stat_cla="total", lrst_val_tpl="{{ value_json.day_start }}"),
        "battery": _sensor(
            "Battery", "battery", dev_cla="battery", unit_of_meas="%", stat_cla="measurement", ent_cat="diagnostic"
        ),
        "rssi": _sensor(
            "Signal",
            "rssi",
            dev_cla="signal_strength",
            unit_of_meas="dBm",
            stat_cla="measurement",
            ent_cat="diagnostic",
            en=False,
        ),
        "worn": {"p": "binary_sensor", "name": "Worn", "val_tpl": "{{ 'ON' if value_json.worn else 'OFF' }}"},
        "nudge": {"p": "event", "name": "Nudge", "stat_t": f"{base}/nudge", "evt_typ": list(_NUDGES.values())},
        "snooze": {"p": "button", "name": "Pause nudges", "cmd_t": f"{base}/set/snooze"},
        "calibrate": {"p": "button", "name": "Calibrate", "ent_cat": "config", "cmd_t": f"{base}/set/calibrate"},
        "mode": {
            "p": "select",
            "name": "Mode",
            "ops": ["track", "train"],
            "ent_cat": "config",
            "stat_t": f"{base}/mode",
            "cmd_t": f"{base}/set/mode",
        },
    }


def _sensor(name: str, value: str, **about: Any) -> dict[str, Any]:
    return {"p": "sensor", "name": name, "val_tpl": f"{{{{ value_json.{value} }}}}", **about}


def _compact(value: Any) -> bytes:
    return json.dumps(value, separators=(",", ":"), ensure_ascii=False, allow_nan=False).encode()


def _refuse(constant: str) -> float:
    raise ValueError(f"{constant} makes every entity keep its old value")
