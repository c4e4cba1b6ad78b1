"""What is true of simulated wearers, told when its time has passed."""

from __future__ import annotations

import math
import time
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from sagittal import mqtt
from sagittal.errors import RecordingError
from sagittal.settings import Settings
from sagittal.topics import wearer_topic
from sagittal.truth import Truth

if TYPE_CHECKING:
    from simulators.fleet import Member

_TRUTH_S = 10.0


def truths(one: Member, start_ns: int, from_s: float, to_s: float) -> list[Truth]:
    """What is true of a wearer between two times, ten seconds a message."""
    from simulators.stream import truth

    starts = [from_s + _TRUTH_S * n for n in range(math.ceil((to_s - from_s) / _TRUTH_S))]
    sites = list(one.sensors)
    return [truth(one.name, one.wearer, sites, start_ns, at, min(_TRUTH_S, to_s - at)) for at in starts]


class TruthTeller:
    """Publishes what is true once its time has passed, and adds it to a file that others may add to as well."""

    def __init__(
        self,
        settings: Settings,
        members: Sequence[Member],
        start_ns: dict[str, int],
        speed: float,
        file: Path | None,
        seconds: float | None,
    ) -> None:
        self._seconds = math.inf if seconds is None else seconds
        self._members, self._start_ns, self._speed = members, start_ns, speed
        self._begun = time.monotonic()
        self._told = {one.name: one.begin_s for one in members}
        self._client = mqtt.make_client("", settings)
        mqtt.start(self._client, settings)
        try:
            self._file = None if file is None else file.open("ab", buffering=0)
        except OSError as error:
            raise RecordingError(f"{file} can't be written ({error.strerror}): choose another place") from None

    def tick(self) -> None:
        """Tell what has become true since the last time."""
        passed = min(self._seconds, (time.monotonic() - self._begun) * self._speed)
        for one in self._members:
            while self._told[one.name] + _TRUTH_S <= one.begin_s + passed:
                at = self._told[one.name]
                self._told[one.name] += _TRUTH_S
                for message in truths(one, self._start_ns[one.name], at, at + _TRUTH_S):
                    self._client.publish(wearer_topic(one.name, "truth"), message.to_json(), qos=1)
                    if self._file is not None:
                        self._file.write(message.to_json() + b"\n")

    def close(self) -> None:
        """Tell the last of it."""
        self.tick()
        self._client.disconnect()
        self._client.loop_stop()
        if self._file is not None:
            self._file.close()
