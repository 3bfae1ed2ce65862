"""``pumpguard reconcile``: what was billed, held against what passed the guard."""

from __future__ import annotations

import asyncio
import gzip
import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from typer.testing import CliRunner

from pumpguard import Guard, Policy
from pumpguard.cli import app
from pumpguard.listeners import Became, Change
from pumpguard.ops.events import Events, File
from pumpguard.ops.events.fields import EventMaker
from pumpguard.replay.reconcile import EARLIER, LATER, Admitted, Billed, paired
from pumpguard.testing import FakeClock, make_attempt

POLICY = """
send = "/otp/send"
settled = true
home = ["GB"]
secret = "sixteen bytes or more"
price_overrides = { GB = 0.05, BD = 0.5 }
"""

GB, BD = "+4474001234{:02}", "+88017112345{:02}"
EARLY = 1_777_800_000.0


def run(*words: str | Path) -> tuple[int, str, str]:
    result = CliRunner().invoke(app(), ["reconcile", *map(str, words)])
    return result.exit_code, result.stdout, result.stderr


@pytest.fixture
def policy(tmp_path: Path) -> Path:
    path = tmp_path / "policy.toml"
    path.write_text(POLICY)
    return path


@pytest.fixture
def events(policy: Path, tmp_path: Path) -> Path:
    """Of a guard that let three messages through, ten minutes apart, and refused a fourth at once;
    the third was not sent in the end."""

    async def write(path: Path) -> None:
        clock = FakeClock(EARLY)
        guard = Guard(Policy.from_toml(policy), clock=clock)
        writer = Events(guard, File(path))
        decisions = []
        for i in (1, 2, 3, 3):
            decisions.append(await guard.assess(guard.attempt(GB.format(i), f"81.2.{i}.142")))
            clock.advance(600 if i < 3 else 1)
        assert [each.allowed for each in decisions] == [True, True, True, False]
        guard.settle(decisions[2], "not_sent")
        await guard.aclose()
        await writer.aclose()

    path = tmp_path / "events.jsonl"
    asyncio.run(write(path))
    return path


@pytest.fixture
def bill(tmp_path: Path) -> Callable[..., Path]:
    def write(*rows: tuple[float, str, float]) -> Path:
        path = tmp_path / "bill.csv"
        text = "".join(f"{EARLY + at},{to},delivered,{usd}\n" for at, to, usd in rows)
        path.write_text("SentDate,To,Status,Price\n" + text)
        return path

    return write


def found(bill: Path, events: Path, policy: Path) -> tuple[int, dict[str, Any]]:
    code, told, _ = run(bill, events, "--policy", policy, "--json")
    return code, json.loads(told)


Bill = Callable[..., Path]


def test_a_bill_of_what_passed_is_in_order(bill: Bill, events: Path, policy: Path) -> None:
    """The provider's clock may differ by seconds, and what was not sent is not expected."""
    code, told = found(bill((3, GB.format(1), 0.05), (585, GB.format(2), 0.05)), events, policy)
    assert code == 0
    assert told["matched"] == 2
    assert told["unguarded"]["messages"] == told["unbilled"]["messages"] == 0


def test_what_never_passed_the_guard_is_found(bill: Bill, events: Path, policy: Path) -> None:
    """As with a key that leaked: other numbers, or more messages to one number than passed."""
    rows = [(9, GB.format(1), 0.05), (20, GB.format(1), 0.05), (605, GB.format(2), 0.05)]
    rows += [(700 + i, BD.format(i), 0.5) for i in range(4)]
    code, told = found(bill(*rows), events, policy)
    assert code == 2
    assert told["matched"] == 2
    assert told["unguarded"]["usd"] == 2.05
    assert told["unguarded"]["by_country"] == {"BD": 4, "GB": 1}
    assert told["unguarded"]["refused_by_the_guard"] == 0


def test_an_app_that_sends_in_spite_of_a_refusal_is_told(
    bill: Bill, events: Path, policy: Path
) -> None:
    """The third number was let through once, and refused once."""
    rows = [(1_200, GB.format(3), 0.05), (1_202, GB.format(3), 0.05)]
    code, said, _ = run(bill(*rows), events, "--policy", policy)
    assert code == 2
    assert "1 of them it had refused: the app sends all the same." in said
    assert "leaked key" not in said


def test_what_passed_and_was_never_billed_is_found(bill: Bill, events: Path, policy: Path) -> None:
    """Within the time of the bill alone."""
    rows = [(5, GB.format(1), 0.05), (1_500, GB.format(9), 0.05)]
    assert found(bill(*rows), events, policy)[1]["unbilled"]["messages"] == 1
    _, told = found(bill(rows[0]), events, policy)
    assert (told["matched"], told["unbilled"]["messages"]) == (1, 0)


def test_messages_from_before_the_events_accuse_nobody(
    bill: Bill, events: Path, policy: Path
) -> None:
    """The events say nothing about them."""
    rows = [(-90_000, BD.format(1), 0.5), (3, GB.format(1), 0.05)]
    code, told = found(bill(*rows), events, policy)
    assert (code, told["outside"], told["unguarded"]["messages"]) == (0, 1, 0)


def test_events_of_another_time_are_said(bill: Bill, events: Path, policy: Path) -> None:
    """And the secret is not suspected."""
    code, said, _ = run(bill((90_000, GB.format(1), 0.05)), events, "--policy", policy)
    assert code == 0
    assert "nothing could be compared" in said
    assert "secret" not in said


def test_prices_that_have_moved_come_with_the_line_for_the_policy(
    bill: Bill, events: Path, policy: Path
) -> None:
    """Country by country, dearer by half or more."""
    said = run(bill((3, GB.format(1), 0.12)), events, "--policy", policy)[1]
    assert "GB costs 2.40 times" in said
    assert "price_overrides = { GB = 0.1200 }" in said


