"""Grafana as code: dashboards, alerts, provisioning, and the way into a running Grafana.

The JSON and YAML beside this file are made by `sagittal dashboards build`; a test holds them to the code.
"""

from dashboards.grafana._names import FOLDER_UID, NAMES, UIDS

__all__ = ["FOLDER_UID", "NAMES", "UIDS"]
