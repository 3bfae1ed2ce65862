from __future__ import annotations

import pytest

from attack_harness.actors import Exchange
from attack_harness.attackers import Attack, Shot
from attack_harness.benchmark.loss import before_refusal, spend_entry
from attack_harness.benchmark.played import Accounts, asked_by
from attack_harness.benchmark.profit import profit_entry
from attack_harness.books import Message


def ask(at: float, status: int = 202, *, human: bool = False) -> Exchange:
    return Exchange(at, "flood", f"+1{at:.0f}", status, human, status == 403)


def paid(*times: float, price: float = 0.1) -> list[Message]:
    return [Message(f"+1{at:.0f}", at, "AZ", price, "delivered", price / 10) for at in times]


def attack(proxy_cost: float = 0.001) -> Attack:
    return Attack("flood", "Flood", 0.0, (Shot(0.0, "+1", "192.0.2.1"),), proxy_cost)


def test_the_first_refusal_ends_what_went_unnoticed() -> None:
    requests = [ask(1), ask(2), ask(3, 403), ask(4)]
    told = before_refusal(requests, paid(1, 2, 4))
    assert told == {"messages": 2, "dollars": 0.2, "delay_seconds": 2.0}


def test_silence_is_a_refusal() -> None:
    told = before_refusal([ask(1), ask(2), ask(3)], paid(1, 3))
    assert (told["messages"], told["delay_seconds"]) == (1, 1.0)


def test_a_number_that_no_carrier_takes_is_not() -> None:
    told = before_refusal([ask(1, 422), ask(2)], paid(2))
    assert told == {"messages": 1, "dollars": 0.1, "delay_seconds": None}


def test_volume_and_cost_add_up() -> None:
    told = spend_entry([ask(1), ask(2, human=True)], paid(1, 2))
    assert told == {"requests": 2, "solutions": 1, "messages": 2, "spend": 0.2}


def test_an_attacker_who_earns_stays() -> None:
    requests = [ask(n) for n in range(50)]
    told = profit_entry(attack(), requests, paid(*range(50)))
    assert told["profit"] == pytest.approx(50 * (0.01 - 0.001))
    assert told["leaves_after_seconds"] is None
    assert told["profit_when_leaving"] == told["profit"]


def test_an_attacker_who_no_longer_earns_leaves() -> None:
    requests = [ask(n) for n in range(200)]
    told = profit_entry(attack(), requests, paid(0, 1, 2))
    assert told["leaves_after_seconds"] == 29.0  # 30 requests cost what 3 messages earned
    assert told["profit"] == pytest.approx(0.03 - 0.2)
    assert told["profit_when_leaving"] == pytest.approx(0.0)


def test_solved_challenges_cost() -> None:
    told = profit_entry(attack(0.0), [ask(1, 403), ask(2, human=True)], [])
    assert told["profit"] == -0.001


def test_messages_belong_to_who_asked_for_them_then() -> None:
    ledger = paid(1, 2)
    assert asked_by([ask(1)], ledger) == ledger[:1]


def test_a_ledger_that_is_not_what_was_paid_is_refused() -> None:
    def accounts(messages: int, dollars: float) -> Accounts:
        return Accounts({"messages_sent": messages, "total_spent": dollars}, {})

    accounts(2, 0.5).must_have_paid_for(paid(1, 2), accounts(0, 0.3))
    with pytest.raises(ValueError, match="the bill says"):
        accounts(2, 0.9).must_have_paid_for(paid(1, 2), accounts(0, 0.3))
