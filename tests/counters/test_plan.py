"""Plans: what is compiled of counters before a request is there."""

from __future__ import annotations

from pumpguard.counters import Ban, Conversion, Known, Pulse, Spend, Tickets, Window
from pumpguard.counters.plan import Plan, share


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
