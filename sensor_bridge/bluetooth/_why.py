"""What went wrong with Bluetooth, in terms of what a person can do about it."""

from __future__ import annotations

from bleak.exc import (
    BleakBluetoothNotAvailableError,
    BleakBluetoothNotAvailableReason,
    BleakDBusError,
    BleakDeviceNotFoundError,
    BleakError,
    BleakGATTProtocolError,
)

from sagittal.messages import SilenceReason
from sensor_bridge.wearable import WearableRefused

FAILURES = (BleakError, TimeoutError, EOFError, OSError, KeyError, AttributeError, WearableRefused)
"""What bleak and its backends raise when a link, a bus or a daemon fails (its own retry library expects the same)."""

_ABSENT = "no Bluetooth adapter is there: plug one in (`bluetoothctl list` shows them)"
_OFF = "the Bluetooth adapter is off: switch it on (`bluetoothctl power on`, `rfkill unblock bluetooth`)"
_DENIED = (
    "Bluetooth is not permitted to this user: join the group `bluetooth`, or see docs/bridge.md for systemd and Docker"
)
_NO_BUS = "the system's D-Bus can't be reached: start it, or mount /run/dbus into the container (docs/bridge.md)"
_NO_DAEMON = "bluetoothd does not run: `sudo systemctl start bluetooth` (package bluez)"
_BUSY = "another program uses the wearable or the adapter: close its app on the phone, or the other scanner"

_BY_REASON = {
    BleakBluetoothNotAvailableReason.NO_BLUETOOTH: (SilenceReason.NO_ADAPTER, _ABSENT),
    BleakBluetoothNotAvailableReason.NO_BLE_CENTRAL_ROLE: (
        SilenceReason.NO_ADAPTER,
        "the Bluetooth adapter can't connect to Low Energy wearables: use another adapter (Bluetooth 4.0 or newer)",
    ),
    BleakBluetoothNotAvailableReason.POWERED_OFF: (SilenceReason.ADAPTER_OFF, _OFF),
    BleakBluetoothNotAvailableReason.DENIED_BY_USER: (SilenceReason.NO_PERMISSION, _DENIED),
    BleakBluetoothNotAvailableReason.DENIED_BY_SYSTEM: (SilenceReason.NO_PERMISSION, _DENIED),
    BleakBluetoothNotAvailableReason.DENIED_BY_UNKNOWN: (SilenceReason.NO_PERMISSION, _DENIED),
}
_BY_DBUS = {
    "org.freedesktop.DBus.Error.ServiceUnknown": (SilenceReason.NO_ADAPTER, _NO_DAEMON),
    "org.freedesktop.DBus.Error.NameHasNoOwner": (SilenceReason.NO_ADAPTER, _NO_DAEMON),
    "org.freedesktop.DBus.Error.AccessDenied": (SilenceReason.NO_PERMISSION, _DENIED),
    "org.bluez.Error.NotPermitted": (SilenceReason.NO_PERMISSION, _DENIED),
    "org.bluez.Error.NotAuthorized": (SilenceReason.NO_PERMISSION, _DENIED),
    "org.bluez.Error.NotReady": (SilenceReason.ADAPTER_OFF, _OFF),
    "org.bluez.Error.InProgress": (SilenceReason.BUSY, _BUSY),
    "org.bluez.Error.AlreadyConnected": (SilenceReason.BUSY, _BUSY),
}
_INSUFFICIENT = (0x05, 0x08, 0x0C, 0x0F)
"""ATT errors of authentication, authorisation and encryption (Core Specification 5.4, 3F 3.4.1.1)."""


def why(error: BaseException) -> tuple[SilenceReason, str]:
    """The reason for silence that an error stands for, and what to do, in one line."""
    found: tuple[SilenceReason, str] | None = None
    if isinstance(error, WearableRefused):
        found = (SilenceReason.REFUSED, str(error))
    elif isinstance(error, BleakBluetoothNotAvailableError):
        found = _BY_REASON.get(error.reason, (SilenceReason.NO_ADAPTER, _ABSENT))
    elif isinstance(error, BleakDBusError):
        found = _BY_DBUS.get(error.dbus_error)
    elif isinstance(error, BleakDeviceNotFoundError):
        found = (SilenceReason.NOT_FOUND, "the wearable went out of reach while connecting: bring it near")
    elif isinstance(error, BleakGATTProtocolError) and int(error.args[0]) in _INSUFFICIENT:
        found = (SilenceReason.REFUSED, "the wearable wants to be paired: pair it with `bluetoothctl pair ADDRESS`")
    elif isinstance(error, PermissionError):
        found = (SilenceReason.NO_PERMISSION, _DENIED)
    elif isinstance(error, FileNotFoundError | ConnectionRefusedError):
        found = (SilenceReason.NO_ADAPTER, _NO_BUS)
    elif isinstance(error, TimeoutError):
        found = (SilenceReason.LINK_LOST, "the wearable does not answer in time: bring it near, or charge it")
    if found is None and error.__cause__ is not None:
        return why(error.__cause__)  # bleak-retry-connector wraps what bleak raised
    if found is None:
        found = (SilenceReason.LINK_LOST, f"the link failed: {str(error) or type(error).__name__}")
    return found[0], found[1][:200]
