"""Credit: unverified money outstanding, in every store."""

from __future__ import annotations

import random

import pytest

from pumpguard.counters import Credit
from pumpguard.counters.plan import Plan
from pumpguard.store.base import DAY, Question, Store
from pumpguard.store.memory import MemoryStore
from tests.store.asking import (
    PHONE,
    PULSE,
    START,
    About,
    ask,
    credit,
    redeem,
    settle,
    verify,
    watched,
    window,
)

LINE = 1_000_000
"""A dollar."""


async def test_a_stranger_gets_the_line_and_no_more(store: Store) -> None:
    """Prices add up to a debt; what would exceed the line is refused and owes nothing."""
    assert (await ask(store, credit(LINE), price=600_000)).admitted
    for _ in range(3):
        assert not (await ask(store, credit(LINE), price=400_001)).admitted
    assert (await ask(store, credit(LINE), price=400_000)).admitted
    answer = await ask(store, credit(LINE), price=1)
    assert (answer.readings[0].used, answer.readings[0].detail[0]) == (LINE, LINE)


async def test_a_debt_is_forgiven_evenly(store: Store) -> None:
    """A whole line in ``seconds``: half of it after half of them."""
    await ask(store, credit(LINE), price=LINE)
    refused = await ask(store, credit(LINE), price=LINE // 4, at=100)
    assert refused.readings[0].used == LINE * 9 // 10
    assert 149 <= refused.readings[0].wait <= 151
    assert not (await ask(store, credit(LINE), price=LINE // 4, at=248)).admitted
    assert (await ask(store, credit(LINE), price=LINE // 4, at=251)).admitted
    answer = await ask(store, watched(credit(LINE)), price=LINE, at=501)
    assert LINE * 74 // 100 <= answer.readings[0].used <= LINE * 76 // 100


async def test_asking_often_forgives_no_less(store: Store) -> None:
    """Steps are fixed in time, so that rounding cannot hold a debt for ever."""
    await ask(store, credit(LINE), price=LINE)
    for n in range(1, 2_000, 7):
        answer = await ask(store, credit(LINE), price=0, at=n / 10)
    assert LINE * 79 // 100 <= answer.readings[0].used <= LINE * 81 // 100


async def test_a_price_above_the_line_fits_where_nothing_is_owed(store: Store) -> None:
    """One message at a time, however dear: else it would be refused for ever."""
    assert (await ask(store, credit(LINE), price=2 * LINE)).admitted
    answer = await ask(store, credit(LINE), price=2 * LINE, at=1)
    assert not answer.admitted
    assert 1_998 <= answer.readings[0].wait <= 2_000
    assert (await ask(store, credit(LINE), price=2 * LINE, at=2_001)).admitted


async def test_a_verification_pays_back(store: Store) -> None:
    """Who verifies never meets the line."""
    for n in range(50):
        at = n * 2 * DAY
        answer = await ask(store, *PHONE, credit(LINE), price=LINE, ticket=b"1234", at=at)
        assert answer.admitted
        await verify(store, credit(LINE), at=at + 10)
        assert (await ask(store, credit(LINE), at=at + 10)).readings[0].used == 0


async def test_verified_money_makes_the_line_longer(store: Store) -> None:
    """By 0.3 of the best of the last 14 days and today; afterwards it is the floor again."""
    for at in (0, DAY):
        for dollars in (1, 4, 2):
            await settle(store, credit(LINE), price=dollars * LINE, age=20_000, at=at)
    lines = [(await ask(store, credit(LINE), at=n * DAY)).readings[0].detail for n in range(17)]
    assert lines[1][1] == 7 * LINE
    assert [line for line, _ in lines[1:16]] == [7 * LINE * 3 // 10] * 15
    assert lines[16] == (LINE, 0)


async def test_what_has_to_be_forgiven_is_lost_of_what_was_earned(store: Store) -> None:
    """Dollar by dollar, until the line is as long as at the beginning; not what is entered late."""
    await settle(store, credit(LINE), price=10 * LINE, age=20_000)
    assert (await ask(store, credit(LINE))).readings[0].detail == (3 * LINE, 10 * LINE)
    for n in range(4):
        assert (await ask(store, credit(LINE), price=2 * LINE, at=n * DAY)).admitted
    detail = (await ask(store, credit(LINE), at=4 * DAY)).readings[0].detail
    assert detail == (LINE, 2 * LINE)
    assert (await ask(store, *PHONE, credit(LINE), price=LINE, ticket=b"1234", at=5 * DAY)).admitted
    late = 5 * DAY + 500
    assert (await ask(store, credit(LINE), at=late)).readings[0].detail[1] == 2 * LINE - LINE // 2
    await verify(store, credit(LINE), at=late)
    assert (await ask(store, credit(LINE), at=late)).readings[0].detail[1] == 2 * LINE


async def test_the_best_day_counts_wherever_it_lies(store: Store) -> None:
    """Not the latest, and not the sum."""
    for day, dollars in ((0, 5), (3, 50), (9, 20)):
        await settle(store, credit(LINE), price=dollars * LINE, age=20_000, at=day * DAY)
    bests = [
        (await ask(store, credit(LINE), at=d * DAY)).readings[0].detail[1] // LINE
        for d in (9, 17, 18, 23, 24)
    ]
    assert bests == [50, 50, 20, 20, 0]


async def test_a_repeated_verification_pays_back_and_earns_nothing(store: Store) -> None:
    """One number cannot make a line by verifying all day."""
    for hour in range(20):
        at = hour * 3600
        await ask(store, *PHONE, credit(LINE), price=LINE, ticket=b"1234", at=at)
        await verify(store, credit(LINE), at=at + 10)
    answer = await ask(store, credit(LINE), at=20 * 3600)
    assert (answer.readings[0].used, answer.readings[0].detail) == (0, (LINE, LINE))


async def test_paying_back_never_leaves_a_credit(store: Store) -> None:
    """A debt that was forgiven meanwhile is not paid back a second time."""
    await ask(store, *PHONE, credit(LINE), price=LINE, ticket=b"1234")
    await settle(store, credit(LINE), outcome="repeated", price=5 * LINE)
    assert (await ask(store, credit(LINE), price=LINE)).admitted
    assert not (await ask(store, credit(LINE), price=1_001)).admitted


async def test_a_request_that_something_else_refuses_owes_nothing(store: Store) -> None:
    """All or nothing."""
    await ask(store, credit(LINE), window(1), price=1_000)
    await ask(store, credit(LINE), window(1), price=1_000)
    assert (await ask(store, credit(LINE))).readings[0].used == 1_000


async def test_a_number_may_ask_again(store: Store) -> None:
    """Somebody who gets no code: two messages more, and nobody else has any of them."""
    again = (*PHONE, credit(LINE))
    assert (await ask(store, *again, price=600_000, ticket=b"0001")).admitted
    assert not (await ask(store, credit(LINE), price=600_000)).admitted
    assert (await ask(store, *again, price=600_000, ticket=b"0002")).admitted
    assert (await ask(store, *again, price=600_000, ticket=b"0003")).admitted
    assert not (await ask(store, *again, price=600_000, ticket=b"0004")).admitted
    assert (await verify(store, credit(LINE))).counts
    assert (await ask(store, watched(credit(LINE)))).readings[0].used == 0


async def test_what_others_owe_is_not_the_numbers_own(store: Store) -> None:
    """A stranger finds a line full of others' debts as full as it is, and waits for his price."""
    await ask(store, credit(LINE), price=LINE)
    answer = await ask(store, *PHONE, credit(LINE), price=500_000, ticket=b"0001")
    assert not answer.admitted
    assert 499 <= answer.readings[2].wait <= 501


async def test_on_a_line_that_yields_newcomers_come_first(store: Store) -> None:
    """Whoever has had a message finds only half of it, and his own price; a stranger the whole."""
    line = credit(LINE, yields=True)
    assert (await ask(store, *PHONE, line, price=200_000, ticket=b"0001")).admitted
    assert (await ask(store, *PHONE, line, price=200_000, ticket=b"0002")).admitted
    assert (await ask(store, line, price=300_000)).admitted
    answer = await ask(store, *PHONE, line, price=200_000, ticket=b"0003")
    assert not answer.admitted
    assert 199 <= answer.readings[2].wait <= 201
    assert (await ask(store, line, price=300_000)).admitted
    assert not (await ask(store, line, price=1_000)).admitted


async def test_many_messages_to_one_number_are_one_proof(store: Store) -> None:
    """All of them are paid back, and the newest earns."""
    for n in range(4):
        await ask(store, *PHONE, credit(LINE), price=100_000, ticket=bytes([n] * 4))
    assert (await redeem(store)).counts
    for n in range(4):
        outcome = "verified" if n == 0 else "repeated"
        await settle(store, credit(LINE), outcome=outcome, price=100_000, age=20_000)
    answer = await ask(store, credit(LINE))
    assert (answer.readings[0].used, answer.readings[0].detail[1]) == (0, 100_000)


@pytest.mark.parametrize("seed", range(20))
@pytest.mark.parametrize("asks_again", [False, True])
def test_the_loss_is_bounded_in_any_time(seed: int, asks_again: bool) -> None:
    """Whoever never verifies gets, in any time T, at most line × (1 + T / seconds + 1 / 1000), and
    two messages of the dearest price if he asks for the same numbers again."""
    chance = random.Random(seed)
    seconds, store = 1_000, MemoryStore()
    counters = [
        Credit("c", "x", LINE, seconds),
        *[about.counter for about in PHONE[: asks_again * 2]],
    ]
    plan = Plan(counters, [True] * len(counters))
    again = 2 * LINE if asks_again else 0
    at, lent = 1_700_000_000.0 + chance.random(), list[tuple[float, int]]()
    for _ in range(400):
        at = round(at + chance.choice([0, 0.001, 0.5, 0.999, 1, 1.001, 30, 500]), 3)
        for price in (LINE, chance.randrange(1, LINE), 1_000, 999):
            subjects = tuple("me" if by == "x" else f"{chance.randrange(3)}" for by in plan.groups)
            ticket = chance.randbytes(4) if asks_again else b""
            question = Question(plan, subjects, at=at, price=price, ticket=ticket)
            if store.decide_now(question).admitted:
                lent.append((at, price))
    for n in range(len(lent)):
        total = 0
        for when, price in lent[n:]:
            total += price
            time = when - lent[n][0]
            assert total <= LINE * (1 + time / seconds + 0.001) + 1 + again


ASKS = About(Credit("asks", "country", LINE, 1_000, yields=True, except_trusted=True))
"""A line that only asks for proof."""


async def test_a_line_that_asks_is_wider_where_codes_come_late(store: Store) -> None:
    """Twice as late as usual, twice as wide."""
    debt = 0
    for late, fits in ((150_000, 1), (300_000, 2), (10_000_000, 4)):
        while debt < fits:
            assert (await ask(store, ASKS, price=LINE, matures_after=late)).admitted
            debt += 1
        assert not (await ask(store, ASKS, price=LINE, matures_after=late)).admitted


async def test_where_they_do_nobody_who_asks_again_yields(store: Store) -> None:
    """Usually somebody who has had a message has half of it."""
    plan, tenth = (ASKS, *PHONE), LINE // 10
    await ask(store, *plan, price=7 * tenth, ticket=b"1234")
    assert not (await ask(store, *plan, price=tenth, at=1)).admitted
    assert (await ask(store, *plan, price=tenth, at=1, matures_after=160_000)).admitted


async def test_nothing_is_owed_on_it_while_the_provider_is_down(store: Store) -> None:
    """Of two who got no code, the second would be asked, and after the outage everybody."""
    pulse = About(PULSE)
    for n in range(120):
        await ask(store, pulse, at=30 * n)
        if n < 60:
            sent_at = round((START + 30 * n) * 1000)
            await settle(store, pulse, at=30 * n + 10, sent_at=sent_at)
    for n in range(5):
        assert (await ask(store, pulse, ASKS, price=LINE, at=3_600 + n)).admitted
    assert (await ask(store, ASKS, price=LINE, at=3_605)).admitted
    assert not (await ask(store, ASKS, price=LINE, at=3_606)).admitted


async def test_who_gets_no_code_asks_again_however_dear(store: Store) -> None:
    """A message that is dearer than the line goes out, and two more to the same number."""
    dear = LINE + LINE // 4
    for n in range(3):
        asked = await ask(store, credit(LINE), *PHONE, price=dear, at=n, ticket=b"%04d" % n)
        assert asked.admitted
    assert not (await ask(store, credit(LINE), *PHONE, price=dear, at=3)).admitted
