"""The command line: one module a command, each opening the room it needs only when it runs."""

from __future__ import annotations

import os
import sys

import typer

from sagittal import __version__
from sagittal.cli._commands import register_all
from sagittal.errors import SagittalError
from sagittal.supervisor import ONE_THREAD, die_with_parent

EXIT_REFUSED = 2


def build() -> typer.Typer:
    """The command line with every command registered."""
    app = typer.Typer(
        name="sagittal",
        help="Posture and gait from a motion sensor on the lower back. For information, not diagnosis.",
        no_args_is_help=True,
        rich_markup_mode="rich",
        pretty_exceptions_enable=False,
    )
    app.callback()(_root)
    register_all(app)
    return app


def _root(
    version: bool = typer.Option(False, "--version", help="Print the version and stop.", is_eager=True),
) -> None:
    if version:
        sys.stdout.write(f"sagittal {__version__}\n")
        raise typer.Exit


def main() -> None:
    """Run the command line; an error of ours is one line on stderr and exit status 2."""
    die_with_parent()
    os.environ.update({**ONE_THREAD, **os.environ})  # before numpy comes
    try:
        build()()
    except SagittalError as error:
        sys.stderr.write(f"sagittal: {error}\n")
        raise SystemExit(EXIT_REFUSED) from None
