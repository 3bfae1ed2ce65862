"""Access logs: requests with an address and no number, of which some ask to send."""

from __future__ import annotations

from collections.abc import Mapping

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pumpguard import PolicyError
from pumpguard.replay import access_log
from pumpguard.replay.columns import ACCESS_LOG, guess
from pumpguard.replay.entry import Entry
from pumpguard.replay.requests import RequestParser, Sending, nothing_sends

AT = 1_777_852_800.0  # 2026-05-04
LINE = '81.2.69.142 - - [04/May/2026:00:00:00 +0000] "POST /otp/send HTTP/1.1" 202 31'
JSON = ("time", "remote_addr", "request_method", "request_uri", "status")


def parser(header: tuple[str, ...] = access_log.NAMES, send: str = "/otp/send") -> RequestParser:
    return RequestParser(guess(header), sending=Sending.of(send, "/otp/verify"))


def entries(row: Mapping[str, str], of: RequestParser | None = None) -> list[Entry]:
    return list((of or parser()).entries(row))


@pytest.mark.parametrize(
    "line",
    [
        LINE,
        f'{LINE} "-" "curl/8"',
        f'{LINE} "https://a.example/?q=\\"x\\"" "Mozilla/5.0 (X11)" "5.10.0.1, 10.0.0.1"',
        LINE.replace("- - [", "- bob smith ["),
        f"shop.example:443 {LINE}",
        LINE.replace("+0000", "+0200").replace(":00:00:00", ":02:00:00"),
    ],
    ids=["common", "combined", "forwarded", "user", "vhost", "zone"],
)
def test_a_line_is_a_request_from_an_address_at_a_time(line: str) -> None:
    row = access_log.row(line)
    assert row is not None
    assert entries(row) == [Entry(AT, "", "81.2.69.142")]


def test_the_forwarded_address_is_a_column_to_be_named() -> None:
    row = access_log.row(f'{LINE} "-" "x" "5.10.0.1, 10.0.0.1"')
    assert row is not None
    columns = guess(access_log.NAMES, {"address": "forwarded_for"})
    found = RequestParser(columns, sending=Sending.of("/otp/send", None))
    assert entries(row, found)[0].address == "5.10.0.1"


@pytest.mark.parametrize("line", ["", "time,to", "::1 - - [now] GET", LINE[:40], "{}"])
def test_what_is_no_such_line_is_none(line: str) -> None:
    assert access_log.row(line) is None


@given(st.text(max_size=300))
def test_no_text_raises_anything(text: str) -> None:
    access_log.row(text)
    access_log.row(LINE + text)


@pytest.mark.parametrize(
    ("header", "row"),
    [
        (JSON, ("2026-05-04T00:00:00Z", "81.2.69.142", "POST", "/otp/send?x=1", "202")),
        (
            ("ts", "request_remote_ip", "request_method", "request_uri", "status"),  # Caddy
            ("1777852800", "81.2.69.142", "POST", "/otp/send", "202"),
        ),
        (
            ("StartUTC", "ClientHost", "RequestMethod", "RequestPath", "DownstreamStatus"),
            ("2026-05-04T00:00:00Z", "81.2.69.142", "POST", "/otp/send", "202"),  # Traefik
        ),
        (
            ("timestamp", "httpRequest_remoteIp", "httpRequest_requestMethod",
             "httpRequest_requestUrl", "httpRequest_status"),  # Google's load balancers
            ("2026-05-04T00:00:00Z", "81.2.69.142", "POST", "https://a.example/otp/send", "202"),
        ),
    ],
    ids=["nginx", "caddy", "traefik", "google"],
)  # fmt: skip
def test_json_lines_of_servers_are_read_by_their_names(
    header: tuple[str, ...], row: tuple[str, ...]
) -> None:
    found = parser(header)
    assert found.columns.source == ACCESS_LOG
    assert entries(dict(zip(header, row, strict=True)), found) == [Entry(AT, "", "81.2.69.142")]


def test_what_was_not_sent_or_not_asked_is_counted_and_said() -> None:
    """An answer of 4xx or 5xx sent nothing; other routes are none of ours, and who entered a code
    is not known."""
    found = parser(JSON)
    told = [
        entries(dict(zip(JSON, ("1777852800", "5.10.0.1", *each), strict=True)), found)
        for each in (
            ("POST", "/otp/send", "422"),
            ("POST", "/otp/verify", "200"),
            ("GET", "/", "200"),
            ("", "/otp/send", "200"),
            ("POST", "/login", "200"),
        )
    ]
    assert [len(each) for each in told] == [1, 0, 0, 1, 0]
    assert not told[0][0].sent
    assert found.said == {
        "requests to send that were answered as errors: nothing was sent": 1,
        "requests to enter a code, which say an address and no number: not used": 1,
        "requests to other routes": 2,
        "requests without a method, taken as POST": 1,
    }
    assert nothing_sends([found]).endswith("--route names it: one of POST /login?")


@pytest.mark.parametrize("path", ["-", "*", "https://[a/otp/send"])
def test_a_request_without_a_path_is_a_bad_row(path: str) -> None:
    row = dict(zip(JSON, ("1777852800", "5.10.0.1", "POST", path, "200"), strict=True))
    with pytest.raises(ValueError, match="without a path"):
        entries(row, parser(JSON))


def test_a_route_is_written_as_in_a_policy() -> None:
    with pytest.raises(PolicyError, match="--route"):
        Sending.of("otp/send", None)


def test_a_log_with_numbers_is_no_access_log() -> None:
    columns = guess(["time", "phone", "ip", "path", "method"])
    assert columns.source == "a file"
    assert set(columns.by) == {"time", "phone", "address"}
