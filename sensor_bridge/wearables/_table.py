"""What README.md and docs/wearables.md get from the registry: tables and sample settings; a test holds both to it."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from pathlib import Path

from sagittal.errors import SagittalError
from sensor_bridge.wearable import Capabilities, Wearable

_BEGIN, _END = "<!-- {}: made by python -m sensor_bridge.wearables -->", "<!-- {} end -->"
_SHORT = ("wearable", "`driver`", "gyroscope", "rates, Hz", "decoder")
_FULL = (*_SHORT[:4], "acceleration, g", "angular rate, °/s", "clock", "counter", "battery", "signal", "decoder")


def short(wearables: Iterable[Wearable]) -> str:
    """For those who choose one."""
    return _markdown(
        _SHORT,
        (
            [one.title, f"`{one.driver}`", _yes(bool(one.capabilities.gyr_ranges_dps)), *_rates(one), _evidence(one)]
            for one in wearables
        ),
    )


def full(wearables: Iterable[Wearable]) -> str:
    """For those who want to know everything."""
    return _markdown(_FULL, (_row(one) for one in wearables))


def samples(wearables: Iterable[Wearable]) -> str:
    """Settings to begin with, one device of each kind."""
    return "```toml\n" + "\n".join(one.sample_config for one in wearables) + "```\n"


def renewed(text: str, part: str, made: str) -> str:
    """A document with a part made anew.

    Raises
    ------
    SagittalError
        Where it has no place for it.
    """
    begin, end = _BEGIN.format(part), _END.format(part)
    before, found, rest = text.partition(begin)
    _, found_end, after = rest.partition(end)
    if not (found and found_end):
        raise SagittalError(f"the document has no place for its {part}: put {begin} and {end} there")
    return f"{before}{begin}\n{made}{end}{after}"


def documents(wearables: Sequence[Wearable], folder: Path) -> dict[Path, str]:
    """What the documents in the project's folder should say."""
    readme, about = folder / "README.md", folder / "docs" / "wearables.md"
    text = renewed(about.read_text(encoding="utf-8"), "wearables", full(wearables))
    return {
        readme: renewed(readme.read_text(encoding="utf-8"), "wearables", short(wearables)),
        about: renewed(text, "samples", samples(wearables)),
    }


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
        _evidence(one),
    ]


def _evidence(one: Wearable) -> str:
    return f"{one.evidence} ({one.evidence_note})" if one.evidence_note else str(one.evidence)


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
