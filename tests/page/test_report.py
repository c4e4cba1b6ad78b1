"""The report: what it holds, that it stays on two pages, and what it refuses."""

from __future__ import annotations

import os
import re
import sys
from datetime import date
from pathlib import Path

import pytest

from dashboards.content import checklists
from dashboards.report import build_report, write_pdf
from sagittal.errors import SagittalError
from sagittal.results import NOTICE, Change, Day, Event
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


def test_it_holds_what_a_visit_needs(reader: MemoryReader) -> None:
    html = build_report(reader, WEARER, FIRST, LAST, NOW_NS)
    text = re.sub(r"<[^>]+>", " ", html).replace("&#39;", "'")
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


@pytest.mark.chromium
def test_the_pdf_by_chromium_has_two_pages(reader: MemoryReader, chromium: str, tmp_path: Path) -> None:
    html = build_report(reader, WEARER, FIRST, LAST, NOW_NS)
    with pytest.MonkeyPatch.context() as patch:
        patch.setitem(sys.modules, "weasyprint", None)
        patch.setenv("PATH", f"{Path(chromium).parent}{os.pathsep}{os.environ['PATH']}")
        assert write_pdf(html, tmp_path / "r.pdf").startswith("chrom")
    assert len(re.findall(rb"/Type\s*/Page\b", (tmp_path / "r.pdf").read_bytes())) == 2


def test_without_anything_that_prints_it_says_so(tmp_path: Path) -> None:
    with pytest.MonkeyPatch.context() as patch:
        patch.setitem(sys.modules, "weasyprint", None)
        patch.setenv("PATH", str(tmp_path))
        with pytest.raises(SagittalError, match="WeasyPrint"):
            write_pdf("<p>x", tmp_path / "r.pdf")
