"""`sagittal simulate`: wearers that don't exist, with bodies that move and a truth that is known."""

from __future__ import annotations

import sys
import time
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer
from rich.console import Console
from rich.table import Table

from sagittal.cli._fleet import Live, run_live
from sagittal.cli._options import BROKER, with_broker
from sagittal.cli._simulate import Recorder, on_air
from sagittal.errors import SettingsError
from sagittal.names import Site, check_site
from sagittal.supervisor import Stopping
from sagittal.units import NS_PER_S

if TYPE_CHECKING:
    from simulators.fleet import Member

START = "2026-01-05T07:00:00"
AIR = "vhci"
MAX_SECONDS = 400 * 86_400.0


def register(app: typer.Typer) -> None:
    """Add the command."""
    app.command(name="simulate")(simulate)


def simulate(
    scenario: Annotated[str, typer.Option(help="What they do; --list shows all.")] = "office",
    wearers: Annotated[int, typer.Option(help="How many.")] = 1,
    seed: Annotated[int, typer.Option(help="The same seed gives the same wearers.")] = 1,
    speed: Annotated[float, typer.Option(min=0.1, max=1000, help="Times real time.")] = 1.0,
    seconds: Annotated[float | None, typer.Option(min=1.0, help="End after so long in the wearers' time.")] = None,
    days: Annotated[int | None, typer.Option(min=1, max=400, help="With --out: whole days.")] = None,
    site: Annotated[list[str] | None, typer.Option(help="Where sensors sit (lower_back); once for each.")] = None,
    rate_hz: Annotated[float, typer.Option(help="Samples a second.")] = 100.0,
    behaviour: Annotated[list[str] | None, typer.Option(help="NAME:SEVERITY:SIDE, such as limp:0.7:left.")] = None,
    height_m: Annotated[float | None, typer.Option(help="Body height; drawn otherwise.")] = None,
    walking_speed_mps: Annotated[float | None, typer.Option(help="Comfortable speed; drawn otherwise.")] = None,
    out: Annotated[Path | None, typer.Option(help="Write a .cborseq recording instead of sending.")] = None,
    truth: Annotated[Path | None, typer.Option(help="Write what is true to this file, JSON a line.")] = None,
    start: Annotated[str, typer.Option(help="With --out: when the scenario begins, UTC.")] = START,
    tell: Annotated[bool, typer.Option(help="Publish the truth on its own topic.")] = True,
    as_: Annotated[str | None, typer.Option("--as", help="Be this wearable on Bluetooth, such as witmotion.")] = None,
    transport: Annotated[str, typer.Option(help="With --as: a Bumble transport.")] = AIR,
    broker: Annotated[str | None, BROKER] = None,
    show: Annotated[bool, typer.Option("--list", help="Show scenarios and behaviours, and stop.")] = False,
) -> None:
    """Send simulated wearers to the broker through a spool like any wearable, or write them to a file.

    Example:  sagittal simulate --scenario rehabilitation --days 28 --out month.cborseq --truth month.jsonl
    """
    if show:
        _show()
        return
    from simulators.behaviours import parse_behaviour
    from simulators.body import check_speed
    from simulators.fleet import Wish, fleet

    wish = Wish(
        scenario=scenario,
        seed=seed,
        sites=[check_site(name) for name in dict.fromkeys(site or [Site.LOWER_BACK])],
        rate_hz=rate_hz,
        behaviours=[parse_behaviour(text) for text in behaviour or []],
        height_m=height_m,
        speed_mps=None if walking_speed_mps is None else check_speed(walking_speed_mps),
    )
    if as_ is not None:
        sys.stdout.write(f"{on_air(fleet(wish, wearers), as_, transport, seconds, speed)} samples measured\n")
    elif out is not None:
        _write(fleet(wish, wearers), out, truth, _begin_ns(start), seconds, days)
    else:
        if days is not None:
            raise SettingsError("--days needs --out: what is sent takes as long as it takes; use --seconds")
        sent = run_live(with_broker(broker), wish, wearers, Live(speed, seconds, truth, tell))
        sys.stdout.write(f"{sent} samples sent\n")


def _show() -> None:
    from simulators.behaviours import BEHAVIOURS, SIDED
    from simulators.scenarios import SCENARIOS

    table = Table("scenario", "what they do", box=None)
    for one in SCENARIOS.values():
        table.add_row(one.name, one.about)
    console = Console()
    console.print(table)
    names = [f"{name}:SEVERITY:SIDE" if name in SIDED else f"{name}:SEVERITY" for name in BEHAVIOURS]
    console.print("\nbehaviours: " + ", ".join(names))


def _begin_ns(start: str) -> int:
    try:
        at = datetime.fromisoformat(start)
    except ValueError:
        raise SettingsError(f"--start {start!r} is no time: write it such as {START}") from None
    if not 1970 < at.year < 2200:
        raise SettingsError(f"--start {start!r} can't be kept in nanoseconds: choose a year from 1971 to 2199")
    return round(at.replace(tzinfo=at.tzinfo or UTC).timestamp()) * NS_PER_S


def _write(
    members: list[Member], out: Path, truth: Path | None, start_ns: int, seconds: float | None, days: int | None
) -> None:
    if (seconds is None) == (days is None):
        raise SettingsError("--out needs to know how long: give --seconds or --days, one of them")
    if seconds is not None and seconds > MAX_SECONDS:
        raise SettingsError(f"a recording of {seconds} s can't be written: choose up to {MAX_SECONDS:.0f}, or --days")
    begun = time.monotonic()
    with Stopping() as stopping, Recorder(out, truth) as recorder:
        for one in members:
            for from_s, to_s in one.worn(days) if days is not None else [(one.begin_s, one.begin_s + (seconds or 0.0))]:
                recorder.write(one, start_ns, from_s, to_s, stopping)
        blocks, samples, covered_s = recorder.blocks, recorder.samples, recorder.covered_s
    took = time.monotonic() - begun
    sys.stdout.write(
        f"{blocks} blocks, {samples} samples written to {out} ({covered_s / max(took, 1e-9):.0f} × real time)\n"
    )
