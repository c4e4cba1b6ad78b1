"""`sagittal access`: who may see whom, pairing a phone, and who looked."""

from __future__ import annotations

import sys
from contextlib import closing
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from sagittal.cli._options import DATA_DIR, with_broker
from sagittal.cli._pairing import pairing

if TYPE_CHECKING:
    from dashboards.page import Access

CONSENT_TEXT = "consent-1"
_NAME = Annotated[str, typer.Argument(help="Name of the person or program, a pseudonym.")]
_WEARER = Annotated[str, typer.Option(help="The wearer's pseudonym.")]


def register(app: typer.Typer) -> None:
    """Add the commands."""
    group = typer.Typer(name="access", help="Who may see whom, pairing a phone, and who looked.", no_args_is_help=True)
    for command in (add, remove, token, pair, consent, withdraw, audit):
        group.command()(command)
    app.add_typer(group)


def add(
    name: _NAME,
    role: Annotated[str, typer.Option(help="wearer, clinician or program.")] = "wearer",
    wearer: Annotated[str | None, typer.Option(help="Whose data; none for a clinician.")] = None,
    password: Annotated[bool, typer.Option("--password", help="Ask for a password to log in with.")] = False,
    data_dir: Annotated[Path | None, DATA_DIR] = None,
) -> None:
    """Add a person or program, or change one.

    Example:  sagittal access add anna --wearer w1 --password
    """
    from dashboards.page import Role

    try:
        known = Role(role)
    except ValueError:
        raise typer.BadParameter(f"{role} is no role: use wearer, clinician or program") from None
    secret = typer.prompt("Password", hide_input=True, confirmation_prompt=True) if password else None
    with _book(data_dir) as book:
        book.add_actor(name, known, wearer, secret)
    _say(f"{name} is known as {known}{f' of {wearer}' if wearer else ''}")


def remove(name: _NAME, data_dir: Annotated[Path | None, DATA_DIR] = None) -> None:
    """Remove a person or program; what they had open ends at once."""
    with _book(data_dir) as book:
        book.remove_actor(name)
    _say(f"{name} is removed")


def token(
    name: _NAME,
    days: Annotated[float, typer.Option(min=0.01, help="How long it lasts.")] = 365,
    data_dir: Annotated[Path | None, DATA_DIR] = None,
) -> None:
    """Print a new token for the API; it is shown only now.

    Example:  sagittal access token homeassistant --days 90
    """
    with _book(data_dir) as book:
        _say(book.token(name, days))


def pair(wearer: _WEARER, data_dir: Annotated[Path | None, DATA_DIR] = None) -> None:
    """Print a code, also as a QR, that opens the page for a wearer's phone, once, within ten minutes."""
    url, drawn = pairing(with_broker(None, data_dir), wearer)
    sys.stdout.write(drawn)
    _say(url)


def consent(
    wearer: _WEARER,
    to: Annotated[str, typer.Option(help="The clinician who may look.")],
    data_dir: Annotated[Path | None, DATA_DIR] = None,
) -> None:
    """Record that a wearer lets a clinician look.

    Example:  sagittal access consent --wearer w1 --to dr-c
    """
    with _book(data_dir) as book:
        book.give_consent(wearer, to, CONSENT_TEXT)
    _say(f"{to} may look at {wearer} until it is withdrawn")


def withdraw(
    wearer: _WEARER,
    to: Annotated[str, typer.Option(help="The clinician who may no longer look.")],
    data_dir: Annotated[Path | None, DATA_DIR] = None,
) -> None:
    """Take a consent back; it works at once."""
    with _book(data_dir) as book:
        book.withdraw_consent(wearer, to)
    _say(f"{to} may no longer look at {wearer}")


def audit(
    wearer: Annotated[str | None, typer.Option(help="Only looks at this wearer.")] = None,
    data_dir: Annotated[Path | None, DATA_DIR] = None,
) -> None:
    """Print who looked at what, oldest first."""
    with _book(data_dir) as book:
        rows = book.audit(wearer)
    for row in rows:
        when = datetime.fromtimestamp(row.t, UTC).isoformat(timespec="seconds")
        _say(f"{when}  {row.actor}  {row.action}  {row.wearer or '-'}  {row.outcome}")


def _book(data_dir: Path | None) -> closing[Access]:
    from dashboards.page import Access

    return closing(Access(with_broker(None, data_dir).data_dir / "access.sqlite"))


def _say(text: str) -> None:
    sys.stdout.write(f"{text}\n")
