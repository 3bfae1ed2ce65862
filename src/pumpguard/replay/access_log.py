"""A line of an access log as a row: the common and combined formats of Apache and nginx.

https://httpd.apache.org/docs/2.4/logs.html#accesslog and
https://nginx.org/en/docs/http/ngx_http_log_module.html (copies read 2026-11-27). The host
may stand before it with its port, as in Apache's ``vhost_combined``, and the forwarded addresses
behind it in quotes, as in nginx's own configuration.
"""

from __future__ import annotations

import re
from collections.abc import Mapping

QUOTED = r'"((?:[^"\\]|\\.)*)"'

LINE = re.compile(
    r"(?:\S+:\d+ )?"
    r"(\S+) \S+ .*?\[([^\]]{20,32})\] "
    rf"{QUOTED} (\d{{3}}|-) (?:\d+|-)"
    rf"(?: {QUOTED} {QUOTED}(?: {QUOTED})?)?"
)

NAMES = "remote_addr", "time", "request", "status", "referer", "user_agent", "forwarded_for"
"""Of its columns."""


def row(line: str) -> Mapping[str, str] | None:
    """The row of a line, or ``None`` if it is none of an access log. ``-`` says that there is
    nothing."""
    found = LINE.match(line)
    if found is None:
        return None
    return {
        name: value
        for name, value in zip(NAMES, found.groups(), strict=True)
        if value is not None and value != "-"
    }
