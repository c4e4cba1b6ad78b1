"""The wearables that the bridge reads: one module each, one line here."""

from __future__ import annotations

from typing import Any

from sagittal.errors import SettingsError
from sagittal.settings import Device
from sensor_bridge.wearable import Advertisement, Recognised, Wanted, Wearable
from sensor_bridge.wearables import (
    fixed_layouts,
    metamotion,
    movella_dot,
    movesense,
    openearable,
    polar,
    sagittal_imu,
    witmotion,
)
from sensor_bridge.wearables._unread import why_not

__all__ = ["WEARABLES", "recognise", "wanted", "wearable", "why_not"]

WEARABLES: tuple[Wearable, ...] = (
    sagittal_imu.WEARABLE,
    witmotion.WEARABLE,
    polar.WEARABLE,
    movesense.WEARABLE,
    movella_dot.WEARABLE,
    openearable.WEARABLE,
    metamotion.WEARABLE,
    *fixed_layouts.WEARABLES,
)


def wearable(driver: str) -> Wearable:
    """The wearable that a driver's name stands for.

    Raises
    ------
    SettingsError
        Where there is none.
    """
    for one in WEARABLES:
        if one.driver == driver:
            return one
    raise SettingsError(f"driver {driver!r} is not known: use one of {', '.join(one.driver for one in WEARABLES)}")


def recognise(advertisement: Advertisement) -> tuple[Wearable, Recognised] | None:
    """The wearable from which an advertisement most likely comes; None where it is none of them."""
    found = [(one, match) for one in WEARABLES if (match := one.recognise(advertisement)) is not None]
    return max(found, key=lambda pair: pair[1].score, default=None)


def wanted(device: Device) -> Wanted:
    """What the settings ask of a wearable; options are `acc_range_g`, `gyr_range_dps` and `accelerometer_only`.

    Raises
    ------
    SettingsError
        Where an option is unknown or not of its kind.
    """
    options: dict[str, Any] = {}
    for key, value in device.options.items():
        if key in ("acc_range_g", "gyr_range_dps"):
            good = isinstance(value, int | float) and not isinstance(value, bool) and 0 < value <= 4000
        elif key == "accelerometer_only":
            good = isinstance(value, bool)
        else:
            raise SettingsError(
                f"option {key!r} of wearable {device.name!r} is not known: "
                "use acc_range_g, gyr_range_dps or accelerometer_only"
            )
        if not good:
            raise SettingsError(
                f"option {key} = {value!r} of wearable {device.name!r} is not usable: give a number in range"
            )
        options[key] = value
    return Wanted(rate_hz=device.rate_hz, **options)
