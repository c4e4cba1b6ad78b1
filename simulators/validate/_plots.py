"""Figures of whole sets: every feature's band, real beside simulated, as plain SVG."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import pairwise
from pathlib import Path

import numpy as np

from simulators.validate._compare import Row, place
from simulators.validate._features import ACCELERATION, GYROSCOPE

_ROW, _LEFT, _WIDTH, _PAD = 22, 110, 560, 34
_FEWEST_PEOPLE = 4
"""A class of fewer people is not shown: it would show a person."""
_REAL, _MADE = "#5b7083", "#c4622d"


def plot(folder: Path, real: Sequence[Row], simulated: Sequence[Row]) -> list[Path]:
    """Write `simulator-bands.svg` and `simulator-cadence.svg`; their paths."""
    folder.mkdir(parents=True, exist_ok=True)
    files = {"simulator-bands.svg": _bands(real, simulated), "simulator-cadence.svg": _cadence(real, simulated)}
    for name, text in files.items():
        (folder / name).write_text(text, encoding="utf-8")
    return [folder / name for name in files]


def _bands(real: Sequence[Row], simulated: Sequence[Row]) -> str:
    """5 to 95 % and median of each feature, in shares of the real median."""
    placed = place((*ACCELERATION, *GYROSCOPE), real, simulated)
    height = 2 * _PAD + _ROW * len(placed)
    parts = []
    for row, one in enumerate(placed):
        y = _PAD + row * _ROW + 8
        parts.append(f'<text x="{_LEFT - 8}" y="{y + 5}" text-anchor="end">{one.name}</text>')
        for band, colour, shift in ((one.real, _REAL, 0), (one.simulated, _MADE, 7)):
            low, middle, high = (_LEFT + min(3.0, max(0.0, value / one.real[1])) / 3.0 * _WIDTH for value in band)
            parts.append(
                f'<rect x="{low:.1f}" y="{y - 3 + shift}" width="{high - low:.1f}" height="4" fill="{colour}"/>'
            )
            parts.append(f'<circle cx="{middle:.1f}" cy="{y - 1 + shift}" r="4" fill="{colour}"/>')
    for share in (0, 1, 2, 3):
        x = _LEFT + share / 3 * _WIDTH
        parts.append(f'<line x1="{x}" x2="{x}" y1="{_PAD - 8}" y2="{height - _PAD}" stroke="#ccc"/>')
        parts.append(f'<text x="{x}" y="{_PAD - 12}" text-anchor="middle">{share}</text>')
    title = "Features of healthy walks, 5-95 % and median, in shares of the real median"
    return _svg(_LEFT + _WIDTH + 20, height, title, parts)


def _cadence(real: Sequence[Row], simulated: Sequence[Row]) -> str:
    """Vertical RMS by class of cadence: 5 to 95 % and median of each, whole sets only."""
    edges = [85, 100, 106, 112, 118, 130]
    parts = []
    for rows, colour, shift in ((real, _REAL, -6), (simulated, _MADE, 6)):
        for low, high in pairwise(edges):
            within = [(who, row["rms_V"]) for who, row in rows if low <= row["cadence"] < high]
            if len({who for who, _ in within}) < _FEWEST_PEOPLE:
                continue
            found = [value for _, value in within]
            x = 60 + ((low + high) / 2 - 85) / 45 * 420 + shift
            p5, p50, p95 = (250 - value / 5 * 210 for value in np.percentile(found, [5, 50, 95]))
            parts.append(f'<rect x="{x - 3:.1f}" y="{p95:.1f}" width="6" height="{p5 - p95:.1f}" fill="{colour}"/>')
            parts.append(f'<circle cx="{x:.1f}" cy="{p50:.1f}" r="6" fill="{colour}"/>')
    for value in range(6):
        y = 250 - value / 5 * 210
        parts.append(f'<line x1="50" x2="490" y1="{y}" y2="{y}" stroke="#ddd"/><text x="30" y="{y + 4}">{value}</text>')
    marks = ((60 + (cadence - 85) / 45 * 420, cadence) for cadence in (90, 100, 110, 120, 130))
    parts += [f'<text x="{x}" y="272" text-anchor="middle">{cadence}</text>' for x, cadence in marks]
    return _svg(510, 290, "Vertical RMS, m/s², by cadence, steps/min: 5-95 % and median of a class", parts)


def _svg(width: int, height: int, title: str, parts: Sequence[str]) -> str:
    legend = (
        f'<text x="{width - 190}" y="{height - 8}" fill="{_REAL}">real</text>'
        f'<text x="{width - 140}" y="{height - 8}" fill="{_MADE}">simulated</text>'
    )
    body = "\n".join([*parts, legend])
    return (
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {width} {height}" font-family="sans-serif" '
        'font-size="12">'
        f'<title>{title}</title><rect width="{width}" height="{height}" fill="white"/>\n{body}\n</svg>\n'
    )
