"""Parquet: one table a kind of result, nested values as columns with dotted names."""

from __future__ import annotations

import json
from collections.abc import Iterable
from pathlib import Path
from typing import Any

from sagittal.errors import SagittalError
from sagittal.results import Result
from sagittal.schema import to_json


def write_parquet(rows: Iterable[Result], target: Path) -> int:
    """Write results of one kind and say how many.

    Raises
    ------
    SagittalError
        Where pyarrow is not installed or the file can't be written.
    """
    try:
        import pyarrow as pa
        import pyarrow.parquet as pq
    except ImportError:
        raise SagittalError("Parquet needs pyarrow: install it with `pip install pyarrow`, or export CSV") from None
    flat = [_flatten(json.loads(to_json(row))) for row in rows]
    names = list(dict.fromkeys(name for row in flat for name in row))
    table = pa.table({name: [row.get(name) for row in flat] for name in names})
    try:
        pq.write_table(table, target)
    except OSError as error:
        raise SagittalError(f"{target} can't be written ({error}): choose another place") from None
    return len(flat)


def _flatten(row: dict[str, Any], prefix: str = "") -> dict[str, Any]:
    flat: dict[str, Any] = {}
    for name, value in row.items():
        if isinstance(value, dict):
            flat |= _flatten(value, f"{prefix}{name}.")
        elif isinstance(value, list):
            flat[prefix + name] = json.dumps(value, ensure_ascii=False)
        else:
            flat[prefix + name] = float(value) if isinstance(value, float) else value
    return flat
