"""Plots as SVG text: of whole sets only."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np

COLOURS = ("#0b6e99", "#c2571a", "#4a7d2c", "#7b4aa3")
WIDTH, HEIGHT = 640, 320
LEFT, RIGHT, TOP, BOTTOM = 56, 16, 40, 44
OVERHANG = 12
"""Beyond the width, for the half of the last label that stands out."""


def shares(title: str, values: Mapping[str, Sequence[float]], limit: float, unit: str) -> str:
    """Cumulative shares: how much of each group lies within a size, up to `limit`."""
    at = np.linspace(0.0, limit, 101)
    lines = {
        name: [float(np.mean(np.asarray(found) <= x)) if len(found) else 0.0 for x in at]
        for name, found in values.items()
    }
    return _lines(title, at.tolist(), lines, unit)  # fmt: skip


def _lines(title: str, x: list[float], lines: Mapping[str, list[float]], unit: str) -> str:
    def place(a: float, b: float) -> str:
        return f"{LEFT + a / x[-1] * (WIDTH - LEFT - RIGHT):.1f},{HEIGHT - BOTTOM - b * (HEIGHT - TOP - BOTTOM):.1f}"

    parts = [
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {WIDTH + OVERHANG} {HEIGHT}" font-family="sans-serif"'
        ' font-size="12">',
        f'<rect width="{WIDTH + OVERHANG}" height="{HEIGHT}" fill="#fff"/>'
        f'<text x="{LEFT}" y="20" font-size="14">{title}</text>',
    ]
    for share in (0.0, 0.25, 0.5, 0.75, 1.0):
        _, y = place(0, share).split(",")
        parts.append(f'<line x1="{LEFT}" x2="{WIDTH - RIGHT}" y1="{y}" y2="{y}" stroke="#ddd"/>')
        parts.append(f'<text x="{LEFT - 8}" y="{float(y) + 4:.1f}" text-anchor="end">{share:.0%}</text>')
    for tick in np.linspace(0, x[-1], 6):
        at, _ = place(float(tick), 0).split(",")
        parts.append(f'<text x="{at}" y="{HEIGHT - BOTTOM + 18}" text-anchor="middle">{tick:g} {unit}</text>')
    for n, (name, y_values) in enumerate(lines.items()):
        colour = COLOURS[n % len(COLOURS)]
        points = " ".join(place(a, b) for a, b in zip(x, y_values, strict=True))
        parts.append(f'<polyline points="{points}" fill="none" stroke="{colour}" stroke-width="2"/>')
        row = HEIGHT - BOTTOM - 16 - 18 * (len(lines) - 1 - n)
        parts.append(f'<text x="{WIDTH - RIGHT - 8}" y="{row}" text-anchor="end" fill="{colour}">{name}</text>')
    return "\n".join([*parts, "</svg>"]) + "\n"
