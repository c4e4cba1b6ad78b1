"""What is particular to each wearable: refusals, streams that come apart, packets in parts, clocks that wrap."""

from __future__ import annotations

import math
import struct

import pytest

from sagittal.blocks import unpack_int16
from sagittal.errors import SettingsError
from sagittal.settings import Device
from sensor_bridge.wearable import (
    Advertisement,
    Ask,
    Battery,
    Note,
    Packet,
    Skipped,
    Stopped,
    TimeReply,
    Wanted,
    WearableRefused,
)
from sensor_bridge.wearables import (
    _pmd,
    movella_dot,
    movesense,
    polar,
    recognise,
    sagittal_imu,
    wanted,
    wearable,
    why_not,
    witmotion,
)
from sensor_bridge.wearables._pairing import ByOrder, ByTime
from sensor_bridge.wearables.fixed_layouts import LAYOUTS
from tests.wearables.link import AT_REST, Link, connect

ROW = b"\1\0\2\0\3\0"


def refused(driver: str, variant: str = "", wish: Wanted | None = None, **changes: object) -> str:
    """What the refusal says, with attributes of the virtual wearable changed beforehand."""
    kind = wearable(driver)
    virtual = kind.virtual(variant)
    for name, value in changes.items():
        setattr(virtual, name, value)

    def begin() -> None:
        link = Link(virtual, kind.open(virtual.gatt, wish or Wanted()))
        link.run(link.session.start())

    with pytest.raises(WearableRefused) as error:
        begin()
    return str(error.value)


class TestWithoutGyroscope:
    @pytest.mark.parametrize(("driver", "variant"), [("polar", "h10"), ("microbit", ""), ("pinetime", "")])
    def test_it_is_refused_unless_asked_for(self, driver: str, variant: str) -> None:
        assert "accelerometer_only = true" in refused(driver, variant)
        assert not connect(wearable(driver), variant).session.has_gyr

    def test_it_is_told_when_found(self) -> None:
        found = recognise(Advertisement("Polar H10 12345678"))
        assert found is not None
        assert "no gyroscope" in found[1].remark


class TestWhatIsNotRead:
    @pytest.mark.parametrize("name", ["Shimmer3R-1A2B", "Bangle.js 1a2b", "M5StickC", "Polar H9 12345678"])
    def test_its_reason_is_told(self, name: str) -> None:
        assert recognise(Advertisement(name)) is None
        found = why_not(Advertisement(name))
        assert found is not None
        assert len(found.remark) > 20

    def test_a_supported_or_a_strange_one_has_none(self) -> None:
        assert why_not(Advertisement("WT901BLE67")) is None
        assert why_not(Advertisement()) is None


class TestSettings:
    def test_rate_and_ranges_are_taken_over(self) -> None:
        device = Device(
            name="a", rate_hz=52, options={"acc_range_g": 4, "gyr_range_dps": 500, "accelerometer_only": True}
        )
        assert wanted(device) == Wanted(rate_hz=52, acc_range_g=4, gyr_range_dps=500, accelerometer_only=True)

    @pytest.mark.parametrize(
        "options", [{"acc_range": 4}, {"acc_range_g": "4"}, {"acc_range_g": -1}, {"accelerometer_only": 1}]
    )
    def test_what_makes_no_sense_is_refused(self, options: dict[str, object]) -> None:
        with pytest.raises(SettingsError, match="'a'"):
            wanted(Device(name="a", options=options))

    def test_a_driver_that_is_not_known_is_told_with_those_that_are(self) -> None:
        with pytest.raises(SettingsError, match="witmotion"):
            wearable("nonsense")


