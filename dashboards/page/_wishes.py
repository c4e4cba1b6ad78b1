"""What a person or program may ask for, and the limits within which it is passed on."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import BaseModel, ConfigDict, Field, StringConstraints, model_validator

from dashboards.content import EXERCISES

Pain = Annotated[int, Field(ge=0, le=10)]
Tag = Annotated[
    str, StringConstraints(strip_whitespace=True, min_length=1, max_length=40, pattern=r"^[^\x00-\x1f\x7f]+$")
]


class _Wish(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


class Calibrate(_Wish):
    """Take the pose that follows as upright."""

    method: Literal["stand", "bends"] = "stand"


class Snooze(_Wish):
    """No nudges for a while."""

    minutes: Annotated[int, Field(ge=1, le=1440)] = 60


class Mode(_Wish):
    """Track in silence, or train with nudges."""

    mode: Literal["track", "train"]


class NudgeWrong(_Wish):
    """The nudge of that time was wrong."""

    wrong: Literal[True] = True
    nudge_ns: Annotated[int, Field(ge=0, lt=2**63)]


class Diary(_Wish):
    """How it is now: pain from 0 (none) to 10 (worst imaginable), a note, tags."""

    pain_back: Pain | None = None
    pain_knee_left: Pain | None = None
    pain_knee_right: Pain | None = None
    note: Annotated[str, StringConstraints(strip_whitespace=True, max_length=500)] = ""
    tags: Annotated[list[Tag], Field(max_length=10)] = Field(default_factory=list)

    @model_validator(mode="after")
    def _something(self) -> Diary:
        if not self.model_dump(exclude_defaults=True):
            raise ValueError("an entry needs a mark, a note or a tag")
        return self


class Exercise(_Wish):
    """A session of an exercise begins or ends."""

    name: str
    start: bool

    @model_validator(mode="after")
    def _known(self) -> Exercise:
        if self.name not in EXERCISES:
            raise ValueError(f"no such exercise: use one of {', '.join(EXERCISES)}")
        return self


WISHES: dict[str, type[_Wish]] = {
    "calibrate": Calibrate,
    "snooze": Snooze,
    "mode": Mode,
    "nudge": NudgeWrong,
    "diary": Diary,
    "exercise": Exercise,
}
"""The shape of each verb's values."""

Wish = _Wish
