"""Days side by side as stacked columns of hours."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from markupsafe import Markup, escape

from dashboards.drawings._palette import POSTURE_ORDER, posture_class
from sagittal.names import PostureLabel

_WIDTH = 360
_BASE = 132
_LEFT = 22
_HOUR_S = 3600.0


def day_columns(days: Sequence[tuple[str, Mapping[str, float]]], *, title: str = "", style: str = "") -> Markup:
    """One column a day, (text below, seconds by posture), stacked from walking at the foot to lying at the top.

    `style` is put inside, for readers of SVG that do not see the style sheet of the page around it.
    """
    stacked = [label for label in POSTURE_ORDER if label is not PostureLabel.NOT_WORN]
    most_h = max([sum(sums.get(label, 0.0) for label in stacked) / _HOUR_S for _text, sums in days] or [0.0])
    top_h = next(hours for hours in (4, 8, 12, 16, 20, 25) if most_h <= hours or hours == 25)
    scale = (_BASE - 8) / top_h
    step = (_WIDTH - _LEFT) / max(1, len(days))
    width = min(26.0, step * 0.72)
    parts = [f'<svg class="band" viewBox="0 0 {_WIDTH} 150" role="img" aria-label="{escape(title)}">']
    if style:
        parts.append(f"<style>{style}</style>")
    for hours in range(0, top_h + 1, 4):
        y = _BASE - hours * scale
        parts.append(
            f'<rect class="band-bed" x="{_LEFT}" y="{y:.1f}" width="{_WIDTH - _LEFT}" height=".6"/>'
            f'<text class="tick" x="{_LEFT - 5}" y="{y + 3.5:.1f}" text-anchor="end">{hours}</text>'
        )
    for index, (text, sums) in enumerate(days):
        middle = _LEFT + (index + 0.5) * step
        y = float(_BASE)
        for label in stacked:
            height = sums.get(label, 0.0) / _HOUR_S * scale
            if height < 0.15:
                continue
            y -= height
            parts.append(
                f'<rect class="{posture_class(label)}" x="{middle - width / 2:.1f}" y="{y:.1f}" '
                f'width="{width:.1f}" height="{height:.1f}"/>'
            )
        parts.append(f'<text class="tick" x="{middle:.1f}" y="146" text-anchor="middle">{escape(text)}</text>')
    parts.append("</svg>")
    return Markup("".join(parts))  # noqa: S704  # every text in it was escaped above


def legend(names: Sequence[tuple[PostureLabel, str]], *, style: str = "") -> Markup:
    """Colours and their names in one line."""
    x = 0.0
    parts = [f"<style>{style}</style>"] if style else []
    for label, name in names:
        parts.append(
            f'<rect class="{posture_class(label)}" x="{x:g}" y="2" width="8" height="8" rx="1.5"/>'
            f'<text class="tick" x="{x + 11:g}" y="9.5">{escape(name)}</text>'
        )
        x += 22 + 5 * len(name)
    inside = "".join(parts)
    return Markup(  # noqa: S704  # every text in it was escaped above
        f'<svg class="legend" viewBox="0 0 {max(x, 360.0):g} 13" aria-hidden="true">{inside}</svg>'
    )
