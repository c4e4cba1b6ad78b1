"""`sagittal scan`: what is near, what it is, and whether it can be read."""

from __future__ import annotations

import dataclasses
import json
import sys
from typing import Annotated

import typer
from rich.console import Console
from rich.table import Table

from sagittal.cli._near import Near, look
from sagittal.settings import load_settings

SECONDS = typer.Option(min=1, max=120, help="How long to listen.")


def register(app: typer.Typer) -> None:
    """Add the command."""
    app.command(name="scan")(scan)


def scan(
    seconds: Annotated[float, SECONDS] = 6.0,
    battery: Annotated[bool, typer.Option(help="Connect to each supported one and ask for its charge.")] = False,
    as_json: Annotated[bool, typer.Option("--json", help="JSON instead of a table.")] = False,
) -> None:
    """Show what is near: what it is, its signal, and whether it is supported or why not.

    Example:  sagittal scan --battery
    """
    near = look(load_settings(), seconds, battery=battery)
    if as_json:
        sys.stdout.write(json.dumps([dataclasses.asdict(one) for one in near], indent=2) + "\n")
        return
    console = Console(highlight=False)
    if not near:
        console.print(f"Nothing was heard in {seconds:g} s. Switch the wearable on, bring it near, close its own app.")
        return
    console.print(table(near))
    if not any(one.driver for one in near):
        console.print("None of these is supported. A wearable that its own app holds is not heard: close the app.")
    else:
        console.print("`sagittal pair` writes one of them into the settings.")


def table(near: list[Near], *, numbered: bool = False) -> Table:
    """What was heard, one row each."""
    made = Table(box=None, pad_edge=False)
    if numbered:
        made.add_column("", justify="right")
    for title in ("name", "what it is", "driver"):
        made.add_column(title, overflow="fold")
    made.add_column("signal", justify="right", no_wrap=True)
    made.add_column("battery", justify="right", no_wrap=True)
    made.add_column("address", no_wrap=True)
    made.add_column("remark", overflow="fold")
    for number, one in enumerate(near, start=1):
        cells = [
            one.name or "–",
            one.kind or "–",
            one.driver or "not supported",
            f"{one.rssi_dbm:.0f} dBm",
            "–" if one.battery_percent is None else f"{one.battery_percent:.0f} %",
            one.address,
            one.remark,
        ]
        made.add_row(*([str(number)] if numbered else []), *cells, style=None if one.driver else "dim")
    return made
