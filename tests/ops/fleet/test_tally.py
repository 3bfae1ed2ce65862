"""What a process counts of its decisions: exactly, and within bounds that nobody outside moves."""

from __future__ import annotations

from collections import Counter
from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pumpguard import Action, Decision
from pumpguard.decision import Finding
from pumpguard.ops.fleet import tally as tally_module
from pumpguard.ops.fleet.period import Period
from pumpguard.ops.fleet.tally import HOT, MOST_KNOWN, MOST_PLACES, MOST_REFUSED, QUIET, Tally
from pumpguard.testing import make_attempt

PHONES = st.sampled_from(["+447400123456", "+447400123999", "+8801712345678", "+12015550123"])
MICRO = 50_000
DECIDED = st.tuples(PHONES, st.sampled_from(Action), st.integers(0, 3))


def decision(
    phone: str = "+8801712345678",
    action: Action = Action.ALLOW,
    rules: tuple[str, ...] = ("limit",),
    *,
    address: str = "192.0.2.7",
    monitored: tuple[str, ...] = (),
) -> Decision:
    """A decision by rules that all ask for the same."""
    found = [Finding(rule, action, "FULL") for rule in rules if action]
    found += [Finding(rule, Action.BLOCK, "FULL", mode="monitor") for rule in monitored]
    return Decision(make_attempt(phone, address, price=MICRO / 1e6), action, tuple(found))


@given(st.lists(DECIDED, max_size=60))
def test_every_request_is_counted_once_by_country_and_by_action(
    decided: list[tuple[str, Action, int]],
) -> None:
    """To the micro-dollar, whether it was let through or not."""
    tally = Tally()
    for phone, action, seconds in decided:
        tally.add(decision(phone, action), float(seconds))
    period = Period.of([tally.take()[0]])
    wanted = Counter(str(action) for _, action, _ in decided)
    assert {a: each.n for a, each in period.actions.items() if each.n} == wanted
    assert all(each.u == MICRO * each.n for each in period.actions.values())
    assert period.requests == len(decided)
    refused = [phone for phone, action, _ in decided if action]
    blocks = Counter[str]()
    for (_, block), by_rule in period.blocks.items():
        blocks[block] += sum(amount.n for rule, amount in by_rule.items() if rule)
    assert blocks == Counter(phone[:-3] for phone in refused)
    assert sum(amount.n for amount in period.networks.values()) == len(refused)


def test_what_was_taken_is_not_counted_again() -> None:
    tally = Tally()
    tally.add(decision(action=Action.BLOCK), 0)
    assert tally.busy
    assert tally.take()[0]
    assert tally.take() == ({}, {}, ())
    assert not tally.busy


def test_each_rule_is_told_what_it_refused_what_it_alone_and_what_it_would_have() -> None:
    tally = Tally()
    tally.add(decision(action=Action.BLOCK, rules=("limit",)), 0)
    tally.add(decision(action=Action.BLOCK, rules=("limit", "ban"), monitored=("new",)), 0)
    tally.add(decision(action=Action.ALLOW, monitored=("new",)), 0)
    rules = Period.of([tally.take()[0]]).rules
    assert rules == {
        "limit": Counter(refused=2, found=2, alone=1, u=2 * MICRO),
        "ban": Counter(found=1),
        "new": Counter(monitored=2),
    }


def test_what_is_let_through_is_told_by_block() -> None:
    """Also what was before the first refusal: that is what an attack has cost. For an hour after it
    the block is one of those that go first."""
    tally = Tally()
    tally.add(decision(action=Action.ALLOW), 0)
    tally.add(decision(action=Action.BLOCK), 1)
    tally.add(decision(action=Action.ALLOW), 2)
    tally.add(decision("+447400123456", Action.ALLOW), 2)
    tally.add(decision(action=Action.ALLOW), 2 + HOT)
    counts = tally.take()[0]
    assert {name.split("\t")[3]: n for name, n in counts.items() if name[:6] == "b\tBD\t+"
            and name.endswith("n")} == {QUIET: 2, "limit": 1, "": 1}  # fmt: skip
    blocks = Period.of([counts]).blocks
    assert {block: {rule: amount.n for rule, amount in by_rule.items()}
            for (_, block), by_rule in blocks.items()} == {
        "+8801712345": {"limit": 1, "": 3}, "+447400123": {"": 1},
    }  # fmt: skip


def test_an_attacker_chooses_no_field() -> None:
    """A thousand blocks and networks are fifty of each, the dearest, and the sum of the others."""
    tally = Tally()
    numbers = 3 * MOST_KNOWN
    for n in range(numbers):
        address = f"10.{n // 200 % 200}.{n % 200}.1"
        tally.add(decision(f"+88017{n:05}123", Action.BLOCK, address=address), 0)
    dear = decision("+8801999999999", Action.BLOCK, address="192.0.2.1")
    tally.add(dear, 0)
    tally.add(dear, 0)
    counts, refused, _ = tally.take()
    period = Period.of([counts])
    assert len(period.blocks) <= MOST_PLACES + 1
    assert len(period.networks) <= MOST_PLACES + 1
    assert sum(a.n for by in period.blocks.values() for a in by.values()) == numbers + 2
    assert sum(a.n for a in period.networks.values()) == numbers + 2
    assert ("BD", "other") in period.blocks
    assert ("other", "") in period.networks
    assert len(refused) == MOST_REFUSED
    assert len(counts) < 5 * MOST_PLACES


def test_no_number_and_no_address_is_in_a_field() -> None:
    tally = Tally()
    tally.add(decision("+447400123456", Action.BLOCK, address="203.0.113.77"), 0)
    tally.add(decision("+447400123456", Action.BLOCK, address="2001:db8:1:2::77"), 0)
    fields = " ".join(tally.take()[0])
    assert "+447400123\t" in fields
    assert "203.0.113.•" in fields
    assert not any(part in fields for part in ("7400123456", "203.0.113.77", "2001:db8:1:2"))


def test_what_was_decided_without_the_store_is_told() -> None:
    tally = Tally()
    tally.add(replace(decision(), degraded=True), 0)
    tally.add(decision(), 0)
    assert tally.take()[0]["k\tdegraded"] == 1


def test_a_rule_that_only_monitors_has_refused_nothing() -> None:
    """Though it was the first to find something."""
    found = (
        Finding("new", Action.BLOCK, "FULL", mode="monitor"),
        Finding("limit", Action.BLOCK, "FULL"),
    )
    tally = Tally()
    tally.add(replace(decision(action=Action.BLOCK), findings=found), 0)
    rules = Period.of([tally.take()[0]]).rules
    assert (rules["limit"]["refused"], rules["new"]["refused"]) == (1, 0)


def test_many_kinds_are_added_up_early(monkeypatch: pytest.MonkeyPatch) -> None:
    """So that no attacker makes them many; nothing is lost by that."""
    monkeypatch.setattr(tally_module, "MOST_KNOWN", 3)
    tally = Tally()
    for cents in range(40):
        one = decision()
        tally.add(replace(one, attempt=replace(one.attempt, price=cents / 100)), 0)
        assert len(tally._kinds) <= 3
    assert Period.of([tally.take()[0]]).requests == 40
