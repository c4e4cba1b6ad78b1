"""Figures against reference recordings: one module per owner, each with `section(data)`, for docs/validation.md."""
