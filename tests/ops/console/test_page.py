"""What the page shows, and how it is sent."""

from __future__ import annotations

import json
import re
from collections import Counter
from html import unescape
from pathlib import Path

import pytest

from pumpguard import Guard, Policy
from pumpguard.alerts import Alert
from pumpguard.money.exposure import exposure
from pumpguard.money.solve import dollars
from pumpguard.ops.console import Console
from pumpguard.ops.console.frame import PAGES
from pumpguard.ops.fleet import Fleet
from pumpguard.overrides.posture import Escalation
from pumpguard.rules.rate_limit import RateLimit
from pumpguard.testing import make_attempt
from pumpguard.watch.episode import Episode, Sums, told
from tests.asgi import call, request
from tests.ops.console.operator import TOKEN, Operator

STATIC = Path(__file__).parents[3] / "src/pumpguard/ops/console/static"


async def assess(guard: Guard, times: int) -> None:
    """So many requests, the first hundred of which are let through."""
    for i in range(times):
        attempt = guard.attempt(f"+4474{i:05}000", "81.2.69.142")
        await guard.assess(attempt)


@pytest.mark.parametrize(
    "path", ["/", "/login", "/events", "/static/console.css", "/api/overrides", "/nothing"]
)
async def test_every_answer_is_for_the_operator_alone(operator: Operator, path: str) -> None:
    """Never kept, never framed, and nothing but our own files is loaded."""
    reply = await operator.get(path)
    policy = reply.headers["content-security-policy"]
    assert policy.startswith("default-src 'none'; ")
    assert "frame-ancestors 'none'" in policy
    assert "unsafe" not in policy
    assert reply.headers["cache-control"] == "no-store"
    assert reply.headers["x-content-type-options"] == "nosniff"
    assert reply.headers["referrer-policy"] == "same-origin"


async def test_the_page_obeys_its_own_policy(operator: Operator) -> None:
    """No inline style, script or handler; everything it names is its own."""
    page = await operator.page()
    assert not re.search(r"<style|<script(?![^>]* src=)| style=| on[a-z]+=|javascript:", page)
    named = re.findall(r'(?:href|src|action)="([^"]+)"', page)
    assert len(named) > 5
    assert all(each.startswith("/pumpguard/") for each in named)
    for each in re.findall(r'(?:href|src)="/pumpguard(/static/[^"]+)"', page):
        assert (await operator.get(each)).status == 200


@pytest.mark.parametrize("file", ["../app.py", "..%2fapp.py", "app.py", "console.css/", ""])
async def test_no_other_file_is_served(operator: Operator, file: str) -> None:
    assert (await operator.get(f"/static/{file}")).status in {404, 307}


async def test_requests_by_action_rule_and_country(operator: Operator, guard: Guard) -> None:
    """And what the refused ones would have cost."""
    await assess(guard, 103)
    page = await operator.page()
    assert "<dd>103</dd>" in page
    assert "</i>allow <strong>100</strong>" in page
    assert "</i>throttle <strong>3</strong>" in page
    assert '<th scope="row">limit</th><td>3</td>' in page
    assert '<th scope="row">GB</th><td>103</td>' in page
    price = guard.policy.price_table.price("GB")
    assert price > 0
    assert f"<dd>{dollars(3 * price)}</dd>" in page
    assert 'aria-label="Decisions per minute in the last hour: 103"' in page
    assert len(re.findall(r'<rect class="throttle"', page)) == 1


async def test_decisions_of_all_processes_are_explained(
    operator: Operator, guard: Guard, there: Guard
) -> None:
    """The newest first; those refused by themselves, too: a flood hides none of them."""
    fleet = Fleet(there)
    await assess(guard, 101)
    await assess(there, 1)
    await fleet.speak()
    page = unescape(await operator.page())
    refused, sent = page.split("Let through, the last 10")
    assert "Not let through, the last 2" in refused
    assert refused.count("decided: limit RATE_LIMIT: too many messages for everything") == 2
    assert refused.index("+447400000••• (GB) for 81.2.69.•") < refused.index("+447400100•••")
    assert sent.index("00099•••") < sent.index("00098•••")


