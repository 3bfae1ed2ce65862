"""The fleet on the page: where the attack is, who is banned and why, what each rule does."""

from __future__ import annotations

import re
from typing import cast

import pytest

from pumpguard import Guard, Policy
from pumpguard.ops.events import Events
from pumpguard.ops.events.sinks import Stream
from pumpguard.receipts.base import Reported, ReportedWord
from pumpguard.rules.rate_limit import RateLimit
from pumpguard.rules.sliding_ban import SlidingBan
from pumpguard.store.base import Answer, Question
from pumpguard.store.overrides import MemoryOverrides
from pumpguard.testing import FakeClock, make_attempt
from tests.conftest import PATIENT
from tests.ops.console.operator import Operator
from tests.store.stand_in import TellsNothing

PHONE, ADDRESS = "+8801712345678", "81.2.69.142"


@pytest.fixture
def policy(name: str) -> Policy:
    """One message a day per number; a ban for who asks for much more."""
    rules = [
        RateLimit(name="limit", by="phone", limits="1/day"),
        SlidingBan(name="ban", strikes="20/hour", after=["limit"]),
    ]
    return Policy(send="/s", rules=rules, name=name, secret="a well kept secret", region="GB",
                  deadline=PATIENT)  # fmt: skip


async def attacked(guard: Guard, times: int = 15) -> None:
    """Ask for one number again and again."""
    for _ in range(times):
        await guard.assess(guard.attempt(PHONE, ADDRESS))


async def test_quiet_is_said(operator: Operator) -> None:
    assert "Nothing of note is refused." in await operator.page()


async def test_the_block_under_attack_is_found_denied_and_let_go(
    operator: Operator, guard: Guard
) -> None:
    """The order is on the page, and so is undoing it."""
    await attacked(guard)
    page = await operator.page()
    assert ">BD</span>" in page
    assert "+8801712345…" in page
    assert "14 refused in an hour by limit" in page
    order = re.search(r'<input type="hidden" name="value" value="(\+8801712345)">', page)
    assert order is not None
    form = {"verdict": "deny", "kind": "prefix", "value": order[1], "lasting": "24h",
            "reason": "15 refused"}  # fmt: skip
    reply = await operator.submit("/lists", **form)
    _, _, query = reply.headers["location"].partition("?")
    done = (await operator.get("/", query)).body.decode()
    undo = re.search(r"undo=([0-9a-f]+)", query)
    assert undo is not None
    assert f'name="id" value="{undo[1]}"' in done
    assert "Undo" in done
    assert '<span class="tag deny">denied</span>' in done
    assert 'name="value" value="+8801712345"' not in done
    assert "deny prefix +8801712345" in (await operator.get("/orders")).body.decode()
    denied = await guard.assess(guard.attempt("+8801712345999", "192.0.2.1"))
    assert [finding.code for finding in denied.findings] == ["LISTED"]
    await operator.submit("/lists/remove", id=undo[1])
    assert (await guard.assess(guard.attempt("+8801712345999", "192.0.2.1"))).allowed


async def test_a_country_is_challenged_and_let_go(operator: Operator, guard: Guard) -> None:
    await attacked(guard)
    page = await operator.page()
    assert "Everybody who asks for a number in BD has to give proof first" in page
    order = {"posture": "challenge_all", "country": "BD", "lasting": "24h", "then": "normal",
             "reason": "15 refused"}  # fmt: skip
    reply = await operator.submit("/posture", **order)
    assert reply.headers["location"].endswith("?done=posture&undo=BD")
    done = (await operator.get("/", "done=posture&undo=BD")).body.decode()
    assert 'name="country" value="BD"' in done
    asked = await guard.assess(guard.attempt("+8801798765432", "192.0.2.1"))
    assert str(asked.action) == "challenge"


async def test_what_stands_in_somebodys_way_is_told_and_lifted(
    operator: Operator, guard: Guard
) -> None:
    """By number and address together; neither is in the answer, nor in any address."""
    await attacked(guard, 25)
    reply = await operator.submit("/story", number=PHONE, address=ADDRESS)
    told = reply.body.decode()
    assert reply.status == 200
    assert "If it were asked for now, it would be blocked" in told
    assert "1 of 1 for this number in a day" in told
    assert "this address is banned for" in told
    assert "decided: ban BANNED: a ban after many refusals" in told  # one of its last decisions
    assert PHONE[1:] not in told
    assert ADDRESS not in told
    ban = re.search(r'name="id" value="(0-[0-9a-f]{20}-ban)"', told)
    assert ban is not None
    assert (await operator.submit("/bans/lift", id=ban[1])).status == 303
    again = (await operator.submit("/story", number=PHONE, address=ADDRESS)).body.decode()
    assert "this address is banned for" not in again
    orders = (await operator.get("/orders")).body.decode()
    assert "ban lifted: ban 81.2.69.•" in orders
    assert "by mike" in orders


