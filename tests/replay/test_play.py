"""Recorded traffic, decided: the money, the customers, and what the log could not tell."""

from __future__ import annotations

import csv
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pytest

from pumpguard import Policy
from pumpguard.replay.columns import guess
from pumpguard.replay.entry import Parser
from pumpguard.replay.journal import Journal
from pumpguard.replay.lacking import told_apart
from pumpguard.replay.play import play
from pumpguard.replay.read import Table
from pumpguard.replay.tally import ASKED, REFUSED, Tally
from pumpguard.rules import GeoMismatch, RateLimit

MIDNIGHT = 1_777_852_800  # 2026-05-04
PRICE = 0.05


def journal(folder: Path, *files: Sequence[Any]) -> Journal:
    """Files of rows, whose first is the header."""
    found = Journal()
    for number, rows in enumerate(files):
        path = folder / f"{number}.csv"
        with path.open("w", newline="") as file:
            csv.writer(file).writerows(rows)
        table = Table(path)
        columns = guess(table.header)
        found.add(table, columns, Parser(columns))
        assert not table.problems.counts
    found.close_books()
    return found


def one_a_minute(count: int, verified: bool = False) -> list[list[object]]:
    """Messages to numbers of one block, from one address."""
    rows: list[list[object]] = [["time", "to", "ip", "used_at"]]
    for n in range(count):
        at = MIDNIGHT + 60 * n
        rows.append([at, f"+447400123{n:03}", "81.2.69.142", at + 20 if verified else ""])
    return rows


def policy(**settings: object) -> Policy:
    limit = RateLimit(name="five", by="network", limits="5/hour")
    defaults = {"send": "/s", "rules": [limit], "price_overrides": {"GB": PRICE}}
    return Policy(**{**defaults, **settings})  # type: ignore[arg-type]


async def played(found: Journal, given: Policy, *, challenge: bool = False) -> Tally:
    ready, _ = told_apart(given, found)
    tally, _ = await play(found, ready, challenge=challenge)
    return tally


async def test_every_message_is_decided_on_the_clock_of_the_log(tmp_path: Path) -> None:
    """Five an hour, of one a minute for two hours."""
    tally = await played(journal(tmp_path, one_a_minute(120)), policy())
    (day,) = tally.without
    assert day == "2026-05-04"
    assert tally.without[day].usd == pytest.approx(120 * PRICE)
    assert tally.with_guard[day].messages == 10
    assert tally.by_rule["five"].messages == 110


async def test_customers_are_those_who_entered_a_code(tmp_path: Path) -> None:
    """Refused is whoever would have had no message to take it from."""
    tally = await played(journal(tmp_path, one_a_minute(20, verified=True)), policy())
    assert (tally.customers.all, tally.customers.refused) == (20, 15)
    assert tally.by_country["GB"].refused == 15


async def test_who_asks_twice_and_gets_one_message_is_no_customer_refused(tmp_path: Path) -> None:
    rows = [["time", "to", "used_at"]]
    rows += [[MIDNIGHT + n, "+447400123456", MIDNIGHT + 60 if n else ""] for n in (0, 5)]  # type: ignore[list-item]
    limit = RateLimit(name="one", by="phone", limits="1/hour")
    tally = await played(journal(tmp_path, rows), policy(rules=[limit]))
    assert tally.by_rule["one"].messages == 1
    assert (tally.customers.all, tally.customers.refused) == (1, 0)


async def test_messages_and_verifications_of_two_files_are_joined(tmp_path: Path) -> None:
    """By number and time: a provider's log and a table of one's own."""
    sent = [["date_sent", "to"], *([MIDNIGHT + n, f"+4474001234{n:02}"] for n in range(4))]
    entered = [["phone", "verified_at"], *([f"+4474001234{n:02}", MIDNIGHT + 30] for n in (1, 3))]
    found = journal(tmp_path, sent, entered)
    assert [each.verified for each in found if not each.is_verification] == [False, True] * 2
    assert (await played(found, policy(rules=[]))).customers.all == 2


async def test_who_is_asked_for_proof_gives_it_if_he_was_a_customer(tmp_path: Path) -> None:
    """The others do not: most of them are bots, and some are people who gave up."""
    rows: list[list[object]] = [["time", "to", "ip", "used_at"]]
    rows += [[MIDNIGHT, "+447400123456", "5.10.0.1", MIDNIGHT + 20]]
    rows += [[MIDNIGHT + 1, "+447400123457", "5.10.0.1", ""]]
    found = journal(tmp_path, rows)
    asks = GeoMismatch(name="asks", action="challenge")
    tally = await played(found, policy(rules=[asks]), challenge=True)
    sends = [v for v, each in zip(tally.verdicts, found, strict=True) if not each.is_verification]
    assert sends == [ASKED, REFUSED]
    assert (tally.customers.asked, tally.customers.refused) == (1, 0)


async def test_what_the_log_lacks_is_said_with_what_follows(tmp_path: Path) -> None:
    """Which rules were blind; nothing is guessed."""
    found = journal(tmp_path, [["time", "to"], [MIDNIGHT, "+447400123456"]])
    ready, blind = told_apart(Policy(send="/s", verify="/v", session="cookie:sid"), found)
    assert not ready.verified
    assert [line.partition(",")[0] for line in blind] == [
        "No verifications in the log",
        "No client addresses in the log: every rule about addresses was blind.",
        "No sessions in the log: every rule about sessions was blind.",
    ]
    assert "credit" in blind[0]


async def test_a_message_that_was_never_sent_costs_nothing(tmp_path: Path) -> None:
    """And what it was charged is given back."""
    rows = [["time", "to", "status"]]
    rows += [[MIDNIGHT + n, "+447400123456", "failed"] for n in range(3)]  # type: ignore[list-item]
    rows += [[MIDNIGHT + 10, "+447400123456", "delivered"]]  # type: ignore[list-item]
    limit = RateLimit(name="one", by="phone", limits="1/hour")
    tally = await played(journal(tmp_path, rows), policy(rules=[limit]))
    assert sum(each.messages for each in tally.without.values()) == 1
    assert not tally.by_rule


async def test_what_the_log_says_a_message_cost_is_what_it_cost(tmp_path: Path) -> None:
    rows = [["time", "to", "price", "price_unit"], [MIDNIGHT, "+447400123456", "-0.0412", "USD"]]
    tally = await played(journal(tmp_path, rows), policy())
    assert sum(each.usd for each in tally.without.values()) == pytest.approx(0.0412)


async def test_two_entries_are_explained_on_request(tmp_path: Path) -> None:
    found = journal(tmp_path, one_a_minute(10))
    ready, _ = told_apart(policy(), found)
    _, explained = await play(found, ready, explain=[0, 9])
    assert explained[0].startswith("allow: +44")
    assert "five" in explained[9]
