"""Options that several commands share."""

from __future__ import annotations

import os
from pathlib import Path

import typer

from sagittal.settings import Settings, load_settings

BROKER = typer.Option(help="mqtt://host:port or mqtts://host:port instead of the broker in the settings.")
DATA_DIR = typer.Option(help="Folder for store, spool and recordings instead of the one in the settings.")


def with_broker(url: str | None, data_dir: Path | None = None) -> Settings:
    """The effective settings with a broker or a data folder named on the command line; children inherit both."""
    if url is not None:
        os.environ["SAGITTAL_BROKER__URL"] = url
    if data_dir is not None:
        os.environ["SAGITTAL_DATA_DIR"] = str(data_dir.resolve())
    return load_settings()