@pytest.mark.parametrize(
    ("number", "address"), [("", ""), ("+99999", ""), (PHONE, "300.1.1.1"), ("", "not.one")]
)
async def test_what_is_nobody_is_said_and_not_repeated(
    operator: Operator, number: str, address: str
) -> None:
    reply = await operator.submit("/story", number=number, address=address)
    assert reply.status == 422
    assert not number or number not in reply.body.decode()
    assert not address or address not in reply.body.decode()


async def test_bans_are_searched(operator: Operator, guard: Guard) -> None:
    await attacked(guard, 25)
    await operator.page()  # this process tells what it has met
    assert "81.2.69.•" in (await operator.get("/who")).body.decode()
    assert "81.2.69.•" in (await operator.submit("/bans", search="81.2 BAN")).body.decode()
    found = (await operator.submit("/bans", search="FR")).body.decode()
    assert "None has these words." in found


async def test_a_rule_is_put_into_monitor_and_back(operator: Operator, guard: Guard) -> None:
    await attacked(guard, 3)
    page = (await operator.get("/rules")).body.decode()
    assert "let limit only monitor" in page
    reply = await operator.submit("/rules/monitor", rule="limit", lasting="1h", reason="strict")
    assert reply.headers["location"].endswith("/rules?done=monitored")
    assert (await guard.assess(guard.attempt(PHONE, ADDRESS))).allowed
    page = (await operator.get("/rules")).body.decode()
    assert "by mike" in page
    assert "This bound does not hold. The rule limit only monitors, by mike" in (
        await operator.page()
    )
    await operator.submit("/rules/enforce", rule="limit")
    assert not (await guard.assess(guard.attempt(PHONE, ADDRESS))).allowed
    wrong = await operator.submit("/rules/monitor", rule="none", lasting="1h", reason="x")
    assert wrong.status == 422


async def test_money_by_hour_and_country(operator: Operator, guard: Guard) -> None:
    await attacked(guard, 3)
    page = (await operator.get("/money")).body.decode()
    assert "spent, last hour" in page
    assert re.search(r'<th scope="row">BD</th><td>\$0.\d\d</td><td>\$0.\d\d</td><td>', page)
    assert "The policy has no budget." in page


async def test_no_receipts_are_said(operator: Operator) -> None:
    assert "no receipts have come" in (await operator.get("/money")).body.decode()


async def test_what_was_delivered_by_country_and_carrier(operator: Operator, guard: Guard) -> None:
    """And how soon; where a receipt names no carrier, that is said."""
    phone = guard.attempt(PHONE).phone
    for carrier, word, seconds in (("47001", "delivered", 4.0), ("47001", "delivered", 5.0),
                                   ("", "undelivered", None)):  # fmt: skip
        guard.listeners.reported(
            Reported(phone, "sinch", cast(ReportedWord, word), 0.0, carrier, seconds)
        )
    page = (await operator.get("/money")).body.decode()
    assert "<td>47001</td><td>2</td><td>0</td><td>0</td><td>4.5</td>" in page
    assert "<td>not named</td><td>0</td><td>1</td><td>0</td><td>–</td>" in page


async def test_a_new_market_stands_beside_the_money(name: str) -> None:
    """A country that is not home and whose users verify: its line of credit has grown."""
    clock = FakeClock()
    policy = Policy(send="/s", home=["GB"], settled=True, daily_budget=600, name=name,
                    price_overrides={"PL": 0.3}, secret="a well kept secret")  # fmt: skip
    async with Guard(policy, clock=clock) as guard:
        operator = Operator(guard)
        await operator.sign_in()
        await operator.get("/money")
        await operator.console.view.markets.wait()
        assert "No country but home" in (await operator.get("/money")).body.decode()
        for n in range(150):
            phone, address = f"+48512{n:03}781", f"91.192.{n % 200}.7"
            attempt = make_attempt(phone, address, country="PL", at=clock.advance(70), price=0.3)
            await guard.assess(attempt)
            clock.advance(10 + 7 * n % 23)
            guard.verified(phone)
            await guard.settled()
        operator = Operator(guard)
        await operator.sign_in()
        await operator.get("/money")
        await operator.console.view.markets.wait()
        page = (await operator.get("/money")).body.decode()
        assert re.search(r"<li>PL: \$\d+\.\d\d verified on the best of 14 days", page)
        assert "counts what was verified less" in page


@pytest.mark.parametrize("path", ["/who", "/rules", "/money", "/orders"])
async def test_strangers_see_none_of_it(stranger: Operator, path: str) -> None:
    assert (await stranger.get(path)).status == 303


@pytest.mark.parametrize(
    "path", ["/story", "/bans", "/bans/lift", "/rules/monitor", "/rules/enforce"]
)
async def test_no_form_of_another_session_is_taken(operator: Operator, path: str) -> None:
    reply = await operator.post(path, {"form_token": 64 * "0", "id": "x", "rule": "limit"})
    assert reply.status == 403


