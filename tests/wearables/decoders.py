"""One packet of each wearable to the numbers that its maker would give, in the maker's units."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from sagittal.blocks import unpack_int16
from sensor_bridge.wearable import Packet, Wanted
from sensor_bridge.wearables import _pmd, metamotion, movella_dot, movesense, wearable, witmotion
from sensor_bridge.wearables._common import DPS, G

Values = list[list[float]]
KINDS = {"acc": _pmd.ACC, "gyro": _pmd.GYRO, "mag": _pmd.MAG}


def in_g(packet: Packet) -> Values:
    flat = [value * packet.acc_scale / G for value in unpack_int16(packet.acc)]
    return [flat[i : i + 3] for i in range(0, len(flat), 3)]


def in_dps(packet: Packet) -> Values:
    assert packet.gyr is not None
    assert packet.gyr_scale is not None
    flat = [value * packet.gyr_scale / DPS for value in unpack_int16(packet.gyr)]
    return [flat[i : i + 3] for i in range(0, len(flat), 3)]


def fed(driver: str, data: bytes, char_of_data: int = 0) -> Packet:
    kind = wearable(driver)
    gatt = kind.virtual().gatt
    session = kind.open(gatt, Wanted(accelerometer_only=True))
    (packet,) = [one for one in session.feed(list(gatt)[char_of_data], data) if isinstance(one, Packet)]
    return packet


def polar(data: bytes, expect: dict[str, Any]) -> dict[str, Any]:
    if "settings" in expect:
        return {"settings": {str(key): value for key, value in _pmd.settings(data).items()}}
    frame = _pmd.parse(data, expect["factor"])
    rows = [[value * frame.scale for value in row[:3]] + list(row[3:]) for row in frame.rows]
    return {
        "measurement": next(name for name, kind in KINDS.items() if kind == frame.kind),
        "unit": expect["unit"],
        "factor": expect["factor"],
        "timestamp_last_sample_ns": frame.t_ns,
        "n": len(rows),
        "first": rows[0],
        "second": rows[1],
        "last": rows[-1],
    }


def from_movesense(data: bytes, expect: dict[str, Any]) -> dict[str, Any]:
    ticks, blocks = movesense.blocks(data, len(expect["blocks"]))
    return {
        **expect,
        "timestamp_first_sample_ms": ticks,
        "n": len(blocks[0]),
        "samples": [[list(block[i]) for block in blocks] for i in range(len(blocks[0]))],
    }


def from_metamotion(data: bytes, expect: dict[str, Any]) -> dict[str, Any]:
    if "values" in expect:
        return {"unit": expect["unit"], "values": list(metamotion.fused(data))}
    flat = unpack_int16(metamotion.rows(data))
    acc = data[0] == 0x03
    scale = metamotion.acc_scale(4) / G if acc else metamotion.gyr_scale(500 if len(flat) == 3 else 1000) / DPS
    return {"unit": expect["unit"], "samples": [[v * scale for v in flat[i : i + 3]] for i in range(0, len(flat), 3)]}


def from_dot(data: bytes, expect: dict[str, Any]) -> dict[str, Any]:
    mode = 22 if "gyr_dps" in expect else 4
    ticks, values = movella_dot.payload(mode, data)
    return {"timestamp_us": ticks, **{name: list(three) for name, three in values.items()}}


def from_witmotion(data: bytes, expect: dict[str, Any]) -> dict[str, Any]:
    packet = fed("witmotion", data + b"\x55\x61")
    out: dict[str, Any] = {"acc_g": in_g(packet)[0], "gyr_dps": in_dps(packet)[0], "angle_deg": expect["angle_deg"]}
    if packet.ticks is not None:
        out["time"] = witmotion_time(packet.ticks)
    return out


def witmotion_time(ticks: int) -> str:
    from datetime import timedelta

    return (witmotion.EPOCH + timedelta(milliseconds=ticks)).replace(tzinfo=None).isoformat()


def from_microbit(data: bytes, _expect: dict[str, Any]) -> dict[str, Any]:
    return {"acc_g": in_g(fed("microbit", data))[0]}


DECODERS: dict[str, Callable[[bytes, dict[str, Any]], dict[str, Any]]] = {
    "polar": polar,
    "movesense": from_movesense,
    "metamotion": from_metamotion,
    "movella_dot": from_dot,
    "witmotion": from_witmotion,
    "microbit": from_microbit,
}
