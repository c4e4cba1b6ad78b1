"""`sagittal pair`: choose a wearable, name it, say who wears it where; the settings file keeps its comments."""

from __future__ import annotations

import os
import re
import sys
from pathlib import Path
from typing import Annotated, Any

import typer
from rich.console import Console

from sagittal.cli._near import Near, look
from sagittal.cli.scan import SECONDS, table
from sagittal.errors import SettingsError
from sagittal.names import Site, check_name, check_site
from sagittal.settings import FILE_VARIABLE, Settings, load_settings, settings_file

RATE_HZ = 100.0


def register(app: typer.Typer) -> None:
    """Add the command."""
    app.command(name="pair")(pair)


def pair(
    address: Annotated[str | None, typer.Option(help="Address or name of the wearable, as `scan` shows it.")] = None,
    name: Annotated[str | None, typer.Option(help="What to call it: a-z, 0-9, _ and -.")] = None,
    wearer: Annotated[str | None, typer.Option(help="Who wears it, a pseudonym: a-z, 0-9, _ and -.")] = None,
    site: Annotated[Site | None, typer.Option(help="Where it is worn.")] = None,
    rate_hz: Annotated[float, typer.Option(min=10, max=400, help="Samples a second.")] = RATE_HZ,
    replace: Annotated[bool, typer.Option(help="Take the place of the wearable at this site.")] = False,
    seconds: Annotated[float, SECONDS] = 6.0,
) -> None:
    """Choose a wearable that is near, name it, and write it into the settings.

    Example:  sagittal pair --address C4:11:22:33:44:55 --name back --wearer me --site lower_back
    """
    settings = load_settings()
    if not sys.stdin.isatty() and None in (address, name, wearer, site):
        raise SettingsError("pair asks questions, but nobody is there: give --address, --name, --wearer and --site")
    chosen = _choose([one for one in look(settings, seconds) if one.driver is not None], address)
    usual = re.sub(r"[^a-z0-9_-]+", "-", (chosen.name or chosen.driver or "wearable").lower()).strip("-")[:40]
    first = settings.wearers[0].id if settings.wearers else "me"
    who = check_name("wearer", wearer or typer.prompt("Who wears it (a pseudonym)", default=first))
    called = check_name("device", name or typer.prompt("What to call it", default=usual or "wearable"))
    where = site or check_site(typer.prompt(f"Where it is worn ({', '.join(Site)})", default=Site.LOWER_BACK.value))
    path = settings_file()
    write(path, settings, chosen, called, who, where, rate_hz, replace=replace)
    sys.stdout.write(f"{chosen.kind} {chosen.name or chosen.address} is {who}'s {called} at {where} in {path}\n")
    if chosen.remark:
        sys.stdout.write(f"{chosen.remark}\n")
    sys.stdout.write("`sagittal run` starts to read it.\n")


def write(
    path: Path, settings: Settings, chosen: Near, name: str, wearer: str, site: Site, rate_hz: float, *, replace: bool
) -> None:
    """Add a wearable to the settings file, or leave the file as it is.

    Raises
    ------
    SettingsError
        Where name, site or wearable are taken, or the outcome would be no valid settings.
    """
    import tomlkit

    existing = settings.wearer(wearer)
    taken = next((one for one in existing.devices if one.site == site or one.name == name), None)
    if taken is not None and not replace:
        raise SettingsError(
            f"{wearer} has {taken.name} at {taken.site} already: choose another name and site, or add --replace"
        )
    text = path.read_text(encoding="utf-8") if path.is_file() else ""
    document = tomlkit.parse(text)
    wearers = document.setdefault("wearers", tomlkit.aot())
    worn = next((one for one in wearers if one.get("id") == wearer), None)
    if worn is None:
        worn = tomlkit.table()
        worn["id"] = wearer
        wearers.append(worn)
        worn = wearers[-1]
    devices = worn.setdefault("devices", tomlkit.aot())
    for index in reversed(range(len(devices))):
        if devices[index].get("name") == name or devices[index].get("site", Site.LOWER_BACK.value) == site.value:
            del devices[index]
    devices.append(_device(chosen, name, site, rate_hz))
    _replace(path, tomlkit.dumps(document))


def _device(chosen: Near, name: str, site: Site, rate_hz: float) -> Any:  # tomlkit's tables have no useful type
    import tomlkit

    made = tomlkit.table()
    made.comment(f"{chosen.kind} {chosen.name or ''}".strip())
    offered = sorted(one for one in chosen.rates_hz if one >= 10)
    usable = next((one for one in offered if one >= rate_hz), offered[-1] if offered else rate_hz)
    for key, value in (
        ("name", name),
        ("site", site.value),
        ("driver", chosen.driver),
        ("address", chosen.address),
        ("rate_hz", float(usable)),
    ):
        made[key] = value
    if not chosen.has_gyr:
        options = tomlkit.inline_table()
        options["accelerometer_only"] = True
        made["options"] = options
    return made


def _replace(path: Path, text: str) -> None:
    """Put a text in the file's place if it is valid settings."""
    scratch = path.with_name(f".{path.name}.new")
    before = os.environ.get(FILE_VARIABLE)
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        scratch.write_text(text, encoding="utf-8")
        scratch.chmod(path.stat().st_mode & 0o777 if path.exists() else 0o600)
        os.environ[FILE_VARIABLE] = str(scratch)
        load_settings()
        scratch.replace(path)
    except OSError as error:
        raise SettingsError(f"settings file {path} can't be written ({error.strerror}): check its rights") from None
    except SettingsError as error:
        message = str(error).replace(str(scratch), str(path))
        raise SettingsError(f"the wearable does not fit into the settings, nothing is written: {message}") from None
    finally:
        scratch.unlink(missing_ok=True)
        os.environ.pop(FILE_VARIABLE, None)
        if before is not None:
            os.environ[FILE_VARIABLE] = before


def _choose(near: list[Near], address: str | None) -> Near:
    if not near:
        raise SettingsError(
            "no supported wearable is near: switch it on, bring it near, close its own app; `sagittal scan` shows all"
        )
    if address is not None:
        for one in near:
            if address.lower() in (one.address.lower(), (one.name or "").lower()):
                return one
        heard = ", ".join(one.name or one.address for one in near)
        raise SettingsError(f"{address} is not near, or not supported: heard were {heard}")
    Console(highlight=False).print(table(near, numbered=True))
    while not 1 <= (number := int(typer.prompt("Which one", type=int, default=1))) <= len(near):
        sys.stdout.write(f"1 to {len(near)}, please\n")
    return near[number - 1]
