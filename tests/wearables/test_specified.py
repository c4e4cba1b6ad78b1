"""Commands and packets worked out by hand from the specifications: no encoder hides its decoder's mistakes here."""

from __future__ import annotations

import struct

import pytest

from sensor_bridge.wearable import Ask, Packet, Wanted, Write
from sensor_bridge.wearables import wearable
from tests.wearables.decoders import in_dps, in_g
from tests.wearables.link import Link, connect

COMMANDS = [
    ("witmotion", "", 100, ["ffaa6988b5", "ffaa030900", "ffaa270300", "ffaa276400"]),
    ("witmotion", "", 50, ["ffaa6988b5", "ffaa030800", "ffaa270300", "ffaa276400"]),
    (
        "polar",
        "verity",
        52,
        ["0102", "0202000134000101100002010800040103", "0105", "0205000134000101100002 01e80304 0103".replace(" ", "")],
    ),
    ("polar", "h10", 200, ["0102", "02020001c8000101100002010800"]),
    ("movesense", "", 52, ["0163" + b"/Meas/IMU6/52".hex()]),
    ("movella_dot", "", 60, ["010015", "14" + "00" * 2 + "0a00" + "00" * 19 + "3c00" + "00" * 6, "010115"]),
    ("openearable", "openearable", 50, ["000000484200000000"]),
    (
        "metamotion",
        "bmi160",
        100,
        [
            *("0380", "1380", "030100", "03020001", "031c00", "130100", "13020001", "130700"),
            *("03032808", "13032801", "031c01", "03020100", "130701", "13020100", "030101", "130101"),
        ],
    ),
    (
        "metamotion",
        "bmi270",
        50,
        [
            *("0380", "1380", "030100", "03020001", "030500", "130100", "13020001", "130500"),
            *("0303a702", "13032701", "030501", "03020100", "130501", "13020100", "030101", "130101"),
        ],
    ),
    ("thingy52", "", 50, ["f401f401f401320001"]),
    ("sensortag", "", 10, ["0a", "3f02"]),
    ("microbit", "", 50, ["1400"]),
    ("adafruit", "", 50, ["14000000", "14000000"]),
    ("pinetime", "", 10, []),
    ("esense", "", 50, ["5335020132"]),
    ("sagittal", "", 100, ["01640008e803"]),
]


@pytest.mark.parametrize(("driver", "variant", "rate_hz", "expected"), COMMANDS)
def test_it_is_set_up_with_these_bytes(driver: str, variant: str, rate_hz: float, expected: list[str]) -> None:
    kind = wearable(driver)
    virtual = kind.virtual(variant)
    link = Link(virtual, kind.open(virtual.gatt, Wanted(rate_hz=rate_hz, accelerometer_only=True)))
    link.run(link.session.start())
    assert [action.data.hex() for action in link.actions if isinstance(action, Write | Ask)] == expected


STOPS = [
    ("polar", "verity", ["0302", "0305", "0309"]),
    ("movesense", "", ["0263"]),
    ("movella_dot", "", ["010015"]),
    ("openearable", "nano33", ["000000000000000000", "010000000000000000"]),
    ("esense", "", ["5302020000"]),
    ("sensortag", "", ["0000"]),
    ("sagittal", "", ["00"]),
]


@pytest.mark.parametrize(("driver", "variant", "expected"), STOPS)
def test_it_is_ended_with_these_bytes(driver: str, variant: str, expected: list[str]) -> None:
    link = connect(wearable(driver), variant)
    before = len(link.actions)
    link.run(link.session.stop())
    assert [action.data.hex() for action in link.actions[before:] if isinstance(action, Write | Ask)] == expected


FLOATS = struct.pack("<6f", 0.5, -1.0, 2.0, 100.0, -200.0, 1500.0)
PACKETS = [
    ("thingy52", "", "0002 00fc 0008  800c 00e7 007d  0000 0000 0000", [0.5, -1, 2], [100, -200, 1000]),
    ("sensortag", "", "3333 cdcc 0040  0008 00f0 0020  0000 0000 0000", [0.5, -1, 2], [99.998, -99.998, 125]),
    ("microbit", "", "f401 18fc d007", [0.5, -1, 2], None),
    ("pinetime", "", "0002 00fc 0008", [0.5, -1, 2], None),
    ("esense", "", "55 07 4b 0c  0666 f99a 1000  1000 e000 4000", [0.5, -1, 2], [25.008, -25.008, 62.534]),
    ("openearable", "openearable", "00 24 40e20100" + FLOATS.hex() + "00" * 12, [0.5, -1, 2], [100, -200, 1500]),
]


@pytest.mark.parametrize(("driver", "variant", "packet", "acc_g", "gyr_dps"), PACKETS)
def test_a_packet_worked_out_by_hand(
    driver: str, variant: str, packet: str, acc_g: list[float], gyr_dps: list[float] | None
) -> None:
    link = connect(wearable(driver), variant)
    link.feed(next(iter(link.virtual.gatt)), bytes.fromhex(packet))
    got = [one for one in link.events if isinstance(one, Packet)][-1]
    assert in_g(got)[0] == pytest.approx(acc_g, abs=3e-4)
    assert (got.gyr is None) == (gyr_dps is None)
    if gyr_dps is not None:
        assert in_dps(got)[0] == pytest.approx(gyr_dps, abs=0.035)


def test_dot_and_adafruit_in_si_units() -> None:
    dot, adafruit = connect(wearable("movella_dot")), connect(wearable("adafruit"))
    values = struct.pack("<6f", 1.0, -2.0, 9.80665, 90.0, -180.0, 45.0)
    dot.feed(list(dot.virtual.gatt)[2], struct.pack("<I", 77) + values + bytes(12))
    (packet,) = dot.packets
    assert packet.ticks == 77
    assert in_g(packet)[0][2] == pytest.approx(1.0, abs=3e-4)
    assert in_dps(packet)[0] == pytest.approx([90, -180, 45], abs=0.035)
    acc, gyr = list(adafruit.virtual.gatt)[:2]
    adafruit.feed(acc, struct.pack("<3f", 0.0, 0.0, -9.80665))
    adafruit.feed(gyr, struct.pack("<3f", 1.0, 0.0, -0.5))
    (packet,) = adafruit.packets
    assert in_g(packet)[0][2] == pytest.approx(-1.0, abs=3e-4)
    assert in_dps(packet)[0] == pytest.approx([57.2958, 0, -28.6479], abs=0.035)
