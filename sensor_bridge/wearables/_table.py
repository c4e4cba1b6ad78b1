"""The table of wearables in README.md and docs/wearables.md, made from the registry; a test holds both to it."""

from __future__ import annotations

import re
from collections.abc import Iterable

from sagittal.errors import SagittalError
from sensor_bridge.wearable import Capabilities, Wearable

BEGIN, END = "<!-- wearables: made by python -m sensor_bridge.wearables -->", "<!-- wearables end -->"
_SECTION = re.compile(f"{re.escape(BEGIN)}.*?{re.escape(END)}", re.DOTALL)
_SHORT = ("wearable", "`driver`", "gyroscope", "rates, Hz", "decoder")
_FULL = (*_SHORT[:4], "acceleration, g", "angular rate, °/s", "clock", "counter", "battery", "signal", "decoder")


def short(wearables: Iterable[Wearable]) -> str:
    """For those who choose one."""
    return _markdown(
        _SHORT,
        (
            [one.title, f"`{one.driver}`", _yes(bool(one.capabilities.gyr_ranges_dps)), *_rates(one), one.evidence]
            for one in wearables
        ),
    )


def full(wearables: Iterable[Wearable]) -> str:
    """For those who want to know everything."""
    return _markdown(_FULL, (_row(one) for one in wearables))


def renewed(text: str, table: str) -> str:
    """A document with the table in its place.

    Raises
    ------
    SagittalError
        Where it has no such place.
    """
    if not _SECTION.search(text):
        raise SagittalError(f"the document has no place for the table: put {BEGIN} and {END} there")
    return _SECTION.sub(lambda _: f"{BEGIN}\n{table}{END}", text)


def _row(one: Wearable) -> list[str]:
    can = one.capabilities
    return [
        one.title,
        f"`{one.driver}`",
        _yes(bool(can.gyr_ranges_dps)),
        *_rates(one),
        _numbers(can.acc_ranges_g),
        _numbers(can.gyr_ranges_dps) or "–",
        _clock(can),
        "–" if can.counter is None else f"{can.counter.counts}, {can.counter.bits} bits",
        _yes(can.battery),
        _yes(can.haptic),
        one.evidence,
    ]


def _clock(can: Capabilities) -> str:
    if can.clock is None:
        return "–"
    tick = {1: "ns", 1_000: "µs", 1_000_000: "ms"}.get(can.clock.tick_ns, f"{can.clock.tick_ns} ns")
    return f"{tick}, {can.clock.bits} bits"


def _rates(one: Wearable) -> list[str]:
    return [_numbers(one.capabilities.rates_hz)]


def _numbers(values: Iterable[float]) -> str:
    return ", ".join(f"{value:g}" for value in values)


def _yes(value: bool) -> str:  # one word for one bit
    return "yes" if value else "no"


def _markdown(head: Iterable[str], rows: Iterable[Iterable[str]]) -> str:
    names = list(head)
    lines = [" | ".join(names), "|".join(["---"] * len(names)), *(" | ".join(row) for row in rows)]
    return "".join(f"|{line}|\n" if line.startswith("---") else f"| {line} |\n" for line in lines)
