"""What is under attack now: a country, its ranges and blocks, by the last hour."""

from __future__ import annotations

from pumpguard.ops.fleet.attack import FLOOR, NOW, attack
from pumpguard.ops.fleet.period import Period
from pumpguard.ops.fleet.view import FleetView

LATEST = 1_700_000_040


def view(*minutes: tuple[int, dict[str, int]]) -> FleetView:
    """The fleet, by what was seen so many minutes before the latest."""
    seen = {LATEST - 60 * ago: Period.of([counts]) for ago, counts in minutes}
    return FleetView(LATEST + 30.0, [], seen, {})


def block(n: int, rule: str = "credit", digits: str = "+880171234") -> dict[str, int]:
    """So many requests for a block, a rule's or, without one, let through; ten cents each."""
    names = f"b\tBD\t{digits}\t{rule}", f"c\tBD\t{'throttle' if rule else 'allow'}"
    return {
        f"{name}\t{what}": n * each for name in names for what, each in (("n", 1), ("u", 10**5))
    }


def test_a_block_is_told_with_what_was_before_and_what_is_let_through() -> None:
    """Now, and as long before, and since when without a pause."""
    now = {**block(40), **block(3, rule="")}
    found = attack(view((45, block(5)), (NOW, block(7)), (0, now)))
    (country,) = found.places
    (part,) = country.parts
    assert [country.name, part.name] == ["BD", "+8801712"]
    assert [each.name for each in part.parts] == ["+880171234"]
    for each in (country, part, *part.parts):
        assert (each.refused.n, each.now.n, each.before.n, each.sent.n) == (52, 40, 7, 3)
    assert country.rises
    assert found.since == LATEST - NOW * 60
    assert found.refused.usd == 4.0


def test_it_falls_when_more_was_refused_before() -> None:
    (country,) = attack(view((2 * NOW - 1, block(90)), (0, block(FLOOR)))).places
    assert not country.rises


def test_little_is_no_attack_and_neither_is_the_past() -> None:
    assert attack(view((0, block(FLOOR - 1)))).places == []
    assert attack(view((NOW, block(500)), (0, block(1)))).places == []
    assert attack(view()).since is None
