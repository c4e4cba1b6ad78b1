"""A report for a visit: two pages of HTML and PDF, drawn from the store."""

from dashboards.report._build import build_report
from dashboards.report._pdf import write_pdf

__all__ = ["build_report", "write_pdf"]
