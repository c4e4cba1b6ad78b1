"""What Grafana's things are called: data sources, buckets, dashboards, folder."""

from __future__ import annotations

DETAIL, MINUTES, DAYS = "sagittal_detail", "sagittal_minutes", "sagittal_days"
BUCKETS = {DETAIL: "sagittal_detail", MINUTES: "sagittal_minutes", DAYS: "sagittal_days"}
"""The data source of each bucket, by its uid, and the bucket's own name."""

NAMES = ("clinic", "day", "walking", "compensation", "devices", "service")
UIDS = {name: f"sagittal-{name}" for name in NAMES}
"""Every dashboard and its uid, which never changes."""

TAG = "sagittal"
FOLDER_UID = "sagittal"
FOLDER_TITLE = "Sagittal"
