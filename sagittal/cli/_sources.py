"""Where a bridge's samples come from: the drivers that settings may name, each opened only when it is used."""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import TYPE_CHECKING

from sagittal.blocks import ClockKind
from sagittal.errors import SettingsError
from sagittal.settings import Device, Settings, Wearer, settings_file

if TYPE_CHECKING:
    from sensor_bridge.source import Source


def sources(settings: Settings) -> list[Source]:
    """One source for every wearable in the settings.

    Raises
    ------
    SettingsError
        Where no wearable is named, or one with a driver that is not known.
    """
    require_wearables(settings)
    worn = [(wearer, device) for wearer in settings.wearers for device in wearer.devices]
    if all(device.driver in _DRIVERS for _, device in worn):
        return [_DRIVERS[device.driver](wearer, device) for wearer, device in worn]
    over_bluetooth = _bluetooth(settings)
    return [_DRIVERS.get(device.driver, over_bluetooth)(wearer, device) for wearer, device in worn]


def require_wearables(settings: Settings) -> None:
    """Return if the settings name a wearable at all.

    Raises
    ------
    SettingsError
        Where they don't.
    """
    if not any(wearer.devices for wearer in settings.wearers):
        raise SettingsError(
            f"no wearable is named: add a wearer with a device to {settings_file()}, or try `sagittal run --demo`"
        )


def _bluetooth(settings: Settings) -> Callable[[Wearer, Device], Source]:
    """How wearables over Bluetooth are opened: all share one adapter."""
    try:
        from sensor_bridge.bluetooth import BluetoothSource, Radio
    except ImportError as error:
        raise SettingsError(
            f"wearables need the library {error.name}, which is absent: pip install 'sagittal[bridge]'"
        ) from None
    from sensor_bridge.wearables import wanted, wearable

    radio = Radio(settings.bluetooth.adapter, power_cycle=settings.bluetooth.power_cycle)

    def open_one(wearer: Wearer, device: Device) -> Source:
        kind = wearable(device.driver)
        return BluetoothSource(
            wearer=wearer.id,
            site=device.site,
            device=device.name,
            driver=device.driver,
            wearable=kind,
            settings=device,
            wanted=wanted(device),
            radio=radio,
        )

    return open_one


def _simulated(wearer: Wearer, device: Device) -> Source:
    """The first simulated wearer; option `start_ns` keeps its schedule going over a restart of the bridge."""
    from sensor_bridge.feeds import Feed
    from sensor_bridge.source import Samples
    from simulators.first import ACC_SCALE, GYR_SCALE, chunks

    now_ns = time.time_ns()
    start_ns = int(device.options.get("start_ns", now_ns))
    stream = (
        Samples(
            t_ns=chunk.t_ns,
            acc=chunk.acc,
            acc_scale=ACC_SCALE,
            gyr=chunk.gyr,
            gyr_scale=GYR_SCALE,
            clock=ClockKind.TRUE,
        )
        for chunk in chunks(start_ns, now_ns, device.rate_hz)
    )
    return Feed(wearer.id, device.site, device.name, "simulated", stream)


_DRIVERS: dict[str, Callable[[Wearer, Device], Source]] = {"simulated": _simulated}
