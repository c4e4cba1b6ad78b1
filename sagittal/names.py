"""What wearers, sites, devices and postures may be called."""

from __future__ import annotations

import re
from enum import StrEnum

from sagittal.errors import NameRefused

NAME_PATTERN = r"[a-z0-9_-]{1,40}"
_NAME = re.compile(NAME_PATTERN)


class Site(StrEnum):
    """Where a sensor sits on the body."""

    LOWER_BACK = "lower_back"
    PELVIS = "pelvis"
    WAIST = "waist"
    UPPER_TRUNK = "upper_trunk"
    THIGH_LEFT = "thigh_left"
    THIGH_RIGHT = "thigh_right"
    SHANK_LEFT = "shank_left"
    SHANK_RIGHT = "shank_right"


PRIMARY_SITES = (Site.LOWER_BACK, Site.PELVIS, Site.WAIST)
"""Any one of these suffices; the first that is present leads."""


class PostureLabel(StrEnum):
    """What a wearer is doing, as far as the sensors tell."""

    WALKING = "walking"
    STANDING = "standing"
    SITTING = "sitting"
    LYING = "lying"
    BENDING = "bending"
    SQUATTING = "squatting"
    TRANSITION = "transition"
    UNKNOWN = "unknown"
    NOT_WORN = "not_worn"


class Side(StrEnum):
    """The wearer's own left or right."""

    LEFT = "left"
    RIGHT = "right"


def check_name(kind: str, name: str) -> str:
    """Return `name` if it may name a wearer, site or device on the wire.

    Raises
    ------
    NameRefused
        Where it has other characters than a-z, 0-9, _ and -, or not 1 to 40 of them.
    """
    if _NAME.fullmatch(name) is None:
        raise NameRefused(
            f"{kind} {name[:60]!r} can't be used as a name: use 1 to 40 of the characters a-z, 0-9, _ and -"
        )
    return name


def check_site(name: str) -> Site:
    """Return the site called `name`.

    Raises
    ------
    NameRefused
        Where no such site is known.
    """
    try:
        return Site(name)
    except ValueError:
        raise NameRefused(f"site {name[:60]!r} is not known: use one of {', '.join(Site)}") from None