async def test_programs_have_the_same(operator: Operator, guard: Guard) -> None:
    """In JSON, with the token; what names a person is in the body alone."""
    await attacked(guard, 25)
    await operator.page()
    fleet = (await operator.api("GET", "/fleet")).json
    assert fleet["hour"]["requests"] == 25
    assert fleet["attack"]["places"][0]["name"] == "BD"
    (ban,) = (await operator.api("GET", "/bans")).json
    story = await operator.api("POST", "/story", {"number": PHONE, "address": ADDRESS})
    assert story.json["action"] == "block"
    assert PHONE[1:] not in story.body.decode()
    lifted = await operator.api("POST", "/bans/lift", {"id": ban["id"], "author": "pager"})
    assert lifted.json["lifted"]["subject"] == "81.2.69.•"
    order = {"rule": "limit", "author": "pager", "seconds": 60.0}
    rules = (await operator.api("POST", "/rules", order)).json
    assert [rule["mode"] for rule in rules if rule["name"] == "limit"] == ["monitor"]
    ended = (await operator.api("POST", "/rules", {"rule": "limit", "author": "pager"})).json
    assert [rule["mode"] for rule in ended if rule["name"] == "limit"] == ["enforce"]
    orders = (await operator.api("GET", "/orders")).json
    assert [each["what"] for each in orders] == ["enforce", "monitor", "lift"]
    wrong = await operator.api("POST", "/story", {"number": "nobody"})
    assert wrong.status == 422
    assert "nobody" not in wrong.body.decode()


async def test_last_decisions_are_those_of_the_fleet_where_events_are_kept(
    operator: Operator, there: Guard
) -> None:
    """Of the same number and address alone, each explained; another process has made them."""
    events = Events(there, Stream(there))
    await attacked(there, 2)
    await there.assess(there.attempt("+8801712340000", ADDRESS))
    await events.flush()
    told = (await operator.submit("/story", number=PHONE, address=ADDRESS)).body.decode()
    assert "decided: limit RATE_LIMIT: too many messages for this number" in told
    assert told.count("<time>") == 2
    of_both = (await operator.submit("/story", address=ADDRESS)).body.decode()
    assert of_both.count("<time>") == 3
    assert PHONE[1:] not in told


async def test_a_reference_is_explained_and_its_number_allowed(
    operator: Operator, guard: Guard
) -> None:
    """As a user reads it out. The number is in no page."""
    events = Events(guard, Stream(guard))
    attempt = guard.attempt(PHONE, ADDRESS)
    refused = [await guard.assess(attempt) for _ in range(2)][1]
    await events.flush()
    said = refused.reference.lower().replace("-", "")
    page = (await operator.submit("/reference", reference=said)).body.decode()
    assert f"{refused.reference}: throttle at" in page
    assert "decided: limit RATE_LIMIT" in page
    assert PHONE not in page
    reply = await operator.submit("/reference/lift", reference=refused.reference)
    assert reply.headers["location"].endswith("done=allowed")
    assert (await guard.assess(attempt)).allowed
    (order,) = (await guard.overrides.show()).listings
    assert (order.author, order.reason) == ("mike", f"reference {refused.reference}")


async def test_a_reference_that_is_none_is_said(operator: Operator) -> None:
    for text in ("", "7Q3K-9XDM", "<b>"):
        reply = await operator.submit("/reference", reference=text)
        assert reply.status == 422
        assert "reference: expected one" in reply.body.decode()


async def test_a_number_is_allowed_for_an_hour_by_its_hash(
    operator: Operator, guard: Guard
) -> None:
    await attacked(guard, 25)
    told = (await operator.submit("/story", number=PHONE, address=ADDRESS)).body.decode()
    value = re.search(r'name="value" value="(#[0-9a-f]+)"', told)
    assert value is not None
    form = {"verdict": "allow", "kind": "number", "lasting": "1h", "reason": "a customer"}
    assert (await operator.submit("/lists", value=value[1], **form)).status == 303
    assert (await guard.assess(guard.attempt(PHONE, ADDRESS))).allowed


class Plain(TellsNothing):
    """A store of somebody's own, which keeps nothing of a fleet."""

    def __init__(self) -> None:
        self.overrides = MemoryOverrides()

    async def decide(self, question: Question) -> Answer:
        return Answer(True, {}, 0.0)

    async def aclose(self) -> None:
        """It holds nothing."""


@pytest.mark.parametrize("path", ["/", "/who", "/rules", "/money", "/orders"])
async def test_over_a_store_of_ones_own_the_rest_is_there(policy: Policy, path: str) -> None:
    async with Guard(policy, Plain()) as guard:
        operator = Operator(guard)
        await operator.sign_in()
        await guard.assess(guard.attempt(PHONE, ADDRESS))
        page = await operator.get(path)
        assert page.status == 200
        if path not in ("/orders",):
            assert "this store keeps nothing of a fleet" in page.body.decode()