def test_another_secret_is_suspected_where_nothing_fits(
    bill: Bill, events: Path, policy: Path
) -> None:
    policy.write_text(POLICY.replace("sixteen", "seventeen"))
    said = run(bill((3, GB.format(1), 0.05)), events, "--policy", policy)[1]
    assert "is the policy's secret the app's?" in said


def test_the_messages_may_be_written_to_a_file(
    bill: Bill, events: Path, policy: Path, tmp_path: Path
) -> None:
    """With whole numbers, as the bill has them; what is shown is masked. Events may be packed."""
    packed, out = tmp_path / "events.gz", tmp_path / "unguarded.csv"
    packed.write_bytes(gzip.compress(events.read_bytes() + b"no event\n"))
    rows = bill((3, GB.format(1), 0.05), (9, BD.format(1), 0.5))
    _, said, _ = run(rows, packed, "--policy", policy, "--unguarded", out)
    assert BD.format(1) in out.read_text()
    assert BD.format(1) not in said
    assert "events.gz: 1 row: no JSON (line" in said


def test_a_file_without_events_is_said(bill: Bill, events: Path, policy: Path) -> None:
    rows = bill((3, GB.format(1), 0.05))
    code, _, said = run(rows, rows, "--policy", policy)
    assert code == 1
    assert "expected events of pumpguard, one a line" in said


@given(
    sent=st.lists(st.floats(0, 9_000)),
    passed=st.lists(st.floats(0, 9_000)),
)
def test_pairing_loses_nothing_and_pairs_as_many_as_can_be(
    sent: list[float], passed: list[float]
) -> None:
    """Against the greatest matching of two sets."""
    bills = sorted(Billed(at, "+1", "US", None) for at in sent)
    matched, unguarded, unbilled = paired(
        bills, sorted(Admitted(at, "", "US", 0.0) for at in passed)
    )
    assert matched + len(unguarded) == len(sent)
    assert matched + len(unbilled) == len(passed)
    fits = [[p - EARLIER <= s <= p + LATER for p in passed] for s in sent]
    taken: dict[int, int] = {}

    def place(i: int, seen: set[int]) -> bool:
        for j, fit in enumerate(fits[i]):
            if fit and j not in seen:
                seen.add(j)
                if j not in taken or place(taken[j], seen):
                    taken[j] = i
                    return True
        return False

    assert matched == sum(place(i, set()) for i in range(len(sent)))


def test_events_that_were_dropped_are_no_leak(bill: Bill, events: Path, policy: Path) -> None:
    """What they were about cannot be known any more."""
    with events.open("a") as file:
        file.write(EventMaker(Policy.from_toml(policy)).dropped(12, EARLY + 1_300).decode() + "\n")
    _, told = found(bill((3, GB.format(1), 0.05)), events, policy)
    assert told["notes"][-1] == "12 events were dropped: messages of theirs seem unguarded."


def test_a_bill_that_cannot_be_read_is_said(bill: Bill, events: Path, policy: Path) -> None:
    """Line by line, and if that is all of it, as such; and so is a file that is not there."""
    good, bad = (3, GB.format(1), 0.05), (9, "nobody", 0.05)
    _, told = found(bill(good, bad), events, policy)
    assert [note for note in told["notes"] if "(line 3)" in note]
    code, _, said = run(bill(bad), events, "--policy", policy)
    assert (code, "expected a message that can be read" in said) == (1, True)
    code, _, said = run(bill(good), events.with_name("none"), "--policy", policy)
    assert (code, "expected a file that is there" in said) == (1, True)


def test_what_a_bill_does_not_say_is_not_made_up(
    events: Path, policy: Path, tmp_path: Path
) -> None:
    """Messages that were not sent are none; where prices are missing no country's have moved."""
    path = tmp_path / "bill.csv"
    rows = [(3, GB.format(1), "delivered"), (603, GB.format(2), "failed")]
    lines = [f"{EARLY + at},{to},{status}" for at, to, status in rows]
    path.write_text("\n".join(["SentDate,To,Status", *lines]))
    code, told = found(path, events, policy)
    assert (code, told["matched"]) == (0, 1)
    assert told["prices"] == {}


def test_verifications_and_orders_among_the_events_are_no_messages(
    bill: Bill, events: Path, policy: Path
) -> None:
    maker = EventMaker(Policy.from_toml(policy))
    became = Became(make_attempt(GB.format(1)).phone, "verified", EARLY + 30)
    order = Change("posture", "country", "all", "ann", "a drill", EARLY + 40, "observe")
    with events.open("a") as file:
        file.writelines(f"{maker.line(each).decode()}\n" for each in (became, order))
    code, told = found(bill((3, GB.format(1), 0.05), (603, GB.format(2), 0.05)), events, policy)
    assert (code, told["matched"], told["unbilled"]["messages"]) == (0, 2, 0)


def test_what_two_files_have_is_counted_once(bill: Bill, events: Path, policy: Path) -> None:
    """Of the events, and of a bill by the provider's id."""
    again, path = events.with_name("again.jsonl"), bill()
    again.write_text(events.read_text() + "\n")
    row = f"{EARLY + 3},{GB.format(1)},delivered,1,SM1,outbound-api,-0.05,USD\n"
    path.write_text("SentDate,To,Status,NumSegments,Sid,Direction,Price,PriceUnit\n" + row * 2)
    code, said, _ = run(path, events, again, "--policy", policy)
    assert (code, said.partition("\n")[0]) == (0, "Billed, and passed the guard: 1.")
    assert "bill.csv: twice in it, by the provider's id, and left out once: 1 row." in said
    assert "In more than one file, and counted once: " in said
