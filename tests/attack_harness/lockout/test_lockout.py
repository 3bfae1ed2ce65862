"""What somebody can do to an app's users by way of its guard: the rows, and the search."""

from __future__ import annotations

import json
from collections.abc import Awaitable, Callable
from functools import partial
from pathlib import Path

import pytest

from attack_harness.lockout import rows
from attack_harness.lockout.__main__ import main
from attack_harness.lockout.rows import Row
from attack_harness.lockout.spoilers import AIMS, Spoiler, Spoilt, search, spoil

QUARTER, HALF = 0.25, 0.5

PLAYS: dict[str, Callable[[int], Awaitable[Row]]] = {
    "block": rows.shadowed_block,
    "line": partial(rows.country_line, part=0.1),
    "abroad": partial(rows.all_abroad, part=0.1),
    "eight": rows.eight_messages,
    "victim": rows.victims_number,
    "nobody": rows.nobody_attacks,
}


ROWS: dict[str, Row] = {}
WITHOUT: dict[float, Spoilt] = {}


async def row_of(what: str) -> Row:
    """Each is played once, whatever is looked at in it."""
    if what not in ROWS:
        ROWS[what] = await PLAYS[what](1)
    return ROWS[what]


async def nobody(hours: float) -> Spoilt:
    """The same people for so long, without him."""
    if hours not in WITHOUT:
        WITHOUT[hours] = await spoil(Spoiler("nobody", 1.0), 1, hours)
    return WITHOUT[hours]


@pytest.mark.parametrize("what", PLAYS)
async def test_no_stranger_costs_a_customer_a_code(what: str) -> None:
    """Nor is one asked for proof, in any of the rows."""
    row = await row_of(what)
    assert row.count("served", customers=True) == sum(person.customer for person in row.people) > 0
    assert not any(person.asked for person in row.people if person.customer)


@pytest.mark.parametrize("what", ["block", "line", "abroad"])
async def test_whom_he_has_refused_he_has_paid_for(what: str) -> None:
    """Nobody is hidden from, and for each stranger who is refused a message went out."""
    row = await row_of(what)
    assert row.count("hidden") == 0
    assert row.count("refused", customers=False) <= row.bill.messages


async def test_the_victim_of_many_messages_signs_in() -> None:
    """Twelve times a day; all that he could have sent in a week were sent at once."""
    row = await row_of("victim")
    assert row.bill.messages == 10
    assert row.count("served") == len(row.people) == 84


@pytest.mark.parametrize("aim", AIMS)
async def test_a_way_is_played_beside_the_same_people_without_it(aim: str) -> None:
    """Each way costs him something, and no customer a code."""
    way = next(Spoiler(each, 4.0) for each in AIMS if each == aim)
    without = await nobody(QUARTER)
    found = await spoil(way, 1, QUARTER, without)
    assert found.bill.his > 0
    assert found.customers == 240
    assert found.customers_lost == without.customers_lost == 0
    assert 0 <= found.lost <= found.strangers


async def test_the_search_finds_what_its_first_ways_do_not() -> None:
    """From one rate of one way it comes to a cheaper one; each stranger costs him a message."""
    without = await nobody(HALF)
    first = await spoil(Spoiler("block", 120.0), 1, HALF, without)
    found = await search(1, HALF, ["block"], [120.0])
    assert found[0].spoiler.aim == "block"
    assert 1 <= found[0].messages_each <= first.messages_each
    assert found[0].thousand < first.thousand
    assert found[-1].spoiler.aim == "nobody"


def test_both_are_printed(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["--quick", "--out", str(tmp_path)]) == 0
    said = capsys.readouterr().out
    assert "The optimal spoiler" in said
    assert "a victim's number" in said
    found = json.loads((tmp_path / "lockout.json").read_text(encoding="utf-8"))
    assert [row["customers_refused"] + row["customers_hidden"] for row in found["rows"]] == [0] * 6
