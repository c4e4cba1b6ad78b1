"""`sagittal export`: what is stored, as CSV or JSON."""

from __future__ import annotations

import csv
import io
import json
import sys
from collections.abc import Iterator, Sequence
from datetime import UTC, date, datetime, time
from enum import StrEnum
from pathlib import Path
from typing import Annotated, Any, TextIO

import typer

from sagittal.cli._options import DATA_DIR, with_broker
from sagittal.errors import SettingsError, StoreError
from sagittal.exports import note_export
from sagittal.protocols import Reader
from sagittal.schema import to_json
from sagittal.units import NS_PER_S

_ALWAYS_NS = 2**62


class Kind(StrEnum):
    """What can be exported: all that is stored."""

    POSTURE = "posture"
    WALK = "walk"
    EVENT = "event"
    GAP = "gap"
    MINUTE = "minute"
    DAY = "day"


class Format(StrEnum):
    """How results are written."""

    CSV = "csv"
    JSON = "json"


def register(app: typer.Typer) -> None:
    """Add the command."""
    app.command(name="export")(export)


def export(
    kind: Annotated[Kind, typer.Option(help="What to export.")] = Kind.POSTURE,
    wearer: Annotated[str | None, typer.Option(help="Whose; may be left out where there is only one.")] = None,
    start: Annotated[str | None, typer.Option(help="From this date or time on (ISO 8601, wearer's zone).")] = None,
    end: Annotated[str | None, typer.Option(help="Up to this date or time, itself not included.")] = None,
    form: Annotated[Format, typer.Option("--format", help="csv or json.")] = Format.CSV,
    out: Annotated[Path | None, typer.Option(help="A file instead of the screen.")] = None,
    data_dir: Annotated[Path | None, DATA_DIR] = None,
) -> None:
    """Write stored results as CSV or JSON, times in UTC.

    Example:  sagittal export --kind walk --start 2026-03-01 --format json --out walks.json
    """
    settings = with_broker(None, data_dir)
    from analytics.store import open_reader

    reader = open_reader(settings.store_path)
    try:
        whose = _whose(reader, wearer)
        zone = settings.wearer(whose).zone
        results = reader.results(whose, kind.value, _ns(start, zone, 0), _ns(end, zone, _ALWAYS_NS))
        rows = (json.loads(to_json(result)) for result in results)
        if out is None:
            _write(sys.stdout, rows, form)
        else:
            _write_file(out, rows, form)
            note_export(settings.data_dir, whose, out)
    finally:
        reader.close()


def _whose(reader: Reader, wearer: str | None) -> str:
    known = reader.wearers()
    if wearer is None and len(known) == 1:
        return known[0]
    if wearer in known and wearer is not None:
        return wearer
    names = ", ".join(known) or "nobody"
    raise StoreError(f"wearer {wearer or '(none named)'} is not in the store: name one with --wearer ({names})")


def _ns(text: str | None, zone: Any, default_ns: int) -> int:
    if text is None:
        return default_ns
    try:
        day = len(text) == len("2026-03-01")
        moment = datetime.combine(date.fromisoformat(text), time(), zone) if day else datetime.fromisoformat(text)
    except ValueError:
        raise SettingsError(f"{text!r} is no date or time: write 2026-03-01 or 2026-03-01T08:30") from None
    return round((moment if moment.tzinfo else moment.replace(tzinfo=zone)).timestamp() * NS_PER_S)


def _write_file(path: Path, rows: Iterator[dict[str, Any]], form: Format) -> None:
    scratch = path.with_name(f".{path.name}.part")
    try:
        with scratch.open("w", encoding="utf-8", newline="") as stream:
            _write(stream, rows, form)
        scratch.replace(path)
    except OSError as error:
        scratch.unlink(missing_ok=True)
        raise StoreError(f"{path} can't be written ({error.strerror}): choose another --out") from None


def _write(stream: TextIO, rows: Iterator[dict[str, Any]], form: Format) -> None:
    if form is Format.CSV:
        _write_csv(stream, list(rows))
        return
    stream.write("[")
    stream.writelines(
        (",\n " if index else "\n ") + json.dumps(row, ensure_ascii=False) for index, row in enumerate(rows)
    )
    stream.write("\n]\n")


def _write_csv(stream: TextIO, rows: Sequence[dict[str, Any]]) -> None:
    flat = [{"time_utc": _utc(row), **_flatten(row)} for row in rows]
    columns = list(dict.fromkeys(name for row in flat for name in row)) or ["time_utc"]
    buffer = io.StringIO(newline="")
    writer = csv.DictWriter(buffer, columns, restval="", lineterminator="\r\n")
    writer.writeheader()
    writer.writerows(flat)
    stream.write(buffer.getvalue())


def _utc(row: dict[str, Any]) -> str:
    t_ns = int(row.get("t_ns", row.get("start_ns", 0)))
    return datetime.fromtimestamp(t_ns / NS_PER_S, UTC).isoformat(timespec="milliseconds")


def _flatten(row: dict[str, Any], prefix: str = "") -> dict[str, Any]:
    """Nested maps as dotted columns; lists as JSON in one cell."""
    flat: dict[str, Any] = {}
    for name, value in row.items():
        if isinstance(value, dict):
            flat |= _flatten(value, f"{prefix}{name}.")
        else:
            flat[prefix + name] = json.dumps(value, ensure_ascii=False) if isinstance(value, list) else value
    return flat
