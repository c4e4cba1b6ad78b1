"""A stand-in for `org.bluez` on a private bus: enough for bleak's own BlueZ backend, and for what can go wrong."""

from __future__ import annotations

import asyncio
import contextlib
import shutil
import socket as socketlib
import subprocess
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest

pytest.importorskip("dbus_fast")

from dbus_fast import BusType, Message, MessageType, Variant
from dbus_fast.aio import MessageBus

from sensor_bridge.wearable import Char, Notification, Virtual, Wearable
from tests.conftest import absent

OBJECTS, PROPERTIES = "org.freedesktop.DBus.ObjectManager", "org.freedesktop.DBus.Properties"
ADAPTER, DEVICE = "org.bluez.Adapter1", "org.bluez.Device1"
SERVICE, CHARACTERISTIC = "org.bluez.GattService1", "org.bluez.GattCharacteristic1"
HCI0 = "/org/bluez/hci0"
RSSI, MTU = -55, 247
_CONFIG = """<!DOCTYPE busconfig PUBLIC "-//freedesktop//DTD D-Bus Bus Configuration 1.0//EN"
 "http://www.freedesktop.org/standards/dbus/1.0/busconfig.dtd">
<busconfig><type>custom</type><listen>unix:path={socket}</listen><auth>EXTERNAL</auth><policy context="default">
<allow send_destination="*"/><allow receive_sender="*"/><allow own="*"/><allow user="*"/></policy></busconfig>"""


@dataclass
class Bus:
    """A private dbus-daemon that can be killed and started anew at the same address."""

    folder: Path
    process: subprocess.Popen[bytes] | None = None

    @property
    def address(self) -> str:
        return f"unix:path={self.folder / 'bus'}"

    def start(self) -> None:
        socket, config = self.folder / "bus", self.folder / "bus.conf"
        socket.unlink(missing_ok=True)
        config.write_text(_CONFIG.format(socket=socket))
        self.process = subprocess.Popen(["dbus-daemon", f"--config-file={config}", "--nofork", "--nopidfile"])
        deadline = time.monotonic() + 10
        while True:
            with contextlib.suppress(OSError), socketlib.socket(socketlib.AF_UNIX) as probe:
                probe.connect(str(socket))
                return
            assert self.process.poll() is None, "dbus-daemon ended"
            assert time.monotonic() < deadline
            time.sleep(0.01)

    def kill(self) -> None:
        if self.process is not None:
            self.process.kill()
            self.process.wait()
            self.process = None


@contextlib.contextmanager
def private_bus(folder: Path) -> Iterator[Bus]:
    if shutil.which("dbus-daemon") is None:
        absent("dbus", "no dbus-daemon is on the PATH (package dbus)")
    bus = Bus(folder)
    bus.start()
    try:
        yield bus
    finally:
        bus.kill()


@dataclass
class Worn:
    """A virtual wearable as BlueZ knows it."""

    address: str
    virtual: Virtual
    path: str
    chars: dict[str, Char] = field(default_factory=dict)
    near: bool = True
    connected: bool = False


