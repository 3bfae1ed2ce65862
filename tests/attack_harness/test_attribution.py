"""Whose messages are whose, when several sides ask for the same number."""

from __future__ import annotations

from attack_harness.__main__ import one_run
from attack_harness.actors import Exchange, Log
from attack_harness.attribution import NOBODY, by_side
from attack_harness.books import Message
from attack_harness.money.stage import on_stage
from attack_harness.targets import InProcess
from attack_harness.user import USERS
from attack_harness.world import build

from .fake_app import FakeApp

PHONE = "+447911123456"


def asked(at: float, side: str, phone: str = PHONE) -> Exchange:
    return Exchange(at, side, phone, 202, False, False)


def paid(at: float, phone: str = PHONE) -> Message:
    return Message(phone, at, "GB", 0.05, "delivered", 0.005)


def test_the_same_number_is_told_apart_by_the_moment() -> None:
    log = Log([asked(1.0, "resets"), asked(2.0, USERS), asked(3.0, "resets")])
    found = by_side(log, [paid(1.0), paid(2.0), paid(3.0)])
    assert {side: [m.at for m in messages] for side, messages in found.items()} == {
        "resets": [1.0, 3.0],
        USERS: [2.0],
    }


def test_the_same_moment_is_told_apart_by_the_number() -> None:
    log = Log([asked(1.0, "flood", "+1"), asked(1.0, USERS, "+2")])
    found = by_side(log, [paid(1.0, "+2"), paid(1.0, "+1")])
    assert [m.phone for m in found[USERS]] == ["+2"]
    assert [m.phone for m in found["flood"]] == ["+1"]


def test_a_message_to_a_number_that_was_not_meant_is_in_nobodys_account() -> None:
    assert by_side(Log([asked(1.0, "flood", "+57035")]), [paid(1.0, "+5735")]).keys() == {NOBODY}


async def test_resets_of_real_peoples_accounts_are_the_attacks() -> None:
    world = build(3, 200, ("account_resets",), 0.2)
    (attack,) = world.attacks
    assert attack.victims
    async with InProcess(FakeApp()) as target:
        run = await one_run(target, world, lambda at: None)
    assert len(run.paid(attack.name)) == len(attack.shots)
    # Fewer than three a head: some messages to users came late, none was the attack's.
    assert len(world.users) <= len(run.paid(USERS)) <= 3 * len(world.users)
    assert not run.paid(NOBODY)


async def test_every_message_of_a_day_has_somebody_who_asked_for_it() -> None:
    names = ("account_resets", "spelling_tricks", "adaptive", "poisoning")
    _, everybody = build(3, 100, names, 0.02, lookalikes=("load_test",)).cast()
    played = await on_stage(everybody, guard=False)
    assert by_side(played.log, played.books.ledger).keys() == {USERS, *names}
