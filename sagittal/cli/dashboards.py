"""`sagittal dashboards`: Grafana's dashboards as files, and into a running Grafana."""

from __future__ import annotations

import os
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from sagittal.cli._options import with_broker
from sagittal.errors import SettingsError

if TYPE_CHECKING:
    from collections.abc import Iterator

    from dashboards.grafana._push import Step
    from dashboards.grafana._remote import Remote

URL = typer.Option(help="Where Grafana answers, such as http://127.0.0.1:3000.")
TOKEN = typer.Option(help="File with a service account's token.")
USER = typer.Option(help="An administrator's name, instead of a token.")
PASSWORD = typer.Option(help="File with that administrator's password.")
INFLUX_URL = typer.Option(help="Where Grafana finds InfluxDB; influx.url where left out.")
INFLUX_TOKEN = typer.Option(help="File with the token that may only read: grafana.token of `sagittal sink init`.")


def register(app: typer.Typer) -> None:
    """Add the commands."""
    commands = typer.Typer(no_args_is_help=True, help="Grafana's dashboards, data sources and alerts.")
    for command in (build, push, diff, pull):
        commands.command()(command)
    app.add_typer(commands, name="dashboards")


def build() -> None:
    """Make the JSON and YAML that Grafana reads from the code beside it; for those who change a dashboard.

    Example:  sagittal dashboards build
    """
    from dashboards.grafana._build import write

    changed = write()
    sys.stdout.write("".join(f"{path}\n" for path in changed) or "nothing has changed\n")


def push(
    url: Annotated[str, URL],
    influx_token_file: Annotated[Path, INFLUX_TOKEN],
    token_file: Annotated[Path | None, TOKEN] = None,
    user: Annotated[str | None, USER] = None,
    password_file: Annotated[Path | None, PASSWORD] = None,
    influx_url: Annotated[str | None, INFLUX_URL] = None,
    save_token: Annotated[Path | None, typer.Option(help="Make a service account, and write its token here.")] = None,
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Only say what would be done.")] = False,
    overwrite: Annotated[bool, typer.Option("--overwrite", help="Also replace what people changed.")] = False,
) -> None:
    """Bring folder, data sources, dashboards and alerts into a running Grafana; may be repeated.

    Example:  sagittal dashboards push --url http://127.0.0.1:3000 --token-file g --influx-token-file grafana.token
    """
    from dashboards.grafana._push import push as bring

    with _remote(url, token_file, user, password_file) as remote:
        if save_token is not None and not dry_run:
            _save(remote.service_token(), save_token)
            sys.stdout.write(f"service account: token in {save_token}\n")
        for step, done in bring(_steps(remote, influx_url, influx_token_file), dry=dry_run, overwrite=overwrite):
            sys.stdout.write(f"{step.kind} {step.name}: {done}\n")
            sys.stdout.flush()


def diff(
    url: Annotated[str, URL],
    influx_token_file: Annotated[Path, INFLUX_TOKEN],
    token_file: Annotated[Path | None, TOKEN] = None,
    user: Annotated[str | None, USER] = None,
    password_file: Annotated[Path | None, PASSWORD] = None,
    influx_url: Annotated[str | None, INFLUX_URL] = None,
) -> None:
    """Say how a running Grafana differs from what is shipped; exit status 1 where it does.

    Example:  sagittal dashboards diff --url http://127.0.0.1:3000 --token-file g --influx-token-file grafana.token
    """
    differs = False
    with _remote(url, token_file, user, password_file) as remote:
        for step in _steps(remote, influx_url, influx_token_file):
            differs = differs or step.state != "same"
            sys.stdout.write(f"{step.kind} {step.name}: {step.state}\n")
            sys.stdout.write("".join(f"    {line}\n" for line in step.diff()) if step.state == "differs" else "")
    if differs:
        raise typer.Exit(1)


def pull(
    url: Annotated[str, URL],
    out: Annotated[Path, typer.Option(help="Folder for the JSON.")],
    token_file: Annotated[Path | None, TOKEN] = None,
    user: Annotated[str | None, USER] = None,
    password_file: Annotated[Path | None, PASSWORD] = None,
) -> None:
    """Write dashboards and alerts as they are in a running Grafana, with what people changed there.

    Example:  sagittal dashboards pull --url http://127.0.0.1:3000 --token-file g.token --out pulled
    """
    from dashboards.grafana._push import pull as fetch

    with _remote(url, token_file, user, password_file) as remote:
        for path in fetch(remote, out):
            sys.stdout.write(f"{path}\n")


def _remote(url: str, token_file: Path | None, user: str | None, password_file: Path | None) -> Remote:
    from dashboards.grafana._remote import Remote

    if token_file is not None:
        return Remote(url, _secret(token_file))
    if user is None or password_file is None:
        raise SettingsError("Grafana wants to know who asks: name --token-file, or --user and --password-file")
    return Remote(url, (user, _secret(password_file)))


def _steps(remote: Remote, influx_url: str | None, influx_token_file: Path) -> Iterator[Step]:
    from dashboards.grafana._names import DAYS, DETAIL, MINUTES
    from dashboards.grafana._push import plan

    influx = with_broker(None).influx
    where = influx_url or influx.url
    if not where:
        raise SettingsError("where Grafana finds InfluxDB is not known: name --influx-url, or set influx.url")
    buckets = {DETAIL: influx.bucket_detail, MINUTES: influx.bucket_minutes, DAYS: influx.bucket_days}
    return plan(remote, where, _secret(influx_token_file), buckets)


def _secret(path: Path) -> str:
    try:
        return path.read_text(encoding="utf-8").strip()
    except OSError as error:
        raise SettingsError(f"{path} can't be read ({error.strerror}): check path and rights") from None


def _save(token: str, path: Path) -> None:
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        with os.fdopen(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600), "w", encoding="utf-8") as file:
            file.write(token + "\n")
    except OSError as error:
        raise SettingsError(f"{path} can't be written ({error.strerror}): name another --save-token") from None
