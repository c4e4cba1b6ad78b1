"""Short recordings of real people doing one thing each: figures over the whole set, printed."""

from __future__ import annotations

from pathlib import Path

import pytest

from analytics import analyze
from benchmarks.validate._posture import ACTIVITIES, judge
from benchmarks.validate._recordings import Judged, reader, sensors

pytestmark = pytest.mark.data


def test_the_right_label_is_seen_and_hardly_a_wrong_one(data_dir: Path) -> None:
    judged = []
    for name in reader(data_dir).names("posture_adl"):
        code = Path(name).name.split("_")[0]
        if code in ACTIVITIES and ACTIVITIES[code].seen != "walking":
            record = reader(data_dir).load(name)
            found = analyze(sensors(record, "posture_adl")).to_dict()
            judged.append(Judged(name, record.meta, record.ref, record, found))
    seen, wrong = judge(judged)
    print(f"{len(judged)} recordings: right label seen {seen:.3f}, with a wrong label {wrong:.3f}")
    assert seen >= 0.93
    assert wrong <= 0.07
