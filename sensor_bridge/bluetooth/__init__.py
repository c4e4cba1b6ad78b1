"""Wearables over Bluetooth Low Energy: one adapter, its scanner, and a supervisor for every wearable."""

from sensor_bridge.bluetooth._battery import battery_percent
from sensor_bridge.bluetooth._radio import Backends, Radio, RadioLost, Sighting, survey
from sensor_bridge.bluetooth._source import BluetoothSource, Patience
from sensor_bridge.bluetooth._why import why

__all__ = [
    "Backends",
    "BluetoothSource",
    "Patience",
    "Radio",
    "RadioLost",
    "Sighting",
    "battery_percent",
    "survey",
    "why",
]
