"""`sagittal score`: what the analytics say of simulated wearers, against what is true."""

from __future__ import annotations

import dataclasses
import json
from collections.abc import Iterator
from pathlib import Path
from typing import Annotated

import typer
from rich.console import Console
from rich.table import Table

from sagittal.blocks import Block
from sagittal.cli._options import DATA_DIR, with_broker
from sagittal.cli._score import Score, score
from sagittal.codec import Torn, read_blocks
from sagittal.errors import RecordingError
from sagittal.names import PRIMARY_SITES
from sagittal.results import Result, result_key
from sagittal.settings import Settings
from sagittal.truth import Truth, read_truth

_KINDS = ("posture", "walk")


def register(app: typer.Typer) -> None:
    """Add the command."""
    app.command(name="score")(score_)


def score_(
    truth: Annotated[Path, typer.Argument(help="What `simulate --truth` wrote.")],
    recording: Annotated[Path | None, typer.Option(help="Analyse this .cborseq instead of reading the store.")] = None,
    json_file: Annotated[Path | None, typer.Option("--json", help="Write the figures there, too.")] = None,
    data_dir: Annotated[Path | None, DATA_DIR] = None,
) -> None:
    """Compare results with the truth of simulated wearers: those in the store, or those of a recording.

    Example:  sagittal score month.jsonl --recording month.cborseq
    """
    settings = with_broker(None, data_dir)
    known: dict[str, list[Truth]] = {}
    for message in read_truth(truth):
        known.setdefault(message.wearer, []).append(message)
    found = _analysed(recording, settings) if recording else _stored(settings, known)
    scores = {name: score(messages, found.get(name, [])) for name, messages in known.items()}
    if json_file is not None:
        text = json.dumps({name: dataclasses.asdict(one) for name, one in scores.items()}, indent=1) + "\n"
        json_file.write_text(text, encoding="utf-8")
    _show(scores)


def _stored(settings: Settings, known: dict[str, list[Truth]]) -> dict[str, list[Result]]:
    from analytics.store import open_reader

    reader = open_reader(settings.store_path)
    try:
        return {
            name: [one for kind in _KINDS for one in reader.results(name, kind, messages[0].t_ns, messages[-1].end_ns)]
            for name, messages in known.items()
        }
    finally:
        reader.close()


def _analysed(recording: Path, settings: Settings) -> dict[str, list[Result]]:
    """Each wearer's primary site through the pipeline."""
    from analytics.pipeline import State, finish, initial_state, step

    states: dict[str, State] = {}
    found: dict[str, dict[tuple[str, int, str], Result]] = {}
    for block in _primary(recording):
        state = states.get(block.wearer) or initial_state(settings.wearer(block.wearer))
        states[block.wearer], results = step(state, block)
        found.setdefault(block.wearer, {}).update((result_key(one), one) for one in results if one.kind in _KINDS)
    for name, state in states.items():
        found[name].update((result_key(one), one) for one in finish(state)[1])
    if not found:
        raise RecordingError(f"{recording} holds no sensor at one of {', '.join(PRIMARY_SITES)}")
    return {name: list(last.values()) for name, last in found.items()}


def _primary(recording: Path) -> Iterator[Block]:
    for block in read_blocks(recording):
        if not isinstance(block, Torn) and block.site in PRIMARY_SITES:
            yield block


def _show(scores: dict[str, Score]) -> None:
    console = Console()
    table = Table("figure", *scores, title="against the truth")
    for field in dataclasses.fields(Score):
        if field.name != "confused":
            table.add_row(field.name.replace("_", " "), *(_cell(getattr(one, field.name)) for one in scores.values()))
    console.print(table)
    for name, one in scores.items():
        if one.confused:
            console.print(f"{name}: " + ", ".join(f"{what} {count} s" for what, count in one.confused.items()))


def _cell(value: float | None) -> str:
    return "–" if value is None else str(value) if isinstance(value, int) else f"{value:.3f}"
