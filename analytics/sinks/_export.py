"""What an InfluxDB holds of one wearer, as CSV."""

from __future__ import annotations

from pathlib import Path

from analytics.sinks.influx import buckets_of, open_server
from sagittal.errors import SettingsError, StoreError
from sagittal.names import check_name
from sagittal.settings import Settings, secret


def export(settings: Settings, wearer: str, folder: Path) -> dict[Path, int]:
    """Write one CSV a measurement (time in UTC ns) of a wearer into a folder; rows by file.

    Raises
    ------
    SettingsError
        Where no InfluxDB is set.
    StoreError
        Where a file can't be written; none is left half-written.
    SinkUnavailable, SinkRefused
        Where the server is away or refuses.
    """
    check_name("wearer", wearer)
    influx = settings.influx
    token = secret(influx.token, influx.token_file, "influx.token_file")
    if not influx.url or not token:
        raise SettingsError("influx.url and influx.token_file are not both set: there is nothing to export from")
    server = open_server(influx.url, influx.org, token)
    written: dict[Path, int] = {}
    try:
        folder.mkdir(parents=True, exist_ok=True)
        for bucket in sorted(set(buckets_of(settings).values())):
            for (measurement,) in _values(server.query(bucket, f"SHOW MEASUREMENTS WHERE \"wearer\" = '{wearer}'")):
                path, new = folder / f"{measurement}.csv", folder / f"{measurement}.csv.new"
                text = f'SELECT * FROM "{measurement}" WHERE "wearer" = \'{wearer}\''  # noqa: S608  # checked names
                with new.open("wb") as file:
                    for chunk in server.rows(bucket, text):
                        file.write(chunk)
                written[path] = max(0, sum(1 for _ in new.open("rb")) - 1)
                new.replace(path)
    except OSError as error:
        raise StoreError(f"{folder} can't be written ({error.strerror}): name another --out") from None
    finally:
        server.close()
    return written


def _values(series: list[dict[str, list[list[str]]]]) -> list[list[str]]:
    return [row for one in series for row in one["values"]]
