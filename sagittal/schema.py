"""Results as JSON and back, and the JSON Schema that other programs may hold them to."""

from __future__ import annotations

import json
from typing import Annotated, Any

from pydantic import Field, TypeAdapter, ValidationError

from sagittal.errors import SagittalError
from sagittal.results import Result

_ADAPTER: TypeAdapter[Result] = TypeAdapter(Annotated[Result, Field(discriminator="kind")])


def to_json(result: Result) -> bytes:
    """A result as compact JSON in UTF-8; NaN and infinity are refused, they must be null with a reason.

    Raises
    ------
    SagittalError
        Where a number in it is not finite.
    """
    value = _ADAPTER.dump_python(result, mode="json")
    try:
        return json.dumps(value, separators=(",", ":"), ensure_ascii=False, allow_nan=False).encode()
    except ValueError:
        raise SagittalError(
            f"a {result.kind} result holds a number that is not finite: make it null, with a reason"
        ) from None


def from_json(data: bytes | str) -> Result:
    """A result from its JSON.

    Raises
    ------
    SagittalError
        Where it is none.
    """
    try:
        return _ADAPTER.validate_json(data)
    except ValidationError as error:
        first = error.errors()[0]
        place = ".".join(str(part) for part in first["loc"])
        raise SagittalError(f"this JSON is no result: {place or 'the whole'}: {first['msg']}") from None


def json_schema() -> dict[str, Any]:
    """The JSON Schema (2020-12) of every result."""
    schema = _ADAPTER.json_schema()
    return {"$schema": "https://json-schema.org/draft/2020-12/schema", "title": "Sagittal results, version 1", **schema}
