"""Plans: what is compiled of counters before a request is there."""

from __future__ import annotations

from itertools import count

import pytest

from pumpguard.counters import Ban, Conversion, Known, Pulse, Spend, Tickets, Window
from pumpguard.counters.plan import Plan, share
from pumpguard.store.codec import encode, short_id


def test_a_process_alone_has_its_share_and_draws_no_conclusions() -> None:
    """While the store is away nobody tells it what was verified."""
    counters = (Spend("s", "everything", 10, 60), Conversion("v", "country"), Ban(
        "b", "network", 8, 60, "attempts"))  # fmt: skip
    mine = share(Plan(counters, [True] * 3), 4)
    assert mine.counters[0] == Spend("s", "everything", 2, 60)
    assert mine.binds == (True, False, True)


def test_what_never_refuses_never_binds() -> None:
    """Whatever a rule's action says."""
    plan = Plan((Known("k"), Tickets("t"), Pulse("p"), Window("w", "phone", 1, 60)), [True] * 4)
    assert plan.binds == (False, False, False, True)


def test_what_others_depend_on_is_read_first() -> None:
    """A budget asks whether the number is known, a conversion whether the pulse beats."""
    plan = Plan((Spend("s", "country", 1, 60), Known("k"), Conversion("v", "country"), Pulse("p")),
                [True] * 4)  # fmt: skip
    assert plan.groups == ("phone", "everything", "country")
    assert plan.order == (1, 3, 0, 2)


def test_two_counters_of_a_subject_that_cannot_be_told_apart_are_a_mistake() -> None:
    """Their ids are hashes of three bytes: of so many names for rules, some collide."""
    seen: dict[bytes, Window] = {}
    for n in count():
        window = Window(f"r{n}", "phone", 600, 60)
        other = seen.setdefault(short_id(window.identity()), window)
        if other is not window:
            break
    with pytest.raises(ValueError, match="rename a rule"):
        encode(Plan((window, other), [True, True]))
