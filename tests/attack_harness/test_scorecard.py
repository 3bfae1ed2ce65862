from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import pytest

from attack_harness.actors import Exchange, Log
from attack_harness.attackers import Attack, Shot
from attack_harness.books import Books, Message
from attack_harness.clock import MIDNIGHT
from attack_harness.population import Patience, User
from attack_harness.savings import RunResult, before_first_refusal, timeline
from attack_harness.scorecard import score
from attack_harness.user import USERS, Outcome
from attack_harness.world import World

CALM = Patience(True, 13.5, (70.0,) * 3, True, 5.0, True)
ATTACK = Attack(
    "flood",
    "Flood",
    starts=3600,
    shots=tuple(Shot(float(n), f"+95900000{n:03}", "192.0.2.9") for n in range(10)),
    proxy_cost=0.001,
    buys_solutions=True,
)


def at(second: float) -> float:
    return MIDNIGHT + 3600 + second


def user(number: int, country: str = "GB", *groups: str) -> User:
    phone = f"+44791112{number:04}"
    typed = ({"phone": phone},) * 3
    return User(number, at(0), country, phone, "192.0.2.1", frozenset(groups), typed, CALM)


def line(phone: str, when: float, price: float = 0.5, country: str = "MM") -> Message:
    return Message(phone, when, country, price, "delivered", price / 10)


def books(*ledger: Message, **firewall: Any) -> Books:
    bill = {"total_spent": sum(m.price for m in ledger)}
    return Books(ledger, bill, {"prices": {"name": "made-up"}}, {}, firewall)


def shots(*statuses: int, human: tuple[int, ...] = (), users: Sequence[Exchange] = ()) -> Log:
    """The attack's requests with their statuses; ``human`` are retries at half past."""
    log = Log(list(users), calls=len(statuses))
    for n, status in enumerate(statuses):
        phone = ATTACK.shots[n].phone
        log.exchanges.append(Exchange(at(n), "flood", phone, status, False, status == 403))
        if n in human:
            log.exchanges.append(Exchange(at(n + 0.5), "flood", phone, 202, True, False))
    return log


def example() -> dict[str, Any]:
    """Ten messages become four: three before the first refusal, one for a bought solution."""
    people = (user(1), user(2, "MM"), user(3, "GB", "cgnat"), user(4, "GB", "traveller"))
    world = World(1, people, (ATTACK,))
    phones = [shot.phone for shot in ATTACK.shots]
    own = [line(p.phone, at(5), 0.05, p.country) for p in people]
    asked = [Exchange(at(5), USERS, p.phone, 202, False, False) for p in people]
    open_ = RunResult(
        shots(*[202] * 10, users=asked),
        [Outcome(p, got_code_at=at(8), verified=True) for p in people[:3]] + [Outcome(people[3])],
        books(*(line(p, at(n)) for n, p in enumerate(phones)), *own),
        1.0,
    )
    shut = RunResult(
        shots(202, 202, 202, *[403] * 7, human=(4,), users=asked[:1]),
        [
            Outcome(people[0], got_code_at=at(8), verified=True),
            Outcome(people[1], refused=2, gave_up_at="block"),
            Outcome(people[2], got_code_at=at(60), challenged=True, refused=1),
            Outcome(people[3]),
        ],
        books(
            *(line(p, at(n)) for n, p in enumerate(phones[:3])),
            line(phones[4], at(4.5)),
            own[0],
            by_rule={"prefix": 7},
        ),
        2.0,
    )
    return score(world, open_, shut, {"mode": "by hand"})


def test_the_summary_adds_up() -> None:
    assert example()["summary"] == {
        "attack_spend_without": 5.0,
        "attack_spend_with": 2.0,
        "saved": 0.6,
        "worst_attack": "flood",
        "worst_attack_saved": 0.6,
        "messages_before_first_refusal": 3,
        "spend_before_first_refusal": 1.5,
        "users": 4,
        "users_harmed": 1,
        "users_harmed_share": pytest.approx(1 / 3, abs=1e-6),
        "users_challenged": 1,
    }


