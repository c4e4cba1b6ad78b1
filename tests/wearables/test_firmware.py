"""The reference sketches write what the bridge reads; the boards themselves are not here."""

from __future__ import annotations

import importlib.util
import json
import shutil
import struct
import subprocess
from pathlib import Path
from types import ModuleType

import pytest

from sagittal.blocks import unpack_int16
from sensor_bridge.wearable import Packet, TimeReply, Wanted
from sensor_bridge.wearables import sagittal_imu, wearable

FIRMWARE = Path(__file__).parents[2] / "docs" / "firmware"
ARDUINO = FIRMWARE / "arduino" / "sagittal_imu"
START = struct.pack("<BHBH", 1, 100, 8, 1000)
ACC, GYR = (100, -200, 32767), (-32768, 1, 0)

PROGRAM = """
#include <stdio.h>
#include "sagittal_profile.h"
static void hex(const char *name, const uint8_t *data, size_t n) {
  printf("%s\\"%s\\": \\"", name[0] == 'i' ? "{" : ", ", name);
  for (size_t i = 0; i < n; i++) printf("%02x", data[i]);
  printf("\\"");
}
int main() {
  SagittalProfile profile;
  const uint8_t start[] = {1, 100, 0, 8, 0xE8, 3}, stop[] = {0}, signal[] = {2, 0xF4, 1}, token[] = {1, 2, 3, 4};
  bool good = profile.control(start, 6) == SagittalProfile::START && profile.rate_hz == 100 && profile.acc_g == 8 &&
              profile.gyr_dps == 1000 && profile.streaming &&
              profile.control(signal, 3) == SagittalProfile::SIGNAL && profile.signal_ms == 500 &&
              profile.control(start, 2) == SagittalProfile::NONE;
  uint8_t info[SagittalProfile::INFO_BYTES], time[SagittalProfile::TIME_BYTES];
  profile.info(info, 3, 104.0f, 0.0024f, 0.00061f);
  hex("info", info, sizeof info);
  const int16_t acc[] = {100, -200, 32767}, gyr[] = {-32768, 1, 0};
  profile.sample(1, acc, gyr);
  profile.missed();
  profile.sample(2, acc, gyr);
  profile.streaming = false;  // the link went with a packet half full
  good = good && profile.control(start, 6) == SagittalProfile::START && profile.streaming;
  for (uint32_t i = 0; i < SagittalProfile::SAMPLES; i++) {
    if (profile.sample(4294960000u + 10000u * i, acc, gyr)) hex("data", profile.packet, sizeof profile.packet);
  }
  profile.time(time, token, 7, 4000000000u);
  hex("time", time, sizeof time);
  good = good && profile.control(stop, 1) == SagittalProfile::STOP && !profile.streaming;
  printf(", \\"good\\": %s}\\n", good ? "true" : "false");
}
"""


@pytest.fixture(scope="module")
def compiler() -> str:
    found = shutil.which("c++") or shutil.which("g++") or shutil.which("clang++")
    if found is None:
        pytest.skip("no C++ compiler is on the PATH")
    return found


def profile() -> ModuleType:
    spec = importlib.util.spec_from_file_location(
        "sagittal_profile", FIRMWARE / "circuitpython" / "sagittal_profile.py"
    )
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def check(info: bytes, data: bytes, time: bytes, scales: tuple[float, float]) -> None:
    kind = wearable("sagittal")
    session = kind.open(kind.virtual().gatt, Wanted())
    script = session.start()
    answer: bytes | None = None
    try:
        while True:
            action = script.send(answer)
            answer = info if getattr(action, "char", None) == sagittal_imu.INFO else None
    except StopIteration:
        pass
    assert session.rate_hz == 104
    (packet,) = session.feed(sagittal_imu.DATA, data)
    assert isinstance(packet, Packet)
    assert packet.gyr is not None
    assert (packet.count, packet.ticks, packet.n) == (3, 4294960000, 5)
    assert (packet.acc_scale, packet.gyr_scale) == pytest.approx(scales, rel=1e-6)
    assert unpack_int16(packet.acc) == list(ACC) * 5
    assert unpack_int16(packet.gyr) == list(GYR) * 5
    assert session.feed(sagittal_imu.TIME, time) == [TimeReply(0x04030201, 7, 4_000_000_000, sagittal_imu.CLOCK)]


def test_the_arduino_sketch_writes_the_profile(compiler: str, tmp_path: Path) -> None:
    source, program = tmp_path / "main.cpp", tmp_path / "main"
    source.write_text(PROGRAM)
    flags = ["-std=c++11", "-Wall", "-Wextra", "-Werror", f"-I{ARDUINO}"]
    subprocess.run([compiler, *flags, str(source), "-o", str(program)], check=True)
    said = json.loads(subprocess.run([str(program)], check=True, capture_output=True).stdout)
    assert said.pop("good")
    check(**{name: bytes.fromhex(value) for name, value in said.items()}, scales=(0.0024, 0.00061))


def test_the_circuitpython_program_writes_the_profile() -> None:
    module = profile()
    scales = 8 * 9.80665 / 32768, 1000 * 0.017453293 / 32768
    made = module.Profile(*scales)
    assert made.control(START) == module.START
    assert (made.rate_hz, made.streaming) == (100, True)
    assert made.control(b"\2\xf4\1") == module.SIGNAL
    assert made.signal_ms == 500
    assert made.control(b"\1\2") is made.control(b"") is None
    acc, gyr = [value * scales[0] for value in ACC], [value * scales[1] for value in GYR]
    made.sample(1, acc, gyr)
    made.missed()
    made.sample(2, acc, gyr)
    made.streaming = False  # the link went with a packet half full
    assert made.control(START) == module.START
    packets = [made.sample(4294960000 + 10000 * i, acc, gyr) for i in range(5)]
    assert packets[:4] == [None] * 4
    check(
        info=made.info(3, 104),
        data=packets[4],
        time=module.time_reply(b"\1\2\3\4", 7, 4_000_000_000),
        scales=scales,
    )
    assert made.control(b"\0") == module.STOP
    assert not made.streaming


def test_both_speak_of_the_same_characteristics() -> None:
    module, header = profile(), (ARDUINO / "sagittal_profile.h").read_text()
    for char in (sagittal_imu.DATA, sagittal_imu.INFO, sagittal_imu.CONTROL, sagittal_imu.TIME):
        assert char.uuid in header
        assert char.uuid in (module.DATA, module.INFO, module.CONTROL, module.TIME)
    assert sagittal_imu.SERVICE == module.SERVICE
    assert sagittal_imu.SERVICE in header
