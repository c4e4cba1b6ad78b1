"""What is near, as `scan` and `pair` show it."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from sagittal.errors import SettingsError
from sagittal.settings import Settings

if TYPE_CHECKING:
    from sensor_bridge.bluetooth import Radio, Sighting
    from sensor_bridge.wearable import Recognised

UNKNOWN = "no motion sensor that Sagittal knows (docs/wearables.md says how to add one)"
IN_USE = "it is in the settings already"


@dataclass(frozen=True, slots=True)
class Near:
    """One device that was heard; `driver` is None where it is not supported, and `remark` says why."""

    address: str
    name: str | None
    rssi_dbm: float
    driver: str | None
    kind: str
    remark: str
    battery_percent: float | None = None
    rates_hz: tuple[float, ...] = ()
    has_gyr: bool = False


def look(settings: Settings, seconds: float, *, battery: bool = False) -> list[Near]:
    """Everything that is heard within a time, supported ones first, then by signal.

    Raises
    ------
    SettingsError
        Where the Bluetooth library is absent.
    SourceLost
        Where there is no adapter, no permission, or no Bluetooth service: says what to do.
    """
    try:
        from sensor_bridge.bluetooth import Radio, battery_percent, survey
    except ImportError as error:
        raise SettingsError(
            f"looking for wearables needs the library {error.name}, which is absent: pip install 'sagittal[bridge]'"
        ) from None
    named = {
        device.address.lower(): f"{wearer.id}/{device.name}"
        for wearer in settings.wearers
        for device in wearer.devices
        if device.address is not None
    }

    async def listen(radio: Radio) -> list[Near]:
        near = []
        for sighting in await survey(radio, seconds):
            found = _describe(sighting, named)
            charge = await battery_percent(radio, sighting) if battery and found[0] is not None else None
            near.append(_near(sighting, *found, charge))
        return near

    radio = Radio(settings.bluetooth.adapter, power_cycle=False)
    return sorted(asyncio.run(listen(radio)), key=lambda one: (one.driver is None, -one.rssi_dbm))


def _describe(sighting: Sighting, named: dict[str, str]) -> tuple[str | None, Recognised]:
    from sensor_bridge.wearable import Recognised
    from sensor_bridge.wearables import recognise, why_not

    known = recognise(sighting.advertisement)
    if known is None:
        return None, why_not(sighting.advertisement) or Recognised(0, "", UNKNOWN, has_gyr=False)
    wearable, match = known
    user = named.get(sighting.device.address.lower())
    return wearable.driver, replace(match, remark=f"{IN_USE}: {user}") if user else match


def _near(sighting: Sighting, driver: str | None, what: Recognised, charge: float | None) -> Near:
    from sensor_bridge.wearables import wearable

    capabilities = wearable(driver).capabilities if driver is not None else None
    return Near(
        address=sighting.device.address,
        name=sighting.advertisement.local_name,
        rssi_dbm=sighting.rssi_dbm,
        driver=driver,
        kind=what.title,
        remark=what.remark,
        battery_percent=charge,
        rates_hz=capabilities.rates_hz if capabilities else (),
        has_gyr=what.has_gyr,
    )
