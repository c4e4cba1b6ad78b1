"""`sagittal report`: two pages for a visit."""

from __future__ import annotations

import sys
import time
from datetime import date, datetime
from pathlib import Path
from typing import Annotated

import typer

from sagittal.cli._options import DATA_DIR, with_broker
from sagittal.errors import SagittalError, SettingsError
from sagittal.exports import note_export


def register(app: typer.Typer) -> None:
    """Add the command."""
    app.command(name="report")(report)


def report(
    wearer: Annotated[str, typer.Option(help="Whose report.")],
    first: Annotated[str, typer.Option("--from", help="First day, such as 2026-11-01.")],
    last: Annotated[str | None, typer.Option("--to", help="Last day, included; today where left out.")] = None,
    out: Annotated[Path, typer.Option(help="Where to write; .html and .pdf are put at its end.")] = Path("report"),
    pdf: Annotated[bool, typer.Option("--pdf/--no-pdf", help="Also write a PDF.")] = True,
    data_dir: Annotated[Path | None, DATA_DIR] = None,
) -> None:
    """Write a report of some days as HTML and PDF.

    Example:  sagittal report --wearer w1 --from 2026-11-01 --to 2026-11-24 --out visit
    """
    from analytics.store import open_reader
    from dashboards.report import build_report, write_pdf

    settings = with_broker(None, data_dir)
    profile = settings.wearer(wearer)
    to = datetime.now(profile.zone).date() if last is None else day(last)
    reader = open_reader(settings.store_path)
    try:
        html = build_report(reader, profile, day(first), to, time.time_ns())
    finally:
        reader.close()
    target = out.with_suffix(".html")
    try:
        target.write_text(html, encoding="utf-8")
    except OSError as error:
        raise SagittalError(f"{target} can't be written ({error.strerror}): choose another --out") from None
    note_export(settings.data_dir, wearer, target)
    sys.stdout.write(f"{target}\n")
    if pdf:
        made_by = write_pdf(html, out.with_suffix(".pdf").resolve())
        note_export(settings.data_dir, wearer, out.with_suffix(".pdf"))
        sys.stdout.write(f"{out.with_suffix('.pdf')} (by {made_by})\n")


def day(text: str) -> date:
    """A date such as 2026-11-24.

    Raises
    ------
    SettingsError
        Where it is none.
    """
    try:
        return date.fromisoformat(text)
    except ValueError:
        raise SettingsError(f"{text!r} is no date: write it as 2026-11-24") from None
