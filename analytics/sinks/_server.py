"""One InfluxDB 2 server, and what its answers mean."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from datetime import date
from typing import Any
from urllib.parse import urlencode, urlsplit

import urllib3
from influxdb_client import InfluxDBClient
from influxdb_client.client.write_api import SYNCHRONOUS
from influxdb_client.rest import ApiException

from analytics.sinks._quarantine import Malformed, TooLarge
from sagittal.errors import SettingsError, SinkRefused, SinkUnavailable
from sagittal.units import NS_PER_S

TIMEOUT_S = 30.0
_TRY_LATER = (408, 425, 429)
_FOR_A_PERSON = {
    401: "the token is not known there: make one with `sagittal sink init` and name its file in influx.token_file",
    403: "the token may not do that: it needs to write the three buckets; make one with `sagittal sink init`",
    404: "a bucket or the organisation is missing: make them with `sagittal sink init`, or set influx.org and bucket_…",
}
_DROPPED = re.compile(r"dropped=(\d+)")
_DAY_S = 86_400
_EPOCH = date(1970, 1, 1).toordinal()


class Server:
    """Reads and writes one InfluxDB 2, one request at a time, with no retries of its own.

    Raises
    ------
    SettingsError
        Where the address is none.
    SinkUnavailable, SinkRefused
        From every method: try later, or a person must act.
    """

    def __init__(self, url: str, org: str, token: str, timeout_s: float = TIMEOUT_S) -> None:
        parts = urlsplit(url)
        if parts.scheme not in ("http", "https") or not parts.hostname:
            raise SettingsError(f"influx.url {url!r} is no address: use http://host:8086 or https://host")
        self.url = url.rstrip("/")
        self.org = org
        self._token = token
        self._client = InfluxDBClient(self.url, token=token, org=org, timeout=round(timeout_s * 1000), retries=False)
        self._writer = self._client.write_api(write_options=SYNCHRONOUS)
        self._pool = urllib3.PoolManager(timeout=timeout_s, retries=False)

    def close(self) -> None:
        """Let go of the connections; may be called twice."""
        self._client.close()
        self._pool.clear()

    def write(self, bucket: str, body: str) -> tuple[int, str]:
        """Write lines; how many of them the server dropped, and why.

        Raises
        ------
        TooLarge, Malformed
            Nothing was written: halve the body.
        """
        try:
            with self._answers(f"writing to bucket {bucket}"):
                self._writer.write(bucket=bucket, record=body.encode("utf-8", "replace"))
        except _Partial as partial:
            return partial.dropped, str(partial)
        return 0, ""

    def delete(self, bucket: str, predicate: str, start_ns: int | None = None, end_ns: int | None = None) -> None:
        """Delete the points in [start, end) that a predicate names; of all times where none is given."""
        span = {
            "start": "1677-09-21T00:12:44Z" if start_ns is None else _rfc3339(start_ns),
            "stop": "2262-04-11T23:47:16Z" if end_ns is None else _rfc3339(end_ns),
        }
        where = urlencode({"org": self.org, "bucket": bucket})
        self.call("POST", f"/api/v2/delete?{where}", {**span, "predicate": predicate})

    def query(self, bucket: str, text: str) -> list[dict[str, Any]]:
        """The series that an InfluxQL statement finds in a bucket: name, tags, columns, values (times in ns)."""
        where = urlencode({"db": bucket, "epoch": "ns", "q": text})
        answer = self.call("GET", f"/query?{where}")
        result: dict[str, Any] = answer["results"][0]
        if "error" in result:
            raise SinkRefused(f"InfluxDB at {self.url} can't answer {text!r}: {result['error']}")
        series: list[dict[str, Any]] = result.get("series", [])
        return series

    def rows(self, bucket: str, text: str) -> Iterator[bytes]:
        """The lines of CSV that an InfluxQL statement finds, as they arrive."""
        where = urlencode({"db": bucket, "epoch": "ns", "chunked": "true", "q": text})
        with self._answers(f"reading bucket {bucket}"):
            answer = self._pool.request(
                "GET", f"{self.url}/query?{where}", headers=self._headers("application/csv"), preload_content=False
            )
            try:
                if answer.status >= 400:
                    raise ApiException(http_resp=_Read(answer.status, answer.read(), answer.headers))
                yield from answer.stream(65_536)
            finally:
                answer.release_conn()

    def call(self, method: str, path: str, body: object = None) -> Any:
        """Ask the HTTP API; the JSON it answers, None where it answers nothing."""
        with self._answers(f"{method} {path.split('?')[0]}"):
            answer = self._pool.request(
                method,
                f"{self.url}{path}",
                body=None if body is None else json.dumps(body).encode(),
                headers=self._headers("application/json"),
            )
            if answer.status >= 400:
                raise ApiException(http_resp=answer)
            return json.loads(answer.data) if answer.data else None

    def _headers(self, accept: str) -> dict[str, str]:
        return {"Authorization": f"Token {self._token}", "Content-Type": "application/json", "Accept": accept}

    @contextmanager
    def _answers(self, doing: str) -> Iterator[None]:
        try:
            yield
        except ApiException as error:
            raise self._meaning(doing, error) from None
        except (urllib3.exceptions.HTTPError, OSError) as error:
            raise SinkUnavailable(f"InfluxDB at {self.url} can't be reached, {doing}: {_short(error)}") from None
        except ValueError as error:
            raise SinkUnavailable(f"what answers at {self.url} is no InfluxDB, {doing}: {_short(error)}") from None

    def _meaning(self, doing: str, error: ApiException) -> Exception:
        status, said = int(error.status or 0), _said(error)
        what = f"InfluxDB at {self.url} answered {status}, {doing}: {said}"
        if status == 422:
            found = _DROPPED.search(said)
            return _Partial(int(found[1]) if found else 1, f"422: {said}")
        if status == 413:
            return TooLarge(what)
        if status == 400:
            return Malformed(f"400: {said}")
        if status in _FOR_A_PERSON:
            return SinkRefused(f"{what}; {_FOR_A_PERSON[status]}")
        if status in _TRY_LATER or status >= 500:
            return SinkUnavailable(what, _retry_after(error))
        return SinkRefused(f"{what}; see that this is an InfluxDB 2")


class _Partial(Exception):
    """The server took what it could and dropped the rest."""

    def __init__(self, dropped: int, why: str) -> None:
        super().__init__(why)
        self.dropped = dropped


class _Read:
    """What `ApiException` wants to know of an answer."""

    def __init__(self, status: int, data: bytes, headers: Mapping[str, str]) -> None:
        self.status, self.data, self.headers, self.reason = status, data, headers, ""

    def getheaders(self) -> Mapping[str, str]:
        return self.headers


def _said(error: ApiException) -> str:
    body = error.body or b""
    text = body.decode("utf-8", "replace") if isinstance(body, bytes) else str(body)
    try:
        found = json.loads(text)
        text = str(found.get("message") or found.get("error") or text)
    except (ValueError, AttributeError):
        pass
    return " ".join(text.split())[:400] or str(error.reason or "nothing said")


def _retry_after(error: ApiException) -> float | None:
    headers: Mapping[str, str] = error.headers or {}
    try:
        return min(600.0, max(0.0, float({k.lower(): v for k, v in headers.items()}["retry-after"])))
    except (KeyError, ValueError):
        return None


def _short(error: Exception) -> str:
    return " ".join(str(error).split())[:200] or type(error).__name__


def _rfc3339(t_ns: int) -> str:
    seconds, ns = divmod(t_ns, NS_PER_S)
    days, left = divmod(seconds, _DAY_S)
    hours, left = divmod(left, 3600)
    return f"{_date(days)}T{hours:02d}:{left // 60:02d}:{left % 60:02d}.{ns:09d}Z"


def _date(days: int) -> str:
    return date.fromordinal(_EPOCH + days).isoformat()
