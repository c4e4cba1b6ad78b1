"""The commands, one line each: to add one, copy `settings.py` and add its module here."""

from __future__ import annotations

import typer

from sagittal.cli import (
    access,
    analyze,
    bridge,
    dashboards,
    doctor,
    erase,
    export,
    health,
    home,
    import_,
    page,
    pair,
    record,
    replay,
    report,
    run,
    scan,
    score,
    settings,
    share,
    simulate,
    sink,
    worker,
)

_MODULES = (
    run,
    scan,
    pair,
    bridge,
    worker,
    page,
    access,
    report,
    share,
    home,
    import_,
    replay,
    record,
    simulate,
    score,
    analyze,
    export,
    erase,
    sink,
    dashboards,
    doctor,
    health,
    settings,
)


def register_all(app: typer.Typer) -> None:
    """Hand the application to every command module."""
    for module in _MODULES:
        module.register(app)
