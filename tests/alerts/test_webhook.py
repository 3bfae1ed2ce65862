"""The webhook: over real HTTP, signed, in time, and with nobody's number in it."""

from __future__ import annotations

import asyncio
import hashlib
import hmac
import json
import logging

import pytest

from pumpguard import Guard, Policy, PolicyError
from pumpguard.alerts import Alert
from pumpguard.alerts.webhook import SIGNATURE, Webhook, signature
from pumpguard.alerts.words import words
from pumpguard.masking import Block
from pumpguard.rules import Budget
from pumpguard.testing import FakeClock, make_attempt
from tests.loopback import Loopback, read_request

ALERT = Alert(
    "BUDGET_SPENT", "budget", {"by": "phone", "used": 1.5}, "+447400123456", 1_700_000_000
)


class Receiver(Loopback):
    """A program that takes alerts; answers with these statuses in turn, the last one for ever."""

    def __init__(self, *statuses: int, delay: float = 0.0) -> None:
        super().__init__(delay=delay)
        self.statuses = list(statuses) or [204]
        self.got: list[tuple[dict[str, str], bytes]] = []

    @property
    def url(self) -> str:
        return f"{self.origin}/alerts?key=k3y"

    async def reply(self, head: str, reader: asyncio.StreamReader) -> bytes:
        self.got.append(await read_request(head, reader))
        self.status = self.statuses.pop(0) if len(self.statuses) > 1 else self.statuses[0]
        return b""


async def post(webhook: Webhook, alert: Alert = ALERT) -> None:
    webhook(alert)
    await webhook.aclose()


async def test_what_is_posted(caplog: pytest.LogCaptureFixture) -> None:
    """The alert, with its subject masked."""
    async with Receiver() as receiver:
        await post(Webhook(receiver.url, headers={"authorization": "Bearer t"}))
    ((headers, body),) = receiver.got
    said = json.loads(body)
    assert len(said.pop("id")) == 32
    assert said.pop("text") == words(ALERT)
    assert said == {
        "code": "BUDGET_SPENT",
        "rule": "budget",
        "at": 1_700_000_000,
        "evidence": {"by": "phone", "used": 1.5},
        "subject": "+4474••••••••",
    }
    assert headers["authorization"] == "Bearer t"
    assert SIGNATURE not in headers
    assert caplog.text == ""


async def test_it_is_signed_with_the_secret() -> None:
    """A receiver recomputes it from the header's time and the body as it came."""
    async with Receiver() as receiver:
        await post(Webhook(receiver.url, secret="s3cret", clock=FakeClock(1_700_000_007.9)))
    ((headers, body),) = receiver.got
    said = dict(part.split("=") for part in headers[SIGNATURE].split(","))
    expected = hmac.new(b"s3cret", said["t"].encode() + b"." + body, hashlib.sha256).hexdigest()
    assert said == {"t": "1700000007", "v1": expected}
    assert signature("other", body, 1_700_000_007) != headers[SIGNATURE]


async def test_what_fails_is_tried_again_and_is_the_same_alert() -> None:
    """By its id."""
    async with Receiver(500, 302, 204) as receiver:
        await post(Webhook(receiver.url, pauses=(0.0, 0.0)))
    assert len({json.loads(body)["id"] for _, body in receiver.got}) == 1
    assert len(receiver.got) == 3


async def test_what_keeps_failing_is_said_without_the_address(
    caplog: pytest.LogCaptureFixture,
) -> None:
    """Which may hold a key."""
    async with Receiver(500) as receiver:
        await post(Webhook(receiver.url, pauses=(0.0,)))
    assert len(receiver.got) == 2
    said = (
        "PG033 alert BUDGET_SPENT was not posted to the webhook (tries: 2, last error: status 500)"
    )
    assert said in caplog.text
    assert "k3y" not in caplog.text


