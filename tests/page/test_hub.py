"""What the page takes for now: the newest second, not an earlier one said again."""

from __future__ import annotations

from dataclasses import replace

from dashboards.page._hub import Hub
from sagittal.schema import to_json
from sagittal.topics import wearer_topic
from sagittal.units import NS_PER_S
from tests.page.fakes import NOW_NS, posture


def test_a_second_said_again_does_not_become_now() -> None:
    hub, topic = Hub(lambda: 5.0), wearer_topic("w1", "posture")
    newest = posture(NOW_NS)
    hub.message(topic, to_json(newest))
    hub.message(topic, to_json(replace(newest, t_ns=NOW_NS - 40 * NS_PER_S)))
    assert hub.live("w1").posture == newest
    before = replace(newest, t_ns=NOW_NS - 3600 * NS_PER_S)
    hub.message(topic, to_json(before))
    assert hub.live("w1").posture == before
