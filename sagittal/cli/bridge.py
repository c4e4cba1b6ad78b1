"""`sagittal bridge`: wearables on one side, the broker on the other."""

from __future__ import annotations

import asyncio
import logging
import signal
import sys
from pathlib import Path
from typing import Annotated

import typer

from sagittal.cli._options import BROKER, DATA_DIR, with_broker
from sagittal.cli._sources import sources

EX_TEMPFAIL = 75
"""sysexits.h: try again; a service manager with `Restart=on-failure` does."""


def register(app: typer.Typer) -> None:
    """Add the command."""
    app.command(name="bridge")(bridge)


def bridge(broker: Annotated[str | None, BROKER] = None, data_dir: Annotated[Path | None, DATA_DIR] = None) -> None:
    """Run the bridge alone: from wearables through the disk spool to the broker.

    Example:  sagittal bridge --broker mqtts://broker.example:8883
    """
    settings = with_broker(broker, data_dir)
    logging.basicConfig(level=logging.WARNING, format="bridge: %(message)s")
    from sensor_bridge.bridge import Bridge
    from sensor_bridge.source import SourceLost

    bridging = Bridge(settings, sources(settings))

    async def serve() -> None:
        loop = asyncio.get_running_loop()
        for number in (signal.SIGINT, signal.SIGTERM):
            loop.add_signal_handler(number, bridging.stop)
        await bridging.run()

    try:
        asyncio.run(serve())
    except SourceLost as lost:
        sys.stderr.write(f"sagittal: {lost}\n")
        raise typer.Exit(EX_TEMPFAIL) from None
