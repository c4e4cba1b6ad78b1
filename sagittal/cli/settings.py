"""`sagittal settings`: what is in force, secrets masked."""

from __future__ import annotations

import json

import typer
from rich import print_json
from rich.console import Console

from sagittal.settings import load_settings, settings_file


def register(app: typer.Typer) -> None:
    """Add the command."""
    app.command(name="settings")(show)


def show() -> None:
    """Print the effective settings and where they come from.

    Example:  SAGITTAL_PAGE__PORT=9000 sagittal settings
    """
    path = settings_file()
    settings = load_settings()
    Console(stderr=True).print(f"from {path}{'' if path.is_file() else ' (no such file: defaults)'} and SAGITTAL_*")
    print_json(json.dumps(settings.model_dump(mode="json")))
