"""All files that Grafana reads, from the code."""

from __future__ import annotations

import json
import warnings
from importlib import import_module
from pathlib import Path
from typing import Any

from dashboards.grafana._alerts import rule_file
from dashboards.grafana._names import FOLDER_TITLE, FOLDER_UID, NAMES
from dashboards.grafana._sources import source_file
from sagittal.errors import SettingsError

HERE = Path(__file__).parent
_HEAD = "# Made by `sagittal dashboards build`.\n"


def built() -> dict[str, str]:
    """Every file's text by its path below `dashboards/grafana`; the same text every time.

    Raises
    ------
    SettingsError
        Where the tool that builds them is not installed.
    """
    try:
        import yaml
        from grafana_foundation_sdk.cog.encoder import JSONEncoder
    except ImportError:
        raise SettingsError(
            "dashboards are built with two tools of development: pip install 'grafana-foundation-sdk==0.0.21' pyyaml"
        ) from None
    found: dict[str, str] = {}
    for name in NAMES:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", DeprecationWarning)  # Schema v1 is what every Grafana from 10 on loads.
            made = import_module(f"dashboards.grafana.{name}").build().build()
        plain = json.loads(json.dumps(made, cls=JSONEncoder))
        _drop_what_is_gone(plain["panels"])
        found[f"json/{name}.json"] = json.dumps(plain, indent=1, sort_keys=True, ensure_ascii=False) + "\n"
    for name, value in _provisioning().items():
        found[f"provisioning/{name}"] = _HEAD + yaml.safe_dump(value, sort_keys=False, allow_unicode=True, width=1000)
    return found


def _provisioning() -> dict[str, dict[str, Any]]:
    provider = {
        "name": FOLDER_TITLE,
        "orgId": 1,
        "folder": FOLDER_TITLE,
        "folderUid": FOLDER_UID,
        "type": "file",
        "disableDeletion": True,
        "allowUiUpdates": False,
        "updateIntervalSeconds": 60,
        "options": {"path": "/etc/sagittal/dashboards"},
    }
    return {
        "datasources/sagittal.yaml": source_file(),
        "dashboards/sagittal.yaml": {"apiVersion": 1, "providers": [provider]},
        "alerting/sagittal.yaml": rule_file(),
    }


def _drop_what_is_gone(panels: list[dict[str, Any]]) -> None:
    """The tool still writes an option of tables that Grafana has no more."""
    for panel in panels:
        if panel["type"] == "table":
            panel["options"].pop("footer", None)
        _drop_what_is_gone(panel.get("panels") or [])


def write(folder: Path = HERE) -> list[Path]:
    """Write every file; those that changed."""
    changed: list[Path] = []
    for name, text in built().items():
        path = folder / name
        if not path.is_file() or path.read_text(encoding="utf-8") != text:
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(text, encoding="utf-8")
            changed.append(path)
    return changed


def dashboards() -> dict[str, dict[str, Any]]:
    """The dashboards as they are shipped, by name."""
    return {name: json.loads((HERE / "json" / f"{name}.json").read_text(encoding="utf-8")) for name in NAMES}
