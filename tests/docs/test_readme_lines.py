"""README's first lines: they are what is played, and the row beneath is theirs."""

from __future__ import annotations

import re

from attack_harness.benchmark.card.published import BEGIN, END
from attack_harness.benchmark.card.rows import said
from attack_harness.benchmark.defences import DEFENCES
from attack_harness.benchmark.defences import README as LINES
from attack_harness.benchmark.defences.from_readme import README, given, mark
from attack_harness.countries import HOME
from pumpguard import PumpGuardMiddleware
from pumpguard.ops.played import document, nearest, rows

PAGE = README.read_text("utf-8")
ROW = PAGE.partition(BEGIN)[2].partition(END)[0]


def test_the_lines_run_in_a_fresh_app() -> None:
    """As they stand; all that they are given is an app and a function that sends."""
    found = given()
    assert found["middleware"] is PumpGuardMiddleware
    assert found["store"] == "redis://…"
    policy = found["policy"]
    assert (policy.send, policy.verify, policy.rules) == ("/otp/send", "/otp/verify", None)
    assert policy.daily_budget == 600


def test_they_are_those_that_are_played() -> None:
    """But for what is particular to the example app; and its users live where they say."""
    deployment = DEFENCES[LINES].guard
    assert deployment is not None
    played, told = deployment.policy(), given()["policy"]
    assert set(told.home) == set(HOME)
    same = set(type(told).__dataclass_fields__) - {"proxies", "code"}
    assert {name for name in same if getattr(played, name) != getattr(told, name)} == set()
    assert deployment.policy(90).daily_budget == 90
    assert deployment.asks is ("challenge" in given())


def test_the_row_beneath_is_of_these_lines() -> None:
    """Whoever changes them plays them anew (docs/scorecard.md)."""
    assert f"<!-- of lines {mark()} -->" in ROW
    assert document()["readme"] == mark()
    deployment = DEFENCES[LINES].guard
    assert deployment is not None
    row, run = nearest(deployment.parts, rows()), document()
    shown = said(row, run)
    assert re.sub(r"\s+", " ", ROW).strip() == re.sub(r"\s+", " ", shown).strip()
