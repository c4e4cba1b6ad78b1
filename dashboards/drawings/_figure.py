"""A calm figure of a person whose trunk leans as the sensor does.

The hip is the pivot at (100, 130). The side view faces right, so flexion turns clockwise; the back view is seen from
behind, so a lean to the wearer's right turns clockwise as well. Only the groups `trunk` and `arm-side` move: whoever
animates them sets `transform="rotate(angle 100 130)"` on the first and `rotate(-0.85·angle 100 76)` on the second,
since an arm hangs.
"""

from __future__ import annotations

from markupsafe import Markup, escape

from sagittal.names import PostureLabel

HIP = "100 130"
SHOULDER = "100 76"

_UPRIGHT_LEGS = (
    '<g class="limb far"><path d="M99 130L96 168L94 205l12 1"/></g>'
    '<g class="limb near"><path d="M101 130L103 168L101 205l12 1"/></g>'
)
_WALKING_LEGS = (
    '<g class="limb far swing-b"><path d="M100 130L100 168L98 205l12 1"/></g>'
    '<g class="limb near swing-a"><path d="M100 130L102 168L100 205l12 1"/></g>'
)
_SITTING_LEGS = (
    '<path class="seat" d="M76 148H128M84 148V181"/>'
    '<g class="limb far"><path d="M100 131L139 133L137 177l12 1"/></g>'
    '<g class="limb near"><path d="M100 131L145 133L143 177l12 1"/></g>'
)
_SQUAT_LEGS = (
    '<g class="limb far"><path d="M100 131L138 128L119 172l12 1"/></g>'
    '<g class="limb near"><path d="M100 131L143 130L123 172l12 1"/></g>'
)
_LEGS = {
    PostureLabel.WALKING: (_WALKING_LEGS, 0),
    PostureLabel.SITTING: (_SITTING_LEGS, 28),
    PostureLabel.SQUATTING: (_SQUAT_LEGS, 33),
}


def side_figure(posture: PostureLabel, flexion_deg: float | None, *, title: str, detail: str | None = None) -> Markup:
    """The person from the right side, the trunk turned by the flexion in degrees (positive forwards).

    Absent flexion draws the trunk upright and faint. Lying is drawn on a bed, face up unless `detail` is "prone".
    """
    legs, drop = _LEGS.get(posture, (_UPRIGHT_LEGS, 0))
    if posture is PostureLabel.LYING:
        turn = "90" if detail == "prone" else "-90"
        body = f'<g transform="translate(0 48) rotate({turn} {HIP})">{_UPRIGHT_LEGS}{_trunk_side(0.0)}</g>'
        scene = '<path class="seat" d="M14 198H186"/>'
    else:
        wedge = "" if posture is PostureLabel.NOT_WORN else _guide()
        body = f'<g transform="translate(0 {drop})">{wedge}{legs}{_trunk_side(flexion_deg or 0.0)}</g>'
        scene = '<path class="floor" d="M40 211H160"/>'
    return _svg("side", flexion_deg is None and posture is not PostureLabel.LYING, title, scene + body)


def back_figure(posture: PostureLabel, lateral_deg: float | None, *, title: str) -> Markup:
    """The person from behind, the trunk turned by the lateral inclination in degrees (positive to the right)."""
    drop = _LEGS.get(posture, ("", 0))[1]
    legs = (
        '<g class="limb near"><path d="M91 132L89 168L88 205"/><path d="M109 132L111 168L112 205"/></g>'
        if drop == 0
        else '<g class="limb near"><path d="M90 134L84 150L84 178"/><path d="M110 134L116 150L116 178"/></g>'
    )
    turn = f"{lateral_deg or 0.0:.1f}"
    body = (
        f'<g transform="translate(0 {drop})"><path class="guide" d="M100 18V128"/>{legs}'
        f'<g class="trunk" data-axis="lateral" transform="rotate({turn} {HIP})">'
        '<path class="body" d="M86 134C82 110 78 92 79 76C80 68 89 65 100 65'
        'C111 65 120 68 121 76C122 92 118 110 114 134Z"/>'
        '<path class="arm" d="M81 79C73 96 71 112 72 128M119 79C127 96 129 112 128 128"/>'
        '<circle class="body" cx="100" cy="43" r="15"/>'
        '<rect class="sensor" x="93" y="117" width="14" height="10" rx="3"/>'
        "</g></g>"
    )
    faint = lateral_deg is None or posture is PostureLabel.LYING
    return _svg("back", faint, title, f'<path class="floor" d="M50 211H150"/>{body}')


def place_figure(title: str) -> Markup:
    """The lower back from behind with a belt, and the sensor in its middle."""
    return Markup(  # noqa: S704  # the title is escaped, the rest stands in this module
        f'<svg class="figure place" viewBox="20 20 160 150" role="img" aria-label="{escape(title)}">'
        '<path class="body" d="M62 170C66 146 58 130 58 112C58 92 64 74 62 30Q62 20 72 20H128Q138 20 138 30'
        'C136 74 142 92 142 112C142 130 134 146 138 170Z"/>'
        '<path class="spine" d="M100 24V96"/>'
        '<path class="belt" d="M58 109Q100 119 142 109"/>'
        '<rect class="sensor" x="86" y="103" width="28" height="20" rx="5"/>'
        '<path class="pointer" d="M164 62L121 100"/></svg>'
    )


def _trunk_side(flexion_deg: float) -> str:
    return (
        f'<g class="trunk" data-axis="flexion" transform="rotate({flexion_deg:.1f} {HIP})">'
        '<path class="body" d="M88 134C85 116 90 96 88 80C88 70 94 65 101 66'
        'C110 67 114 77 113 90C112 106 115 120 113 134Z"/>'
        '<circle class="body" cx="103" cy="43" r="15"/>'
        '<rect class="sensor" x="83" y="114" width="8" height="15" rx="3"/>'
        f'<g class="arm-side" transform="rotate({-0.85 * flexion_deg:.1f} {SHOULDER})">'
        '<path class="arm" d="M100 78C98 96 101 108 107 128"/></g></g>'
    )


def _guide() -> str:
    return '<path class="wedge" d="M100 130V26A104 104 0 0 1 135.6 32.3Z"/><path class="guide" d="M100 18V128"/>'


def _svg(view: str, faint: bool, title: str, content: str) -> Markup:
    state = " faint" if faint else ""
    return Markup(  # noqa: S704  # the title is escaped, the rest stands in this module
        f'<svg class="figure {view}{state}" viewBox="12 16 176 200" role="img" aria-label="{escape(title)}">'
        f"{content}</svg>"
    )
