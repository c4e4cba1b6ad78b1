"""What the store says now, in one line and in sums."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from sagittal.errors import StoreError
from sagittal.names import PostureLabel
from sagittal.results import Posture, Walk

_ALWAYS = 2**62


@dataclass(slots=True)
class Glance:
    """A look at the store that copes with its not being there yet."""

    path: Path
    _reader: Any = None
    last: dict[str, Posture] = field(default_factory=dict)

    def look(self) -> dict[str, Posture]:
        """The newest posture of every wearer."""
        try:
            reader = self.open()
            for wearer in reader.wearers():
                found = reader.latest(wearer, "posture")
                if isinstance(found, Posture):
                    self.last[wearer] = found
        except StoreError:
            self.close()
        return self.last

    def open(self) -> Any:
        """The reader.

        Raises
        ------
        StoreError
            Where the store can't be read yet.
        """
        if self._reader is None:
            from analytics.store import open_reader

            self._reader = open_reader(self.path)
        return self._reader

    def known(self, since_ns: int) -> bool:
        """Whether any wearer's posture at or after a time, UTC ns, is known by now."""
        return any(one.t_ns >= since_ns and one.posture is not PostureLabel.UNKNOWN for one in self.look().values())

    def samples(self) -> int:
        """Samples stored."""
        try:
            return int(self.open().samples())
        except StoreError:
            return 0

    def close(self) -> None:
        """Release the store."""
        if self._reader is not None:
            self._reader.close()
            self._reader = None

    def line(self) -> str:
        """The postures now: one wearer in detail, several as counts."""
        seen = self.look()
        if not seen:
            return "waiting for the first posture"
        if len(seen) == 1:
            (one,) = seen.values()
            parts = [one.posture.value.replace("_", " ") + (f" ({one.detail})" if one.detail else "")]
            if one.flexion_deg is not None:
                parts.append(f"{one.flexion_deg:+.0f}° forward")
            if one.cadence_spm is not None:
                parts.append(f"{one.cadence_spm:.0f} steps/min")
            return ", ".join(parts)
        counts = Counter(one.posture.value for one in seen.values())
        return f"{len(seen)} wearers: " + ", ".join(f"{label} {count}" for label, count in counts.most_common())

    def walks(self) -> list[tuple[str, Walk]]:
        """Every walk stored, by wearer."""
        reader = self.open()
        return [
            (wearer, walk)
            for wearer in reader.wearers()
            for walk in reader.results(wearer, "walk", 0, _ALWAYS)
            if isinstance(walk, Walk)
        ]

    def posture_minutes(self) -> dict[str, float]:
        """Minutes in each posture, over all wearers."""
        reader = self.open()
        seconds = Counter(
            one.posture.value
            for wearer in reader.wearers()
            for one in reader.results(wearer, "posture", 0, _ALWAYS)
            if isinstance(one, Posture)
        )
        return {label: round(count / 60, 3) for label, count in sorted(seconds.items())}
