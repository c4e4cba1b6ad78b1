"""Seconds that may still change: after every new one and every walk, nothing is left to be said."""

from __future__ import annotations

from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st

from analytics.posture._records import Course, say
from analytics.posture._seconds import Second, Seconds, Walking, decide, take, tell
from sagittal.names import PostureLabel
from sagittal.units import NS_PER_S

LABELS = [PostureLabel.STANDING, PostureLabel.SITTING, PostureLabel.BENDING, PostureLabel.TRANSITION]
HAPPENINGS = st.fixed_dictionaries(
    {
        "walking": st.booleans(),
        "decided": st.integers(0, 4),
        "says": st.none() | st.tuples(st.integers(0, 40), st.sampled_from(LABELS), st.sampled_from([0.5, 0.9])),
        "walk": st.none() | st.tuples(st.integers(0, 30), st.integers(1, 80), st.sampled_from([0.6, 0.8])),
        "flexion_deg": st.sampled_from([-30.0, 0.0]),
    }
)


def walked(seconds: Seconds, walk: tuple[int, int, float], now_ns: int) -> Seconds:
    """A walk that began so many seconds ago, of so many half seconds, known as far as that."""
    ago, halves, confidence = walk
    start_ns = max(0, now_ns - ago * NS_PER_S)
    end_ns = min(start_ns + halves * NS_PER_S // 2, now_ns)
    return decide(seconds, [Walking(start_ns, end_ns, confidence)], seconds.decided_ns)


@settings(max_examples=100, deadline=None)
@given(st.lists(HAPPENINGS, min_size=1, max_size=40))
def test_nothing_is_left_unsaid(happenings: list[dict[str, Any]]) -> None:
    seconds, course = Seconds(), say(Course(), 0, PostureLabel.STANDING, 0.5)
    for place, one in enumerate(happenings):
        now_ns = place * NS_PER_S
        if one["walk"] is not None:
            seconds = walked(seconds, one["walk"], now_ns)
        if one["says"] is not None:
            ago, label, confidence = one["says"]
            course = say(course, max(0, now_ns - ago * NS_PER_S // 4), label, confidence)
        decided_ns = max(seconds.decided_ns, now_ns - one["decided"] * NS_PER_S)
        second = Second(now_ns, {"flexion_deg": one["flexion_deg"]}, one["walking"], 100.0, "t")
        seconds, said, settled = take(
            seconds, second, decided_ns, course.spans, course.dirty_ns, now_ns - 20 * NS_PER_S
        )
        course = Course(spans=course.spans)
        assert said[-1].t_ns == now_ns
        assert [row.t_ns for row in said] == sorted({row.t_ns for row in said})
        assert all(row.t_ns < now_ns - 20 * NS_PER_S for row in settled)
        assert tell(seconds, course.spans, 0, None)[1] == []
