"""`sagittal home`: show wearers in Home Assistant."""

from __future__ import annotations

import signal
import sys
import threading
import time
from pathlib import Path
from typing import Annotated

import typer

from sagittal.cli._options import BROKER, DATA_DIR, with_broker
from sagittal.results import Event
from sagittal.settings import Settings
from sagittal.units import NS_PER_S

DAY_NS = 86_400 * NS_PER_S


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
    link = HomeLink(settings.home, own.publish, modes=_modes(settings))
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


def _modes(settings: Settings) -> dict[str, str]:
    """The mode of each wearer: the newest that was told (at least once a day), else the profile's."""
    modes: dict[str, str] = {name: settings.wearer(name).nudges.mode for name in settings.home.wearers}
    if not settings.store_path.is_file():
        return modes
    from analytics.store import open_reader

    reader = open_reader(settings.store_path)
    try:
        for name in modes:
            now_ns = time.time_ns()
            for row in reader.results(name, "event", now_ns - 7 * DAY_NS, now_ns):
                if isinstance(row, Event) and row.event == "mode" and row.tags:
                    modes[name] = row.tags[0]
    finally:
        reader.close()
    return modes
