"""`sagittal import`: a folder of recordings into the store."""

from __future__ import annotations

import sys
from datetime import datetime
from pathlib import Path
from typing import Annotated
from zoneinfo import ZoneInfo

import typer
from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn

from sagittal.broker import answers
from sagittal.cli._options import DATA_DIR, with_broker
from sagittal.cli._system import LEDGER
from sagittal.collector import collect_seldom
from sagittal.errors import SagittalError, SettingsError
from sagittal.mqtt import host_port
from sagittal.names import Site, check_name
from sagittal.settings import Settings
from sagittal.supervisor import Stopping


def register(app: typer.Typer) -> None:
    """Add the command."""
    app.command(name="import")(import_)


def import_(
    folder: Annotated[Path, typer.Argument(help="A BIDS-motion data set, or a folder of CSV files.")],
    wearer: Annotated[str | None, typer.Option(help="Whose; for BIDS each participant where left out.")] = None,
    start: Annotated[str | None, typer.Option(help="When CSV files begin that don't say it (ISO 8601).")] = None,
    point: Annotated[list[str] | None, typer.Option(help="TRACKED_POINT=SITE, where a name isn't understood.")] = None,
    data_dir: Annotated[Path | None, DATA_DIR] = None,
) -> None:
    """Analyse a folder of recordings into the store; stopped, it goes on where it was; twice changes nothing.

    Example:  sagittal import dataset/ --data-dir study
    """
    if wearer is not None:
        check_name("wearer", wearer)
    settings = with_broker(None, data_dir)
    _alone(settings)
    from analytics.imports import Importing, find_recordings

    zone = settings.wearer(wearer).zone if wearer is not None else ZoneInfo("UTC")
    found = find_recordings(folder, wearer=wearer, zone=zone, start=_moment(start, zone), points=_points(point or []))
    settings.data_dir.mkdir(parents=True, exist_ok=True)
    importing = Importing(settings)
    collect_seldom()
    console = Console(stderr=True, highlight=False)
    columns = (TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn(), TimeElapsedColumn())
    try:
        with Stopping() as stopping, Progress(*columns, console=console, transient=True) as bar:
            task = bar.add_task("reading", total=len(found))
            samples, skipped = importing.run(
                found,
                lambda now: bar.update(
                    task, completed=now.done, description=f"{now.what}: {now.samples:,} samples so far"
                ),
                stopping.is_set,
            )
            interrupted = stopping.is_set()
    finally:
        importing.close()
    whose = ", ".join(dict.fromkeys(one.wearer for one in found))
    sys.stdout.write(f"{samples:,} samples of {whose}; {skipped} of {len(found)} streams were known already\n")
    if interrupted:
        sys.stdout.write("stopped: run the same command again, it goes on from here\n")
        raise typer.Exit(1)


def _alone(settings: Settings) -> None:
    if (settings.data_dir / LEDGER).is_file() and answers(*host_port(settings)):
        raise SagittalError(
            f"`sagittal run` is writing to {settings.store_path}: stop it first, or import into a folder of its own "
            "with --data-dir"
        )


def _moment(text: str | None, zone: ZoneInfo) -> datetime | None:
    try:
        moment = None if text is None else datetime.fromisoformat(text)
    except ValueError:
        raise SettingsError(f"--start {text!r} is no time: write 2026-11-24T08:00") from None
    return moment if moment is None or moment.tzinfo else moment.replace(tzinfo=zone)


def _points(named: list[str]) -> dict[str, Site]:
    points = {}
    for text in named:
        point, _, site = text.rpartition("=")
        if not point or site not in set(Site):
            raise SettingsError(f"--point {text!r} is not NAME=SITE with a site of {', '.join(Site)}")
        points[point] = Site(site)
    return points
