"""`sagittal replay`: a recording through the same path as a wearable."""

from __future__ import annotations

import contextlib
import os
import secrets
import shutil
import tempfile
import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer
from rich.console import Console
from rich.table import Table

from sagittal.blocks import Block
from sagittal.broker import answers, free_port
from sagittal.cli._drain import serve
from sagittal.cli._glance import Glance
from sagittal.cli._options import BROKER, DATA_DIR, with_broker
from sagittal.cli._system import LEDGER, System, since
from sagittal.codec import Torn, read_blocks
from sagittal.errors import RecordingError
from sagittal.mqtt import host_port
from sagittal.names import Site, check_name
from sagittal.results import Walk
from sagittal.settings import Settings
from sagittal.supervisor import Stopping
from sagittal.units import NS_PER_S, seconds

if TYPE_CHECKING:
    from sensor_bridge.source import Source

DRAIN_S = 120.0


def register(app: typer.Typer) -> None:
    """Add the command."""
    app.command(name="replay")(replay)


@dataclass(frozen=True, slots=True)
class Recorded:
    """One stream in one file, its first and last time, and how much it is moved in time."""

    file: Path
    wearer: str
    site: Site
    device: str
    start_ns: int
    end_ns: int
    samples: int
    recorded_as: str
    shift_ns: int = 0

    def blocks(self) -> Iterator[Block]:
        """Its blocks."""
        for block in read_any(self.file, self.site):
            if isinstance(block, Block) and (block.wearer, block.site) == (self.recorded_as, self.site):
                yield replace(block, wearer=self.wearer, t0_ns=block.t0_ns + self.shift_ns)


def replay(
    files: Annotated[list[str], typer.Argument(help="FILE.cborseq, FILE.csv or SITE=FILE.csv (CSV: lower_back).")],
    speed: Annotated[float, typer.Option(min=0.1, max=1000, help="Times real time.")] = 1.0,
    wearer: Annotated[str | None, typer.Option(help="Store it as this wearer's; else as recorded.")] = None,
    page: Annotated[bool, typer.Option(help="Serve the page meanwhile.")] = True,
    broker: Annotated[str | None, BROKER] = None,
    data_dir: Annotated[Path | None, DATA_DIR] = None,
) -> None:
    """Send recordings through spool, broker, worker and store, as if worn now, and print the walks found.

    Beside a running `sagittal run` it goes into that one's store; otherwise into a folder that is deleted at the end,
    unless --data-dir names one to keep.

    Example:  sagittal replay walk.cborseq --speed 20
    """
    console = Console(highlight=False, soft_wrap=True)
    streams = [stream for file in files for stream in _scan(file, wearer, console)]
    with contextlib.ExitStack() as stack:
        settings, attached = _place(stack, broker, data_dir)
        outcome = _replay(settings, streams, speed, console, attached=attached, page=page)
    console.print(outcome)


def _place(stack: contextlib.ExitStack, broker: str | None, data_dir: Path | None) -> tuple[Settings, bool]:
    settings = with_broker(broker, data_dir)
    running = (settings.data_dir / LEDGER).is_file() and answers(*host_port(settings))
    if running:
        return settings, True
    if data_dir is None:
        folder = Path(tempfile.mkdtemp(prefix="sagittal-replay-"))
        stack.callback(shutil.rmtree, folder, ignore_errors=True)
        os.environ.setdefault("SAGITTAL_BROKER__PORT", str(free_port()))
        settings = with_broker(broker, folder)
    return settings, False


def _replay(
    settings: Settings, streams: Sequence[Recorded], speed: float, console: Console, *, attached: bool, page: bool
) -> Table:
    from sensor_bridge.feeds import Feed, recorded

    begun = time.monotonic()
    system = System(settings, console.print)
    glance = Glance(settings.store_path)
    feeds: list[Source] = [
        Feed(one.wearer, one.site, one.device, "recording", recorded(one.blocks()), speed=speed) for one in streams
    ]
    with contextlib.ExitStack() as stack:
        stopping = stack.enter_context(Stopping())
        stack.callback(glance.close)
        bridging = settings
        if attached:
            own = Path(tempfile.mkdtemp(prefix="sagittal-replay-"))
            stack.callback(shutil.rmtree, own, ignore_errors=True)
            name = f"replay-{secrets.token_hex(3)}"
            bridging = settings.model_copy(update={"data_dir": own, "bridge_name": name})
        else:
            system.check(page=page)
            stack.callback(system.stop)
            system.start(bridge=False, page=page)
        totals = serve(bridging, feeds, system.supervisor.tick, DRAIN_S, stopping)
        system.supervisor.stop("worker")
        console.print(
            f"{totals.samples} samples in {since(begun)}"
            + (f"; {totals.waiting_blocks} blocks could not be delivered" if totals.waiting_blocks else "")
        )
        return _table(glance, streams)


