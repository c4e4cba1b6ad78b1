"""bleak's scanner and client over a Bumble device: the real bleak calls, a virtual link instead of a radio."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from typing import Any, ClassVar

import pytest

pytest.importorskip("bumble")

from bleak.args import SizedBuffer
from bleak.assigned_numbers import CharacteristicPropertyName
from bleak.backends.characteristic import BleakGATTCharacteristic
from bleak.backends.client import BaseBleakClient, NotifyCallback
from bleak.backends.descriptor import BleakGATTDescriptor
from bleak.backends.device import BLEDevice
from bleak.backends.scanner import AdvertisementData, BaseBleakScanner
from bleak.backends.service import BleakGATTService, BleakGATTServiceCollection
from bleak.exc import BleakError, BleakGATTProtocolError
from bumble import core
from bumble.controller import Controller
from bumble.core import AdvertisingData
from bumble.device import Device, Peer
from bumble.hci import Address
from bumble.host import Host
from bumble.link import LocalLink

from sensor_bridge.bluetooth import Backends

_SIG = "-0000-1000-8000-00805f9b34fb"
_PROPERTIES: tuple[tuple[int, CharacteristicPropertyName], ...] = (
    (0x02, "read"),
    (0x04, "write-without-response"),
    (0x08, "write"),
    (0x10, "notify"),
    (0x20, "indicate"),
)
_LISTS = (
    AdvertisingData.Type.COMPLETE_LIST_OF_128_BIT_SERVICE_CLASS_UUIDS,
    AdvertisingData.Type.INCOMPLETE_LIST_OF_128_BIT_SERVICE_CLASS_UUIDS,
    AdvertisingData.Type.COMPLETE_LIST_OF_16_BIT_SERVICE_CLASS_UUIDS,
    AdvertisingData.Type.INCOMPLETE_LIST_OF_16_BIT_SERVICE_CLASS_UUIDS,
)
MTU = 247
ADDRESS = "F0:F1:F2:F3:F4:F5"


def _text(uuid: Any) -> str:
    if len(uuid.uuid_bytes) == 16:
        return str(uuid.to_hex_str("-")).lower()
    return f"{int.from_bytes(uuid.uuid_bytes, 'little'):08x}{_SIG}"


class BumbleScanner(BaseBleakScanner):
    central: ClassVar[Any]

    def __init__(self, detection_callback: Any, service_uuids: Any, _mode: str, **_: Any) -> None:
        super().__init__(detection_callback, service_uuids)

    def _heard(self, advertisement: Any) -> None:
        data = advertisement.data
        name = data.get(AdvertisingData.Type.COMPLETE_LOCAL_NAME) or data.get(AdvertisingData.Type.SHORTENED_LOCAL_NAME)
        uuids = [_text(uuid) for kind in _LISTS for uuid in (data.get(kind) or [])]
        maker = data.get(AdvertisingData.Type.MANUFACTURER_SPECIFIC_DATA)
        address = str(advertisement.address).split("/", maxsplit=1)[0]
        found = AdvertisementData(
            local_name=name,
            manufacturer_data={maker[0]: bytes(maker[1])} if maker else {},
            service_data={},
            service_uuids=uuids,
            tx_power=None,
            rssi=advertisement.rssi,
            platform_data=(advertisement,),
        )
        device = self.create_or_update_device(address, address, name, advertisement.address, found)
        self.call_detection_callbacks(device, found)

    async def start(self) -> None:
        self.seen_devices = {}
        self.central.on("advertisement", self._heard)
        await self.central.start_scanning(active=True, filter_duplicates=False)

    async def stop(self) -> None:
        self.central.remove_listener("advertisement", self._heard)
        if self.central.scanning:
            await self.central.stop_scanning()

    def set_scanning_filter(self, **_: Any) -> None:
        raise NotImplementedError


class BumbleClient(BaseBleakClient):
    central: ClassVar[Any]

    def __init__(self, address_or_ble_device: BLEDevice | str, **options: Any) -> None:
        options.pop("services", None)
        super().__init__(address_or_ble_device, **options)
        assert isinstance(address_or_ble_device, BLEDevice)
        self._target = address_or_ble_device.details
        self._connection: Any = None
        self._subscribed: dict[int, Any] = {}

    @property
    def name(self) -> str:
        return self.address

    @property
    def mtu_size(self) -> int:
        return int(self._connection.att_mtu) if self._connection else 23

    @property
    def is_connected(self) -> bool:
        return self._connection is not None

    def _gone(self, _reason: int) -> None:
        self._connection = None
        self._subscribed.clear()
        if self._disconnected_callback:
            self._disconnected_callback()

    async def connect(self, pair: bool, **_: Any) -> None:  # noqa: ARG002  # the signature is bleak's
        try:
            self._connection = await self.central.connect(self._target, timeout=self._timeout)
        except core.TimeoutError:
            raise TimeoutError from None
        except core.BaseBumbleError as error:
            raise BleakError(str(error)) from None
        self._connection.once("disconnection", self._gone)
        await self._guarded(self._discover)

    async def _discover(self) -> None:
        peer = Peer(self._connection)
        await peer.request_mtu(MTU)
        await peer.discover_services()
        found = BleakGATTServiceCollection()
        for one in peer.services:
            service = BleakGATTService(one, one.handle, _text(one.uuid))
            found.add_service(service)
            await one.discover_characteristics()
            for char in one.characteristics:
                properties = [name for bit, name in _PROPERTIES if int(char.properties) & bit]
                known = BleakGATTCharacteristic(
                    char, char.handle, _text(char.uuid), properties, lambda: self.mtu_size - 3, service
                )
                found.add_characteristic(known)
                await char.discover_descriptors()
        self.services = found

    async def _guarded(self, call: Callable[..., Awaitable[Any]], *args: Any, **options: Any) -> Any:
        if self._connection is None:
            raise BleakError("Not connected")
        try:
            return await asyncio.shield(asyncio.ensure_future(call(*args, **options)))  # Bumble can't be cancelled
        except core.ProtocolError as error:
            raise BleakGATTProtocolError(error.error_code) from error
        except (core.BaseBumbleError, AttributeError) as error:
            raise BleakError(str(error)) from error

    async def disconnect(self) -> None:
        if self._connection is not None:
            await self._connection.disconnect()

    async def pair(self, *_: Any, **__: Any) -> None:
        raise NotImplementedError

    async def unpair(self) -> None:
        raise NotImplementedError

    async def read_gatt_char(self, characteristic: BleakGATTCharacteristic, **_: Any) -> bytearray:
        return bytearray(await self._guarded(characteristic.obj.read_value))

    async def read_gatt_descriptor(self, descriptor: BleakGATTDescriptor, **_: Any) -> bytearray:
        return bytearray(await self._guarded(descriptor.obj.read_value))

    async def write_gatt_char(self, characteristic: BleakGATTCharacteristic, data: SizedBuffer, response: bool) -> None:
        await self._guarded(characteristic.obj.write_value, bytes(data), with_response=response)

    async def write_gatt_descriptor(self, descriptor: BleakGATTDescriptor, data: SizedBuffer) -> None:
        await self._guarded(descriptor.obj.write_value, bytes(data), with_response=True)

    async def start_notify(self, characteristic: BleakGATTCharacteristic, callback: NotifyCallback, **_: Any) -> None:
        def notified(value: bytes) -> None:
            callback(bytearray(value))

        await self._guarded(characteristic.obj.subscribe, notified, prefer_notify="notify" in characteristic.properties)
        self._subscribed[characteristic.handle] = notified

    async def stop_notify(self, characteristic: BleakGATTCharacteristic) -> None:
        await self._guarded(characteristic.obj.unsubscribe, self._subscribed.pop(characteristic.handle))


async def central(link: LocalLink, address: str = ADDRESS) -> Backends:
    """Backends of a powered central on a virtual link."""
    controller = Controller(f"central {address}", link=link)
    return await central_of(controller, controller, address)


async def central_of(source: Any, sink: Any, address: str = ADDRESS) -> Backends:
    """Backends of a powered central on an adapter that Bumble can talk to."""
    device = Device(name="central", address=Address(address), host=Host(source, sink))
    await device.power_on()
    return Backends(
        type("Scanner", (BumbleScanner,), {"central": device}), type("Client", (BumbleClient,), {"central": device})
    )
