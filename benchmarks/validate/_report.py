"""What a section of the validation says, and how it is written."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Literal

HEAD = """# Validation

Written by `make validate` from reference recordings (`SAGITTAL_DATA`) through the public `analytics.analyze`; figures
over whole sets only, never one person's. *For information, not diagnosis.*

"Reach" is what this project set itself; "best elsewhere" the best figure found, published or run, with its source in
the notes. The recordings here are the visible part of each set: other people's recordings of the same sets judge.
"""


@dataclass(frozen=True)
class Row:
    """One measure: ours beside the best found elsewhere and what is to be reached.

    `better` says which way is good; without `reach` the row informs only.
    """

    measure: str
    whom: str
    ours: float | None
    elsewhere: str = "–"
    reach: float | None = None
    better: Literal["more", "less"] = "more"
    unit: str = ""
    digits: int = 3

    @property
    def met(self) -> bool | None:
        """Whether it is reached; None where nothing is asked."""
        if self.reach is None:
            return None
        if self.ours is None:
            return False
        shown, reach = round(self.ours, self.digits), self.reach
        return shown >= reach if self.better == "more" else shown <= reach

    def line(self) -> str:
        """The row of the table."""
        sign = "≥" if self.better == "more" else "≤"
        reach = "–" if self.reach is None else f"{sign} {self.reach:g}{self.unit}"
        met = {None: "", True: "yes", False: "**no**"}[self.met]
        ours = "–" if self.ours is None else f"{self.ours:.{self.digits}f}{self.unit}"
        return f"| {self.measure} | {self.whom} | {ours} | {self.elsewhere} | {reach} | {met} |"


@dataclass
class Section:
    """A chapter: rows, what must be known to read them, further tables in Markdown, plots as file name → SVG text."""

    title: str
    rows: list[Row] = field(default_factory=list)
    notes: list[str] = field(default_factory=list)
    tables: list[str] = field(default_factory=list)
    plots: dict[str, str] = field(default_factory=dict)

    def markdown(self) -> str:
        """The chapter; plots are taken to lie in `validation/`."""
        parts = [f"## {self.title}"]
        if self.rows:
            head = "| measure | people, recordings | ours | best elsewhere | reach | met |\n|---|---|---|---|---|---|"
            parts.append("\n".join([head, *(row.line() for row in self.rows)]))
        parts += self.tables
        parts += [f"![{name.removesuffix('.svg')}](validation/{name})" for name in sorted(self.plots)]
        if self.notes:
            parts.append("\n".join(f"- {note}" for note in self.notes))
        return "\n\n".join(parts)


def document(sections: Sequence[Section]) -> str:
    """The whole page."""
    return "\n\n".join([HEAD.rstrip(), *(section.markdown() for section in sections)]) + "\n"
