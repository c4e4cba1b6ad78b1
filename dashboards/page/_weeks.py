"""Days side by side: a week or a month."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, timedelta

from markupsafe import Markup

from dashboards._clock import date_words
from dashboards._words import duration, word
from dashboards.drawings import POSTURE_ORDER, day_columns, posture_class
from dashboards.page._view import posture_word
from sagittal.names import PostureLabel
from sagittal.results import Day

_SHOWN = tuple(label for label in POSTURE_ORDER if label is not PostureLabel.NOT_WORN)


@dataclass(frozen=True, slots=True)
class WeeksView:
    """Days as one drawing and a table."""

    title: str
    columns: Markup
    heads: list[tuple[str, str]]
    rows: list[tuple[str, str, list[str], str]]
    empty: bool


def weeks_view(days: dict[str, Day], first: date, last: date) -> WeeksView:
    """Days as one drawing and a table; days without data stay empty."""
    dates = [first + timedelta(days=i) for i in range((last - first).days + 1)]
    labels = [label for label in _SHOWN if any(day.exposure.posture_s.get(label, 0.0) >= 60 for day in days.values())]
    worn = [(day, days[day.isoformat()]) for day in dates if day.isoformat() in days]
    summary = ", ".join(
        word("week.summary_day", day=f"{day:%a}", duration=duration(found.exposure.worn_s)) for day, found in worn
    )
    return WeeksView(
        title=f"{date_words(first)} – {date_words(last)}",
        columns=day_columns(
            [
                (_tick(day, dates), days[day.isoformat()].exposure.posture_s if day.isoformat() in days else {})
                for day in dates
            ],
            title=word("week.hours", summary=summary or word("week.none")),
        ),
        heads=[(posture_class(label), posture_word(label)) for label in labels],
        rows=[
            (
                day.isoformat(),
                f"{day:%a} {day.day} {day:%b}",
                [duration(found.exposure.posture_s.get(label, 0.0)) for label in labels],
                duration(found.exposure.worn_s),
            )
            for day, found in reversed(worn)
        ],
        empty=not days,
    )


def _tick(day: date, dates: Sequence[date]) -> str:
    if len(dates) <= 7:
        return f"{day:%a}"
    return str(day.day) if day.day % 5 == 1 or day == dates[0] else ""
