"""How the wearables and the worker are doing, as readings for sinks that watch."""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import Any

from pydantic import ValidationError

from sagittal.messages import DeviceHealth
from sagittal.names import Site
from sagittal.protocols import Reading
from sagittal.units import NS_PER_S

Place = tuple[str, Site]
NS_PER_MS = NS_PER_S // 1000

_DEVICE_NUMBERS = (
    "battery_percent",
    "rssi_dbm",
    "rate_hz",
    "samples",
    "samples_lost",
    "reconnects",
    "spooled_blocks",
    "spooled_bytes",
)


def device_readings(
    healths: Mapping[tuple[str, str], bytes], ends_ns: Mapping[Place, int], now_ns: int
) -> list[Reading]:
    """One reading a wearable.

    `newest_ms` is the time of the newest committed sample, `behind_s` the time since (latency while it streams, silence
    otherwise), `heard_s` the time since the bridge last spoke of it.
    """
    found: list[Reading] = []
    for (wearer, site), data in healths.items():
        try:
            health = DeviceHealth.model_validate_json(data)
        except ValidationError:
            continue
        values: dict[str, float | str | None] = {name: getattr(health, name) for name in _DEVICE_NUMBERS}
        end_ns = ends_ns.get((wearer, health.site))
        values |= {
            "heard_s": max(0.0, (now_ns - health.t_ns) / NS_PER_S),
            "behind_s": max(0.0, (now_ns - end_ns) / NS_PER_S) if end_ns else None,
            "newest_ms": end_ns / NS_PER_MS if end_ns else None,
            "state": str(health.state),
            "reason": str(health.reason) if health.reason else None,
            "device": health.device,
            "bridge": health.bridge,
            "driver": health.driver,
        }
        found.append(Reading("device", now_ns, values, wearer, site))
    return found


def service_reading(detail: Mapping[str, Any], devices: list[Reading], now_ns: int) -> Reading:
    """The worker itself: every number of its status, and sums over the wearables.

    `behind_s` is that of the wearable furthest behind of those that stream.
    """
    values: dict[str, float | str | None] = {
        name: float(value) for name, value in detail.items() if isinstance(value, int | float) and math.isfinite(value)
    }
    values |= {f"sink.{name}": str(state) for name, state in detail.get("sinks", {}).items()}
    streaming = [one for one in devices if one.values.get("state") == "streaming"]
    behind = [value for one in streaming if isinstance(value := one.values.get("behind_s"), float)]
    values |= {
        "devices": float(len(devices)),
        "devices_streaming": float(len(streaming)),
        "spooled_blocks": float(sum(_number(one, "spooled_blocks") for one in devices)),
        "spooled_bytes": float(sum(_number(one, "spooled_bytes") for one in devices)),
        "behind_s": max(behind, default=None),
    }
    return Reading("service", now_ns, values)


def _number(reading: Reading, name: str) -> float:
    value = reading.values.get(name)
    return float(value) if isinstance(value, int | float) else 0.0
