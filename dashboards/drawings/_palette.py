"""One colour a posture, apart for colour-blind eyes, and 3:1 against its ground in light and dark (WCAG 1.4.11).

Hues follow Okabe & Ito's set for colour-blind readers (Color Universal Design, 2008), darkened or lightened until they
pass. Colour never stands alone: each posture also has its own height in the band, and its name beside its colour.
"""

from __future__ import annotations

from sagittal.names import PostureLabel

POSTURE_ORDER = (
    PostureLabel.WALKING,
    PostureLabel.STANDING,
    PostureLabel.SITTING,
    PostureLabel.LYING,
    PostureLabel.BENDING,
    PostureLabel.SQUATTING,
    PostureLabel.TRANSITION,
    PostureLabel.UNKNOWN,
    PostureLabel.NOT_WORN,
)
"""The order in which postures are listed everywhere."""

_LIGHT = {
    PostureLabel.WALKING: "#0067a5",
    PostureLabel.STANDING: "#008766",
    PostureLabel.SITTING: "#bd7800",
    PostureLabel.LYING: "#8b6bb5",
    PostureLabel.BENDING: "#c8401f",
    PostureLabel.SQUATTING: "#8a2f5c",
    PostureLabel.TRANSITION: "#7b8794",
    PostureLabel.UNKNOWN: "#9aa1a9",
    PostureLabel.NOT_WORN: "#c5cad0",
}
_DARK = {
    PostureLabel.WALKING: "#56b4e9",
    PostureLabel.STANDING: "#2fc79f",
    PostureLabel.SITTING: "#f0b040",
    PostureLabel.LYING: "#bfa3e6",
    PostureLabel.BENDING: "#ff8a66",
    PostureLabel.SQUATTING: "#e88bb8",
    PostureLabel.TRANSITION: "#98a4b0",
    PostureLabel.UNKNOWN: "#7a838c",
    PostureLabel.NOT_WORN: "#4a525a",
}


POSTURE_COLOURS = {str(label): _DARK[label] for label in POSTURE_ORDER}
"""One colour a posture for pictures on a dark ground."""


def posture_class(posture: str) -> str:
    """The CSS class that fills a shape in a posture's colour."""
    return f"p-{posture.replace('_', '-')}"


def posture_css(*, dark: bool = True) -> str:
    """Style rules of every posture's colour; with `dark` also those for a dark ground."""
    rules = _rules(_LIGHT)
    if not dark:
        return rules
    return f"{rules}@media (prefers-color-scheme:dark){{{_rules(_DARK)}}}"


def _rules(colours: dict[PostureLabel, str]) -> str:
    return "".join(f".{posture_class(label)}{{fill:{colour}}}" for label, colour in colours.items())
