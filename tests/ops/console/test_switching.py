"""What is set at the console is obeyed everywhere."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from pumpguard import Action, Guard, Policy
from pumpguard.rules.rate_limit import RateLimit
from pumpguard.testing import make_attempt
from tests.ops.console.operator import Operator

POSTURE = {"lasting": "1h", "then": "normal", "country": "", "reason": "attack"}
ENTRY = {"lasting": "24h", "reason": "same script since Monday"}
PHONE = "+447400123456"


async def send(guard: Guard, phone: str = PHONE, address: str = "81.2.69.142") -> Action:
    """Ask for a code."""
    return (await guard.assess(make_attempt(phone, address))).action


async def test_closing_stops_the_next_send_in_another_process(
    operator: Operator, there: Guard
) -> None:
    """And opening lets the next one through again, at the latest within a second."""
    assert await send(there) is Action.ALLOW
    assert (await operator.submit("/posture", posture="closed", **POSTURE)).status == 303
    assert await send(there) is Action.THROTTLE
    page = await operator.page()
    assert '<li class="closed" aria-current="step">' in page
    assert "Set by <strong>mike</strong>" in page
    assert "<q>attack</q>" in page
    assert "(in an hour), then normal" in page
    await operator.submit("/posture", posture="normal", **{**POSTURE, "lasting": "open"})
    there._sync.invalidate()  # as half a second would
    assert await send(there) is Action.ALLOW


async def test_a_country_alone_and_its_end(operator: Operator, there: Guard) -> None:
    await operator.submit("/posture", posture="closed", **{**POSTURE, "country": "gb"})
    assert await send(there) is Action.THROTTLE
    assert await send(there, "+33612345678") is Action.ALLOW
    page = await operator.page()
    form = page[page.index("End the posture for GB") - 700 : page.index("End the posture for GB")]
    fields = dict(re.findall('name="([a-z_]+)" value="([^"]*)"', form))
    assert fields["country"] == "GB"
    assert (await operator.post("/posture", fields)).status == 303
    there._sync.invalidate()
    assert await send(there) is Action.ALLOW


async def test_lists_are_added_to_and_removed_from(operator: Operator, there: Guard) -> None:
    """By what the page shows, which is no number."""
    await operator.submit("/lists", verdict="deny", kind="number", value="07400 123456", **ENTRY)
    await operator.submit("/lists", verdict="deny", kind="network", value="203.0.113.7", **ENTRY)
    assert await send(there) is Action.BLOCK
    assert await send(there, "+447400999999", "203.0.113.7") is Action.BLOCK
    page = await operator.page()
    assert "+447400123•••" in page
    assert "203.0.113.•" in page
    assert "same script since Monday" in page
    for name in re.findall('name="id" value="([0-9a-f]+)"', page):
        reply = await operator.submit("/lists/remove", id=name)
        assert reply.headers["location"] == "/pumpguard/?done=removed"
        again = await operator.submit("/lists/remove", id=name)
        assert again.status == 422
        assert "somebody may have removed it" in again.body.decode()
    assert "Nobody is on a list" in await operator.page()
    there._sync.invalidate()
    assert await send(there) is Action.ALLOW


async def test_spending_freely_has_to_be_ticked(operator: Operator, guard: Guard) -> None:
    """And the page says what it means for the bound."""
    said = {"verdict": "allow", "kind": "country", "value": "GB", **ENTRY}
    await operator.submit("/lists", **said)
    assert not (await guard.overrides.show()).listings[0].spends_freely
    assert "country GB spends freely, set by mike" not in await operator.page()
    await operator.submit("/lists", **said, spends_freely="yes")
    assert (await guard.overrides.show()).listings[0].spends_freely
    assert "country GB spends freely, set by mike" in await operator.page()
    denied = await operator.submit("/lists", **{**said, "verdict": "deny"}, spends_freely="yes")
    assert denied.status == 422


@pytest.mark.parametrize(
    ("path", "form", "said"),
    [
        ("/posture", {"posture": "shut"}, "posture: expected one of observe, normal"),
        ("/posture", {"posture": "closed", "lasting": "ever"}, "lasting: expected one of 15m"),
        ("/posture", {"posture": "closed", "country": "UK"}, "country: expected an ISO 3166"),
        ("/posture", {"posture": "closed", "reason": " "}, "reason: expected a few words"),
        ("/posture", {"posture": "closed", "then": "off"}, "then: expected one of observe"),
        ("/lists", {}, "verdict: expected one of"),
        ("/lists", {"verdict": "deny", "kind": "city", "value": "Leeds"}, "kind: expected one of"),
        ("/lists", {"verdict": "deny", "kind": "number", "value": "7"}, "number: expected"),
    ],
)
async def test_what_makes_no_sense_is_named_and_changes_nothing(
    operator: Operator, guard: Guard, path: str, form: dict[str, str], said: str
) -> None:
    reply = await operator.submit(path, **{**POSTURE, **form})
    assert reply.status == 422
    page = reply.body.decode()
    assert "Nothing was changed." in page
    assert said in page.replace("&#39;", "'")
    assert (await guard.overrides.show()).version == 0


async def test_without_an_end_nothing_follows(operator: Operator, guard: Guard) -> None:
    """The form has a field for what follows all the same."""
    said = {**POSTURE, "lasting": "open", "then": "challenge_all"}
    assert (await operator.submit("/posture", posture="closed", **said)).status == 303
    assert (await guard.overrides.show()).postures[""].until is None


async def test_a_store_that_is_away_is_not_silent(tmp_path: Path) -> None:
    """The page is there, says what it does not know, and leaves the forms as they are."""
    limit = RateLimit(name="limit", by="everything", limits="100/day")
    policy = Policy(send="/s", rules=[limit])
    async with Guard(policy, f"unix://{tmp_path}/none") as guard:
        operator = Operator(guard)
        await operator.sign_in()
        page = await operator.page()
        assert "The store does not answer: which overrides are in force is not known here." in page
        assert "PG017" in page  # what guard.check() says of it
        reply = await operator.submit("/posture", posture="closed", **POSTURE)
        assert reply.status == 503
        assert "may or may not be in force" in reply.body.decode()
        assert (await operator.get("/events")).status == 200
        said = {"posture": "closed", "author": "mike"}
        refused = await operator.api("POST", "/posture", said)
        assert (refused.status, refused.json["type"].rpartition("/")[2]) == (503, "store-away")


async def test_orders_that_cannot_be_read_are_not_hidden(operator: Operator, guard: Guard) -> None:
    """Of a newer release: the page is there, and says how to begin anew."""
    await guard.store.overrides.write(b"", b'{"format": 99}')
    page = await operator.page()
    assert "The overrides cannot be read" in page
    assert "posture closed --anew" in page
    reply = await operator.submit("/posture", posture="closed", **POSTURE)
    assert reply.status == 422
    assert "format: expected 1" in reply.body.decode()