def _table(glance: Glance, streams: Sequence[Recorded]) -> Table:
    table = Table(title="walking bouts")
    for name in ("wearer", "start s", "end s", "strides", "cadence /min", "speed m/s", "stride m", "steady"):
        table.add_column(name, justify="left" if name in ("wearer", "steady") else "right")
    ranges: dict[str, list[Recorded]] = {}
    for one in streams:
        ranges.setdefault(one.wearer, []).append(one)
    for wearer, recorded_there in ranges.items():
        start_ns, end_ns = min(one.start_ns for one in recorded_there), max(one.end_ns for one in recorded_there)
        found = {walk.start_ns: walk for walk in [*_stored(glance, wearer), *_still_open(glance, wearer)]}
        for walk in (found[key] for key in sorted(found) if start_ns <= key <= end_ns):
            table.add_row(wearer, *_cells(walk, start_ns))
    return table


def _stored(glance: Glance, wearer: str) -> list[Walk]:
    return [walk for whose, walk in glance.walks() if whose == wearer]


def _still_open(glance: Glance, wearer: str) -> list[Walk]:
    """What the end of the recording leaves open, closed."""
    from analytics.pipeline import finish, load_state

    saved = glance.open().state(wearer)
    return [] if saved is None else [one for one in finish(load_state(saved))[1] if isinstance(one, Walk)]


def _cells(walk: Walk, start_ns: int) -> list[str]:
    def number(value: float | None, form: str) -> str:
        return "–" if value is None else format(value, form)

    return [
        f"{seconds(walk.start_ns - start_ns):.1f}",
        f"{seconds(walk.end_ns - start_ns):.1f}",
        str(walk.n_strides),
        number(walk.cadence_spm, ".1f"),
        number(walk.walking_speed_mps, ".2f"),
        number(walk.stride_length_m, ".2f"),
        "yes" if walk.steady else "no",
    ]


def read_any(file: Path, site: Site) -> Iterator[Block | Torn]:
    """The blocks of a recording, whatever its format."""
    if file.suffix == ".csv":
        from analytics.analysis import blocks_of, read_recording

        return blocks_of(read_recording(file, site), site, wearer="replay")
    return read_blocks(file)


def _scan(named: str, wearer: str | None, console: Console) -> list[Recorded]:
    """Read a file once from end to end, so that a flaw shows before anything is sent."""
    if wearer is not None:
        check_name("wearer", wearer)
    prefix, _, rest = named.partition("=")
    site, file = (Site(prefix), Path(rest)) if rest and prefix in set(Site) else (Site.LOWER_BACK, Path(named))
    found: dict[tuple[str, Site], Recorded] = {}
    for block in read_any(file, site):
        if isinstance(block, Torn):
            console.print(f"{file} ends in the middle of a block: its last {block.length} bytes are left out")
            continue
        place = (block.wearer, block.site)
        first = found.get(place)
        found[place] = Recorded(
            file,
            wearer or block.wearer,
            block.site,
            block.device,
            first.start_ns if first else block.t0_ns,
            block.end_ns,
            block.n + (first.samples if first else 0),
            recorded_as=block.wearer,
        )
    if not found:
        raise RecordingError(f"{file} holds no samples")
    now_ns = time.time_ns()
    return [_moved(one, now_ns) for one in found.values()]


def _moved(one: Recorded, now_ns: int) -> Recorded:
    """A recording whose times count from its own start begins now."""
    if one.start_ns > 366 * 86_400 * NS_PER_S:
        return one
    shift_ns = now_ns - one.start_ns
    return replace(one, start_ns=now_ns, end_ns=one.end_ns + shift_ns, shift_ns=shift_ns)
