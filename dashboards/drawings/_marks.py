"""Marks from 0 to 10 over days, one shape and colour a place."""

from __future__ import annotations

from collections.abc import Sequence

from markupsafe import Markup, escape

WIDTH = 360
_TOP, _HEIGHT, _LEFT = 8, 100, 22


def mark_chart(
    marks: Sequence[tuple[float, int, str]], *, ticks: Sequence[tuple[float, str]] = (), title: str = ""
) -> Markup:
    """Marks as an inline SVG, 360 wide: (place on the time axis from 0 to 1, mark, CSS class of its place).

    Each place has its own shape as well as its colour: back a circle, left a triangle, right a square.
    """

    def y(mark: float) -> float:
        return round(_TOP + _HEIGHT * (1 - mark / 10), 1)

    parts = [
        f'<svg class="chart" viewBox="0 0 {WIDTH} {_TOP + _HEIGHT + 20}" role="img" aria-label="{escape(title)}">',
        *(f'<path class="line" d="M{_LEFT} {y(mark)}H{WIDTH}"/>' for mark in (0, 5, 10)),
        *(
            f'<text class="tick" x="{_LEFT - 5}" y="{y(mark) + 3.5}" text-anchor="end">{mark}</text>'
            for mark in (0, 5, 10)
        ),
    ]
    for place, text in ticks:
        where = f'x="{_x(place):g}" y="{_TOP + _HEIGHT + 15}"'
        parts.append(f'<text class="tick" {where} text-anchor="middle">{escape(text)}</text>')
    parts += [mark_shape(kind, _x(place), y(mark)) for place, mark, kind in marks]
    return Markup("".join([*parts, "</svg>"]))  # noqa: S704  # every text in it was escaped above


def mark_shape(kind: str, x: float, y: float, size: float = 4.0) -> str:
    """The shape of a place's mark: `k-back`, `k-left` or `k-right`."""
    if kind == "k-left":
        return f'<path class="{kind}" d="M{x:g} {y - size:g}L{x + size:g} {y + size:g}H{x - size:g}Z"/>'
    if kind == "k-right":
        side = 2 * size - 1
        return (
            f'<rect class="{kind}" x="{x - size + 0.5:g}" y="{y - size + 0.5:g}" width="{side:g}" height="{side:g}"/>'
        )
    return f'<circle class="k-back" cx="{x:g}" cy="{y:g}" r="{size:g}"/>'


def _x(place: float) -> float:
    return round(_LEFT + 8 + place * (WIDTH - _LEFT - 18), 1)
