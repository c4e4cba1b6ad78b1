"""The report: what it holds, that it stays on two pages, and what it refuses."""

from __future__ import annotations

import os
import re
import sys
from dataclasses import replace
from datetime import date
from pathlib import Path

import pytest

from dashboards.content import checklists, movements
from dashboards.report import build_report, write_pdf
from sagittal.errors import SagittalError
from sagittal.names import Side
from sagittal.results import NOTICE, Change, Day, Event, Pattern, Walk
from sagittal.settings import Wearer
from sagittal.units import NS_PER_S
from tests.page.fakes import NOW_NS, VERSION, MemoryReader, a_day

WEARER = Wearer(id="w1", time_zone="Europe/Berlin")
FIRST, LAST = date(2026, 11, 11), date(2026, 11, 24)
DAY_NS = 86_400 * NS_PER_S


@pytest.fixture(scope="module")
def reader() -> MemoryReader:
    reader = MemoryReader()
    for back in range(14):
        a_day(reader, "w1", NOW_NS - back * DAY_NS)
        if back < 9:
            marks: dict[str, float | None] = {"pain_back": float(2 + back % 4)}
            reader.add("w1", Event(t_ns=NOW_NS - back * DAY_NS, event="diary", values=marks, version=VERSION))
    newest = reader.latest("w1", "day")
    assert isinstance(newest, Day)
    change = Change(
        metric="walking_speed_mps", value=1.02, baseline=1.21, spread=0.04, detectable_change=0.1, days=10, changed=True
    )
    fields = {name: getattr(newest, name) for name in newest.__dataclass_fields__}
    about = {"changes": [change], "not_assessable": {"stride_length_m": "no sensor height"}}
    reader.add("w1", Day(**(fields | about)))
    return reader


def words_of(html: str) -> str:
    return re.sub(r"<style>.*?</style>|<[^>]+>", " ", html, flags=re.DOTALL).replace("&#39;", "'")


def test_it_holds_what_a_visit_needs(reader: MemoryReader) -> None:
    html = build_report(reader, WEARER, FIRST, LAST, NOW_NS)
    text = words_of(html)
    for said in (NOTICE, "14 of 14", "different from your usual", "9 marks", "no sensor height", VERSION, "28 of 56"):
        assert said in text, said
    for listed in checklists():
        assert listed.title in text
    assert not re.search(r"\babnormal|\bnormal\b|patholog|diagnos(?!is\.)", text)
    assert not re.search(r'(?:src|href)="', html), "it must be self-contained"


def test_days_without_data_are_refused(reader: MemoryReader) -> None:
    with pytest.raises(SagittalError, match="nothing is stored"):
        build_report(reader, WEARER, date(2020, 1, 1), date(2020, 1, 2), NOW_NS)
    with pytest.raises(SagittalError, match="swap"):
        build_report(reader, WEARER, LAST, FIRST, NOW_NS)


def test_what_a_wearer_wrote_stays_text(reader: MemoryReader) -> None:
    extra = Event(t_ns=NOW_NS, event="diary", key="x", tags=["<script>alert(1)</script>"], version=VERSION)
    reader.add("w1", extra)
    assert "<script>" not in build_report(reader, WEARER, FIRST, LAST, NOW_NS)


PATTERNS = (
    "asymmetric_gait",
    "stiff_knee",
    "short_step",
    "trunk_lean",
    "pelvic_drop_or_hike",
    "guarded_back",
    "forward_stoop_while_walking",
    "lateral_shift",
    "decline_within_walk",
)


@pytest.fixture(scope="module")
def full() -> str:
    """A report in which everything has something to say."""
    reader = MemoryReader()
    for back in range(28):
        a_day(reader, "w1", NOW_NS - back * DAY_NS)
        marks: dict[str, float | None] = {"pain_back": float(back % 11), "pain_knee_left": 3.0, "pain_knee_right": 1.0}
        at = NOW_NS - back * DAY_NS
        reader.add("w1", Event(t_ns=at, event="diary", values=marks, tags=["medication"], version=VERSION))
        reader.add("w1", Event(t_ns=at, event="nudge", version=VERSION))
        for name in movements():
            tags = [name, "stop"]
            reader.add("w1", Event(t_ns=at, event="exercise", key=name, tags=tags, duration_s=90.0, version=VERSION))
    evidence: dict[str, float | None] = {"step_regularity": 0.7, "stride_duration_cv_percent": 3.1, "departure": 1.9}
    able = [
        Pattern(
            pattern=name,
            side=Side.LEFT,
            score=0.7,
            flagged=True,
            assessable=index % 3 > 0,
            confidence=0.7,
            reason=None if index % 3 else "needs sensors at both shanks, with three swings of each",
            evidence=evidence | {"departure_error": 0.4},
        )
        for index, name in enumerate(PATTERNS)
    ]
    for walk in [row for row in reader.results("w1", "walk", 0, 2**62) if isinstance(row, Walk)]:
        reader.add("w1", replace(walk, compensations=able))
    newest = reader.latest("w1", "day")
    assert isinstance(newest, Day)
    names = ("walking_speed_mps", "cadence_spm", "stride_length_m", "flexion_deg", "compensation_departure")
    changes = [
        Change(metric=name, value=1.0, baseline=1.2, spread=0.1, detectable_change=0.2, days=9, changed=True)
        for name in names
    ]
    absent = dict.fromkeys(("lumbar_flexion_deg", "stride_length_m", "stance_left_percent"), "needs another sensor")
    reader.add("w1", replace(newest, changes=changes, not_assessable=absent))
    return build_report(reader, WEARER, date(2026, 10, 28), LAST, NOW_NS)


def test_a_full_report_says_what_came_before_and_what_was_counted(full: str) -> None:
    text = words_of(full)
    assert "The half hours before 13 marks of 5 or more" in text
    assert "A description, not a cause" in text
    assert re.search(r"Sit to stand\s+28 sessions", text)
    assert "Not assessed: one step unlike the other (needs sensors at both shanks" in text


@pytest.mark.chromium
def test_the_pdf_by_chromium_has_two_pages(full: str, chromium: str, tmp_path: Path) -> None:
    with pytest.MonkeyPatch.context() as patch:
        patch.setitem(sys.modules, "weasyprint", None)
        patch.setenv("PATH", f"{Path(chromium).parent}{os.pathsep}{os.environ['PATH']}")
        assert write_pdf(full, tmp_path / "r.pdf").startswith("chrom")
    assert len(re.findall(rb"/Type\s*/Page\b", (tmp_path / "r.pdf").read_bytes())) == 2


def test_the_pdf_by_weasyprint_is_tagged_and_has_two_pages(full: str, tmp_path: Path) -> None:
    try:
        import weasyprint
    except OSError as error:
        pytest.skip(f"WeasyPrint needs Pango from the system: {error}")
    assert len(weasyprint.HTML(string=full).render().pages) == 2
    assert write_pdf(full, tmp_path / "r.pdf") == "WeasyPrint"
    pdfium = pytest.importorskip("pypdfium2")
    document = pdfium.PdfDocument(tmp_path / "r.pdf")
    assert pdfium.raw.FPDFCatalog_IsTagged(document)
    assert document.get_metadata_value("Title").startswith("Posture and walking")


def test_without_anything_that_prints_it_says_so(tmp_path: Path) -> None:
    with pytest.MonkeyPatch.context() as patch:
        patch.setitem(sys.modules, "weasyprint", None)
        patch.setenv("PATH", str(tmp_path))
        with pytest.raises(SagittalError, match="WeasyPrint"):
            write_pdf("<p>x", tmp_path / "r.pdf")
