"""Clients that do otherwise than browsers do: curl, and whoever does not wait for an answer."""

from __future__ import annotations

import json
import re
import socket
import subprocess
from urllib.parse import urlsplit

import pytest

from tests.frameworks.served import PATIENT, Served

SENDS = "/otp/send"
WAYS = {
    "JSON": (SENDS, ["--json", "{ask}"]),
    "a form": ("/otp/form", ["--data-urlencode", "phone={phone}", "-d", "note=hello"]),
    "multipart": ("/otp/form", ["-F", "phone={phone}", "-F", "note=hello"]),
    "in chunks": (SENDS, ["-H", "transfer-encoding: chunked", "--json", "{ask}"]),
    "after 100 Continue": (SENDS, ["-H", "expect: 100-continue", "--json", "{ask}"]),
    "HTTP/1.0": (SENDS, ["--http1.0", "--json", "{ask}"]),
    "compressed answers": (SENDS, ["--compressed", "--json", "{ask}"]),
}


@pytest.mark.parametrize("way", list(WAYS))
def test_curl(app: Served, phone: str, way: str) -> None:
    """Twice a code, and not a third time, however curl says it."""
    path, options = WAYS[way]
    ask = json.dumps({"phone": phone, "note": "hello"})
    options = [each.replace("{phone}", phone).replace("{ask}", ask) for each in options]
    command = ["curl", "-s", "-o", "/dev/null", "-w", "%{http_code}", app.url + path, *options]
    codes = [subprocess.run(command, capture_output=True, text=True).stdout for _ in range(3)]
    assert codes == ["202", "202", "429"]
    assert app.sent(phone) == ["hello"] * 2


def test_pipelined(app: Served, phone: str) -> None:
    """Six requests in one piece, before any answer: each is decided about in its turn, or not at
    all where the server hangs up after the first."""
    body = json.dumps({"phone": phone, "note": "hello"})
    head = "host: app\r\ncontent-type: application/json"
    asked = f"POST {SENDS} HTTP/1.1\r\n{head}\r\ncontent-length: {len(body)}\r\n"
    *more, last = [asked] * 6
    sent = "".join(f"{each}\r\n{body}" for each in more)
    sent += f"{last}connection: close\r\n\r\n{body}"
    at = urlsplit(app.url)
    found = b""
    with socket.create_connection((at.hostname, at.port), PATIENT) as client:
        client.sendall(sent.encode())
        try:
            while part := client.recv(65_536):
                found += part
        except ConnectionResetError:  # it hung up, and what had come since is lost
            pass
    codes = [int(code) for code in re.findall(rb"HTTP/1\.1 (\d{3})", found)]
    assert codes == ([202, 202] + [429] * 4)[: len(codes)]
    assert len(codes) in (1, 6)
    assert len(app.sent(phone)) == codes.count(202)
