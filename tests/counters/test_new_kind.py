"""A new kind of counter is two files and its name in `KINDS`; and every kind keeps to that."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from pumpguard.counters import KINDS, Counter
from pumpguard.counters.plan import Plan, share
from pumpguard.store.base import Store
from pumpguard.store.scripts import decide_script, letter, settle_script
from tests.counters.pause import Pause
from tests.store.asking import PHONE, REFUNDS, TICKETS, About, ask, ban, settle, window

PAUSE = Pause("pause", "phone", 10)


@pytest.fixture(autouse=True)
def _the_one_line() -> Iterator[None]:
    """What somebody would write into the list."""
    KINDS.append(Pause)
    yield
    KINDS.remove(Pause)


async def test_a_new_kind_counts_in_every_store(store: Store) -> None:
    """It refuses too early a request and says when to come back; beside others, all or nothing."""
    both = About(PAUSE), window(2, subject="x")
    assert (await ask(store, *both)).admitted
    early = await ask(store, *both, at=4.0)
    assert not early.admitted
    assert early.readings[0].wait == 6.0
    assert early.readings[1].used == 1
    assert (await ask(store, *both, at=10.0)).admitted
    assert not (await ask(store, *both, at=20.0)).admitted  # the window is full
    assert (await ask(store, About(PAUSE), at=20.5)).admitted  # so that one was not counted


async def test_a_new_kind_feeds_bans(store: Store) -> None:
    """Bans hear of its rule's refusals as of any other's."""
    both = About(PAUSE), ban(1, "pause")
    for at in range(2):
        await ask(store, *both, at=at)
    assert (await ask(store, *both, at=2.0)).readings.keys() == {1}


async def test_a_new_kind_is_told_of_outcomes(store: Store) -> None:
    """A message that was never sent takes no pause."""
    both = About(PAUSE), *PHONE
    await ask(store, *both, ticket=b"abcd")
    assert not (await ask(store, *both, at=1.0)).admitted
    told = About(PAUSE), About(TICKETS), About(REFUNDS)
    assert await settle(store, *told, outcome="failed", ticket=b"abcd", at=2.0) == 1
    assert (await ask(store, *both, at=3.0)).admitted


def test_a_new_kind_has_answers_to_all_that_is_asked() -> None:
    """It has no limit to share, and binds in a process alone as well."""
    plan = Plan((PAUSE,), [True])
    assert plan.identities == ("Pause  10 phone pause",)
    assert share(plan, 4).binds == (True,)
    assert share(plan, 4).counters == (PAUSE,)


def test_every_kind_has_a_letter_of_its_own_and_no_script_names_one() -> None:
    """Letters are in plans and in the line before each kind's Lua, and nowhere else."""
    letters = {kind: letter(kind) for kind in KINDS}
    assert len(set(letters.values())) == len(KINDS)
    bodies = settle_script().body, decide_script(frozenset(KINDS), frozenset()).body
    for kind, its in letters.items():
        assert sum(body.count(f"local KIND = '{its}'") for body in bodies) == 1 + bool(kind.told_of)
    for body in bodies:
        assert not any(f"['{its}']" in body or f".{its}," in body for its in letters.values())


class Unlisted(Counter):
    """A kind of which nobody has told the list."""


def test_a_kind_that_is_not_listed_is_no_kind() -> None:
    """A plan with one cannot be asked."""
    with pytest.raises(ValueError, match="Unlisted is not in KINDS"):
        letter(Unlisted)
