"""Figures as inline SVG, drawn on the server: the page and the report share them."""

from dashboards.drawings._band import Segment, day_band
from dashboards.drawings._columns import day_columns, legend
from dashboards.drawings._figure import back_figure, place_figure, side_figure
from dashboards.drawings._marks import mark_chart, mark_shape
from dashboards.drawings._palette import POSTURE_COLOURS, POSTURE_ORDER, posture_class, posture_css
from dashboards.drawings._phone import phone_screen

__all__ = [
    "POSTURE_COLOURS",
    "POSTURE_ORDER",
    "Segment",
    "back_figure",
    "day_band",
    "day_columns",
    "legend",
    "mark_chart",
    "mark_shape",
    "phone_screen",
    "place_figure",
    "posture_class",
    "posture_css",
    "side_figure",
]
