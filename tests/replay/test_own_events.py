"""A log of our own events, replayed under its own policy, gives every decision again."""

from __future__ import annotations

import asyncio
import json
import random
from collections import Counter
from contextlib import suppress
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from typer.testing import CliRunner

from pumpguard import Decision, Guard, Policy
from pumpguard.cli import app
from pumpguard.commands import BAD_INPUT
from pumpguard.intake.phone import canonical
from pumpguard.listeners import Became, Recorded
from pumpguard.ops.events import Event, Events, File
from pumpguard.ops.events.fields import EventMaker
from pumpguard.replay.columns import OWN, flat, guess
from pumpguard.replay.entry import EARLIEST, LATEST, Parser
from pumpguard.replay.journal import Journal
from pumpguard.replay.own_events import own_attempt, own_entries
from pumpguard.replay.read import Table
from pumpguard.testing import FakeClock, SimulatedHuman, make_attempt

POLICY = """
send = "/otp/send"
verify = "/otp/verify"
home = ["GB"]
daily_budget = 20
session = "cookie:sid"
secret = "sixteen bytes or more"

[dimensions]
tenant = "json:tenant"
"""
START = 1_777_852_800.123_456

FIELDS = (
    "event_action", "pumpguard_at", "pumpguard_price", "pumpguard_attempt_at",
    "pumpguard_attempt_network", "pumpguard_attempt_proved", "rule_name",
)  # fmt: skip
TEXTS = st.one_of(
    st.text(max_size=12), st.floats().map(repr), st.floats(EARLIEST, LATEST).map(repr),
    st.sampled_from(["+447400123456", "true", "verified", "failed", "81.2.69.142"]),
)  # fmt: skip


async def a_day(policy: Path, log: Path, **shown: Any) -> None:
    """People who ask, prove, verify or get nothing, and two attacks; what the guard decided."""
    clock, rng = FakeClock(START), random.Random(7)
    guard = Guard(policy, clock=clock, challenge=SimulatedHuman())
    Events(guard, File(log), **shown)
    for n in range(600):
        clock.advance(rng.expovariate(1 / 20))
        if n % 50 == 49:
            clock.advance(3_600 / 7)
        match rng.randrange(6):
            case 0 | 1:  # a person, of two tenants
                phone, address = f"+447400{rng.randrange(10**6):06}", f"81.2.{n % 250}.9"
            case 2:  # one who cannot stop
                phone, address = "+447400123456", "81.2.69.142"
            case 3:  # a block of numbers, one after the other, from an IPv6 network
                phone, address = f"+8801712345{n:03}", "2a00:23c5::1"
            case _:  # whatever costs, from one address
                phone, address = f"+9477123{rng.randrange(10**4):04}", "5.10.64.7"
        facts: dict[str, Any] = {"session": f"s{n % 40}", "account": f"mail{n % 90}@example.org"}
        facts["extra"] = {"tenant": f"t{n % 2}"}
        attempt = guard.attempt(phone, address, **facts)
        decision = await guard.assess(attempt)
        if str(decision.action) == "challenge" and rng.random() < 0.7:
            used = f"solution {rng.randrange(60)}"  # some are shown twice
            clock.advance(rng.random() * 30)
            attempt = guard.attempt(phone, address, proved=True, solution=used, **facts)
            decision = await guard.assess(attempt)
        if decision.allowed:
            clock.advance(rng.random())
            what = rng.randrange(8)
            if what == 0:
                guard.settle(decision, "failed")
            elif what == 1:
                guard.settle(decision, "unallocated")
            elif phone.startswith("+44") and what < 7:
                guard.verified(phone)
            await guard.settled()
    await guard.aclose()


@pytest.fixture
def policy(tmp_path: Path) -> Path:
    path = tmp_path / "policy.toml"
    path.write_text(POLICY)
    return path


def replayed(*words: str | Path) -> Any:
    result = CliRunner().invoke(app(), ["replay", *map(str, words), "--json"])
    assert result.exit_code == 0, result.stderr
    return json.loads(result.stdout)


def decision() -> Event:
    """Of a person."""
    recorded = Recorded(Decision(make_attempt(at=START)), START)
    return json.loads(EventMaker(Policy(send="/s"), "whole", "clear").line(recorded))  # type: ignore[no-any-return]


def outcome(what: Any) -> Event:
    """Of the same one's message."""
    became = Became(make_attempt().phone, what, START)
    return json.loads(EventMaker(Policy(send="/s"), "whole", "clear").line(became))  # type: ignore[no-any-return]


def lines(log: Path) -> list[Event]:
    return [json.loads(line) for line in log.read_text().splitlines()]


def test_every_decision_is_made_again(policy: Path, tmp_path: Path) -> None:
    """Refusals, challenges, proof, solutions that were used, codes and messages that failed."""
    log = tmp_path / "events.jsonl"
    asyncio.run(a_day(policy, log, addresses="whole", numbers="clear"))
    events = lines(log)
    actions = Counter(each["event"]["action"] for each in events)
    several = "allow", "challenge", "throttle", "block", "verified", "failed", "unallocated"
    assert min(actions[each] for each in several) > 10
    found = replayed(log, "--policy", policy)
    again = found["decided_again"]
    assert again["decisions"] == found["messages"] > 600
    assert (again["same"], again["examples"]) == (again["decisions"], [])
    assert not any("versions" in note for note in found["notes"])


