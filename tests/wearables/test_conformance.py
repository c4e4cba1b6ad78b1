"""What every wearable must do, held to each entry of the registry."""

from __future__ import annotations

import tomllib

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from sagittal.blocks import unpack_int16
from sagittal.settings import Device
from sensor_bridge.wearable import (
    Advertisement,
    Battery,
    Note,
    Skipped,
    Stopped,
    Subscribe,
    Vector,
    Wanted,
    Wearable,
    WearableRefused,
)
from sensor_bridge.wearables import WEARABLES, recognise, wanted, wearable
from tests.wearables.link import AT_REST, Link, connect

KINDS = [pytest.param(one, variant, id=f"{one.driver}-{variant}") for one in WEARABLES for variant in one.variants]
each_kind = pytest.mark.parametrize(("kind", "variant"), KINDS)

NEVER_STOPS = {"witmotion", "thingy52", "microbit", "pinetime", "adafruit"}
"""They send as long as someone listens, if slowly."""

axis_acc = st.floats(-18, 18)
axis_gyr = st.floats(-4, 4)
row = st.tuples(st.tuples(axis_acc, axis_acc, axis_acc), st.tuples(axis_gyr, axis_gyr, axis_gyr))


def rows_of(link: Link) -> list[tuple[list[float], list[float]]]:
    out: list[tuple[list[float], list[float]]] = []
    for packet in link.packets:
        acc = [value * packet.acc_scale for value in unpack_int16(packet.acc)]
        gyr = [] if packet.gyr is None else [value * (packet.gyr_scale or 0) for value in unpack_int16(packet.gyr)]
        out += [(acc[i : i + 3], gyr[i : i + 3]) for i in range(0, len(acc), 3)]
    return out


def test_drivers_have_names_of_their_own() -> None:
    assert len({one.driver for one in WEARABLES}) == len(WEARABLES)
    assert [wearable(one.driver) for one in WEARABLES] == list(WEARABLES)


@each_kind
def test_is_recognised_by_what_it_advertises(kind: Wearable, variant: str) -> None:
    found = recognise(kind.virtual(variant).advertisement)
    assert found is not None
    assert found[0] is kind
    assert found[1].has_gyr == connect(kind, variant).session.has_gyr
    assert (
        kind.recognise(Advertisement("Someone's phone", ("0000180a-0000-1000-8000-00805f9b34fb",), {76: b"\2"})) is None
    )
    assert kind.recognise(Advertisement()) is None


@each_kind
def test_its_sample_settings_are_good(kind: Wearable, variant: str) -> None:
    (entry,) = tomllib.loads(kind.sample_config)["wearers"]["devices"]
    device = Device.model_validate(entry)
    assert device.driver == kind.driver
    assert wanted(device).rate_hz == device.rate_hz


@each_kind
@settings(max_examples=15, deadline=None)
@given(some=st.lists(row, min_size=20, max_size=30))
def test_what_was_encoded_is_decoded(kind: Wearable, variant: str, some: list[tuple[Vector, Vector]]) -> None:
    rows = some * 8
    link = connect(kind, variant)
    link.stream(rows)
    got = rows_of(link)
    packets = link.packets
    assert len(got) >= len(rows) - 2 * kind.capabilities.samples_per_packet
    assert not [event for event in link.events if isinstance(event, Skipped)]
    for (acc, gyr), (true_acc, true_gyr) in zip(got, rows, strict=False):
        assert acc == pytest.approx(true_acc, abs=0.51 * packets[0].acc_scale)
        if packets[0].gyr_scale is not None:
            assert gyr == pytest.approx(true_gyr, abs=0.51 * packets[0].gyr_scale)
    assert link.session.has_gyr == (packets[0].gyr is not None)


@each_kind
def test_its_clock_and_counter_tell_the_truth(kind: Wearable, variant: str) -> None:
    link = connect(kind, variant)
    begun_ns = link.t_ns
    link.stream([AT_REST] * 400)
    period_ns = round(1e9 / link.virtual.rate_hz)
    index = 0
    for number, packet in enumerate(link.packets):
        if packet.clock is not None:
            assert packet.ticks is not None
            true_ns = begun_ns + (index + packet.anchor) * period_ns
            behind_ns = true_ns - packet.ticks * packet.clock.tick_ns
            tick_ns, wrap_ns = packet.clock.tick_ns, packet.clock.tick_ns << packet.clock.bits
            assert (behind_ns + tick_ns) % wrap_ns <= 2 * tick_ns
        if packet.counter is not None:
            expected = index if packet.counter.counts == "samples" else number
            assert packet.count == expected % (1 << packet.counter.bits)
        index += packet.n


@each_kind
def test_it_is_given_what_it_can_do(kind: Wearable, variant: str) -> None:
    link = connect(kind, variant)
    assert link.session.rate_hz == pytest.approx(link.virtual.rate_hz)
    assert isinstance(link.actions[0], Subscribe), "whoever asks first loses what comes meanwhile"
    link.stream([AT_REST] * 40)
    notes = [event.text for event in link.events if isinstance(event, Note)]
    assert any("Hz" in text for text in notes) == (link.session.rate_hz < 90)
    assert any("gyroscope" in text for text in notes) == (not link.session.has_gyr)
    assert len(notes) <= 2
    assert any(isinstance(event, Battery) for event in link.events) == kind.capabilities.battery
    link.run(link.session.poll())


@each_kind
def test_decoding_may_lag_behind_the_set_up(kind: Wearable, variant: str) -> None:
    prompt, lagging = connect(kind, variant), connect(kind, variant, lazy=True)
    for link in (prompt, lagging):
        link.stream([AT_REST] * 100)
    assert lagging.packets == prompt.packets
    assert not [event for event in lagging.events if isinstance(event, Skipped | Stopped)]


@each_kind
def test_it_stops_when_told(kind: Wearable, variant: str) -> None:
    link = connect(kind, variant)
    before = len(link.actions)
    link.run(link.session.stop())
    assert len(link.actions) > before or kind.driver in NEVER_STOPS
    if kind.driver not in NEVER_STOPS:
        assert link.stream([AT_REST] * 50) == []


@each_kind
@settings(max_examples=60, deadline=None)
@given(data=st.data())
def test_rubbish_never_raises(kind: Wearable, variant: str, data: st.DataObject) -> None:
    link = connect(kind, variant)
    chars = sorted(link.virtual.gatt, key=lambda char: (char.service, char.uuid))
    real = link.stream([AT_REST] * 40)
    for _ in range(data.draw(st.integers(1, 12))):
        char = data.draw(st.sampled_from(chars))
        piece = data.draw(st.binary(max_size=60))
        if real:
            whole = data.draw(st.sampled_from([one.data for one in real] + [b""]))
            at = data.draw(st.integers(0, len(whole)))
            piece = whole[:at] + piece + whole[at + data.draw(st.integers(0, 3)) :]
        for event in link.session.feed(char, piece):
            assert event is not None
    link.virtual.write(chars[0], data.draw(st.binary(max_size=24)), link.t_ns)


@each_kind
def test_nothing_is_expected_of_what_it_does_not_show(kind: Wearable, variant: str) -> None:
    with pytest.raises(WearableRefused):
        kind.open({}, Wanted())
    with pytest.raises(WearableRefused):
        kind.virtual("no such thing")
