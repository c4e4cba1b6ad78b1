"""`sagittal access`: who may see whom, pairing a phone, and who looked."""

from __future__ import annotations

import sys
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Annotated

import typer

from sagittal.settings import load_settings

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
    book = _book()
    book.add_actor(name, known, wearer, secret)
    _say(f"{name} is known as {known}{f' of {wearer}' if wearer else ''}")


def remove(name: _NAME) -> None:
    """Remove a person or program; what they had open ends at once."""
    _book().remove_actor(name)
    _say(f"{name} is removed")


def token(name: _NAME, days: Annotated[float, typer.Option(min=0.01, help="How long it lasts.")] = 365) -> None:
    """Print a new token for the API; it is shown only now.

    Example:  sagittal access token homeassistant --days 90
    """
    _say(_book().token(name, days))


def pair(wearer: _WEARER) -> None:
    """Print a code, also as a QR, that opens the page for a wearer's phone, once, within ten minutes."""
    import segno

    from dashboards.page import Role, lan_names

    book = _book()
    book.add_actor(wearer, Role.WEARER, wearer)
    settings = load_settings()
    url = f"https://{lan_names()[0]}:{settings.page.port}/pair#{book.pairing_code(wearer)}"
    segno.make(url, error="m").terminal(out=sys.stdout, compact=True)
    _say(url)


def consent(wearer: _WEARER, to: Annotated[str, typer.Option(help="The clinician who may look.")]) -> None:
    """Record that a wearer lets a clinician look.

    Example:  sagittal access consent --wearer w1 --to dr-c
    """
    _book().give_consent(wearer, to, CONSENT_TEXT)
    _say(f"{to} may look at {wearer} until it is withdrawn")


def withdraw(wearer: _WEARER, to: Annotated[str, typer.Option(help="The clinician who may no longer look.")]) -> None:
    """Take a consent back; it works at once."""
    _book().withdraw_consent(wearer, to)
    _say(f"{to} may no longer look at {wearer}")


def audit(wearer: Annotated[str | None, typer.Option(help="Only looks at this wearer.")] = None) -> None:
    """Print who looked at what, oldest first."""
    for row in _book().audit(wearer):
        when = datetime.fromtimestamp(row.t, UTC).isoformat(timespec="seconds")
        _say(f"{when}  {row.actor}  {row.action}  {row.wearer or '-'}  {row.outcome}")


def _book() -> Access:
    from dashboards.page import Access

    return Access(load_settings().data_dir / "access.sqlite")


def _say(text: str) -> None:
    sys.stdout.write(f"{text}\n")
