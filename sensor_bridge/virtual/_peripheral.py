"""A virtual wearable as a Bluetooth peripheral, with Bumble as its Bluetooth stack."""

from __future__ import annotations

import asyncio
import contextlib
import hashlib
from collections import defaultdict
from collections.abc import Callable, Sequence
from typing import Any

from bumble import core, data_types
from bumble.controller import Controller
from bumble.core import AdvertisingData
from bumble.device import Device, DeviceConfiguration
from bumble.gatt import Characteristic, CharacteristicValue, Service
from bumble.hci import Address
from bumble.link import LocalLink
from bumble.transport.common import Transport

from sagittal.units import NS_PER_S
from sensor_bridge.virtual._motion import Motion
from sensor_bridge.wearable import Char, Notification, Virtual, Wearable

_SIG_BASE = "-0000-1000-8000-00805f9b34fb"
_LEGACY_BYTES = 31
_ADVERTISE_MS = 100
_PROPERTIES = {
    "read": Characteristic.Properties.READ,
    "write": Characteristic.Properties.WRITE,
    "write-without-response": Characteristic.Properties.WRITE_WITHOUT_RESPONSE,
    "notify": Characteristic.Properties.NOTIFY,
    "indicate": Characteristic.Properties.INDICATE,
}


class Peripheral:
    """One virtual wearable on the air: it advertises, is set up by whoever connects, and sends what `motion` yields.

    Its clock starts at `clock_start_ns` and runs `clock_ppm` fast. While `silent` it stays connected and sends nothing.
    `tap` is shown what leaves with each sample: the sample's number since the start, its device time and the bytes.
    """

    def __init__(
        self,
        wearable: Wearable,
        motion: Motion,
        *,
        link: LocalLink | None = None,
        transport: Transport | None = None,
        variant: str = "",
        name: str = "",
        clock_start_ns: int = 0,
        clock_ppm: float = 0.0,
        tap: Callable[[int, int, Sequence[Notification]], None] | None = None,
    ) -> None:
        self._wearable, self._variant = wearable, variant
        self._motion, self._tap = motion, tap
        self._ppm, self._device_ns = clock_ppm, clock_start_ns
        self.virtual: Virtual = wearable.virtual(variant)
        self.name = name or self.virtual.advertisement.local_name or wearable.title
        self.address = _address(wearable.driver, self.name)
        self.silent = False
        self.measured = 0
        self._pump: asyncio.Task[None] | None = None
        self._replies: set[asyncio.Task[None]] = set()
        if transport is None:
            controller = Controller(self.name, link=link)
            transport = Transport(controller, controller)
        self._chars: dict[Char, Any] = {}
        self.device = self._device(transport)

    async def start(self) -> None:
        """Switch on, advertise, and measure from now on."""
        await self.device.power_on()
        await self.device.start_advertising(
            auto_restart=True, advertising_interval_min=_ADVERTISE_MS, advertising_interval_max=_ADVERTISE_MS
        )
        self._pump = asyncio.create_task(self._run())

    async def finished(self) -> None:
        """Return once the motion has ended."""
        if self._pump is not None:
            await asyncio.shield(self._pump)

    async def stop(self) -> None:
        """Drop the link and switch off."""
        for task in (self._pump, *self._replies):
            if task is not None and not task.done():
                task.cancel()
                with contextlib.suppress(asyncio.CancelledError):
                    await task
        await self.drop_link()
        with contextlib.suppress(core.BaseBumbleError, asyncio.CancelledError):
            await self.device.power_off()

    async def drop_link(self) -> None:
        """Disconnect whoever is connected, as a wearable out of reach does; advertising begins again."""
        for connection in list(self.device.connections.values()):
            with contextlib.suppress(core.BaseBumbleError):
                await connection.disconnect()

    async def reboot(self) -> None:
        """Forget everything that was set up, begin the clock at zero, and drop the link."""
        self.virtual = self._wearable.virtual(self._variant)
        self._device_ns = 0
        await self.drop_link()

    def _device(self, transport: Transport) -> Device:
        advertising, response = self._advertisement()
        configuration = DeviceConfiguration(
            name=self.name,
            address=Address(self.address),
            advertising_data=advertising,
        )
        device = Device.from_config_with_hci(configuration, transport.source, transport.sink)
        device.advertising_data, device.scan_response_data = advertising, response
        services: dict[str, list[Any]] = defaultdict(list)
        for char, properties in self.virtual.gatt.items():
            self._chars[char] = self._characteristic(char, properties)
            services[char.service].append(self._chars[char])
        device.add_services([Service(_uuid(service), chars) for service, chars in services.items()])
        device.on("connection", self._on_connection)
        return device

    def _advertisement(self) -> tuple[bytes, bytes]:
        """Advertising and scan response data; a name too long is whole in the latter only."""
        advertisement = self.virtual.advertisement
        flags = AdvertisingData.Flags.LE_GENERAL_DISCOVERABLE_MODE | AdvertisingData.Flags.BR_EDR_NOT_SUPPORTED
        parts: list[Any] = [data_types.Flags(flags)]
        long = [_uuid(uuid) for uuid in advertisement.service_uuids if not uuid.endswith(_SIG_BASE)]
        short = [_uuid(uuid) for uuid in advertisement.service_uuids if uuid.endswith(_SIG_BASE)]
        if short:
            parts.append(data_types.CompleteListOf16BitServiceUUIDs(short))
        if long:
            parts.append(data_types.CompleteListOf128BitServiceUUIDs(long))
        parts += [data_types.ManufacturerSpecificData(*pair) for pair in advertisement.manufacturer_data.items()]
        name = data_types.CompleteLocalName(self.name)
        together = bytes(AdvertisingData([*parts, name]))
        if len(together) <= _LEGACY_BYTES:
            return together, b""
        room = _LEGACY_BYTES - len(bytes(AdvertisingData(parts))) - 2
        beginning = [data_types.ShortenedLocalName(self.name[:room])] if room > 0 else []
        return bytes(AdvertisingData([*parts, *beginning])), bytes(AdvertisingData([name]))

    def _characteristic(self, char: Char, properties: frozenset[str]) -> Any:  # Bumble has no types
        flags = Characteristic.Properties(0)
        for name in properties:
            flags |= _PROPERTIES[name]
        permissions = Characteristic.Permissions(0)
        if "read" in properties:
            permissions |= Characteristic.READABLE
        if properties & {"write", "write-without-response"}:
            permissions |= Characteristic.WRITEABLE

        def read(_connection: object) -> bytes:
            return self.virtual.read(char)

        def write(_connection: object, data: bytes) -> None:
            self._reply(self.virtual.write(char, bytes(data), self._device_ns))

        def subscribed(_connection: object, notify: bool, indicate: bool) -> None:
            self.virtual.subscribe(char, notify or indicate)

        made = Characteristic(_uuid(char.uuid), flags, permissions, CharacteristicValue(read=read, write=write))
        made.on(Characteristic.EVENT_SUBSCRIPTION, subscribed)
        return made

    def _on_connection(self, connection: Any) -> None:  # Bumble has no types
        def gone(_reason: object) -> None:
            for char in self._chars:
                self.virtual.subscribe(char, False)

        connection.once("disconnection", gone)

    def _reply(self, notifications: Sequence[Notification]) -> None:
        if notifications and not self.silent:
            task = asyncio.get_running_loop().create_task(self._send(notifications))
            self._replies.add(task)
            task.add_done_callback(self._replies.discard)

    async def _send(self, notifications: Sequence[Notification]) -> None:
        for one in notifications:
            made = self._chars[one.char]
            by = self.device.notify_subscribers
            if "notify" not in self.virtual.gatt[one.char]:
                by = self.device.indicate_subscribers
            with contextlib.suppress(core.BaseBumbleError, asyncio.TimeoutError):
                await by(made, one.data)

    async def _run(self) -> None:
        loop = asyncio.get_running_loop()
        begun, true_ns = loop.time(), 0.0
        while (now := self._motion.at(round(true_ns))) is not None:
            wait_s = begun + true_ns / NS_PER_S - loop.time()
            if wait_s > 0:
                await asyncio.sleep(wait_s)
            sent = self.virtual.sample(self._device_ns, *now)
            if not self.silent:
                if self._tap is not None:
                    self._tap(self.measured, self._device_ns, sent)
                await self._send(sent)
            self.measured += 1
            period_ns = round(NS_PER_S / self.virtual.rate_hz)
            self._device_ns += period_ns
            true_ns += period_ns / (1 + self._ppm * 1e-6)


def _uuid(uuid: str) -> Any:  # Bumble has no types
    """A UUID in the short form where it has one, as it must be advertised."""
    return core.UUID.from_16_bits(int(uuid[:8], 16)) if uuid.endswith(_SIG_BASE) else core.UUID(uuid)


def _address(driver: str, name: str) -> str:
    """A static random address (Core Specification 5.4, 6B 1.3.2.1) that stays the same for the same name."""
    digest = bytearray(hashlib.sha256(f"{driver}/{name}".encode()).digest()[:6])
    digest[0] |= 0xC0
    return ":".join(f"{byte:02X}" for byte in digest)
