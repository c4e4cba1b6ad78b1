"""The contract that every sink passes, held here to the real InfluxDB."""

from __future__ import annotations

import pytest

from sagittal.protocols import Observer, Reading, Sink
from sagittal.results import Event
from tests.sinks.conftest import Place
from tests.sinks.samples import NOW_S, day, every_kind, posture, rows, walk

pytestmark = pytest.mark.influx

EXPECTED = {
    "posture": 2,
    "minute": 1,
    "walk": 1,
    "walk_pattern": 1,
    "event": 3,
    "gap": 1,
    "day": 1,
    "day_pattern": 1,
    "day_change": 1,
}


def counts(place: Place) -> dict[str, int]:
    return {name: len(found) for name, found in place.content().items()}


def test_it_is_a_sink_and_all_is_well(place: Place) -> None:
    assert isinstance(place.sink, Sink)
    assert isinstance(place.sink, Observer)
    assert place.sink.check() == []


def test_every_kind_arrives_once_however_often_it_is_offered(place: Place) -> None:
    offered = rows(every_kind())
    written = place.sink.write(offered)
    assert (written.accepted, written.refused) == (len(offered), [])
    once = place.content()
    place.sink.write(offered)
    place.sink.write(offered[3:])
    assert place.content() == once
    assert counts(place) == EXPECTED


def test_values_come_back_as_they_went_in(place: Place) -> None:
    place.sink.write(rows(every_kind()))
    seconds = place.rows("posture")
    assert seconds[0]["detail"] == 'sl"ou\\ched'
    assert (seconds[0]["flexion_deg"], seconds[0]["wearer"], seconds[0]["source"]) == (12.5, "anna", "worker")
    assert "flexion_deg" not in seconds[1]
    assert seconds[1]["angle_reason"] == "gap"
    (minute,) = place.rows("minute")
    assert minute["exposure_s.20-60deg|5-60s"] == 6
    assert {event["text"] for event in place.rows("event") if "text" in event} == {"line one\nline two"}
    (pattern,) = place.rows("walk_pattern")
    assert (pattern["score"], pattern["side"], pattern["evidence.step_regularity_v"]) == (0.7, "left", 0.5)


def test_a_value_that_can_no_longer_be_trusted_goes(place: Place) -> None:
    place.sink.write(rows([day(3)]))
    place.sink.write(rows([day(4, mean=None)], first=2))
    (now,) = place.rows("day")
    assert now["bends"] == 4
    assert not {"flexion_mean_deg", "metrics.walking_speed_mps"} & now.keys()


def test_it_goes_even_where_a_restart_forgot_that_it_was_told(place: Place) -> None:
    from analytics.sinks.influx import from_settings

    place.sink.write(rows([day(3)]))
    after = from_settings(place.settings)
    assert after is not None
    after.write(rows([day(4, mean=None)], first=2))
    after.close()
    (now,) = place.rows("day")
    assert "flexion_mean_deg" not in now


def test_of_several_words_on_one_day_the_last_stands(place: Place) -> None:
    place.sink.write(rows([day(bends) for bends in (1, 2, 3)]))
    assert [row["bends"] for row in place.rows("day")] == [3]


def test_a_walk_is_told_when_it_is_over(place: Place) -> None:
    place.sink.write(rows([walk(0, final=False, speed=1.4)]))
    assert place.rows("walk") == []
    place.sink.write(rows([walk(0, speed=None)], first=2))
    (told,) = place.rows("walk")
    assert "walking_speed_mps" not in told
    assert told["not_assessable.walking_speed_mps"] == "no complete stride"


def test_many_rows_arrive_whole(place: Place) -> None:
    place.sink.write(rows([posture(second, second % 50 * 1.0) for second in range(12_000)]))
    assert place.server.rows(place.settings.influx.bucket_detail, 'SELECT count("confidence") FROM "posture"') == [
        {"time": 0, "count": 12_000}
    ]


def test_erasing_takes_a_wearer_and_nobody_else(place: Place) -> None:
    place.sink.write(rows(every_kind(), "anna"))
    place.sink.write(rows(every_kind(), "ann"))
    place.sink.observe([Reading("device", NOW_S * 10**9, {"battery_percent": 40.0}, "anna", "lower_back")])
    place.sink.erase("anna")
    left = {row["wearer"] for found in place.content().values() for row in found}
    assert left == {"ann"}
    assert counts(place) == EXPECTED
    assert place.rows("device") == []


def test_a_line_that_the_server_refuses_is_kept_aside_and_the_rest_arrives(place: Place) -> None:
    impossible = Event(t_ns=2**63 - 1, event="bend", version="1")
    offered = rows([*every_kind(), impossible, posture(99)])
    written = place.sink.write(offered)
    assert [row for row, _ in written.refused] == [len(offered) - 1]
    assert "time outside range" in written.refused[0][1]
    assert written.accepted == len(offered) - 1
    assert counts(place) == EXPECTED | {"posture": 3}
    quarantine = place.settings.data_dir / "quarantine" / "influx.jsonl"
    assert "time outside range" in quarantine.read_text()
    assert "refused lines" in place.sink.check()[0]
    place.sink.erase("anna")
    assert quarantine.read_text() == ""


def test_what_is_older_than_the_bucket_keeps_is_counted_as_refused(place: Place) -> None:
    written = place.sink.write(rows([posture(-200 * 86_400), posture(0)]))
    assert len(written.refused) == 1
    assert len(place.rows("posture")) == 1


def test_a_field_that_another_program_spoiled_is_counted_and_the_rest_arrives(place: Place) -> None:
    server, bucket = place.server, place.settings.influx.bucket_detail
    from analytics.sinks.influx import open_server
    from tests.sinks.servers import ADMIN, ORG

    other = open_server(server.url, ORG, ADMIN)
    other.write(bucket, f'posture,wearer=x flexion_deg="much" {NOW_S}000000000')
    other.close()
    written = place.sink.write(rows([posture(1), posture(2, None)]))
    assert [why[:3] for _, why in written.refused] == ["422"]
    assert len(server.rows(bucket, 'SELECT "confidence" FROM "posture" WHERE "wearer" = \'anna\'')) >= 1
