"""A provider's bill for a day of the harness, with messages that a leaked key sent among them."""

from __future__ import annotations

import asyncio
import csv
import json
import random
from pathlib import Path

import pytest
from typer.testing import CliRunner

from attack_harness.exports import EXPORTS, POLICY, live, price_of, written
from attack_harness.recording import Message, record
from pumpguard import Policy
from pumpguard.cli import app
from pumpguard.commands.reconcile import UNGUARDED
from pumpguard.intake.phone import canonical

LEAKED, UNBILLED, DEARER = 60, 25, "US"
EXPORT = {"twilio": "Twilio's messages + your codes", "vonage": "Vonage's report + your codes"}


@pytest.mark.parametrize("provider", EXPORT)
def test_what_never_passed_is_found_exactly(provider: str, tmp_path: Path) -> None:
    """And what was never billed, and the country whose price has doubled."""
    policy, rng = Policy.from_toml(POLICY), random.Random(5)
    day = sorted(asyncio.run(record("seed_simulator", 3, 100)))
    told = asyncio.run(live(day, policy, tmp_path / "guard.jsonl"))
    passed = told.passed
    unbilled = set(rng.sample(range(len(passed)), UNBILLED))
    start, end = day[0].at, day[-1].at
    leaked = [Message(rng.uniform(start, end), f"+22507{n:08}", "") for n in range(LEAKED)]
    sent = sorted([*(m for i, m in enumerate(passed) if i not in unbilled), *leaked])

    def price(phone: str) -> float:
        return price_of(policy)(phone) * (2 if canonical(phone).region == DEARER else 1)

    bill, _ = written(tmp_path, EXPORTS[EXPORT[provider]].write(sent, price))
    (tmp_path / "policy.toml").write_text(POLICY)
    found = CliRunner().invoke(
        app(),
        ["reconcile", str(bill), str(tmp_path / "guard.jsonl"), "--json",
         "--policy", str(tmp_path / "policy.toml"), "--unguarded", str(tmp_path / "list.csv")],
    )  # fmt: skip
    assert found.exit_code == UNGUARDED, found.stderr
    report = json.loads(found.stdout)
    assert report["matched"] == len(passed) - UNBILLED
    with (tmp_path / "list.csv").open() as file:
        assert sorted(row["number"] for row in csv.DictReader(file)) == sorted(
            each.phone for each in leaked
        )
    assert report["unbilled"]["messages"] == UNBILLED
    assert report["unbilled"]["usd"] == pytest.approx(
        sum(price_of(policy)(passed[i].phone) for i in unbilled), abs=1e-3
    )
    assert report["drifted"] == {DEARER: pytest.approx(2.0)}
