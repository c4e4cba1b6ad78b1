"""Putting a virtual wearable on the air."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import Callable, Iterable

from bumble.controller import Controller
from bumble.hci import LeFeatureMask
from bumble.link import LocalLink
from bumble.transport import open_transport
from bumble.transport.common import Transport

from sensor_bridge.virtual._motion import Motion, Sample
from sensor_bridge.virtual._peripheral import Peripheral
from sensor_bridge.wearable import WearableRefused
from sensor_bridge.wearables import wearable

AIR = "vhci"
"""Where nothing is said: an adapter of this computer that BlueZ shows to every program (Linux, root)."""
_OFFERED = ("vhci", "tcp-server", "unix-server", "pty")
_LOOPBACK = ("127.0.0.1", "localhost", "[::1]", "::1")


async def serve(
    driver: str,
    samples: Iterable[Sample],
    transport: str = AIR,
    *,
    name: str = "",
    stop: asyncio.Event | None = None,
    told: Callable[[str], None] = lambda _line: None,
) -> int:
    """Be the wearable that `driver` names until the samples end or `stop` is set; the number of samples measured.

    A model other than the driver's first follows it after a colon, such as `polar:h10`.
    `samples` may come at any rate; the wearable measures them at the one it is set to, in real time. `transport` is a
    Bumble transport. With `vhci`, `tcp-server:127.0.0.1:PORT`, `unix-server:PATH` or `pty` an adapter is offered there
    that sees the wearable on a virtual link; any other, such as `usb:0`, is the radio to send on. `told` hears under
    which name and address it can be found, once it can.

    Raises
    ------
    SettingsError
        Where the driver is not known.
    WearableRefused
        Where the variant is not known, or the transport can't be opened: says why.
    """
    driver, _, variant = driver.partition(":")
    kind = wearable(driver)
    kind.virtual(variant)
    motion = Motion(samples)
    _check(transport)
    try:
        opened = await open_transport(transport)
    except Exception as error:  # noqa: BLE001  # each transport raises what its library raises
        raise WearableRefused(f"transport {transport!r} can't be opened ({error}): {_advice(transport)}") from None
    try:
        if transport.split(":", 1)[0] in _OFFERED:
            link = LocalLink()
            adapter = Controller("adapter", host_source=opened.source, host_sink=opened.sink, link=link)
            # The kernel asks for newer events than Bumble's controller sends where these are on (bumble issue 841).
            adapter.le_features &= ~(LeFeatureMask.LL_PRIVACY | LeFeatureMask.LE_EXTENDED_ADVERTISING)
            peripheral = Peripheral(kind, motion, link=link, variant=variant, name=name)
        else:
            peripheral = Peripheral(kind, motion, transport=opened, variant=variant, name=name)
        return await _until(peripheral, stop or asyncio.Event(), told)
    finally:
        await _close(opened)


async def _until(peripheral: Peripheral, stop: asyncio.Event, told: Callable[[str], None]) -> int:
    await peripheral.start()
    told(f"{peripheral.name} is on the air as {peripheral.address}")
    waiting = [asyncio.create_task(one) for one in (peripheral.finished(), stop.wait())]
    try:
        done, _ = await asyncio.wait(waiting, return_when=asyncio.FIRST_COMPLETED)
        for task in done:
            task.result()
    finally:
        for task in waiting:
            task.cancel()
            with contextlib.suppress(asyncio.CancelledError):
                await task
        await peripheral.stop()
    return peripheral.measured


async def _close(transport: Transport) -> None:
    """Close a transport with its listening socket and whoever is connected there, which Bumble leaves open."""
    await transport.close()
    for one in (getattr(transport, "server", None), getattr(transport.sink, "transport", None)):
        if one is not None:
            one.close()


def _check(transport: str) -> None:
    scheme, _, rest = transport.partition(":")
    host = rest.rpartition(":")[0]
    if scheme.endswith("-server") and scheme != "unix-server" and host not in _LOOPBACK:
        raise WearableRefused(
            f"transport {transport!r} would listen on the network, where anyone could use it: "
            f"use {scheme}:127.0.0.1:PORT"
        )


def _advice(transport: str) -> str:
    if transport.startswith("vhci"):
        return "it needs Linux with the module hci_vhci (modprobe hci_vhci) and root; or use a USB adapter with usb:0"
    return "see Bumble's documentation for transports, and whether the adapter is plugged in and free"
