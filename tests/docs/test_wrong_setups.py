"""The page about wrong set-ups: each is played, and what it says is what the page shows."""

from __future__ import annotations

import pytest

from tests.docs.wrong.page import HEAD, PAGE, SETUPS, START, row
from tests.docs.wrong.stage import HUNDRED, WrongSetup, play

SHOWN = PAGE.read_text("utf-8").partition(START)[2]


@pytest.mark.parametrize("setup", SETUPS, ids=lambda setup: f"{setup.says}: {setup.setup[:60]}")
async def test_it_is_said_soon_and_once_an_hour(setup: WrongSetup) -> None:
    """Under its code or its path, within the first hundred requests, and as the page has it. If
    what is said was changed on purpose: ``python -m tests.docs.wrong.page``."""
    said = await play(setup)
    assert said.code == setup.says
    assert said.after <= HUNDRED
    assert said.at_most == 1
    assert row(setup, said) in SHOWN


def test_the_page_has_these_and_no_others() -> None:
    """At least forty, of every kind."""
    lines = [line for line in SHOWN.splitlines() if line.startswith("| ")]
    assert len(lines) == len(SETUPS) + 2 * SHOWN.count(HEAD)
    assert len({setup.setup for setup in SETUPS}) >= 40
    assert SHOWN.count(HEAD) == len({setup.group for setup in SETUPS})
