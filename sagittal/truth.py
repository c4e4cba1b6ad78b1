"""What is true of a simulated wearer, as it is published and kept: JSON, one message for some seconds."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

from pydantic import BaseModel, ConfigDict, ValidationError

from sagittal.errors import RecordingError
from sagittal.messages import Name
from sagittal.names import PostureLabel, Side


class _Part(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


class TrueBehaviour(_Part):
    """A behaviour that was active, its severity 0–1 and its side."""

    name: str
    severity: float
    side: Side | None = None


class TrueSpan(_Part):
    """A stretch of one posture; `transition` on the way from one to the next."""

    start_ns: int
    end_ns: int
    posture: PostureLabel
    detail: str | None = None


class TrueContact(_Part):
    """A foot on the ground from initial to final contact, and the length of the step that led there."""

    t_ns: int
    off_ns: int
    side: Side
    step_length_m: float


class TrueSegment(_Part):
    """A segment's inclination and orientation.

    Attributes
    ----------
    flexion_deg, lateral_deg
        Its top leaning forwards, and to the right, positive.
    quat_wxyz
        Unit quaternions that take its axes (up, right, forward) to the earth's; forward there is where the wearer faced
        when the present act began, a stretch of one posture or one walk.
    """

    flexion_deg: list[float]
    lateral_deg: list[float]
    quat_wxyz: list[tuple[float, float, float, float]]


class Truth(_Part):
    """What is true from `t_ns` to `end_ns` (UTC); segments every `dt_ns` from `t_ns` on."""

    wearer: Name
    t_ns: int
    end_ns: int
    dt_ns: int
    segments: dict[str, TrueSegment]
    postures: list[TrueSpan]
    contacts: list[TrueContact]
    behaviours: list[TrueBehaviour]

    def to_json(self) -> bytes:
        """As compact JSON in UTF-8."""
        return self.model_dump_json().encode()


def read_truth(path: Path) -> Iterator[Truth]:
    """The messages in a file, one a line.

    Raises
    ------
    RecordingError
        Where the file can't be read, is empty, or a line of it is no truth.
    """
    try:
        with path.open("rb") as lines:
            number = 0
            for number, line in enumerate(lines, 1):
                try:
                    yield Truth.model_validate_json(line)
                except ValidationError as error:
                    problem = error.errors()[0]
                    raise RecordingError(f"{path}, line {number}, is no truth: {problem['msg']}") from None
    except OSError as error:
        raise RecordingError(f"{path} can't be read ({error.strerror}): check the name and the rights") from None
    if number == 0:
        raise RecordingError(f"{path} is empty: write one with `sagittal simulate --truth`")
