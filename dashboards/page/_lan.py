"""The names by which this machine is found on its own network."""

from __future__ import annotations

import socket
from ipaddress import ip_address

from sagittal.errors import SettingsError


def lan_names() -> list[str]:
    """The private address that leads to the network, then the `.local` name, then loopback.

    Raises
    ------
    SettingsError
        Where the machine has no private address.
    """
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as probe:
        try:
            probe.connect(("192.0.2.1", 9))  # nothing is sent: this only asks which address would be used
            address = str(probe.getsockname()[0])
        except OSError:
            raise SettingsError("--lan needs a network: this machine has no address other than loopback") from None
    if not ip_address(address).is_private:
        raise SettingsError(f"--lan is for a home or practice network, but this machine's address {address} is public")
    host = "".join(c for c in socket.gethostname().split(".")[0].lower() if c.isalnum() or c == "-").strip("-")
    return [address, *([f"{host}.local"] if host else []), "127.0.0.1", "localhost"]
