"""schemathesis's command line, beside the urllib3 that niquests (of grafana-client) puts in place of the usual one.

By hand, longer: `python -m tests.page.fuzz run URL/api/v1/openapi.json --continue-on-failure -n 200 -H "Authorization:
Bearer $TOKEN" --exclude-path-regex '/live$'`.
"""

from __future__ import annotations

import schemathesis.transport.requests as transport
from schemathesis.cli import schemathesis

if __name__ == "__main__":
    transport._count_opened_connections = lambda session: 0  # noqa: ARG005  # called by that name
    schemathesis()
