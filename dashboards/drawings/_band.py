"""The day as a band: what the wearer did from midnight to midnight."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from markupsafe import Markup, escape

from dashboards.drawings._palette import posture_class
from sagittal.names import PostureLabel

WIDTH = 360
_TOP = 4
_HEIGHT = 52
_BASE = _TOP + _HEIGHT
_SHARE = {
    PostureLabel.WALKING: 1.0,
    PostureLabel.STANDING: 0.82,
    PostureLabel.SQUATTING: 0.7,
    PostureLabel.BENDING: 0.7,
    PostureLabel.TRANSITION: 0.6,
    PostureLabel.SITTING: 0.52,
    PostureLabel.LYING: 0.28,
    PostureLabel.UNKNOWN: 0.12,
    PostureLabel.NOT_WORN: 0.05,
}
_MIN_WIDTH = 0.4


@dataclass(frozen=True, slots=True)
class Segment:
    """A stretch of one posture, UTC ns."""

    start_ns: int
    end_ns: int
    posture: PostureLabel


def day_band(
    segments: Sequence[Segment],
    start_ns: int,
    end_ns: int,
    *,
    ticks: Sequence[tuple[int, str]] = (),
    marks: Sequence[tuple[int, str]] = (),
    now_ns: int | None = None,
    title: str = "",
) -> Markup:
    """Segments between two instants as an inline SVG, 360 wide, height by posture as well as colour.

    `ticks` are (UTC ns, text) below the band, `marks` (UTC ns, CSS class) small circles on it, `now_ns` a thin line.
    """
    scale = WIDTH / max(1, end_ns - start_ns)

    def x(t_ns: int) -> float:
        return round(min(max((t_ns - start_ns) * scale, 0.0), WIDTH), 2)

    parts = [
        f'<svg class="band" viewBox="0 0 {WIDTH} {_BASE + 18}" role="img" aria-label="{escape(title)}">',
        f'<rect class="band-bed" x="0" y="{_BASE}" width="{WIDTH}" height="1"/>',
    ]
    parts += [_bar(segment, x(segment.start_ns), x(segment.end_ns)) for segment in segments]
    for t_ns, text in ticks:
        place = x(t_ns)
        anchor = "start" if place < 20 else "end" if place > WIDTH - 20 else "middle"
        parts.append(f'<text class="tick" x="{place:g}" y="{_BASE + 15}" text-anchor="{anchor}">{escape(text)}</text>')
    parts += [f'<circle class="mark {escape(name)}" cx="{x(t_ns):g}" cy="{_TOP}" r="3"/>' for t_ns, name in marks]
    if now_ns is not None and start_ns <= now_ns < end_ns:
        parts.append(f'<path class="band-now" d="M{x(now_ns):g} 0V{_BASE + 3}"/>')
    parts.append("</svg>")
    return Markup("".join(parts))  # noqa: S704  # every text in it was escaped above


def _bar(segment: Segment, left: float, right: float) -> str:
    height = round(_HEIGHT * _SHARE[segment.posture], 1)
    width = max(right - left, _MIN_WIDTH)
    return (
        f'<rect class="{posture_class(segment.posture)}" x="{left:g}" y="{_BASE - height:g}" '
        f'width="{width:g}" height="{height:g}"/>'
    )
