"""The MQTT topic tree, version 1."""

from __future__ import annotations

from dataclasses import dataclass

from sagittal.errors import NameRefused
from sagittal.names import check_name, check_site

ROOT = "sagittal/v1"

WEARER_KINDS = ("posture", "angles", "walk", "event", "minute", "day", "gap", "truth")
SITE_KINDS = ("imu", "device", "stored")
RETAINED_KINDS = ("posture", "device", "stored", "status")
COMMANDS = ("calibrate", "snooze", "mode", "nudge", "diary", "exercise", "remind")

ALL_IMU = f"{ROOT}/+/+/imu"
ALL_STORED = f"{ROOT}/+/+/stored"
ALL_DEVICES = f"{ROOT}/+/+/device"
ALL_COMMANDS = f"{ROOT}/+/cmd/+"


@dataclass(frozen=True, slots=True)
class Topic:
    """One parsed topic: a wearer's (`site` None) or one of a wearer's sites'."""

    wearer: str
    site: str | None
    kind: str


def site_topic(wearer: str, site: str, kind: str) -> str:
    """`sagittal/v1/<wearer>/<site>/<kind>` for one of `SITE_KINDS`."""
    if kind not in SITE_KINDS:
        raise NameRefused(f"topic kind {kind!r} is none of a site's: {', '.join(SITE_KINDS)}")
    return f"{ROOT}/{check_name('wearer', wearer)}/{check_site(site)}/{kind}"


def wearer_topic(wearer: str, kind: str) -> str:
    """`sagittal/v1/<wearer>/<kind>` for one of `WEARER_KINDS`."""
    if kind not in WEARER_KINDS:
        raise NameRefused(f"topic kind {kind!r} is none of a wearer's: {', '.join(WEARER_KINDS)}")
    return f"{ROOT}/{check_name('wearer', wearer)}/{kind}"


def command_topic(wearer: str, verb: str) -> str:
    """`sagittal/v1/<wearer>/cmd/<verb>` for one of `COMMANDS`."""
    if verb not in COMMANDS:
        raise NameRefused(f"command {verb!r} is not known: {', '.join(COMMANDS)}")
    return f"{ROOT}/{check_name('wearer', wearer)}/cmd/{verb}"


def status_topic(part: str, name: str) -> str:
    """`sagittal/v1/$<part>/<name>/status`: retained status of a bridge or worker, with its last will."""
    return f"{ROOT}/${check_name('part', part)}/{check_name(part, name)}/status"


def parse(topic: str) -> Topic | None:
    """Read a topic of this tree; None for any other, statuses and malformed names included."""
    parts = topic.split("/")
    if "/".join(parts[:2]) != ROOT:
        return None
    try:
        match parts[2:]:
            case [wearer, "cmd", verb] if verb in COMMANDS:
                return Topic(check_name("wearer", wearer), None, f"cmd/{verb}")
            case [wearer, kind] if kind in WEARER_KINDS:
                return Topic(check_name("wearer", wearer), None, kind)
            case [wearer, site, kind] if kind in SITE_KINDS:
                return Topic(check_name("wearer", wearer), check_site(site), kind)
    except NameRefused:
        return None
    return None
