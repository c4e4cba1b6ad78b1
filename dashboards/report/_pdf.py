"""The same HTML as PDF: by WeasyPrint where it is installed, else by a Chromium that is there."""

from __future__ import annotations

import shutil
import subprocess
import tempfile
from pathlib import Path

from sagittal.errors import SagittalError

_BROWSERS = ("chromium", "chromium-browser", "google-chrome", "google-chrome-stable", "microsoft-edge")
_TIMEOUT_S = 60


def write_pdf(html: str, target: Path) -> str:
    """Write the PDF and say what made it.

    Raises
    ------
    SagittalError
        Where neither WeasyPrint nor a Chromium is there, or the one that is failed.
    """
    try:
        from weasyprint import HTML  # an extra: heavy, and needs Pango from the system
    except (ImportError, OSError):
        return _by_browser(html, target)
    HTML(string=html).write_pdf(target, pdf_variant="pdf/ua-1")
    return "WeasyPrint"


def _by_browser(html: str, target: Path) -> str:
    browser = next((path for name in _BROWSERS if (path := shutil.which(name))), None)
    if browser is None:
        raise SagittalError(
            "no PDF was made: install WeasyPrint (`pip install 'sagittal[report]'`) or Chromium; the HTML is complete"
        )
    with tempfile.TemporaryDirectory(prefix="sagittal-report-") as folder:
        page = Path(folder, "report.html")
        page.write_text(html, encoding="utf-8")
        command = [
            browser,
            "--headless",
            "--disable-gpu",
            "--no-sandbox",
            "--disable-background-networking",
            f"--user-data-dir={folder}/profile",
            "--no-pdf-header-footer",
            f"--print-to-pdf={target}",
            page.as_uri(),
        ]
        try:
            subprocess.run(command, check=True, capture_output=True, timeout=_TIMEOUT_S)
        except (subprocess.SubprocessError, OSError) as error:
            raise SagittalError(f"{browser} could not print the report ({error}): the HTML is complete") from None
    if not target.is_file():
        raise SagittalError(f"{browser} printed nothing: the HTML is complete")
    return Path(browser).name
