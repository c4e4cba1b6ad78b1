"""Gait compensation: regularity, symmetry and form of strides, patterns with evidence, and one score."""

from analytics.compensation._assess import Assessment, assess
from analytics.compensation._bands import Band, Bands, bands
from analytics.compensation._course import Course
from analytics.compensation._declines import Declines, relief
from analytics.compensation._evidence import GaitEvidence
from analytics.compensation._inputs import BendStatistics, Inclination, WalkingPosture, bend_statistics
from analytics.compensation._stretch import analyse_stretch

__all__ = [
    "Assessment",
    "Band",
    "Bands",
    "BendStatistics",
    "Course",
    "Declines",
    "GaitEvidence",
    "Inclination",
    "WalkingPosture",
    "analyse_stretch",
    "assess",
    "bands",
    "bend_statistics",
    "relief",
]
