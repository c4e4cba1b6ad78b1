"""`sagittal home`: show wearers in Home Assistant."""

from __future__ import annotations

import signal
import sys
import threading
from pathlib import Path
from typing import Annotated

import typer

from sagittal.cli._options import BROKER, DATA_DIR, with_broker


def register(app: typer.Typer) -> None:
    """Add the command."""
    app.command(name="home")(home)


def home(broker: Annotated[str | None, BROKER] = None, data_dir: Annotated[Path | None, DATA_DIR] = None) -> None:
    """Publish the wearers that the settings name under `home` to the household's own broker, for Home Assistant.

    Example:  SAGITTAL_HOME__URL=mqtt://homeassistant.local SAGITTAL_HOME__WEARERS='["w1"]' sagittal home
    """
    from dashboards.doors import HomeLink
    from dashboards.page import MqttLive

    settings = with_broker(broker, data_dir)
    own = MqttLive(settings)
    link = HomeLink(settings.home, own.publish)
    link.start()
    own.start(link.take, lambda _up, _detail: None)
    sys.stdout.write(f"{', '.join(settings.home.wearers) or 'nobody'} to {settings.home.url}\n")
    sys.stdout.flush()
    stopping = threading.Event()
    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, lambda *_: stopping.set())
    stopping.wait()
    link.stop()
    own.stop()