def test_an_attack_is_told_in_full() -> None:
    attack = example()["attacks"]["flood"]
    assert attack["without"] == {
        "requests": 10,
        "messages": 10,
        "spend": 5.0,
        "attacker_income": 0.5,
        "attacker_costs": 0.01,
        "attacker_profit": 0.49,
        "challenges_solved": 0,
    }
    assert attack["with"]["requests"] == 11
    assert attack["with"]["challenges_solved"] == 1
    assert attack["with"]["attacker_costs"] == pytest.approx(0.012)
    assert attack["with"]["attacker_profit"] == pytest.approx(0.2 - 0.012)
    assert attack["before_first_refusal"]["at"] == "01:00:03"


def test_users_are_told_by_group() -> None:
    users = example()["users"]
    assert (users["total"], users["got_code_without"], users["got_code_with"]) == (4, 3, 2)
    assert users["harmed"] == users["groups"]["attacked_countries"]["harmed"] == 1
    assert users["attacked_countries"] == ["MM"]
    assert users["groups"]["cgnat"]["delayed"] == 1
    assert users["groups"]["cgnat"]["challenged"] == 1
    assert users["groups"]["cgnat"]["harmed"] == 0
    assert users["harmed_by_country"] == {"MM": 1}
    assert users["harmed_by_refusal"] == {"block": 1}
    # Who got nothing without the guard either is not harmed by it.
    assert users["groups"]["travellers"]["harmed"] == 0
    assert users["spend_without"] == pytest.approx(0.2)
    assert users["spend_with"] == pytest.approx(0.05)


def test_the_document_has_all_its_parts() -> None:
    card = example()
    assert card["refusals_by_rule"] == {"prefix": 7}
    assert card["run"]["wall_seconds"] == {"without": 1.0, "with": 2.0}
    assert card["run"]["prices"] == {"name": "made-up"}
    assert {"seed", "versions", "mode", "calls"} <= card["run"].keys()
    assert card["metrics_output"].keys() == {"without", "with"}
    for run in card["metrics_output"].values():
        assert run.keys() == {
            "timestamp",
            "attack_config",
            "otp_billing",
            "provider_billing",
            "firewall_metrics",
        }


def test_a_number_that_no_carrier_takes_is_not_a_refusal() -> None:
    requests = [Exchange(at(n), "flood", f"+1{n}", 422, False, False) for n in range(3)]
    paid = [line("+12", at(2))]
    assert before_first_refusal(requests, paid, paid)["messages"] == 1
    assert before_first_refusal(requests, paid, paid)["at"] is None


def test_a_silent_refusal_is_a_refusal() -> None:
    requests = [Exchange(at(n), "flood", f"+1{n}", 202, False, False) for n in range(3)]
    without = [line(f"+1{n}", at(n)) for n in range(3)]
    told = before_first_refusal(requests, without, without[:1])
    assert (told["messages"], told["at"]) == (1, "01:00:01")


def test_the_curve_is_cumulative_and_keeps_what_comes_late() -> None:
    early, late = line("+1", MIDNIGHT + 10), line("+2", MIDNIGHT + 86_400 + 50)
    curve = timeline([early, late])
    assert (curve[0], curve[1], curve[-2], curve[-1]) == (0.0, 0.5, 0.5, 1.0)
    assert len(curve) == 289


def test_shared_numbers_are_refused() -> None:
    owner = user(1)
    thief = Attack("thief", "Thief", 0.0, (Shot(0.0, owner.phone, "192.0.2.9"),))
    with pytest.raises(ValueError, match="must not share"):
        World(1, (owner,), (thief,))


def test_a_bill_that_disagrees_with_the_ledger_is_refused() -> None:
    with pytest.raises(ValueError, match="the bill says"):
        Books((line("+1", 1.0),), {"total_spent": 9.0}, {}, {}, {})
