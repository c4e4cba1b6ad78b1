"""What a person or program may ask for, and the limits within which it is passed on."""

from __future__ import annotations

from enum import StrEnum
from typing import Annotated, Any, Literal

from pydantic import BaseModel, ConfigDict, Field, StringConstraints, model_validator

from dashboards.content import EXERCISES

Pain = Annotated[int, Field(ge=0, le=10)]
Tag = Annotated[str, StringConstraints(min_length=1, max_length=40, pattern=r"^[^\x00-\x1f\x7f]+$")]
TimeOfDay = Annotated[str, StringConstraints(pattern=r"^([01][0-9]|2[0-3]):[0-5][0-9]$")]
ExerciseName = StrEnum("ExerciseName", list(EXERCISES))  # type: ignore[misc]  # the names stand in movements.toml


class _Wish(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


class Calibrate(_Wish):
    """Take the pose that follows as upright."""

    method: Literal["stand", "bends"] = "stand"


class Snooze(_Wish):
    """No nudges for a while."""

    minutes: Annotated[int, Field(ge=1, le=1440)] = 60


class Mode(_Wish):
    """Track in silence or train with nudges, and when to nudge; "own" and "off" take a choice back."""

    model_config = ConfigDict(json_schema_extra={"minProperties": 1})

    mode: Literal["track", "train"] | None = None
    threshold_deg: Annotated[float, Field(ge=5, le=60)] | Literal["own"] | None = None
    delay_s: Annotated[float, Field(ge=3, le=600)] | None = None
    per_hour: Annotated[int, Field(ge=0, le=30)] | None = None
    quiet_start: TimeOfDay | Literal["off"] | None = None
    quiet_end: TimeOfDay | Literal["off"] | None = None
    break_after_min: Annotated[float, Field(ge=5, le=480)] | Literal["off"] | None = None

    @model_validator(mode="before")
    @classmethod
    def _something(cls, values: object) -> object:
        if not values:
            raise ValueError("choose at least one thing")
        return values


class NudgeWrong(_Wish):
    """The nudge of that time was wrong."""

    wrong: Literal[True] = True
    nudge_ns: Annotated[int, Field(ge=0, le=4 * 10**18)]


class Diary(_Wish):
    """How it is now: pain from 0 (none) to 10 (worst imaginable), a note, tags; at least one of them."""

    model_config = ConfigDict(json_schema_extra={"minProperties": 1})

    pain_back: Pain | None = None
    pain_knee_left: Pain | None = None
    pain_knee_right: Pain | None = None
    note: Annotated[str, StringConstraints(min_length=1, max_length=500)] | None = None
    tags: Annotated[list[Tag], Field(min_length=1, max_length=10)] | None = None

    @model_validator(mode="before")
    @classmethod
    def _something(cls, values: object) -> object:
        if not values:
            raise ValueError("an entry needs a mark, a note or a tag")
        return values


class Exercise(_Wish):
    """A session of an exercise begins or ends."""

    name: ExerciseName
    start: bool


def _either(schema: dict[str, Any]) -> None:
    """A time with words, or what to take back: never both."""
    fields = {name: {k: v for k, v in one.items() if k != "default"} for name, one in schema.pop("properties").items()}
    schema.pop("additionalProperties", None)
    schema["oneOf"] = [
        {
            "properties": {name: fields[name] for name in names},
            "required": list(names),
            "additionalProperties": False,
        }
        for names in (("at", "text"), ("remove",))
    ]


class Remind(_Wish):
    """A reminder at a time of day, in a person's own words such as a clinician's; or take one back."""

    model_config = ConfigDict(json_schema_extra=_either)

    at: TimeOfDay = ""
    text: Annotated[str, StringConstraints(min_length=1, max_length=200, pattern=r"[^\s]")] = ""
    remove: Annotated[str, StringConstraints(min_length=1, max_length=64)] = ""

    @model_validator(mode="after")
    def _one_thing(self) -> Remind:
        if bool(self.remove) == bool(self.at and self.text) or (self.remove and (self.at or self.text)):
            raise ValueError("a reminder needs a time and words; to take one back, its id alone")
        return self


WISHES: dict[str, type[_Wish]] = {
    "calibrate": Calibrate,
    "snooze": Snooze,
    "mode": Mode,
    "nudge": NudgeWrong,
    "diary": Diary,
    "exercise": Exercise,
    "remind": Remind,
}
"""The shape of each verb's values."""

Wish = _Wish
