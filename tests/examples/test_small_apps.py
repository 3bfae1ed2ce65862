"""The two small examples, asked as their clients ask them."""

from __future__ import annotations

from httpx import Response

from examples.form.app import app as form
from examples.minimal.app import app as minimal
from examples.own_rule.app import app as own_rule
from tests.http_client import TestClient


def test_the_smallest_app_is_guarded() -> None:
    """A second code within a minute is refused."""
    client = TestClient(minimal, client=("81.2.69.142", 1234))
    first, again = (client.post("/otp/send", json={"phone": "+447400123456"}) for _ in range(2))
    assert first.json() == {"sent_to": "+447400123456"}
    assert again.status_code == 429


def test_a_form_is_answered_with_pages() -> None:
    """With what was typed, and without why."""
    client = TestClient(form, client=("81.2.69.142", 1234), follow_redirects=False)

    def post(phone: str) -> Response:
        reply: Response = client.post("/send", files={"phone": (None, phone)})
        assert reply.status_code == 303 or reply.headers["content-type"].startswith("text/html")
        return reply

    assert client.get("/").status_code == 200
    assert post("+447400123456").status_code == 303
    again = post("+44 7400 123456")
    assert again.status_code == 429
    assert 'value="+44 7400 123456"' in again.text
    assert 0 < int(again.headers["retry-after"]) <= 60
    assert post("no number").status_code == 422
    blocked = post("+447700900123")
    assert (blocked.status_code, "Check the number" in blocked.text) == (403, True)
    assert "NUMBER" not in blocked.text


def test_a_rule_of_ones_own_stands_beside_the_default_ones() -> None:
    """Two messages an hour for one account, and any number's own limits."""
    client = TestClient(own_rule, client=("81.2.69.142", 1234))

    def sent(account: str, phone: str) -> bool:
        reply = client.post("/otp/send", json={"phone": phone, "account": account})
        return bool(reply.status_code == 200)

    phones = ("+447400123456", "+447911123456", "+447488123456")
    assert [sent("a", phone) for phone in phones] == [True, True, False]
    assert sent("b", phones[2])
    assert not sent("b", phones[0])
