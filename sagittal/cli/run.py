"""`sagittal run`: every part, under one supervisor."""

from __future__ import annotations

import contextlib
import json
import os
import shutil
import sys
import tempfile
import threading
import time
import webbrowser
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Annotated

import typer
from rich.console import Console
from rich.live import Live
from rich.text import Text

from sagittal.broker import free_port
from sagittal.cli._drain import Summary, drain, summarize
from sagittal.cli._glance import Glance
from sagittal.cli._options import BROKER, DATA_DIR, with_broker
from sagittal.cli._pairing import show_pairing
from sagittal.cli._sources import require_wearables
from sagittal.cli._system import System, is_terminal, since
from sagittal.names import PostureLabel
from sagittal.results import NOTICE
from sagittal.settings import Settings
from sagittal.supervisor import Stopping
from sagittal.units import NS_PER_S

LOOK_S = 0.25
LIVE_S = 0.5
PLAIN_S = 10.0
DRAIN_S = 30.0


def register(app: typer.Typer) -> None:
    """Add the command."""
    app.command(name="run")(run)


def run(
    demo: Annotated[bool, typer.Option("--demo", help="A simulated wearer, in a data folder of its own.")] = False,
    seconds: Annotated[float | None, typer.Option(min=1.0, help="End by itself after so long.")] = None,
    summary: Annotated[Path | None, typer.Option(help="Write what came of it to this file, as JSON.")] = None,
    lan: Annotated[bool, typer.Option("--lan", help="The page on the network too, with TLS and a log-in.")] = False,
    open_page: Annotated[bool, typer.Option("--open", help="Open the page in a browser.")] = False,
    broker: Annotated[str | None, BROKER] = None,
    data_dir: Annotated[Path | None, DATA_DIR] = None,
) -> None:
    """Run broker, bridge, worker and page; restart what dies; Ctrl-C stops all of it.

    Example:  sagittal run --demo --seconds 60 --summary summary.json
    """
    if lan:
        os.environ["SAGITTAL_PAGE__LAN"] = "true"
    with _demo_settings(data_dir) if demo else contextlib.nullcontext(data_dir) as folder:
        settings = with_broker(broker, folder)
        if summary is not None:
            _check_target(summary)
        outcome = _run(settings, seconds, open_page)
    _report(outcome, summary, demo=demo or seconds is not None)
    if outcome.samples_lost > 0:
        raise typer.Exit(1)


def _run(settings: Settings, seconds: float | None, open_page: bool) -> Summary:
    begun, begun_ns = time.monotonic(), time.time_ns()
    console = Console(soft_wrap=True, highlight=False)
    system = System(settings, console.print)
    require_wearables(settings)
    system.check()
    glance = Glance(settings.store_path)
    first: float | None = None
    opened = not open_page
    pairing = settings.page.lan
    with Stopping() as stopping, _status(console, glance, system, begun):
        try:
            system.start()
            while not stopping.wait(LOOK_S) and (seconds is None or time.monotonic() - begun < seconds):
                system.supervisor.tick()
                if first is None and glance.known(begun_ns - NS_PER_S):
                    first = time.monotonic() - begun
                if pairing and system.address:
                    pairing = show_pairing(settings, console)
                if not opened and system.address:
                    opened = webbrowser.open(system.address) or True
            return _end(settings, system, glance, first)
        finally:
            system.stop()
            glance.close()


def _end(settings: Settings, system: System, glance: Glance, first: float | None) -> Summary:
    system.supervisor.stop("bridge")
    sent = drain(settings, system.supervisor.tick, DRAIN_S)
    system.supervisor.stop("worker")
    return summarize(glance, sent, first)


@contextlib.contextmanager
def _demo_settings(data_dir: Path | None) -> Iterator[Path]:
    """Settings of a demo: its own wearer, its own broker's port, and a folder that goes when it ends."""
    folder = data_dir or (Path(os.environ["SAGITTAL_DATA_DIR"]) if os.environ.get("SAGITTAL_DATA_DIR") else None)
    os.environ["SAGITTAL_WEARERS"] = json.dumps([_demo_wearer()])
    os.environ.setdefault("SAGITTAL_BROKER__PORT", str(free_port()))
    made = None if folder is not None else Path(tempfile.mkdtemp(prefix="sagittal-demo-"))
    try:
        yield folder or made or Path()
    finally:
        if made is not None:
            shutil.rmtree(made, ignore_errors=True)


def _demo_wearer() -> dict[str, object]:
    device = {
        "name": "simulated",
        "site": "lower_back",
        "driver": "simulated",
        "rate_hz": 100.0,
        "options": {"start_ns": time.time_ns()},
    }
    return {"id": "demo", "height_m": 1.75, "sensor_height_m": 1.0, "devices": [device]}


@contextlib.contextmanager
def _status(console: Console, glance: Glance, system: System, begun: float) -> Iterator[None]:
    """One line that changes in a terminal; a line now and then elsewhere."""

    def line() -> str:
        return f"{since(begun)}  {glance.line()}  {glance.samples():,} samples stored  {system.address}  Ctrl-C stops"

    console.print(NOTICE)
    if not is_terminal():
        with _every(PLAIN_S, lambda: console.print(line())):
            yield
        return
    with (
        Live(console=console, auto_refresh=False, transient=True) as live,
        _every(LIVE_S, lambda: live.update(Text(line(), overflow="ellipsis", no_wrap=True), refresh=True)),
    ):
        yield


@contextlib.contextmanager
def _every(period_s: float, do: Callable[[], None]) -> Iterator[None]:
    done = threading.Event()

    def repeat() -> None:
        while not done.wait(period_s):
            do()

    thread = threading.Thread(target=repeat, daemon=True)
    thread.start()
    try:
        yield
    finally:
        done.set()
        thread.join()


def _check_target(path: Path) -> None:
    if not path.parent.is_dir():
        raise typer.BadParameter(f"{path.parent} is no folder", param_hint="--summary")


def _report(outcome: Summary, target: Path | None, *, demo: bool) -> None:
    if target is not None:
        scratch = target.with_name(f".{target.name}.part")
        scratch.write_text(json.dumps(outcome.as_dict(), indent=2) + "\n", encoding="utf-8")
        scratch.replace(target)
    if demo or target is not None:
        first = "none" if outcome.first_posture_s is None else f"after {outcome.first_posture_s:.1f} s"
        going_on = not outcome.bouts and outcome.posture_minutes.get(PostureLabel.WALKING)
        open_walk = " (one is told when it ends, or after half a minute of it)" if going_on else ""
        minutes = ", ".join(f"{label} {value:.1f}" for label, value in outcome.posture_minutes.items()) or "none"
        sys.stdout.write(
            f"samples: {outcome.samples_sent} sent, {outcome.samples_stored} stored, {outcome.samples_lost} lost\n"
            f"first posture: {first}\nwalking bouts: {outcome.bouts}{open_walk}\nminutes: {minutes}\n"
        )
