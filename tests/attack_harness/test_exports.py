"""A day as each log that `pumpguard replay` reads: of a live run that knows as little, every
decision is made again."""

from __future__ import annotations

import asyncio
from pathlib import Path

import pytest

from attack_harness.exports import (
    EXPORTS,
    POLICY,
    Result,
    live,
    otherwise,
    price_of,
    replayed,
    table,
    written,
)
from attack_harness.recording import Message, record
from pumpguard import Policy

GUARDED = Policy.from_toml(POLICY)


@pytest.fixture(scope="module")
def day() -> list[Message]:
    """A hundred people, and an attack on many countries."""
    return sorted(asyncio.run(record("seed_simulator", 3, 100)))[-600:]


@pytest.fixture(scope="module")
def usual(day: list[Message]) -> Result:
    return asyncio.run(live(day, GUARDED))


@pytest.mark.parametrize("name", EXPORTS)
def test_its_replay_is_a_live_run_that_knows_as_little(
    name: str, day: list[Message], tmp_path: Path
) -> None:
    """The same refusals, and the same money to the micro-dollar."""
    export = EXPORTS[name]
    found = replayed(written(tmp_path, export.write(day, price_of(GUARDED))), GUARDED)
    knowing = asyncio.run(live([export.without(each) for each in day], GUARDED))
    assert found.refused.total() > 200
    assert otherwise(found, knowing) == 0
    assert found.usd == pytest.approx(knowing.usd, abs=1e-6)


def test_a_log_that_lacks_nothing_is_the_live_run(
    day: list[Message], usual: Result, tmp_path: Path
) -> None:
    export = EXPORTS["your own table, CSV"]
    found = replayed(written(tmp_path, export.write(day, price_of(GUARDED))), GUARDED)
    assert otherwise(found, usual) == 0


def test_events_give_the_run_that_wrote_them(day: list[Message], tmp_path: Path) -> None:
    log = tmp_path / "events.jsonl"
    told = asyncio.run(live(day, GUARDED, log))
    found = replayed([log], GUARDED)
    assert otherwise(found, told) == 0
    assert found.usd == pytest.approx(told.usd, abs=1e-6)


def test_the_table_has_a_row_for_each(day: list[Message]) -> None:
    """As docs/replay.md has it."""
    rows = list(table(day[:40], GUARDED))
    assert len(rows) == 1 + len(EXPORTS)
    assert all(row.endswith("| 0 |") for row in rows)