async def test_other_listeners_still_hear(policy: Policy) -> None:
    """A console takes nothing away from who was given to the guard."""
    heard: list[object] = []
    guard = Guard(policy, "memory://", on_decision=heard.append)
    operator = Operator(guard)
    await guard.assess(make_attempt())
    assert operator.console.fleet is not None
    await operator.console.fleet.speak()
    seen = (await operator.console.view.values())["seen"]
    assert len(heard) == len(seen.sent) == 1


async def test_the_most_an_attacker_can_cost(operator: Operator, guard: Guard) -> None:
    """As the command reckons it; the first look does not wait for it."""
    bound = exposure(guard.policy)
    first = (await operator.get()).body.decode()
    assert "Being reckoned" in first or dollars(bound.day.usd) in first  # it may be quick
    page = await operator.page()
    assert f"<dd>{dollars(bound.day.usd)}</dd>" in page
    assert '<dd class="why">limit</dd>' in page


async def test_a_launch_that_is_announced(operator: Operator, guard: Guard) -> None:
    """Who, until when and why; and the bound is the one that holds meanwhile."""
    await operator.page()
    await guard.overrides.expect(3, country="DE", seconds=3_600, author="mike", reason="television")
    await operator.page()
    page = await operator.page()
    assert "Expected in DE: <strong>3 times as much as usual</strong>" in page
    assert "<q>television</q>" in page
    assert "This is while more than usual is expected." in page
    bound = exposure(guard.policy, expected={"DE": 3.0})
    assert bound.day.usd > exposure(guard.policy).day.usd
    assert f"<dd>{dollars(bound.day.usd)}</dd>" in page


async def test_no_bound_is_said(valkey_url: str, name: str) -> None:
    limit = RateLimit(name="limit", by="phone", limits="1/hour")
    async with Guard(Policy(send="/s", rules=[limit], name=name), valkey_url) as guard:
        operator = Operator(guard)
        await operator.sign_in()
        assert "Not bounded" in await operator.page()


async def test_under_observe_the_bound_does_not_hold(operator: Operator, guard: Guard) -> None:
    await guard.overrides.posture("observe", author="mike")
    assert "This bound does not hold. The posture is observe" in await operator.page()


async def test_alerts_of_the_fleet(operator: Operator, there: Guard) -> None:
    """With their numbers, and what they are about, masked; also of a process that has ended."""
    assert "Alerts: none in the last day." in await operator.page()
    fleet = Fleet(there)
    await assess(there, 1)
    fleet.alerted(Alert("BUDGET_LOW", "budget", {"used": 480.5, "limit": 600}, "+447400123456", 0))
    sums = Sums(n=60, u=18_000_000, blocks=Counter({"+88017123450": 18_000_000}))
    fleet.alerted(told("ATTACK_BEGINS", sums, Episode(60, 600), 600))
    await there.aclose()
    page = await operator.page()
    assert "A budget is low: what is left is kept for customers: +4474••••••••" in page
    assert "<code>BUDGET_LOW</code> at 1970-01-01 00:00 UTC, by budget" in page
    assert "used=480.5, limit=600" in page
    assert "An attack has begun: +88017123450" in page
    assert "refused: 60 requests, $18.00 not spent" in page
    assert "pumpguard lists deny prefix +88017123450 --for 1d" in page
    assert "None yet." in page  # its decisions have gone with it
    (budget, attack) = reversed((await operator.api("GET", "/fleet")).json["alerts"])
    assert (budget["event"]["action"], attack["event"]["action"]) == (
        "BUDGET_LOW", "ATTACK_BEGINS",
    )  # fmt: skip


async def test_what_the_guard_has_noticed(operator: Operator, guard: Guard) -> None:
    """As in the log, with its numbers and addresses masked, and what it has counted."""
    assert "The app around it: nothing to mend." in await operator.page()
    guard.observations.unguarded.websocket("/otp/+447400123456")
    guard.observations.unread("phone-number", "The telephone number is missing.")
    page = await operator.page()
    assert "<code>PG077</code> a websocket on the guarded path" in page
    assert "/otp/+44740012••••" in page
    assert '<th scope="row">unreadable: phone-number</th><td>1</td>' in page
    assert '<th scope="row">websockets</th><td>1</td>' in page


