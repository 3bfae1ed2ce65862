"""Refusals that were made elsewhere are counted as the store's own are."""

from __future__ import annotations

from typing import Any

from pumpguard import Action
from pumpguard.counters import Ban, Counter, Credit, Reading, Trust, Window
from pumpguard.counters.plan import Plan
from pumpguard.store.base import Answer, Question, Redemption, Refusal, Store
from tests.store.asking import KNOWN, START, TICKETS

LIMIT = Window("limit", "country", 1, 3_600)
FULL = {0: Reading(1, 100.0)}
RULES = frozenset({"limit"})


def ban(name: str = "strikes", limit: int = 3, **more: Any) -> Ban:
    """Of a minute, by network."""
    shape: dict[str, Any] = {"base": 60, "jitter": 0.0, "fed_by": RULES, **more}
    return Ban(name, "network", limit, 3_600, **shape)


BURST = ban("burst", 3, fed_by="attempts")


def question(
    *counters: Counter, phone: str = "a", network: str = "x", at: float = 0.0, **more: Any
) -> Question:
    """About a number and a network, of a country in which the limit is reached."""
    plan = Plan((LIMIT, *counters), [True] * (1 + len(counters)), reports=False)
    named = {"phone": phone, "network": network, "country": "AZ"}
    ticket = phone.encode() * 4 if plan.writes_tickets else b""
    subjects = tuple(named.get(by, "all") for by in plan.groups)
    return Question(plan, subjects, at=START + at, ticket=ticket, **more)


async def refuse(store: Store, *questions: Question) -> list[Answer | None]:
    """What becomes of them, told in one call."""
    return list(await store.refuse([Refusal(each, FULL) for each in questions]))


def stands(answer: Answer | None) -> dict[int, Reading]:
    """What it says beside the limit that is known to be full."""
    assert answer is not None
    assert not answer.admitted
    return {i: each for i, each in answer.readings.items() if i}


async def test_they_are_strikes_like_any_other(store: Store) -> None:
    """One call, three refusals of one network: the third completes a ban, which says so; others
    have counts of their own."""
    mine, another = question(ban()), question(ban(), network="y")
    said = await refuse(store, mine, mine, another, mine)
    assert [bool(stands(each)) for each in said] == [False, False, False, True]
    assert stands(said[3]) == {1: Reading(1, 60.0)}
    assert (await store.decide(question(ban(), at=1))).readings == {1: Reading(1, 59.0)}
    # Two of three strikes: the store's own refusal is the second, and this the third.
    await store.decide(another)  # it was admitted: nothing was ever sent to that country
    await store.decide(another)
    assert stands((await refuse(store, another))[0])


async def test_attempts_are_counted(store: Store) -> None:
    """By a ban after bursts and by a window of all that is asked for."""
    asked = Window("asked", "network", 5, 3_600, counts="attempts")
    one = question(BURST, asked)
    await refuse(store, one, one)
    both = (await store.decide(one)).readings
    assert set(both) == {1}  # the third attempt completes the ban
    third = question(ban(limit=100), asked)
    await refuse(store, third, third)
    assert (await store.decide(third)).readings[2].used == 5


async def test_a_ban_that_ends_it_comes_first(store: Store) -> None:
    """Who is banned is left for the store, and nothing is counted for him."""
    one = question(BURST)
    said = await refuse(store, one, one, one, one)
    assert [each is None for each in said] == [False, False, False, True]
    assert (await store.decide(one)).readings == {1: Reading(1, 60.0)}


async def test_a_shadow_is_left_to_the_store(store: Store) -> None:
    """Its reply takes as long as a message that is sent."""
    hidden = question(ban("hidden", 1, action=Action.SHADOW, except_known=True))
    assert (await refuse(store, hidden, hidden))[1] is None


async def test_a_ban_that_is_about_strangers_is_said(store: Store) -> None:
    """It ends nothing for others, so it stands beside what is full; it gets no more strikes."""
    one = question(ban(limit=1, except_known=True))
    first, second = await refuse(store, one, one)
    assert stands(first) == stands(second) == {1: Reading(1, 60.0)}


async def test_numbers_that_are_known_or_owe_are_left_to_the_store(store: Store) -> None:
    """And nothing is counted for them here; who owes, where a line of credit is full, which alone
    looks at that."""
    free = Plan((KNOWN, TICKETS), [False, False])
    sent = Question(free, ("a",), at=START, ticket=b"1234", price=5)
    facts = (KNOWN, TICKETS, ban(limit=1))
    assert (await store.decide(sent)).admitted
    line = Credit("line", "country", 10, 3_600)
    asked = [question(*facts, line, phone=phone) for phone in "ab"]
    full = {**FULL, 4: Reading(10, 100.0, (10, 0))}
    owing, stranger = await store.refuse([Refusal(each, full) for each in asked])
    assert owing is None
    assert 4 in stands(stranger)
    owing, another = await refuse(
        store, question(*facts, network="v"), question(*facts, phone="c", network="w")
    )
    assert stands(owing) == stands(another) == {3: Reading(1, 60.0)}
    await store.redeem(Redemption("a", KNOWN, TICKETS, at=START))
    known, stranger = await refuse(
        store, question(*facts, network="z"), question(*facts, phone="b", network="z")
    )
    assert known is None
    assert stands(stranger)


async def test_headroom_counts(store: Store) -> None:
    """A network whose users verify has more strikes; without any, trust changes nothing."""
    one = question(Trust("trust", "network"), ban(limit=2, max_factor=3))
    said = await refuse(store, one, one)
    assert [bool(stands(each)) for each in said] == [False, True]


async def test_what_else_is_kept_of_a_subject_stays(store: Store) -> None:
    """Strikes are written beside it."""
    window = Window("mine", "network", 2, 3_600)
    plan = Plan((window,), [True])
    for _ in range(2):
        assert (await store.decide(Question(plan, ("x",), at=START))).admitted
    one = question(ban())
    await refuse(store, one, one, question(ban(), network="y"))
    assert (await store.decide(Question(plan, ("x",), at=START))).readings[0].full


async def test_rules_that_spoke_before_give_strikes(store: Store) -> None:
    """As they do where the store decides."""
    one = question(
        ban(limit=1, fed_by=frozenset({"number"})), refused=True, refused_by=frozenset({"number"})
    )
    assert stands((await refuse(store, one))[0])


async def test_forms_may_be_mixed(store: Store) -> None:
    """Each answer is its own question's, whatever order they came in."""
    once, thrice = question(ban("once", 1)), question(ban("thrice", 3), network="y")
    said = await refuse(store, thrice, once, thrice, once, thrice)
    assert [each is not None and set(each.readings) for each in said] == [
        {0}, {0, 1}, {0}, False, {0, 1},
    ]  # fmt: skip


async def test_after_a_change_of_overrides_nothing_is_counted(store: Store) -> None:
    """They may have refused nothing, by the new ones; by those that are in force they count."""
    unheard_of = question(ban(limit=1), overrides_version=b"others")
    assert [each and each.outdated for each in await refuse(store, unheard_of, unheard_of)] == [
        True, True,
    ]  # fmt: skip
    version = await store.overrides.write(b"", b"closed")
    assert version is not None
    before, now = (question(ban(limit=1), overrides_version=each) for each in (b"", version))
    assert [each and each.outdated for each in await refuse(store, before)] == [True]
    assert stands((await refuse(store, now))[0]) == {1: Reading(1, 60.0)}