class FakeBlueZ:
    """Owns `org.bluez` on the bus; `daemon_dies` drops the name and every signal, as SIGKILL does."""

    def __init__(self, bus: Bus) -> None:
        self._at = bus
        self._bus: Any = None
        self.worn: list[Worn] = []
        self.objects: dict[str, dict[str, dict[str, Variant]]] = {}
        self.notifying: set[str] = set()
        self.power: list[bool] = []
        self.refuse_connect: str | None = None
        self._pump: asyncio.Task[None] | None = None

    async def start(self) -> None:
        self._bus = await MessageBus(bus_address=self._at.address, bus_type=BusType.SYSTEM).connect()
        self._bus.add_message_handler(self._on_message)
        self.plug()
        await self._bus.request_name("org.bluez")
        self._pump = asyncio.create_task(self._stream())

    async def daemon_dies(self) -> None:
        if self._pump is not None:
            self._pump.cancel()
            await asyncio.gather(self._pump, return_exceptions=True)
        if self._bus is not None:
            self._bus.disconnect()
            with contextlib.suppress(EOFError, OSError):
                await self._bus.wait_for_disconnect()
        self._bus = None
        self.objects.clear()
        self.notifying.clear()
        for one in self.worn:
            one.connected = False

    # -- the world ----------------------------------------------------------------------------------------------------

    def wear(self, wearable: Wearable, address: str) -> Worn:
        made = Worn(address, wearable.virtual(), f"{HCI0}/dev_{address.replace(':', '_')}")
        self.worn.append(made)
        return made

    def plug(self) -> None:
        self.objects[HCI0] = {
            ADAPTER: {
                "Address": Variant("s", "00:11:22:33:44:55"),
                "Alias": Variant("s", "fake"),
                "Powered": Variant("b", True),
                "Discovering": Variant("b", False),
                "Roles": Variant("as", ["central", "peripheral"]),
            }
        }
        self._added(HCI0)

    def unplug(self) -> None:
        for one in self.worn:
            if one.connected:
                self.drop_link(one)
        for path in [path for path in self.objects if path.startswith(HCI0)][::-1]:
            self._removed(path)

    def drop_link(self, worn: Worn) -> None:
        worn.connected = False
        self._set(worn.path, DEVICE, ServicesResolved=Variant("b", False))
        self._set(worn.path, DEVICE, Connected=Variant("b", False))
        for path in [path for path in self.objects if path.startswith(f"{worn.path}/")]:
            self.notifying.discard(path)
            self._removed(path)
        for char in worn.virtual.gatt:
            worn.virtual.subscribe(char, False)

    async def _stream(self) -> None:
        loop = asyncio.get_running_loop()
        begun, number = loop.time(), 0
        while True:
            number += 1
            await asyncio.sleep(max(0.0, begun + number / 100 - loop.time()))
            for one in self.worn:
                if one.connected:
                    self._notify(one, one.virtual.sample(number * 10_000_000, (9.8, 0.3, 0.0), (0.0, 0.0, 0.0)))

    def _notify(self, worn: Worn, sent: Sequence[Notification]) -> None:
        for one in sent:
            for path, char in worn.chars.items():
                if char == one.char and path in self.notifying:
                    self._set(path, CHARACTERISTIC, Value=Variant("ay", one.data))

    # -- the bus ------------------------------------------------------------------------------------------------------

    def _signal(self, path: str, interface: str, member: str, signature: str, body: list[Any]) -> None:
        if self._bus is not None and self._bus.connected:
            self._bus.send(
                Message(
                    message_type=MessageType.SIGNAL,
                    path=path,
                    interface=interface,
                    member=member,
                    signature=signature,
                    body=body,
                )
            )

    def _added(self, path: str) -> None:
        self._signal("/", OBJECTS, "InterfacesAdded", "oa{sa{sv}}", [path, self.objects[path]])

    def _removed(self, path: str) -> None:
        self._signal("/", OBJECTS, "InterfacesRemoved", "oas", [path, list(self.objects.pop(path))])

    def _set(self, path: str, interface: str, **values: Variant) -> None:
        if path in self.objects:
            self.objects[path][interface].update(values)
            self._signal(path, PROPERTIES, "PropertiesChanged", "sa{sv}as", [interface, values, []])

    def _on_message(self, message: Message) -> Message | None:
        if message.message_type is not MessageType.METHOD_CALL or message.sender == self._bus.unique_name:
            return None
        answers: Mapping[str | None, Callable[[Message], Message | None]] = {
            "GetManagedObjects": lambda m: Message.new_method_return(m, "a{oa{sa{sv}}}", [self.objects]),
            "SetDiscoveryFilter": _nothing,
            "StartDiscovery": self._start_discovery,
            "StopDiscovery": _nothing,
            "Connect": self._connect,
            "Disconnect": self._disconnect,
            "StartNotify": self._start_notify,
            "StopNotify": _nothing,
            "WriteValue": self._write,
            "ReadValue": self._read,
            "Set": self._set_property,
        }
        answer = answers.get(message.member)
        if answer is None:
            return None
        return answer(message) or Message.new_method_return(message)

    def _heard(self, path: str) -> None:
        self._set(path, DEVICE, RSSI=Variant("n", RSSI))

    def _start_discovery(self, message: Message) -> Message | None:
        if message.path not in self.objects:
            return Message.new_error(message, "org.freedesktop.DBus.Error.UnknownObject", "no such adapter")
        loop = asyncio.get_running_loop()
        for one in self.worn:
            if not one.near or one.connected:
                continue
            if one.path in self.objects:
                loop.call_soon(self._heard, one.path)
            else:
                self.objects[one.path] = {DEVICE: _device(one)}
                loop.call_soon(self._added, one.path)
        return None

    def _at_path(self, path: str | None) -> Worn | None:
        return next((one for one in self.worn if path == one.path or str(path).startswith(f"{one.path}/")), None)

    def _connect(self, message: Message) -> Message | None:
        worn = self._at_path(message.path)
        if worn is None or not worn.near or worn.path not in self.objects:
            return Message.new_error(message, "org.freedesktop.DBus.Error.UnknownObject", "no such device")
        if self.refuse_connect is not None:
            return Message.new_error(message, self.refuse_connect, "refused")
        worn.connected = True
        self._set(worn.path, DEVICE, Connected=Variant("b", True))
        handle, services = 1, {char.service: "" for char in worn.virtual.gatt}
        for service in services:
            services[service] = path = f"{worn.path}/service{handle:04x}"
            handle += 1
            values = {
                "UUID": Variant("s", service),
                "Device": Variant("o", worn.path),
                "Primary": Variant("b", True),
            }
            self.objects[path] = {SERVICE: values}
            self._added(path)
        for char, properties in worn.virtual.gatt.items():
            path = f"{services[char.service]}/char{handle:04x}"
            handle += 2
            worn.chars[path] = char
            values = {
                "UUID": Variant("s", char.uuid),
                "Service": Variant("o", services[char.service]),
                "Flags": Variant("as", sorted(properties)),
                "Notifying": Variant("b", False),
                "MTU": Variant("q", MTU),
                "Value": Variant("ay", b""),
            }
            self.objects[path] = {CHARACTERISTIC: values}
            self._added(path)
        self._set(worn.path, DEVICE, ServicesResolved=Variant("b", True))
        return None

    def _disconnect(self, message: Message) -> None:
        worn = self._at_path(message.path)
        if worn is not None and worn.connected:
            self.drop_link(worn)

    def _start_notify(self, message: Message) -> None:
        path = str(message.path)
        self.notifying.add(path)
        self._set(path, CHARACTERISTIC, Notifying=Variant("b", True))
        worn = self._at_path(path)
        if worn is not None:
            worn.virtual.subscribe(worn.chars[path], True)

    def _write(self, message: Message) -> None:
        worn = self._at_path(message.path)
        if worn is not None:
            sent = worn.virtual.write(worn.chars[str(message.path)], bytes(message.body[0]), 0)
            asyncio.get_running_loop().call_soon(self._notify, worn, sent)

    def _read(self, message: Message) -> Message | None:
        worn = self._at_path(message.path)
        value = worn.virtual.read(worn.chars[str(message.path)]) if worn is not None else b""
        return Message.new_method_return(message, "ay", [value])

    def _set_property(self, message: Message) -> None:
        interface, name, value = message.body
        if name == "Powered":
            self.power.append(bool(value.value))
        self._set(str(message.path), interface, **{name: value})


def _nothing(_: Message) -> None:
    return None


def _device(worn: Worn) -> dict[str, Variant]:
    heard = worn.virtual.advertisement
    name = heard.local_name or ""
    return {
        "Address": Variant("s", worn.address),
        "AddressType": Variant("s", "random"),
        "Adapter": Variant("o", HCI0),
        "Name": Variant("s", name),
        "Alias": Variant("s", name),
        "UUIDs": Variant("as", list(heard.service_uuids)),
        "ManufacturerData": Variant(
            "a{qv}", {key: Variant("ay", value) for key, value in heard.manufacturer_data.items()}
        ),
        "RSSI": Variant("n", RSSI),
        "Connected": Variant("b", False),
        "ServicesResolved": Variant("b", False),
        "Paired": Variant("b", False),
        "Trusted": Variant("b", False),
        "Blocked": Variant("b", False),
        "LegacyPairing": Variant("b", False),
    }
