"""Short packets from public specifications and vendors' own tests, with what their sources say they hold."""

from __future__ import annotations

from typing import Any

import pytest

from tests.wearables.decoders import DECODERS

POLAR = "polarofficial/polar-ble-sdk, AccDataTest and GyrDataTest"
METAWEAR = "mbientlab/MetaWear-SDK-Cpp, test_accelerometer_bmi160.py and test_gyro_bmi160.py"
MOVESENSE = "sensein/movesense-py, tests/fixtures/validation (a capture)"

GOLDEN = [
    pytest.param(
        "polar",
        "02 6500000000000000 81 f1ff 1400 f003 06 01 7b0f08",
        {"factor": 1.0, "unit": "mg"},
        {"timestamp_last_sample_ns": 101, "n": 2, "first": [-15, 20, 1008], "last": [-20, 17, 1008]},
        id=f"{POLAR}: acceleration, deltas",
    ),
    pytest.param(
        "polar",
        "05 ffffffffffffff7f 80 eaff 0800 0d00 03 01 df00",
        {"factor": 1.0, "unit": "deg/s"},
        {"timestamp_last_sample_ns": 2**63 - 1, "n": 2, "first": [-22, 8, 13], "last": [-23, 11, 16]},
        id=f"{POLAR}: angular rate, deltas",
    ),
    pytest.param(
        "polar",
        "05 0094357700000000 81 0000803f 00002041 0000a041 1c 01 0000a001000008cdccec0d",
        {"factor": 0.5, "unit": "deg/s"},
        {"n": 2, "first": [0.5, 5.0, 10.0], "last": [5.0, 10.0, 0.55]},
        id=f"{POLAR}: angular rate, floats whose bit patterns differ by the deltas",
    ),
    pytest.param(
        "metamotion",
        "1307 0915ad2608de 8a1a0d2665e4 8d20ac2773ec",
        {"unit": "deg/s"},
        {
            "samples": [
                [164.1768, 301.8598, -265.1220],
                [207.1341, 296.9817, -215.4573],
                [254.0549, 309.6341, -152.5915],
            ]
        },
        id=f"{METAWEAR}: three packed samples at 1000 deg/s",
    ),
    pytest.param(
        "metamotion",
        "0304 16c494a22ad0",
        {"unit": "g"},
        {"samples": [[-1.872314, -2.919434, -1.494873]]},
        id=f"{METAWEAR}: acceleration at 4 g",
    ),
    pytest.param(
        "movesense",
        "aca10200 de9cfe41 708636c2 a5026cc1",
        {"blocks": ["magn"]},
        {"timestamp_first_sample_ms": 172460, "n": 1, "samples": [[[31.826595, -45.631287, -14.750646]]]},
        id=f"{MOVESENSE}: one sample",
    ),
    pytest.param(
        "witmotion",
        "5561 d8fd3905de05 bb01ff00fbff ab0fb1ed808a 1a06160e2901 1903",
        {"angle_deg": []},
        {
            "acc_g": [-0.26953125, 0.65283203, 0.73339844],
            "gyr_dps": [27.038574, 15.563965, -0.305176],
            "time": "2026-06-22T14:41:01.793000",
        },
        id="zhuyetuo/witmotion_imu, data/test/WIT18.TXT (a capture): 28 bytes",
    ),
    pytest.param(
        "microbit",
        "0001a0032001",
        {},
        {"acc_g": [0.256, 0.928, 0.288]},
        id="lancaster-university/microbit-dal issue 355 (a capture)",
    ),
]


@pytest.mark.parametrize(("device", "packet", "given", "expected"), GOLDEN)
def test_a_known_packet(device: str, packet: str, given: dict[str, Any], expected: dict[str, Any]) -> None:
    got = DECODERS[device](bytes.fromhex(packet), given)
    for name, value in expected.items():
        if isinstance(value, str):
            assert got[name] == value
        else:
            assert flat(got[name]) == pytest.approx(flat(value), rel=1e-5), name


def flat(value: Any) -> list[float]:
    return [one for part in value for one in flat(part)] if isinstance(value, list) else [value]
