"""Letting a phone in: an address with a code that opens the page once, as text and as a QR."""

from __future__ import annotations

import io

from rich.console import Console

from sagittal.settings import Settings

MOST = 3
"""With more wearers than these no codes are printed by themselves."""


def pairing(settings: Settings, wearer: str) -> tuple[str, str]:
    """An address that opens the page for a wearer's phone, once, within ten minutes; and its QR for a terminal.

    The code stands behind "#", so that it is in no log.
    """
    import segno

    from dashboards.page import Access, Role, lan_names

    book = Access(settings.data_dir / "access.sqlite")
    try:
        if wearer not in book.actors():
            book.add_actor(wearer, Role.WEARER, wearer)
        url = f"https://{lan_names()[0]}:{settings.page.port}/pair#{book.pairing_code(wearer)}"
    finally:
        book.close()
    drawn = io.StringIO()
    segno.make(url, error="m").terminal(out=drawn, compact=True)
    return url, drawn.getvalue()


def show_pairing(settings: Settings, console: Console) -> bool:
    """Print a code for every wearer of the settings; False, since that is done once."""
    names = [wearer.id for wearer in settings.wearers]
    if not names or len(names) > MOST:
        console.print("pair a phone with: sagittal access pair --wearer NAME")
        return False
    for name in names:
        url, drawn = pairing(settings, name)
        console.print(f"{name}: open this once with the phone, within ten minutes")
        console.print(drawn, markup=False)
        console.print(url, markup=False)
    return False
