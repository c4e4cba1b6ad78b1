"""`sagittal sink`: InfluxDB beside the store."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Annotated

import typer

from sagittal.cli._options import DATA_DIR, with_broker
from sagittal.errors import SettingsError, StoreError
from sagittal.protocols import Sink
from sagittal.settings import Settings

WEARER = typer.Option(help="Whose; all where left out.")


def register(app: typer.Typer) -> None:
    """Add the commands."""
    commands = typer.Typer(no_args_is_help=True, help="InfluxDB beside the store: set up, check, fill, export, erase.")
    for command in (init, check, backfill, export, erase):
        commands.command()(command)
    app.add_typer(commands, name="sink")


def init(
    admin_token_file: Annotated[Path, typer.Option(help="File that holds the operator's token.")],
    token_dir: Annotated[Path, typer.Option(help="Folder for worker.token and grafana.token.")],
) -> None:
    """Make organisation, buckets and one token a role; may be repeated.

    Example:  sagittal sink init --admin-token-file admin.token --token-dir tokens
    """
    settings = with_broker(None)
    from analytics.sinks._setup import initialise

    try:
        token = admin_token_file.read_text(encoding="utf-8").strip()
    except OSError as error:
        raise SettingsError(f"{admin_token_file} can't be read ({error.strerror}): check path and rights") from None
    for step in initialise(settings, token, token_dir):
        sys.stdout.write(f"{step.what}: {step.state}\n")


def check(data_dir: Annotated[Path | None, DATA_DIR] = None) -> None:
    """Say what is wrong with the sinks that are set, and what to do; exit status 1 where anything is.

    Example:  sagittal sink check
    """
    settings = with_broker(None, data_dir)
    bad = False
    for sink in _sinks(settings):
        wrong = sink.check()
        sink.close()
        bad = bad or bool(wrong)
        sys.stdout.write("".join(f"{sink.name}: {line}\n" for line in wrong or ["all is well"]))
    if bad:
        raise typer.Exit(1)


def backfill(wearer: Annotated[str | None, WEARER] = None, data_dir: Annotated[Path | None, DATA_DIR] = None) -> None:
    """Write everything that the store holds into the sinks; beside a running worker too, and nothing twice.

    Example:  sagittal sink backfill
    """
    settings = with_broker(None, data_dir)
    if not settings.store_path.is_file():
        raise StoreError(f"there is no store at {settings.store_path}: name its folder with --data-dir")
    from analytics.sinks._backfill import Filled
    from analytics.sinks._backfill import backfill as fill
    from analytics.store import open_reader

    def told(who: str, filled: Filled) -> None:
        sys.stdout.write(f"{who}: {filled.rows} results so far, {filled.refused} lines refused\n")
        sys.stdout.flush()

    reader = open_reader(settings.store_path)
    try:
        for sink in _sinks(settings):
            try:
                fill(reader, sink, None if wearer is None else [wearer], told)
            finally:
                sink.close()
    finally:
        reader.close()


def export(
    wearer: Annotated[str, typer.Option(help="Whose.")],
    out: Annotated[Path, typer.Option(help="Folder for one CSV file a measurement.")],
) -> None:
    """Write what InfluxDB holds of a wearer as CSV.

    Example:  sagittal sink export --wearer anna --out anna
    """
    from analytics.sinks._export import export as export_wearer

    written = export_wearer(with_broker(None), wearer, out)
    for path, rows in written.items():
        sys.stdout.write(f"{path}: {rows} rows\n")
    if not written:
        sys.stdout.write(f"InfluxDB holds nothing of {wearer}\n")


def erase(
    wearer: Annotated[str, typer.Option(help="Whose.")],
    yes: Annotated[bool, typer.Option("--yes", help="Don't ask.")] = False,
    data_dir: Annotated[Path | None, DATA_DIR] = None,
) -> None:
    """Delete a wearer from the sinks only; `sagittal erase` deletes the wearer everywhere.

    Example:  sagittal sink erase --wearer anna --yes
    """
    settings = with_broker(None, data_dir)
    if not yes and not typer.confirm(f"Delete everything of {wearer} in the sinks, for good?"):
        raise typer.Exit(1)
    for sink in _sinks(settings):
        try:
            sink.erase(wearer)
        finally:
            sink.close()
        sys.stdout.write(f"{sink.name}: nothing of {wearer} is left\n")


def _sinks(settings: Settings) -> list[Sink]:
    from analytics.sinks import open_sinks

    sinks = open_sinks(settings)
    if not sinks:
        raise SettingsError("no sink is set: name an InfluxDB with influx.url in the settings or SAGITTAL_INFLUX__URL")
    return sinks
