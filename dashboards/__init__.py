"""Grafana as code, the wearer's live page, and reports."""
