"""`python -m sagittal.cli`, the same as `sagittal`."""

from sagittal.cli import main

main()
