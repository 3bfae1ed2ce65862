"""One suite for every framework: what the guard promises holds behind each of them.

The docstring's first words of a test are its column in README's table (`tests.frameworks.table`).
"""

from __future__ import annotations

from collections.abc import Iterator
from urllib.parse import urlencode

import pytest

from tests.frameworks.conftest import number
from tests.frameworks.served import Served


def test_admit(app: Served, phone: str) -> None:
    """A request is let through, and its message goes out once."""
    reply = app.ask(phone, note="one")
    assert reply.status_code == 202
    assert (reply.json()["to"], reply.json()["note"]) == (phone, "one")
    assert app.sent(phone) == ["one"]
    assert app.json("/health") == {"status": "well"}


def test_throttle(app: Served, phone: str) -> None:
    """The third message to a number is refused, however it is spelt and whatever the route."""
    spelt = f"00{phone[1:3]} {phone[3:]}"
    statuses = [app.ask(each).status_code for each in (phone, spelt, phone)]
    assert statuses == [202, 202, 429]
    refused = app.ask(phone)
    assert refused.headers["content-type"] == "application/problem+json"
    assert refused.json()["retry_after"] == int(refused.headers["retry-after"])
    assert len(app.sent(phone)) + len(app.sent(spelt.split()[0])) == 2


def test_challenge(app: Served) -> None:
    """Proof is asked for, says what to solve, and is accepted."""
    french = number("FR")
    asked = app.ask(french)
    assert asked.status_code == 403
    assert asked.json()["type"].endswith("challenge")
    assert asked.json()["challenge"]["challenge"]
    assert app.sent(french) == []
    proved = app.ask(french, headers={"x-sim-human": "1"})
    assert proved.status_code == 202
    assert app.sent(french) == ["hello"]


def test_block(app: Served) -> None:
    german = number("DE")
    assert app.ask(german).status_code == 403
    assert app.sent(german) == []


def test_shadow(app: Served, phone: str) -> None:
    """The app answers as always, and nothing is sent."""
    real = app.ask(phone)
    swedish = number("SE")
    shadowed = app.ask(swedish)
    assert (real.status_code, shadowed.status_code) == (202, 202)
    assert real.json().keys() == shadowed.json().keys()
    assert shadowed.json()["to"] == swedish
    assert shadowed.json()["id"] != real.json()["id"]
    assert real.headers.keys() == shadowed.headers.keys()
    assert (app.sent(swedish), app.sent(phone)) == ([], ["hello"])


def test_json_whole(app: Served, phone: str) -> None:
    """A body of 40 kB is read by the guard, and by the app to the last byte."""
    note = "é" * 20_000
    assert app.ask(phone, note=note).json()["note"] == note


@pytest.mark.parametrize("kind", ["urlencoded", "multipart"])
def test_forms(app: Served, phone: str, kind: str) -> None:
    """A form's fields are read by both, and the number's limit is the same one."""
    fields = {"phone": phone, "note": "a & b = ü"}
    for expected in (202, 202, 429):
        if kind == "urlencoded":
            headers = {"content-type": "application/x-www-form-urlencoded"}
            reply = app.post("/otp/form", urlencode(fields).encode(), headers)
        else:
            files = {name: (None, value) for name, value in fields.items()}
            reply = app.client.post("/otp/form", files=files)
        assert reply.status_code == expected
    assert app.sent(phone) == ["a & b = ü"] * 2


def test_streamed(app: Served, phone: str) -> None:
    """A body that comes in chunks, without its length, is handed on whole."""

    def chunks() -> Iterator[bytes]:
        yield b'{"phone": "%s", "pad": "' % phone.encode()
        for _ in range(10):
            yield b"x" * 1_000
        yield b'"}'

    size = sum(map(len, chunks()))
    assert app.post("/otp/stream", chunks()).json() == {"bytes": size}


def test_path_parameter(app: Served, phone: str) -> None:
    """The number may stand in the path."""
    path = f"/people/{phone.replace('+', '%2B')}/code"
    statuses = [app.post(path, b"", {}).status_code for _ in range(3)]
    assert statuses == [202, 202, 429]
    assert len(app.sent(phone)) == 2


def test_mounted(app: Served, phone: str) -> None:
    """An app that is mounted, or routes under a prefix, are guarded by their whole path."""
    paths = ("/api/otp/send", "/otp/send", "/api/otp/send")
    assert [app.ask(phone, path).status_code for path in paths] == [202, 202, 429]


def test_app_raises(app: Served, phone: str) -> None:
    """An exception of the app stays the app's, and what it did not send is not charged."""
    assert [app.ask(phone, "/otp/fails").status_code for _ in range(4)] == [500] * 4
    assert app.ask(phone).status_code == 202


def test_head_and_options(app: Served, phone: str) -> None:
    """What asks for no message goes past the guard, guarded routes included."""
    assert app.client.head("/health").status_code in (
        200,
        404,
        405,
    )  # as it answers without the guard
    assert app.client.options("/otp/send").status_code < 500
    assert app.client.get("/otp/send").status_code in (404, 405)
    assert app.ask(phone).status_code == 202


def test_unreadable(app: Served) -> None:
    """What cannot be read as one number is refused before the app sees it."""
    twice = b'{"phone": "+447400123456", "phone": "+447400123457"}'
    assert app.post("/otp/send", twice).status_code == 400
    assert app.ask("no number").status_code == 422


def test_verified(app: Served, phone: str) -> None:
    """A code that is entered is heard, and the app answers as it did."""
    assert app.ask(phone).status_code == 202
    assert app.ask(phone, "/otp/verify").json() == {"verified": phone}
