"""A phone's screen in outline: a heading, rows of a menu, the one to tap set off, and a switch where there is one."""

from __future__ import annotations

from collections.abc import Sequence

from markupsafe import Markup, escape

_WIDTH, _ROW = 132, 19


def phone_screen(heading: str, rows: Sequence[str], *, hit: int, switch: bool = False) -> Markup:
    """A drawing beside written steps, hidden from screen readers since the steps say the same."""
    height = 24 + _ROW * len(rows) + 6
    parts = [
        f'<svg class="phone" viewBox="0 0 {_WIDTH} {height}" aria-hidden="true">',
        f'<rect class="screen" x=".75" y=".75" width="{_WIDTH - 1.5}" height="{height - 1.5}" rx="9"/>',
        f'<text class="head" x="{_WIDTH / 2:g}" y="15" text-anchor="middle">{escape(heading)}</text>',
    ]
    for index, row in enumerate(rows):
        top = 22 + _ROW * index
        kind = "hit" if index == hit else "rowbox"
        parts.append(f'<rect class="{kind}" x="6" y="{top}" width="{_WIDTH - 12}" height="{_ROW - 3}" rx="4"/>')
        parts.append(f'<text class="on-{kind}" x="12" y="{top + 11}">{escape(row)}</text>')
        if switch and index == hit:
            parts.append(f'<rect class="switch" x="{_WIDTH - 30}" y="{top + 3.5}" width="17" height="9" rx="4.5"/>')
            parts.append(f'<circle class="hit" cx="{_WIDTH - 17.5}" cy="{top + 8}" r="3.2"/>')
    parts.append("</svg>")
    return Markup("".join(parts))  # noqa: S704  # every text in it was escaped above
