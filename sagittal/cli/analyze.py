"""`sagittal analyze`: a recording in, a table and JSON out."""

from __future__ import annotations

import json
import sys
from pathlib import Path
from typing import Annotated, Any

import typer
from rich.console import Console
from rich.table import Table

from sagittal.collector import collect_seldom
from sagittal.errors import RecordingError
from sagittal.names import check_site


def register(app: typer.Typer) -> None:
    """Add the command."""
    app.command(name="analyze")(analyze)


def analyze(
    sensor: Annotated[list[str], typer.Option(help="SITE=FILE, .csv or .cborseq; once for every sensor.")],
    height_m: Annotated[float | None, typer.Option(help="Body height.")] = None,
    sensor_height_m: Annotated[float | None, typer.Option(help="Height of the primary sensor above the floor.")] = None,
    json_file: Annotated[Path | None, typer.Option("--json", help="Write everything there; - for the screen.")] = None,
    orientation: Annotated[bool, typer.Option("--orientation", help="One quaternion a sample, too.")] = False,
) -> None:
    """Analyse a recording. A CSV begins with time_s,acc_x,acc_y,acc_z,gyr_x,gyr_y,gyr_z: seconds, m/s², rad/s.

    Example:  sagittal analyze --sensor lower_back=walk.csv --height-m 1.75 --json walk.json
    """
    from analytics.analysis import analyze as analyse
    from analytics.analysis import read_recording

    recordings = {}
    for one in sensor:
        name, equals, file = one.partition("=")
        if not equals:
            raise RecordingError(f"--sensor {one!r} must be SITE=FILE, such as lower_back=walk.csv")
        site = check_site(name)
        if site in recordings:
            raise RecordingError(f"--sensor names {site} twice: once for every site")
        recordings[str(site)] = read_recording(Path(file), site)
    collect_seldom()
    found = analyse(recordings, height_m, sensor_height_m, orientation).to_dict()
    if json_file is not None:
        _write(json_file, found)
    if json_file != Path("-"):
        _show(found)


def _write(path: Path, found: dict[str, Any]) -> None:
    text = json.dumps(found, allow_nan=False, ensure_ascii=False, indent=1) + "\n"
    if path == Path("-"):
        sys.stdout.write(text)
        return
    scratch = path.with_name(f".{path.name}.part")
    try:
        scratch.write_text(text, encoding="utf-8")
        scratch.replace(path)
    except OSError as error:
        raise RecordingError(f"{path} can't be written ({error.strerror}): choose another --json") from None


def _show(found: dict[str, Any]) -> None:
    console = Console()
    postures: dict[str, float] = {}
    for span in found["posture"]:
        postures[span["posture"]] = postures.get(span["posture"], 0.0) + span["end_s"] - span["start_s"]
    console.print("posture: " + (", ".join(f"{label} {s:.0f} s" for label, s in postures.items()) or "none"))
    names = ("start s", "end s", "strides", "cadence /min", "speed m/s", "stride m", "steady")
    table = Table(*names, title="walking bouts")
    for bout in found["walking_bouts"]:
        table.add_row(
            f"{bout['start_s']:.1f}",
            f"{bout['end_s']:.1f}",
            str(bout["n_strides"]),
            _number(bout["cadence_spm"], 1),
            _number(bout["walking_speed_mps"], 2),
            _number(bout["stride_length_m"], 2),
            "yes" if bout["steady"] else "no",
        )
    console.print(table)
    table = Table("pattern", "score", "side", "found", title="compensation")
    for one in found["compensations"]:
        verdict = "consistent with it" if one["flagged"] else "no" if one["assessable"] else f"– {one['reason']}"
        table.add_row(one["pattern"].replace("_", " "), _number(one["score"], 2), one["side"] or "", verdict)
    console.print(table)
    score = found["compensation_score"]
    console.print(f"score: {found['compensation_reason'] if score is None else f'{score:.2f} of 1'}")
    console.print(found["notice"])


def _number(value: float | None, digits: int) -> str:
    return "–" if value is None else f"{value:.{digits}f}"