class TestWitMotion:
    def test_a_rate_that_is_not_taken_is_told(self) -> None:
        def locked(virtual: object) -> None:
            virtual._obey = lambda *_: None  # type: ignore[attr-defined]  # one that ignores commands

        link = connect(wearable("witmotion"), change=locked)
        assert any("the rate was not taken" in one.text for one in link.events if isinstance(one, Note))

    def test_its_answer_is_found_behind_a_sample(self) -> None:
        kind = wearable("witmotion")
        virtual = kind.virtual()
        script = kind.open(virtual.gatt, Wanted(rate_hz=50)).start()
        ask = next(action for action in script if isinstance(action, Ask))
        reply = b"\x55\x61" + bytes(18) + b"\x55\x71" + struct.pack("<H8h", 3, 8, *[0] * 7)
        assert ask.match(reply)
        session = kind.open(virtual.gatt, Wanted(rate_hz=50))
        script, answer = session.start(), None
        while not isinstance(action := script.send(answer), Ask) or action.data[3] != 0x64:
            answer = reply if isinstance(action, Ask) else None
        assert not [event for event in session.feed(witmotion.DATA, b"") if isinstance(event, Note)]

    def test_swapped_characteristics_and_the_dual_mode_service_are_found(self) -> None:
        kind = wearable("witmotion")
        notify, write = frozenset({"notify"}), frozenset({"write-without-response"})
        for data, command in ((witmotion.COMMAND, witmotion.DATA), (witmotion.DUAL_DATA, witmotion.DUAL_COMMAND)):
            session = kind.open({data: notify, command: write}, Wanted())
            frame = b"\x55\x61" + ROW + bytes(12)
            assert any(isinstance(one, Packet) for one in session.feed(data, frame + frame))
        with pytest.raises(WearableRefused, match="another product"):
            kind.open({witmotion.DATA: notify}, Wanted())

    def test_answers_between_frames_disturb_nothing(self) -> None:
        link = connect(wearable("witmotion"))
        frame, volts = (
            b"\x55\x61" + ROW + bytes(12),
            b"\x55\x71" + struct.pack("<8h", 0x64, 390, 0, 0, 0, 0, 0, 0) + b"\0\0",
        )
        link.feed(witmotion.DATA, frame + volts + frame)
        assert sum(packet.n for packet in link.packets) == 2
        assert [one.percent for one in link.events[link.begun :] if isinstance(one, Battery)] == [75]

    @pytest.mark.parametrize(("hundredths", "percent"), [(420, 100), (397, 100), (380, 50), (345, 5)])
    def test_the_charge_follows_the_voltage(self, hundredths: int, percent: float) -> None:
        link = connect(wearable("witmotion"))
        link.feed(witmotion.DATA, b"\x55\x71" + struct.pack("<8h", 0x64, hundredths, 0, 0, 0, 0, 0, 0) + b"\0\0")
        assert [one for one in link.events if isinstance(one, Battery)][-1] == Battery(percent)

    def test_its_clock_goes_on_over_the_year(self) -> None:
        link = connect(wearable("witmotion"), "sdcl")
        for tail in ("1a0c1f173b3b e703", "1b0101000000 0000", "1b0101000000 0a00"):
            link.feed(witmotion.DATA, b"\x55\x61" + ROW + bytes(12) + bytes.fromhex(tail))
        new_year = (27 * 365 + 7) * 86_400_000
        assert [packet.ticks for packet in link.packets] == [new_year - 1, new_year, new_year + 10]


