"""`sagittal share`: results in the forms of other programs."""

from __future__ import annotations

import json
import sys
import time
from collections.abc import Iterable, Sequence
from datetime import datetime, timedelta
from enum import StrEnum
from pathlib import Path
from typing import Annotated, Any, TypeVar

import typer

from sagittal.blocks import Block
from sagittal.cli._options import DATA_DIR, with_broker
from sagittal.cli.report import day
from sagittal.codec import read_blocks
from sagittal.errors import SagittalError
from sagittal.exports import note_export
from sagittal.protocols import Reader
from sagittal.results import RESULT_TYPES, Day, Event, Walk
from sagittal.units import NS_PER_S

T = TypeVar("T")


class Form(StrEnum):
    """What other programs read."""

    FHIR = "fhir"
    IEEE1752 = "ieee1752"
    PARQUET = "parquet"
    BIDS = "bids"


def register(app: typer.Typer) -> None:
    """Add the command."""
    app.command(name="share")(share)


def share(
    form: Annotated[Form, typer.Option("--as", help="fhir, ieee1752, parquet or bids.")],
    wearer: Annotated[str, typer.Option(help="Whose results.")],
    first: Annotated[str, typer.Option("--from", help="First day, such as 2026-11-01.")],
    out: Annotated[Path, typer.Option(help="A file; a new folder for parquet and bids.")],
    last: Annotated[str | None, typer.Option("--to", help="Last day, included; today where left out.")] = None,
    recording: Annotated[Path | None, typer.Option(help="For bids: the .cborseq recording.")] = None,
    data_dir: Annotated[Path | None, DATA_DIR] = None,
) -> None:
    """Write a wearer's days as FHIR R4 JSON, IEEE 1752.1 data points, Parquet, or a recording as BIDS-motion.

    Example:  sagittal share --as fhir --wearer w1 --from 2026-11-01 --out w1.json
    """
    from analytics.store import open_reader

    settings = with_broker(None, data_dir)
    zone = settings.wearer(wearer).zone
    until = (datetime.now(zone).date() if last is None else day(last)) + timedelta(days=1)
    span = tuple(
        round(datetime(d.year, d.month, d.day, tzinfo=zone).timestamp()) * NS_PER_S for d in (day(first), until)
    )
    reader = open_reader(settings.store_path)
    try:
        if wearer not in reader.wearers():
            raise SagittalError(
                f"nothing is stored of {wearer!r}: the store knows {', '.join(reader.wearers()) or 'nobody'}"
            )
        _write(form, reader, settings.wearer(wearer), span, out, recording)
        note_export(settings.data_dir, wearer, out)
    except OSError as error:
        raise SagittalError(f"{out} can't be written ({error.strerror}): choose another --out") from None
    finally:
        reader.close()
    sys.stdout.write(f"{out}\n")


def _write(form: Form, reader: Reader, profile: Any, span: Sequence[int], out: Path, recording: Path | None) -> None:
    from dashboards import doors

    def rows(of: type[T]) -> list[T]:
        kind = next(name for name, known in RESULT_TYPES.items() if known is of)
        return [row for row in reader.results(profile.id, kind, *span) if isinstance(row, of)]

    now_ns = time.time_ns()
    match form:
        case Form.FHIR:
            bundle = doors.fhir_bundle(profile, rows(Day), rows(Event), now_ns)
            problems = doors.lint_bundle(bundle)
            if problems:
                raise SagittalError(f"the bundle would break FHIR's rules ({problems[0]}): please report this")
            out.write_text(json.dumps(bundle, indent=1), encoding="utf-8")
        case Form.IEEE1752:
            points = list(doors.data_points(profile, rows(Walk), rows(Day), rows(Event), now_ns))
            problems = doors.lint_points(points)
            if problems:
                raise SagittalError(f"the data points would break the standard ({problems[0]}): please report this")
            out.write_text(json.dumps(points, indent=1), encoding="utf-8")
        case Form.PARQUET:
            out.mkdir(parents=True, exist_ok=True)
            for kind in RESULT_TYPES:
                found = list(reader.results(profile.id, kind, *span)) if kind != "angles" else []
                if found:
                    doors.write_parquet(found, out / f"{kind}.parquet")
        case Form.BIDS:
            if recording is None:
                raise SagittalError("bids needs a raw recording: name it with --recording FILE.cborseq")
            doors.write_bids(_blocks(recording), rows(Walk), out)


def _blocks(path: Path) -> Iterable[Block]:
    return (block for block in read_blocks(path) if isinstance(block, Block))
