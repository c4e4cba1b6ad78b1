"""`sagittal worker`: blocks in, results out."""

from __future__ import annotations

import logging
from pathlib import Path
from typing import Annotated

import typer

from sagittal.cli._options import BROKER, DATA_DIR, with_broker
from sagittal.collector import collect_seldom
from sagittal.supervisor import Stopping, is_supervised

_PATIENCE_S = 10.0
_SUPERVISED_PATIENCE_S = 60.0


def register(app: typer.Typer) -> None:
    """Add the command."""
    app.command(name="worker")(worker)


def worker(broker: Annotated[str | None, BROKER] = None, data_dir: Annotated[Path | None, DATA_DIR] = None) -> None:
    """Run the analytics worker alone: from the broker's blocks to stored results.

    Example:  sagittal worker --broker mqtt://127.0.0.1:1883
    """
    settings = with_broker(broker, data_dir)
    logging.basicConfig(level=logging.WARNING, format="worker: %(message)s")
    from analytics.worker import Worker

    working = Worker(settings)
    collect_seldom()
    with Stopping(working.stop):
        working.run(_SUPERVISED_PATIENCE_S if is_supervised() else _PATIENCE_S)
