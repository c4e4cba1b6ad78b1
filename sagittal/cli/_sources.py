"""Where a bridge's samples come from: the drivers that settings may name, each opened only when it is used."""

from __future__ import annotations

import time
import zlib
from bisect import bisect_left
from collections.abc import Callable, Iterator
from typing import TYPE_CHECKING

from sagittal.blocks import AXES, ClockKind, Gap, GapReason
from sagittal.errors import SettingsError
from sagittal.names import Site
from sagittal.settings import Device, Settings, Wearer, settings_file
from sagittal.units import NS_PER_S

if TYPE_CHECKING:
    from sensor_bridge.feeds import Feed
    from sensor_bridge.source import Samples, Source
    from simulators.fleet import Member


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
    """A simulated body; every device of one wearer sits on the same one.

    Options: `scenario` (demo), `seed` (from the wearer's name), `behaviours` (a list of NAME:SEVERITY:SIDE), and
    `start_ns`, which keeps the scenario going over a restart of the bridge.
    """
    from simulators.behaviours import parse_behaviour
    from simulators.fleet import Wish, member

    options = device.options
    wish = Wish(
        scenario=str(options.get("scenario", "demo")),
        seed=_whole(wearer, device, "seed", zlib.crc32(wearer.id.encode())),
        sites=(device.site,),
        rate_hz=device.rate_hz,
        behaviours=[parse_behaviour(str(one)) for one in options.get("behaviours", [])],
        height_m=wearer.height_m,
    )
    now_ns = time.time_ns()
    one = member(wish, 0, wearer.id)
    start_ns = _whole(wearer, device, "start_ns", now_ns) - round(one.begin_s * NS_PER_S)
    return simulated_feed(one, device.site, device.name, start_ns, now_ns)


def _whole(wearer: Wearer, device: Device, name: str, usual: int) -> int:
    value = device.options.get(name, usual)
    if not isinstance(value, int) or value < 0:
        raise SettingsError(
            f"option {name} of {wearer.id}/{device.name} is {value!r}: it must be a whole number from 0 on"
        )
    return value


def simulated_feed(
    one: Member,
    site: Site,
    device: str,
    start_ns: int,
    from_ns: int,
    *,
    speed: float = 1.0,
    size: int = 10,
    until_ns: int | None = None,
) -> Feed:
    """One site of a simulated wearer, whose plan began at `start_ns`, as a source from `from_ns` on."""
    from sensor_bridge.feeds import Feed

    samples = simulated_samples(one, site, start_ns, from_ns, size, until_ns)

    def charge(t_ns: int) -> float:
        return one.sensors[site].battery_percent((t_ns - from_ns) / NS_PER_S)

    return Feed(one.name, site, device, "simulated", samples, speed=speed, battery_percent=charge)


def simulated_samples(
    one: Member, site: Site, start_ns: int, from_ns: int, size: int, until_ns: int | None = None
) -> Iterator[Samples]:
    """The samples of one site from `from_ns` until `until_ns`, or for ever."""
    from sensor_bridge.source import Samples
    from simulators.stream import chunks

    sensor = one.sensors[site]
    for chunk in chunks(sensor, start_ns, from_ns, size, one.scenario):
        n = len(chunk.t_ns) if until_ns is None else bisect_left(chunk.t_ns, until_ns)
        if n == 0:
            return
        gap = Gap(GapReason.LOST, chunk.lost, round(chunk.lost * sensor.step_s * NS_PER_S)) if chunk.lost else None
        yield Samples(
            t_ns=chunk.t_ns[:n],
            acc=chunk.acc[: n * AXES * 2],
            acc_scale=sensor.acc_scale,
            gyr=chunk.gyr[: n * AXES * 2],
            gyr_scale=sensor.gyr_scale,
            clock=ClockKind.TRUE,
            gap_before=Gap(GapReason.STALL, None, chunk.off_ns) if chunk.off_ns else gap,
        )
        if n < len(chunk.t_ns):
            return


_DRIVERS: dict[str, Callable[[Wearer, Device], Source]] = {"simulated": _simulated}