class TestPolar:
    def test_angular_rates_are_interpolated_to_the_accelerations_times(self) -> None:
        pairing = ByTime(10_000_000)
        pairing.gyr([0, 10_000_000, 20_000_000], [(0, 0, 0), (100, -100, 7), (200, -200, 7)], 0.5)
        (packet,) = pairing.acc([5_000_000, 15_000_000], Packet(acc=ROW + ROW, acc_scale=1.0))
        assert isinstance(packet, Packet)
        assert packet.gyr is not None
        assert unpack_int16(packet.gyr) == [50, -50, 4, 150, -150, 7]

    def test_a_lost_frame_of_angular_rates_is_a_marked_hole(self) -> None:
        pairing, period = ByTime(10), 10
        events = []
        for start in range(0, 1000, 100):
            times = list(range(start, start + 100, period))
            if start != 500:
                events += pairing.gyr(times, [(1, 1, 1)] * 10, 1.0)
            events += pairing.acc(times, Packet(acc=ROW * 10, acc_scale=1.0))
        assert sum(event.n for event in events if isinstance(event, Packet)) >= 70
        assert [event.length for event in events if isinstance(event, Skipped)]
        assert not [event for event in events if isinstance(event, Packet) and event.gyr is None]

    def test_angular_rates_that_stay_away_end_the_stream(self) -> None:
        pairing = ByTime(10_000_000)
        events = []
        for i in range(600):
            events += pairing.acc([i * 10_000_000], Packet(acc=ROW, acc_scale=1.0))
        assert any(isinstance(event, Stopped) for event in events)

    def test_accelerations_that_stay_away_end_the_stream_and_fill_no_memory(self) -> None:
        pairing = ByTime(10_000_000)
        events = []
        for i in range(3000):
            events += pairing.gyr([i * 10_000_000], [(1, 1, 1)], 1.0)
        assert any(isinstance(event, Stopped) for event in events)
        assert len(pairing._times) <= 500

    def test_packets_of_one_and_the_same_time_fill_no_memory(self) -> None:
        pairing = ByTime(10_000_000)
        for _ in range(10_000):
            pairing.acc([5], Packet(acc=ROW, acc_scale=1.0))
        assert len(pairing._waiting) <= 4096

    def test_a_clock_that_steps_back_begins_anew(self) -> None:
        pairing = ByTime(10)
        for base in (1000, 0):
            pairing.gyr([base, base + 10, base + 20], [(1, 2, 3)] * 3, 1.0)
            assert pairing.acc([base + 10], Packet(acc=ROW, acc_scale=1.0))

    def test_it_goes_to_raw_mode_for_a_higher_rate_and_leaves_it(self) -> None:
        link = connect(wearable("polar"))
        assert link.session.rate_hz == 104
        link.run(link.session.stop())
        asked = [action.data[:2] for action in link.actions if isinstance(action, Ask)]
        assert asked[0] == b"\2\x09"
        assert asked[-1] == b"\3\x09"

    def test_a_stream_left_on_is_begun_anew(self) -> None:
        link = connect(wearable("polar"), "h10")
        again = Link(link.virtual, wearable("polar").open(link.virtual.gatt, Wanted(accelerometer_only=True)))
        again.run(again.session.start())
        again.stream([AT_REST] * 80)
        assert again.packets

    def test_a_stream_that_the_sensor_ends_is_told(self) -> None:
        link = connect(wearable("polar"))
        link.feed(polar.CONTROL, b"\1\2\5")
        assert isinstance(link.events[-1], Stopped)
        link.feed(polar.CONTROL, b"\1\2\1\x08\0")
        assert sum(isinstance(event, Stopped) for event in link.events) == 1, "the next piece of an answer"

    def test_settings_in_several_pieces_are_put_together(self) -> None:
        answer = polar._Answer(1, 2)
        packed = _pmd.pack_settings({_pmd.RATE: (26, 52, 104), _pmd.RANGE: (4, 8)})
        assert not answer(bytes((0xF0, 1, 2, 0, 1)) + packed[:5])
        assert not answer(b"\1" + packed[5:7])
        assert answer(b"\0" + packed[7:])
        assert _pmd.settings(answer.parameters) == {0: [26, 52, 104], 2: [4, 8]}

    @pytest.mark.parametrize(
        ("error", "says"), [(10, "MTU"), (13, "charger"), (12, "another program"), (99, "error 99")]
    )
    def test_a_refusal_says_what_to_do(self, error: int, says: str) -> None:
        assert says in refused("polar", _obey=lambda *_: (error, b""))

    @pytest.mark.parametrize("type_", [0x80, 0x81])
    def test_deltas_of_any_width_come_back(self, type_: int) -> None:
        rows = [[0, -32768, 5], [32767, 32767, 6], [-1, 0, 5], [1, 0, 5]]
        frame = _pmd.parse(_pmd.compress(_pmd.ACC, type_, 77, rows))
        assert [list(row) for row in frame.rows] == rows
        assert frame.t_ns == 77


class TestMovesense:
    def test_the_rest_of_a_packet_is_put_to_it_and_a_missing_one_costs_that_packet_only(self) -> None:
        kind = wearable("movesense")
        virtual = kind.virtual()
        link = Link(virtual, kind.open(virtual.gatt, Wanted(rate_hz=208)))
        link.run(link.session.start())
        link.begun = len(link.events)
        sent = link.stream([AT_REST] * 64)
        assert [one.data[0] for one in sent] == [2, 3] * 4
        assert [packet.n for packet in link.packets] == [16] * 4
        for number, one in enumerate(sent):
            if number != 1:
                link.feed(one.char, one.data)
        assert sum(packet.n for packet in link.packets) == 64 + 48
        assert sum(isinstance(event, Skipped) for event in link.events) == 1

    def test_fewer_samples_at_a_time_than_expected_are_learnt(self) -> None:
        link = connect(wearable("movesense"))
        for i in range(5):
            link.feed(movesense.DATA, b"\2\x63" + struct.pack("<I12f", i, *[1.0] * 12))
        assert [packet.n for packet in link.packets] == [2] * 5

    def test_a_path_that_is_not_there_is_refused(self) -> None:
        assert "status 404" in refused("movesense", wish=Wanted(rate_hz=208), _rates=(52.0,))