def test_what_was_held_out_is_made_again_and_measured(policy: Path, tmp_path: Path) -> None:
    """The share of customers among what rules would have refused, with its interval."""
    log = tmp_path / "events.jsonl"
    policy.write_text(f"{POLICY}\n[hold_out]\nshare = 0.5\nday = 9\n")
    asyncio.run(a_day(policy, log, addresses="whole", numbers="clear"))
    told = [each for each in lines(log) if each["event"].get("reason") == "held_out"]
    assert len(told) > 10
    found = replayed(log, "--policy", policy)
    assert found["decided_again"]["same"] == found["decided_again"]["decisions"]
    held = found["held_out"]
    assert held["messages"] == len(told)
    low, high = held["verified_interval"]
    assert 0 <= low <= held["verified"] / held["numbers"] <= high < 1
    said = CliRunner().invoke(app(), ["replay", str(log), "--policy", str(policy)]).stdout
    assert f"Held out: {len(told)} messages that rules would have refused went out" in said


def test_what_another_policy_decides_otherwise_is_shown(policy: Path, tmp_path: Path) -> None:
    """The first ten, with both explanations; and that it is another policy."""
    log, other = tmp_path / "events.jsonl", tmp_path / "other.toml"
    asyncio.run(a_day(policy, log, addresses="whole", numbers="clear"))
    other.write_text(POLICY.replace("GB", "LK"))
    result = CliRunner().invoke(app(), ["replay", str(log), "--policy", str(other)])
    assert result.exit_code == 0, result.stderr
    then = [line for line in result.stdout.splitlines() if line.startswith("    then: ")]
    assert len(then) == result.stdout.count("    now:  ") == 10
    assert then[0].startswith("    then: challenge: ")
    assert then[0].endswith(" geo_mismatch GEO_MISMATCH")
    assert "The events were decided by policies of the versions " in result.stdout


@pytest.mark.parametrize(
    ("shown", "hidden"),
    [
        ({}, "numbers"),
        ({"addresses": "whole"}, "numbers"),
        ({"numbers": "clear"}, "addresses"),
        ({"numbers": "clear", "addresses": "hashed"}, "addresses"),
    ],
)
def test_what_is_hidden_ends_in_what_to_set(
    policy: Path, tmp_path: Path, shown: Any, hidden: str
) -> None:
    """And in no report about a part of it."""
    log = tmp_path / "events.jsonl"
    asyncio.run(a_day(policy, log, **shown))
    result = CliRunner().invoke(app(), ["replay", str(log), "--policy", str(policy)])
    assert result.exit_code == BAD_INPUT
    assert 'Events(guard, File(…), addresses="whole", numbers="clear")' in result.stderr
    assert f"hidden {hidden}" in result.stderr


def test_events_of_one_time_are_played_in_their_order(tmp_path: Path) -> None:
    """A code that was entered before the next request of the same moment."""
    log = tmp_path / "events.jsonl"
    log.write_text("".join(json.dumps(each) + "\n" for each in (outcome("verified"), decision())))
    table, journal = Table(log), Journal()
    columns = guess(table.header)
    assert columns.source == OWN
    journal.add(table, columns, Parser(columns))
    journal.close_books()
    assert [each.is_verification for each in journal] == [True, False]


def test_a_message_that_failed_is_no_message_of_its_own(tmp_path: Path) -> None:
    """It is what became of the one before it: only playing sees it."""
    log = tmp_path / "events.jsonl"
    log.write_text("".join(json.dumps(each) + "\n" for each in (decision(), outcome("failed"))))
    table, journal = Table(log), Journal()
    columns = guess(table.header)
    journal.add(table, columns, Parser(columns))
    journal.close_books()
    assert len(journal) == len(list(journal)) == 1
    assert [each.outcome for each in journal.whole()] == [None, "failed"]


def test_orders_alerts_and_what_others_write_are_no_entries() -> None:
    assert not list(own_entries({"event_dataset": "pumpguard.order"}, "a log"))
    assert not list(own_entries({"event_dataset": "nginx.access"}, "a log"))


@given(st.floats(EARLIEST, LATEST), st.floats(0.000_1, 2))
def test_times_and_prices_are_exact(at: float, price: float) -> None:
    """To the last bit."""
    recorded = Recorded(Decision(make_attempt(at=at, price=price)), at)
    line = EventMaker(Policy(send="/s"), "whole", "clear").line(recorded).decode()
    (entry,) = own_entries(flat(json.loads(line)), "a log")
    assert (entry.at, entry.price) == (at, price)
    facts = json.loads(entry.event or "")
    again = own_attempt(facts, entry.at, canonical(entry.phone), entry.address, entry.price)
    assert again == recorded.decision.attempt


@given(
    st.dictionaries(st.sampled_from(FIELDS), TEXTS),
    st.sampled_from(["pumpguard.decision", "pumpguard.outcome"]),
    TEXTS,
)
def test_no_row_raises_anything_but_a_reason(
    row: dict[str, str], dataset: str, number: str
) -> None:
    """Nor one that is refused later, when it is made an attempt."""
    with suppress(ValueError):
        for entry in own_entries(
            {**row, "event_dataset": dataset, "pumpguard_number_e164": number}, "a log"
        ):
            if entry.event:  # a decision; an outcome is no attempt
                facts = json.loads(entry.event)
                assert (
                    own_attempt(facts, entry.at, canonical(entry.phone), None, entry.price).at
                    == entry.at
                )