async def test_a_receiver_that_does_not_answer_holds_nobody_up(
    caplog: pytest.LogCaptureFixture,
) -> None:
    """Not longer than the deadline, and no request at all."""
    async with Receiver(delay=0.2) as receiver:
        webhook = Webhook(receiver.url, deadline=0.05, pauses=())
        webhook(ALERT)
        assert receiver.got == []  # nothing has happened yet
        async with asyncio.timeout(10):
            await webhook.aclose()
    assert "was not posted" in caplog.text


async def test_a_guard_posts_its_alerts_and_waits_for_them_when_it_closes() -> None:
    """As ``on_alert``."""
    async with Receiver() as receiver:
        policy = Policy(send="/s", rules=[Budget(day=0.06, hour=0.06, reserved=0.0, alert=0.1)])
        async with Guard(policy, on_alert=Webhook(receiver.url)) as guard:
            for _ in range(4):
                await guard.assess(make_attempt(price=0.02))
    assert [json.loads(body)["code"] for _, body in receiver.got] == [
        "BUDGET_ALERT",
        "BUDGET_SPENT",
    ]


def test_without_an_event_loop_it_is_only_logged(caplog: pytest.LogCaptureFixture) -> None:
    """There is nobody to post it."""
    with caplog.at_level(logging.WARNING):
        Webhook("https://example.com/alerts")(ALERT)
    assert "PG033" in caplog.text


@pytest.mark.parametrize("url", ["http://example.com", "ftp://example.com", "example.com"])
def test_an_address_that_anybody_could_listen_to_is_refused(url: str) -> None:
    """Alerts say what an attacker would like to know."""
    with pytest.raises(PolicyError, match=r"^webhook.url: expected an https:// address"):
        Webhook(url)
    with pytest.raises(PolicyError, match=r"^webhook.deadline: expected seconds above 0"):
        Webhook("https://example.com", deadline=0)


ATTACK = Alert(
    "ATTACK_BEGINS", "prefix_pattern",
    {"since": 1_700_000_000, "refused": 1_203, "not_spent": 86.6, "spent": 3.2, "bans": 2,
     "blocks": ["+8801712345"], "countries": ["BD"], "rules": ["prefix_pattern", "credit"],
     "orders": ["pumpguard lists deny prefix +8801712345 --for 1d"]},
    Block("+8801712345"), 1_700_000_600,
)  # fmt: skip

IN_WORDS = """\
An attack has begun: +8801712345

since 2023-11-14 22:13 UTC
refused: 1203 requests, $86.60 not spent
let through to these blocks: $3.20
blocks: +8801712345
countries: BD
rules: prefix_pattern, credit

To stop it at once:
    pumpguard lists deny prefix +8801712345 --for 1d"""


async def test_an_attack_in_words_as_slack_wants_it() -> None:
    """The block with its digits, and the order to give. Several channels are listeners."""
    async with Receiver() as receiver:
        guard = Guard(Policy(send="/s"))
        guard.listen(Webhook(receiver.url, shape="slack"))
        guard.listen(Webhook(receiver.url))
        guard.listeners.alerted(ATTACK)
        await guard.aclose()
    slack, generic = sorted((json.loads(body) for _, body in receiver.got), key=len)
    assert slack == {"text": IN_WORDS}
    assert (generic["code"], generic["subject"]) == ("ATTACK_BEGINS", "+8801712345")
    assert generic["evidence"]["orders"] == ATTACK.evidence["orders"]


async def test_other_alerts_in_words_say_no_number() -> None:
    """A fact a line."""
    assert words(ALERT) == (
        "A budget is spent: nobody is sent anything from it: +4474••••••••\n\n"
        "budget BUDGET_SPENT, at 2023-11-14 22:13 UTC\nby: phone\nused: 1.5"
    )


async def test_what_is_not_known_of_an_attack_is_left_out() -> None:
    """One that is over has no orders to give, and where numbers are too short no blocks."""
    known = {"since": 1_700_000_000, "refused": 7, "not_spent": 1.0, "spent": 0.5, "blocks": []}
    assert words(Alert("ATTACK_OVER", "credit", known, "everybody", 1_700_000_600)).endswith(
        "refused: 7 requests, $1.00 not spent\nlet through to these blocks: $0.50"
    )
