"""What goes wrong with a server: nothing is lost, nothing doubled."""

from __future__ import annotations

import signal
from collections.abc import Iterator, Sequence
from pathlib import Path

import pytest

import analytics.sinks._feeder as feeder_module
from analytics.sinks import Feeder
from analytics.sinks.influx import InfluxSink, open_server, quarantine_of
from analytics.store import Commit, Store
from sagittal.errors import SinkRefused, SinkUnavailable
from sagittal.protocols import Reading, Row, Sink, Written
from tests.sinks.conftest import Place
from tests.sinks.samples import NOW_S, posture, rows
from tests.sinks.servers import ORG, Stub, settings_for, until

SECONDS = 6_000


@pytest.fixture(autouse=True)
def _impatient(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(feeder_module, "MIN_WAIT_S", 0.1)
    monkeypatch.setattr(feeder_module, "MAX_WAIT_S", 0.3)
    monkeypatch.setattr(feeder_module, "REFUSED_WAIT_S", 0.2)
    monkeypatch.setattr(feeder_module, "BATCH", 500)


class Fed:
    """A store whose outbox a feeder empties into a sink."""

    def __init__(self, folder: Path, sink: Sink) -> None:
        self.store = Store(folder / "store.sqlite", "w")
        self.feeder = Feeder([sink], self.store)
        self.feeder.start()
        self.end = 0

    def commit(self, first: int, count: int) -> None:
        made = self.store.commit(Commit(results=[("anna", posture(first + i)) for i in range(count)]))
        self.end = made[-1].id
        self.feeder.wake()

    @property
    def done(self) -> bool:
        return self.feeder.positions()["sink:influx"] == self.end

    @property
    def state(self) -> str:
        return self.feeder.states()["influx"]

    def close(self) -> None:
        self.feeder.stop()
        self.store.close()


def feed(place: Place) -> Iterator[Fed]:
    fed = Fed(place.settings.data_dir, place.sink)
    yield fed
    fed.close()


@pytest.fixture
def fed(own_place: Place) -> Iterator[Fed]:
    yield from feed(own_place)


def arrived(place: Place) -> list[int]:
    return sorted(int(str(row["time"])) // 10**9 - NOW_S for row in place.rows("posture"))


@pytest.mark.influx
def test_a_server_killed_again_and_again(own_place: Place, fed: Fed) -> None:
    for start in range(0, SECONDS, SECONDS // 3):
        fed.commit(start, SECONDS // 3)
        own_place.server.kill()
        until(lambda: fed.state == "unavailable" or fed.done)
        own_place.server.start()
    until(lambda: fed.done)
    assert arrived(own_place) == list(range(SECONDS))


@pytest.mark.influx
def test_a_server_that_hangs(own_place: Place, monkeypatch: pytest.MonkeyPatch) -> None:
    from analytics.sinks._server import Server

    token = (own_place.settings.influx.token_file or Path()).read_text().strip()
    influx = own_place.settings.influx
    buckets = {"detail": influx.bucket_detail, "minutes": influx.bucket_minutes, "days": influx.bucket_days}
    sink = InfluxSink(
        Server(own_place.server.url, ORG, token, timeout_s=0.5), buckets, "worker", quarantine_of(own_place.settings)
    )
    fed = Fed(own_place.settings.data_dir, sink)
    try:
        assert own_place.server.process is not None
        own_place.server.process.send_signal(signal.SIGSTOP)
        fed.commit(0, SECONDS)
        until(lambda: fed.state == "unavailable")
        own_place.server.process.send_signal(signal.SIGCONT)
        until(lambda: fed.done)
        assert arrived(own_place) == list(range(SECONDS))
    finally:
        fed.close()


@pytest.mark.influx
def test_a_server_whose_disk_is_full(own_place: Place, fed: Fed) -> None:
    own_place.server.limit_files(4_096)
    fed.commit(0, SECONDS)
    until(lambda: fed.state == "unavailable")
    assert not fed.done
    own_place.server.limit_files(None)
    until(lambda: fed.done)
    assert arrived(own_place) == list(range(SECONDS))
    assert fed.feeder.refused() == 0


@pytest.mark.influx
def test_a_token_that_is_taken_back_stops_the_sink_and_a_new_one_goes_on(place: Place, tmp_path: Path) -> None:
    wrong = InfluxSink(
        open_server(place.server.url, ORG, "no-such-token"),
        {"detail": place.settings.influx.bucket_detail, "minutes": "x", "days": "y"},
        "worker",
        quarantine_of(place.settings),
    )
    fed = Fed(tmp_path, wrong)
    fed.commit(0, 700)
    until(lambda: fed.state == "refused")
    assert not fed.done
    with pytest.raises(SinkRefused, match="sagittal sink init"):
        wrong.write(rows([posture(1)]))
    fed.close()
    again = Fed(tmp_path, place.sink)
    again.end = 700
    until(lambda: again.done)
    again.close()
    assert arrived(place) == list(range(700))


@pytest.mark.influx
def test_a_reading_token_may_not_write_or_delete(place: Place) -> None:
    reading = (place.settings.data_dir / "tokens" / "grafana.token").read_text().strip()
    place.sink.write(rows([posture(1)]))
    bucket = place.settings.influx.bucket_detail
    other = open_server(place.server.url, ORG, reading)
    try:
        with pytest.raises(SinkRefused, match="403"):
            other.write(bucket, "posture x=1")
        with pytest.raises(SinkRefused, match="403"):
            other.delete(bucket, 'wearer="anna"')
        with pytest.raises(SinkRefused):
            other.query(bucket, 'DROP MEASUREMENT "posture"')
        assert other.query(bucket, 'SELECT "confidence" FROM "posture"')
    finally:
        other.close()


def sink_on(stub: Stub, folder: Path) -> InfluxSink:
    settings = settings_for(stub.url, folder)
    return InfluxSink(
        open_server(stub.url, ORG, "t"), {"detail": "d", "minutes": "m", "days": "y"}, "w", quarantine_of(settings)
    )


@pytest.mark.parametrize("status", [429, 500, 503, 408])
def test_a_server_that_wants_to_be_left_alone(status: int, tmp_path: Path) -> None:
    answers = iter([(status, {"Retry-After": "7"}, {"message": "not now"})] * 2)
    stub = Stub(lambda _lines: next(answers, (204, {}, None)))
    sink = sink_on(stub, tmp_path)
    try:
        with pytest.raises(SinkUnavailable, match="not now") as caught:
            sink.write(rows([posture(1)]))
        assert caught.value.retry_after_s == 7.0
        fed = Fed(tmp_path, sink)
        answers = iter([(status, {}, {"message": "not now"})] * 2)
        fed.commit(0, 900)
        until(lambda: fed.done)
        fed.close()
        assert len(stub.accepted) == len(set(stub.accepted)) == 900
    finally:
        sink.close()
        stub.close()


def test_a_body_that_is_too_large_is_halved(tmp_path: Path) -> None:
    stub = Stub(lambda lines: (204, {}, None) if len(lines) <= 100 else (413, {}, {"message": "too large"}))
    sink = sink_on(stub, tmp_path)
    written = sink.write(rows([posture(second) for second in range(1_000)]))
    sink.close()
    stub.close()
    assert written.refused == []
    assert len(stub.accepted) == len(set(stub.accepted)) == 1_000


def test_lines_that_can_not_be_read_are_found_one_by_one(tmp_path: Path) -> None:
    bad = {17, 18, 400}

    def answer(lines: list[str]) -> tuple[int, dict[str, str], object]:
        if any(int(line.rsplit(" ", 1)[1]) // 10**9 - NOW_S in bad for line in lines):
            return 400, {}, {"message": "unable to parse"}
        return 204, {}, None

    stub = Stub(answer)
    sink = sink_on(stub, tmp_path)
    written = sink.write(rows([posture(second) for second in range(1_000)], first=0))
    sink.close()
    stub.close()
    assert {row for row, _ in written.refused} == bad
    assert len(stub.accepted) == 997
    assert stub.requests < 80


def test_what_answers_is_no_influxdb(tmp_path: Path) -> None:
    stub = Stub(lambda _lines: (302, {"Location": "/login"}, {"x": 1}))
    sink = sink_on(stub, tmp_path)
    with pytest.raises(SinkRefused, match="InfluxDB 2"):
        sink.write(rows([posture(1)]))
    assert sink.check()
    sink.close()
    stub.close()


def test_readings_wait_for_a_server_that_is_away_and_hold_up_no_result(tmp_path: Path) -> None:
    away = True
    stub = Stub(lambda _lines: (503, {}, {"message": "away"}) if away else (204, {}, None))
    fed = Fed(tmp_path, sink_on(stub, tmp_path))
    fed.feeder.observe([Reading("service", (NOW_S + n) * 10**9, {"blocks": float(n)}) for n in range(30)])
    fed.commit(0, 10)
    until(lambda: fed.state == "unavailable")
    away = False
    until(lambda: len(set(stub.accepted)) == 40)
    fed.close()
    stub.close()
    assert len(stub.accepted) == 40


class Faulty:
    """A sink with a fault of its own, for a while."""

    name = "influx"

    def __init__(self) -> None:
        self.calls = 0

    def write(self, rows: Sequence[Row]) -> Written:
        self.calls += 1
        if self.calls < 3:
            raise ZeroDivisionError("a fault")
        return Written(len(rows))

    def erase(self, wearer: str) -> None:
        pass

    def check(self) -> list[str]:
        return []

    def close(self) -> None:
        pass


def test_a_sinks_own_fault_is_seen_and_does_not_end_the_feeding(tmp_path: Path) -> None:
    sink = Faulty()
    fed = Fed(tmp_path, sink)
    fed.commit(0, 10)
    until(lambda: fed.state == "failed" or fed.done)
    until(lambda: fed.done)
    fed.close()
    assert sink.calls == 3
