"""Doors for other programs: results in the forms that health records, researchers and homes already read."""

from dashboards.doors._bids import write_bids
from dashboards.doors._fhir import fhir_bundle, lint_bundle
from dashboards.doors._home import HomeLink, erase_home
from dashboards.doors._ieee1752 import data_points, lint_points
from dashboards.doors._parquet import write_parquet
from dashboards.doors.homeassistant import discovery, home_state, lint_discovery

__all__ = [
    "HomeLink",
    "data_points",
    "discovery",
    "erase_home",
    "fhir_bundle",
    "home_state",
    "lint_bundle",
    "lint_discovery",
    "lint_points",
    "write_bids",
    "write_parquet",
]
