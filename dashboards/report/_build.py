"""The report as one self-contained HTML file."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import date, timedelta
from importlib.resources import files

from jinja2 import Environment, PackageLoader, StrictUndefined
from markupsafe import Markup

from dashboards._clock import date_words, local_time
from dashboards._day import day_bounds, read_days
from dashboards._words import catalogue, duration, word
from dashboards.content import checklists
from dashboards.drawings import POSTURE_ORDER, day_columns, legend, posture_css
from dashboards.report import _facts as facts
from sagittal import __version__
from sagittal.errors import SagittalError
from sagittal.protocols import Reader
from sagittal.results import Day, Event, Minute, Walk
from sagittal.settings import Wearer
from sagittal.thresholds import threshold

_SHOWN_S = 60.0
_SVG_STYLE = ".band-bed{fill:#dfdad0}.tick{font:8px sans-serif;fill:#56646b}"


def build_report(reader: Reader, wearer: Wearer, first: date, last: date, now_ns: int) -> str:
    """Two pages about a wearer's days from the first to the last, both included, in the wearer's time zone.

    Raises
    ------
    SagittalError
        Where nothing is stored of those days, or the dates are the wrong way round.
    """
    if last < first:
        raise SagittalError(f"--to {last} lies before --from {first}: swap them")
    zone = wearer.zone
    found = read_days(reader, wearer.id, first, last, zone)
    start, end = day_bounds(first, zone)[0], day_bounds(last, zone)[1]
    walks = [row for row in reader.results(wearer.id, "walk", start, end) if isinstance(row, Walk)]
    events = [row for row in reader.results(wearer.id, "event", start, end) if isinstance(row, Event)]
    days = [found[iso] for iso in sorted(found)]
    if not days and not events and not walks:
        raise SagittalError(f"nothing is stored of {wearer.id} from {first} to {last}: choose other dates")
    dates = [first + timedelta(days=i) for i in range((last - first).days + 1)]
    colours = posture_css(dark=False) + _SVG_STYLE
    columns = day_columns(
        [(_tick(day, dates), _sums(found.get(day.isoformat()))) for day in dates],
        title=word("report.columns"),
        style=colours,
    )
    shown = [
        label for label in POSTURE_ORDER if any(day.exposure.posture_s.get(label, 0.0) >= _SHOWN_S for day in days)
    ]
    environment = Environment(
        loader=PackageLoader("dashboards.report"),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    environment.globals.update(w=word, words=catalogue())
    style = files("dashboards.report").joinpath("report.css").read_text(encoding="utf-8")
    return environment.get_template("report.html").render(
        style=Markup(style),  # noqa: S704  # our own style sheet
        wearer=wearer.id,
        span=f"{date_words(first)} – {date_words(last)}",
        zone=wearer.time_zone,
        made=f"{date_words(local_time(now_ns, zone))}, {local_time(now_ns, zone):%H:%M}",
        columns=columns,
        legend=legend([(label, word(f"posture.{label}")) for label in shown if label != "not_worn"], style=colours),
        worn=facts.worn_rows(days, len(dates)),
        postures=facts.posture_rows(days),
        trunk=facts.trunk_rows(days),
        bend_deg=round(threshold("posture.bend_min_deg")),
        walking=facts.walking_rows(walks, days),
        walked=duration(facts.walk_seconds(walks)),
        patterns=facts.pattern_rows(walks),
        patterns_absent=facts.unassessed_patterns(walks),
        changes=facts.change_rows(days),
        diary=facts.diary_rows(events),
        before=facts.before_words(events, _minutes(reader, wearer.id, start, end)),
        adherence=facts.adherence_rows(events),
        unassessed=facts.unassessed(days),
        versions=facts.versions(days, walks, events),
        checklists=checklists(),
        version=__version__,
    )


def _minutes(reader: Reader, wearer: str, start_ns: int, end_ns: int) -> Iterator[Minute]:
    return (row for row in reader.results(wearer, "minute", start_ns, end_ns) if isinstance(row, Minute))


def _sums(day: Day | None) -> dict[str, float]:
    return {} if day is None else day.exposure.posture_s


def _tick(day: date, dates: list[date]) -> str:
    if len(dates) <= 14 or day in (dates[0], dates[-1]) or day.day % 7 == 1:
        return str(day.day)
    return ""
