"""The diary's own page: entries of four weeks, and what came before high marks."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import timedelta

from fastapi import APIRouter, Request
from fastapi.responses import Response
from markupsafe import Markup

from dashboards._before import HIGH_PAIN, PAINS, Before, what_came_before
from dashboards._clock import Clock
from dashboards._day import day_bounds
from dashboards._words import duration, word
from dashboards.drawings import mark_chart, mark_shape
from dashboards.page._care import entry_words
from dashboards.page._context import PageContext
from sagittal.protocols import Reader
from sagittal.results import Event, Minute

DAYS = 28
_KINDS = {"pain_back": "k-back", "pain_knee_left": "k-left", "pain_knee_right": "k-right"}
_SHOWN = 100


@dataclass(frozen=True, slots=True)
class NotesView:
    """Entries as a drawing and a list, and the comparison as a table with its counts in words."""

    days: int
    chart: Markup
    legend: Markup
    entries: list[tuple[str, str]]
    before_about: str
    before_rows: list[tuple[str, str, str]]


def notes_routes(page: PageContext) -> APIRouter:
    """The diary's page."""
    routes = APIRouter(include_in_schema=False)

    @routes.get("/w/{wearer}/diary")
    async def diary(request: Request, wearer: str) -> Response:
        await page.see(request, wearer)
        clock = page.desk.clock(wearer)
        start = day_bounds(clock.today() - timedelta(days=DAYS - 1), clock.zone)[0]
        end = day_bounds(clock.today(), clock.zone)[1]

        def read(reader: Reader) -> tuple[list[Event], Before]:
            events = [row for row in reader.results(wearer, "event", start, end) if isinstance(row, Event)]
            entries = [event for event in events if event.event == "diary"]
            rows = reader.results(wearer, "minute", start, end) if entries else ()
            return entries, what_came_before((row for row in rows if isinstance(row, Minute)), entries)

        entries, before = await page.shelf.read(read)
        return page.html("diary.html", wearer=wearer, view=notes_view(entries, before, clock, (start, end)))

    return routes


def notes_view(entries: Sequence[Event], before: Before, clock: Clock, span: tuple[int, int]) -> NotesView:
    """Entries between two instants in words and one drawing."""
    start, end = span
    marks = [
        ((event.t_ns - start) / (end - start), round(value), _KINDS[name])
        for event in entries
        for name in PAINS
        if (value := event.values.get(name)) is not None
    ]
    first = clock.today() - timedelta(days=DAYS - 1)
    days = [first + timedelta(days=7 * week) for week in range(DAYS // 7)]
    ticks = [((day_bounds(day, clock.zone)[0] - start) / (end - start), f"{day.day} {day:%b}") for day in days]
    return NotesView(
        days=DAYS,
        chart=mark_chart(marks, ticks=ticks, title=word("diary.chart", summary=_summary(entries))),
        legend=_legend(),
        entries=[(clock.words(event.t_ns), entry_words(event)) for event in reversed(entries)][:_SHOWN],
        before_about=_about(before),
        before_rows=_rows(before) if before.enough else [],
    )


def _about(before: Before) -> str:
    if not before.marks:
        return word("diary.before_none", pain=HIGH_PAIN)
    minutes = round(before.inside.worn_s / 60)
    if not before.enough:
        return word("diary.before_little", n=before.marks, pain=HIGH_PAIN, minutes=minutes)
    hours = duration(before.outside.worn_s)
    return word("diary.before_about", n=before.marks, pain=HIGH_PAIN, minutes=minutes, hours=hours)


def _rows(before: Before) -> list[tuple[str, str, str]]:
    rows = []
    for name, inside, outside in before.shares():
        label = word("diary.before_slouched") if name == "slouched" else word(f"posture.{name}")
        rows.append((label, f"{inside:.0f} %", f"{outside:.0f} %"))
    for name in ("bends", "steps"):
        spans = (before.inside, before.outside)
        each = [f"{span.an_hour(getattr(span, name)):.1f}" for span in spans]
        rows.append((word(f"diary.before_{name}"), each[0], each[1]))
    return rows


def _summary(entries: Sequence[Event]) -> str:
    said = []
    for name in PAINS:
        marks = [round(value) for event in entries if (value := event.values.get(name)) is not None]
        if marks:
            place = word(f"diary.{name}")
            said.append(word("diary.chart_place", place=place, n=len(marks), low=min(marks), high=max(marks)))
    return ", ".join(said) or word("diary.no_entries")


def _legend() -> Markup:
    items = "".join(
        f'<li><svg class="dot" viewBox="0 0 10 10" aria-hidden="true">{mark_shape(kind, 5, 5)}</svg>'
        f"{word(f'diary.{name}')}</li>"
        for name, kind in _KINDS.items()
    )
    return Markup(f'<ul class="legend">{items}</ul>')  # noqa: S704  # our own words and shapes