class TestDot:
    def test_it_will_not_fall_asleep_under_a_sitting_wearer_but_still_when_left(self) -> None:
        link = connect(wearable("movella_dot"))
        virtual = link.virtual
        assert virtual.sleeps is False  # type: ignore[attr-defined]
        assert virtual.read(movella_dot.DEVICE_CONTROL)[3:5] == b"\x0a\x00"

    def test_one_that_does_not_begin_is_refused(self) -> None:
        assert "does not begin" in refused("movella_dot", write=lambda *_: [])


class TestEdgeMl:
    def test_one_that_sends_nothing_is_refused(self) -> None:
        assert "restart it" in refused("openearable", sample=lambda *_: [])

    def test_pairs_go_on_when_the_clock_wraps(self) -> None:
        link = connect(wearable("openearable"), "nano33")
        link.t_ns = (1 << 32) * 1_000_000 - 500_000_000
        link.stream([AT_REST] * 100)
        assert sum(packet.n for packet in link.packets) >= 97
        assert not [event for event in link.events if isinstance(event, Skipped)]


class TestMetaMotion:
    def test_a_board_without_gyroscope_is_refused(self) -> None:
        assert "BMI160" in refused("metamotion", _implementation=99)

    def test_a_lost_notification_begins_the_pairs_anew_and_is_told(self) -> None:
        pairing = ByOrder(6)
        events = []
        for i in range(12):
            events += pairing.add(ROW, b"", 1.0, 1.0)
            events += pairing.add(b"", ROW, 1.0, 1.0) if i < 3 else []
        assert sum(event.n for event in events if isinstance(event, Packet)) == 3
        assert [event.length for event in events if isinstance(event, Skipped)] == [42]


class TestFixedLayouts:
    def test_a_damaged_packet_is_skipped_where_it_has_a_checksum(self) -> None:
        link = connect(wearable("esense"))
        (sent,) = link.stream([AT_REST])
        for at in range(2, 16):
            damaged = bytearray(sent.data)
            damaged[at] ^= 0x10
            assert isinstance(link.session.feed(sent.char, bytes(damaged))[-1], Skipped)

    @pytest.mark.parametrize("layout", LAYOUTS, ids=lambda layout: layout.driver)
    def test_no_number_is_no_sample(self, layout: object) -> None:
        link = connect(wearable(layout.driver))  # type: ignore[attr-defined]
        for stream in layout.streams:  # type: ignore[attr-defined]
            if stream.floats:
                *_, event = link.session.feed(stream.char, struct.pack("<3f", math.nan, 0, 0))
                assert event == Skipped(12, "not a number")


class TestSagittalImu:
    def test_it_vibrates_and_tells_its_time(self) -> None:
        link = connect(wearable("sagittal"))
        link.run(link.session.haptic(250))
        assert link.virtual.signals_ms == [250]  # type: ignore[attr-defined]
        link.t_ns = 5_000_123_000
        link.run(link.session.ask_time(42))
        assert link.events[-1] == TimeReply(42, 5_000_123, 5_000_123, sagittal_imu.CLOCK)

    def test_number_and_clock_wrap(self) -> None:
        link = connect(wearable("sagittal"))
        link.virtual._count = 65533  # type: ignore[attr-defined]
        link.t_ns = ((1 << 32) - 25_000) * 1000
        link.stream([AT_REST] * 10)
        assert [packet.count for packet in link.packets] == [65533, 2]
        assert [packet.ticks for packet in link.packets] == [(1 << 32) - 25_000, 25_000]

    @pytest.mark.parametrize(
        ("info", "says"),
        [
            (b"\1", "1 bytes"),
            (struct.pack("<BBIff", 2, 1, 100_000, 0.01, 0.01), "version 2"),
            (struct.pack("<BBIff", 1, 1, 0, 0.01, 0.01), "can't be"),
            (struct.pack("<BBIff", 1, 1, 100_000, math.nan, 0.01), "can't be"),
            (struct.pack("<BBIff", 1, 0, 100_000, 0.01, 0.0), "no gyroscope"),
        ],
    )
    def test_a_sketch_that_tells_nonsense_is_refused(self, info: bytes, says: str) -> None:
        assert says in refused("sagittal", read=lambda _char: info)
