"""Bans: strikes, growth, decay; in every store."""

from __future__ import annotations

from typing import Any

import pytest

from pumpguard.decision import Action
from pumpguard.store.base import Store
from tests.store.asking import ask, ban, watched, window


async def test_refusals_by_the_named_rule_are_strikes(store: Store) -> None:
    """The third refusal completes the strikes; from then on everything is refused."""
    await ask(store, window(1), ban(strikes=3))
    levels = [(await ask(store, window(1), ban(strikes=3))).readings[1].used for _ in range(3)]
    assert levels == [0, 0, 1]
    banned = await ask(store, window(1, subject="b"), ban(strikes=3))
    assert not banned.admitted
    assert banned.readings[1].wait == 10


async def test_other_refusals_are_none(store: Store) -> None:
    """A ban listens to the rules it names, and to no others."""
    for _ in range(5):
        answer = await ask(store, window(1, rule="other"), ban(strikes=1))
    assert not answer.readings[1].full


async def test_a_challenge_is_no_strike(store: Store) -> None:
    """An honest client meets challenges too."""
    for _ in range(5):
        answer = await ask(store, window(1, action=Action.CHALLENGE), ban(strikes=1))
    assert not answer.admitted
    assert not answer.readings[1].full


async def test_rules_that_spoke_before_the_store_give_strikes(store: Store) -> None:
    """An unallocated number needs no counter, and is a strike all the same."""
    answer = await ask(store, ban(after="number"), refused=True, refused_by=frozenset({"number"}))
    assert answer.readings[0].full
    assert not (await ask(store, ban(after="number"))).admitted


async def test_every_attempt_feeds_a_burst_ban(store: Store) -> None:
    """The request that completes a burst is refused itself."""
    answers = [await ask(store, ban(strikes=3, after="attempts")) for _ in range(4)]
    assert [answer.admitted for answer in answers] == [True, True, False, False]


async def test_strikes_slide_out_of_their_window(store: Store) -> None:
    """Two strikes a minute apart are not two strikes in a minute."""
    await ask(store, window(1, seconds=600), ban(strikes=2))
    await ask(store, window(1, seconds=600), ban(strikes=2), at=1)
    answer = await ask(store, window(1, seconds=600), ban(strikes=2), at=61)
    assert not answer.readings[1].full


async def test_a_ban_grows_with_each_repetition_up_to_its_cap(store: Store) -> None:
    """10 s, 50 s, 250 s, and never more than the cap."""
    at, lengths = 0.0, []
    for _ in range(5):
        refused = await ask(
            store, ban(after="number"), at=at, refused=True, refused_by=frozenset({"number"})
        )
        lengths.append(refused.readings[0].wait)
        at += refused.readings[0].wait + 0.001
    assert lengths == [10, 50, 250, 1000, 1000]


async def test_a_ban_ends_when_it_said(store: Store) -> None:
    """The last millisecond is banned, the next is not."""
    await ask(store, ban(after="number"), refused=True, refused_by=frozenset({"number"}))
    assert not (await ask(store, ban(after="number"), at=9.999)).admitted
    assert (await ask(store, ban(after="number"), at=10)).admitted


async def test_the_level_decays(store: Store) -> None:
    """A subject that stays out of trouble for ``memory`` seconds is as good as new."""
    strike: dict[str, Any] = {"refused": True, "refused_by": frozenset({"number"})}
    await ask(store, ban(after="number"), at=0, **strike)
    await ask(store, ban(after="number"), at=20, **strike)  # until 70, level 2
    assert (await ask(store, ban(after="number"), at=169)).readings[0].used == 2
    assert (await ask(store, ban(after="number"), at=170)).readings[0].used == 1
    third = await ask(store, ban(after="number"), at=171, **strike)
    assert third.readings[0].wait == 50


async def test_a_strike_does_not_let_the_level_decay_again(store: Store) -> None:
    """What has passed since the ban ended counts once, however many strikes come meanwhile."""
    strike: dict[str, Any] = {"refused": True, "refused_by": frozenset({"number"})}
    await ask(store, ban(after="number"), at=0, **strike)
    await ask(store, ban(after="number"), at=20, **strike)  # until 70, level 2
    for at in (171, 172, 269):
        answer = await ask(store, ban(strikes=9, after="number"), at=at, **strike)
        assert answer.readings[0].used == 1
    assert (await ask(store, ban(strikes=9, after="number"), at=270)).readings[0].used == 0


@pytest.mark.parametrize(("chance", "seconds"), [(-1.0, 8), (0.0, 10), (1.0, 12)])
async def test_jitter_spreads_the_end(store: Store, chance: float, seconds: int) -> None:
    """Bots that time the end of a ban cannot all come back at once."""
    answer = await ask(
        store,
        ban(after="number", jitter=0.2),
        refused=True,
        refused_by=frozenset({"number"}),
        jitter=chance,
    )
    assert answer.readings[0].wait == seconds


async def test_a_banned_request_charges_and_extends_nothing(store: Store) -> None:
    """Hammering on a ban neither prolongs it nor counts anywhere."""
    struck: dict[str, Any] = {"refused": True, "refused_by": frozenset({"number"})}
    await ask(store, ban(after="number"), **struck)
    for _ in range(20):
        await ask(store, window(3), ban(after="number"), at=1)
    after = await ask(store, window(3), ban(after="number"), at=10)
    assert after.admitted
    assert after.readings[0].used == 0


async def test_a_monitored_ban_refuses_nobody(store: Store) -> None:
    """It is kept, shown, and not acted on."""
    struck: dict[str, Any] = {"refused": True, "refused_by": frozenset({"number"})}
    await ask(store, watched(ban(after="number")), **struck)
    answer = await ask(store, watched(ban(after="number")), at=1)
    assert answer.admitted
    assert answer.readings[0].full
