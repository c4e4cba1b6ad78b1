"""The socket into which every wearable plugs, real, simulated or replayed."""

from __future__ import annotations

import asyncio
from typing import Protocol

from sagittal.errors import SagittalError
from sagittal.messages import DeviceHealth, DeviceState, SilenceReason
from sagittal.names import Site
from sensor_bridge._builder import Samples

__all__ = ["Outlet", "Samples", "Source", "SourceLost"]


class SourceLost(SagittalError):
    """A source can't go on in this process: it should end, and be started anew by whoever looks after it."""


class Outlet(Protocol):
    """What a source may do with what it has; both return at once."""

    def samples(self, samples: Samples) -> None:
        """Hand over consecutive samples; they are on disk within half a second."""
        ...

    def state(
        self,
        state: DeviceState,
        reason: SilenceReason | None = None,
        *,
        detail: str = "",
        battery_percent: float | None = None,
        rssi_dbm: float | None = None,
        note: str | None = None,
    ) -> None:
        """Say how the wearable is; what is None stays as it was said before."""
        ...


class Source(Protocol):
    """One wearable on one site of one wearer."""

    wearer: str
    site: Site
    device: str
    driver: str

    async def run(self, outlet: Outlet, stop: asyncio.Event) -> None:
        """Deliver samples until `stop` is set or nothing more will come; may raise, and is then run again later."""
        ...


def offline(health: DeviceHealth, reason: SilenceReason) -> DeviceHealth:
    """The same health, of a wearable that has gone silent."""
    return health.model_copy(update={"state": DeviceState.OFFLINE, "reason": reason})
