"""The adapter's switch on Linux, by BlueZ's own D-Bus interface."""

from __future__ import annotations

import asyncio
import logging
import sys

from sensor_bridge.bluetooth._why import FAILURES

_log = logging.getLogger(__name__)

ANSWER_S, OFF_S = 5.0, 1.0


async def cycle_power(adapter: str) -> bool:
    """Switch an adapter off and on again (`org.bluez.Adapter1.Powered`); whether it was done.

    Needs no root where polkit lets the user; elsewhere than on Linux nothing is done.
    """
    if sys.platform != "linux":
        return False
    from dbus_fast import BusType, Message, MessageType, Variant
    from dbus_fast.aio import MessageBus
    from dbus_fast.errors import DBusError

    async def power(bus: MessageBus, on: bool) -> bool:
        answer = await asyncio.wait_for(
            bus.call(
                Message(
                    destination="org.bluez",
                    path=f"/org/bluez/{adapter}",
                    interface="org.freedesktop.DBus.Properties",
                    member="Set",
                    signature="ssv",
                    body=["org.bluez.Adapter1", "Powered", Variant("b", on)],
                )
            ),
            ANSWER_S,
        )
        return answer.message_type is MessageType.METHOD_RETURN

    bus = MessageBus(bus_type=BusType.SYSTEM)
    try:
        await asyncio.wait_for(bus.connect(), ANSWER_S)
        await power(bus, False)
        await asyncio.sleep(OFF_S)
        return await power(bus, True)
    except (DBusError, *FAILURES) as error:
        _log.warning("adapter %s can't be switched off and on: %s", adapter, error)
        return False
    finally:
        bus.disconnect()
