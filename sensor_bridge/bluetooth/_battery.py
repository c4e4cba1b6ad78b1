"""The battery of a wearable that nobody streams, by the standard service."""

from __future__ import annotations

import asyncio

from bleak import BleakClient

from sensor_bridge.bluetooth._link import Link
from sensor_bridge.bluetooth._radio import Radio, Sighting
from sensor_bridge.bluetooth._why import FAILURES
from sensor_bridge.wearable import sig

LEVEL = sig(0x2A19)
CONNECT_S, READ_S = 10.0, 3.0


async def battery_percent(radio: Radio, sighting: Sighting) -> float | None:
    """The charge (Battery Service 1.1, Bluetooth SIG), after a short connection; None where it is not told."""
    client = BleakClient(sighting.device, timeout=CONNECT_S, **radio.client_options)
    async with radio.connecting():
        try:
            await asyncio.wait_for(client.connect(), CONNECT_S)
            value = await asyncio.wait_for(client.read_gatt_char(LEVEL), READ_S)
        except FAILURES:
            return None
        finally:
            await Link(client).close()
    return float(value[0]) if value and value[0] <= 100 else None
