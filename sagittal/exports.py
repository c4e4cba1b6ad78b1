"""The ledger of exports that left as files, so that erasing a wearer finds them again.

One JSON line a file, in `exports.jsonl` in the data folder, readable by its owner only: whose, where, when, and the
SHA-256 of what was written. A file is deleted only while it still holds just that.
"""

from __future__ import annotations

import hashlib
import json
import os
import time
from dataclasses import dataclass, field
from pathlib import Path

from sagittal.errors import StoreError

LEDGER = "exports.jsonl"


@dataclass(slots=True)
class Erased:
    """What became of a wearer's exports: deleted, no longer there, or changed since and so left alone."""

    deleted: list[Path] = field(default_factory=list)
    gone: list[Path] = field(default_factory=list)
    changed: list[Path] = field(default_factory=list)


def note_export(data_dir: Path, wearer: str, written: Path) -> None:
    """Note a file, or every file of a folder, as an export of a wearer.

    Raises
    ------
    StoreError
        Where the ledger can't be written.
    """
    files = sorted(one for one in written.rglob("*") if one.is_file()) if written.is_dir() else [written]
    lines = [
        json.dumps({"wearer": wearer, "path": str(file.resolve()), "t": int(time.time()), "sha256": _digest(file)})
        for file in files
    ]
    try:
        data_dir.mkdir(parents=True, exist_ok=True)
        with os.fdopen(os.open(data_dir / LEDGER, os.O_WRONLY | os.O_APPEND | os.O_CREAT, 0o600), "a") as ledger:
            ledger.write("".join(f"{line}\n" for line in lines))
    except OSError as error:
        raise StoreError(f"{data_dir / LEDGER} can't be written ({error.strerror}): mend its rights") from None


def erase_exports(data_dir: Path, wearer: str) -> Erased:
    """Delete a wearer's exports that are still as they were written, and strike them from the ledger.

    Those that were changed since stay, in the ledger too: only a person can say what is in them.

    Raises
    ------
    StoreError
        Where a file or the ledger can't be read or deleted.
    """
    found = Erased()
    ledger = data_dir / LEDGER
    try:
        lines = ledger.read_text(encoding="utf-8").splitlines() if ledger.is_file() else []
        kept = [line for line in lines if not _erase(line, wearer, found)]
        if len(kept) < len(lines):
            scratch = ledger.with_suffix(".part")
            scratch.touch(mode=0o600)
            scratch.write_text("".join(f"{line}\n" for line in kept), encoding="utf-8")
            scratch.replace(ledger)
    except OSError as error:
        raise StoreError(f"exports of {wearer} can't be deleted ({error}): mend the rights and try again") from None
    return found


def _erase(line: str, wearer: str, found: Erased) -> bool:
    """Whether a line of the ledger is done with."""
    try:
        entry = json.loads(line)
        path, mine, digest = Path(entry["path"]), entry["wearer"] == wearer, entry["sha256"]
    except (ValueError, KeyError, TypeError):
        return False
    if not mine:
        return False
    if not path.is_file():
        found.gone.append(path)
    elif _digest(path) != digest:
        found.changed.append(path)
        return False
    else:
        path.unlink()
        found.deleted.append(path)
        _tidy(path.parent)
    return True


def _tidy(folder: Path) -> None:
    """Remove folders that an export made and that are empty now, three levels at most."""
    for one in [folder, *folder.parents][:3]:
        if one.is_dir() and not any(one.iterdir()) and (one.name.startswith(("sub-", "ses-")) or one.name == "motion"):
            one.rmdir()


def _digest(path: Path) -> str:
    with path.open("rb") as stream:
        return hashlib.file_digest(stream, "sha256").hexdigest()
