"""`sagittal dashboards`: Grafana's dashboards as files, and into a running Grafana."""

from __future__ import annotations

import sys

import typer


def register(app: typer.Typer) -> None:
    """Add the commands."""
    commands = typer.Typer(no_args_is_help=True, help="Grafana's dashboards, data sources and alerts.")
    commands.callback()(_root)
    for command in (build,):
        commands.command()(command)
    app.add_typer(commands, name="dashboards")


def _root() -> None:
    pass


def build() -> None:
    """Make the JSON and YAML that Grafana reads from the code beside it; for those who change a dashboard.

    Example:  sagittal dashboards build
    """
    from dashboards.grafana._build import write

    changed = write()
    sys.stdout.write("".join(f"{path}\n" for path in changed) or "nothing has changed\n")