async def test_what_several_guards_have_noticed_is_said_once(
    operator: Operator, guard: Guard, there: Guard
) -> None:
    """And what they have counted is added up."""
    fleet = Fleet(there)
    for each in (guard, there):
        each.observations.unguarded.websocket("/otp/send")
        each.observations.unread("phone-number", "The telephone number is missing.")
    await fleet.speak()
    page = await operator.page()
    assert page.count("<code>PG077</code>") == 1
    assert "by 2 processes" in page
    assert '<th scope="row">unreadable: phone-number</th><td>2</td>' in page


async def test_a_step_of_escalation_is_explained(operator: Operator, guard: Guard) -> None:
    await guard.overrides.escalate(Escalation(), "SEND_SPIKE")
    page = await operator.page()
    assert "By escalation, after <code>SEND_SPIKE</code>" in page
    assert '<li class="challenge_all" aria-current="step">' in page


async def test_an_order_that_has_ended_can_be_looked_up(valkey_url: str, policy: Policy) -> None:
    now = 1_800_000_000.0
    async with Guard(policy, valkey_url, clock=lambda: now) as guard:
        await guard.overrides.posture("closed", author="anna", seconds=60)
        operator = Operator(guard)
        await operator.sign_in()
        now += 61
        page = await operator.page()
        assert '<li class="normal" aria-current="step">' in page
        assert "closed has ended: set by <strong>anna</strong>" in page


async def test_news_come_as_events(operator: Operator, guard: Guard) -> None:
    """One to a connection, with the parts of the page that have no field to type in."""
    await operator.page()
    await guard.overrides.posture("closed", author="anna")
    reply = await operator.get("/events")
    assert reply.headers["content-type"].startswith("text/event-stream")
    retry, tag, data, end = reply.body.decode().split("\n", 3)
    assert (retry, end) == ("retry: 3000", "\n")
    again = await operator.get("/events", last_event_id=tag.removeprefix("id: "))
    assert again.body.decode() == "retry: 3000\n"  # nothing has changed
    fragments = json.loads(data.removeprefix("data: "))
    assert tuple(fragments) == PAGES[""][1]
    assert '<li class="closed" aria-current="step">' in fragments["posture"]
    page = await operator.page()
    for name, html in fragments.items():
        assert f'<div id="{name}">' in page
        assert not re.search("<(select|textarea)|type=.(text|radio|checkbox)", html)


async def test_beside_the_app_it_says_what_it_cannot_show(guard: Guard) -> None:
    operator = Operator(guard, judges_nothing=True)
    await operator.sign_in()
    page = await operator.page()
    assert "Not known: no process reports." in page
    assert "No process reports." in page


async def test_beside_the_app_it_shows_what_all_processes_see(guard: Guard, there: Guard) -> None:
    """And who speaks; a process that speaks need not have a console."""
    speaks = Fleet(there)
    operator = Operator(guard, judges_nothing=True)
    await operator.sign_in()
    for phone in ("+447400123456", "+447400123457", "+12015550123"):
        await there.assess(there.attempt(phone, "81.2.69.142"))
    await speaks.speak()
    page = await operator.page()
    assert "1 process reports" in page
    assert "<dt>requests</dt><dd>3</dd>" in page


async def test_what_to_know_before_switching(operator: Operator, policy: Policy) -> None:
    """This app has no challenge and tells the guard of no verifications."""
    page = await operator.page()
    assert "This app has no challenge=, so nobody gets through." in page
    assert "it knows nobody" in page


async def test_without_a_mount_it_works_as_well(guard: Guard) -> None:
    """As ``pumpguard console`` serves it."""
    reply = await call(Console(guard, token=TOKEN), request("GET", "/", content_type=None))
    assert (reply.status, reply.headers["location"]) == (303, "/login")
    reply = await call(Console(guard, token=TOKEN), request("GET", "/login", content_type=None))
    assert b'action="/login"' in reply.body


def test_the_program_stays_small() -> None:
    """No build step, no packages: what the browser gets is what is written here."""
    assert (STATIC / "console.js").stat().st_size < 3_000
    assert "http" not in (STATIC / "console.css").read_text()


async def test_a_sign_out_without_a_session_leads_to_the_login(stranger: Operator) -> None:
    """It may have ended an hour ago."""
    reply = await stranger.post("/logout", {})
    assert (reply.status, reply.headers["location"]) == (303, "/pumpguard/login")
