"""Speed, measured as a ratio against a named peer or limit in the same run."""

import os

from sagittal.supervisor import ONE_THREAD

os.environ.update({**ONE_THREAD, **os.environ})  # before numpy comes: as every part of Sagittal runs
