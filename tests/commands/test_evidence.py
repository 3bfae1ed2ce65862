"""``pumpguard evidence``: what a provider asks for when fees are to be refunded."""

from __future__ import annotations

import asyncio
import csv
import io
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from zipfile import ZipFile

import pytest
from typer.testing import CliRunner

from pumpguard import Guard, Policy
from pumpguard.cli import app
from pumpguard.ops.events import Events, File
from pumpguard.overrides.lists import keyed_hash
from pumpguard.testing import FakeClock

SECRET = "sixteen bytes or more"
POLICY = f'send = "/otp/send"\nsettled = true\nhome = ["GB"]\nsecret = "{SECRET}"\n'

START = 1_777_593_600.0
"""2026-05-01 00:00 UTC."""

ATTACK = START + 10 * 86_400
MAY = "--from", "2026-05-01", "--to", "2026-06-01"

Run = Callable[..., tuple[int, str, str]]
Row = dict[str, str]


@pytest.fixture
def policy(tmp_path: Path) -> Path:
    path = tmp_path / "policy.toml"
    path.write_text(POLICY)
    return path


@pytest.fixture
def log(tmp_path: Path) -> Path:
    """Twenty days on which a person an hour enters a code, and 300 messages within ten minutes to
    one block of Azerbaijan, for which nobody does."""
    rows = ["sent_at,phone,ip,used_at"]
    for hour in range(20 * 24):
        at = START + hour * 3_600
        rows.append(f"{at},+4474{hour * 7919 % 10**8:08},81.2.69.{hour % 200},{at + 30}")
    rows += [f"{ATTACK + i * 2},+994554925{i:03},185.40.{i % 250}.7," for i in range(300)]
    path = tmp_path / "log.csv"
    path.write_text("\n".join(rows))
    return path


@pytest.fixture
def events(tmp_path: Path) -> Path:
    """Two requests for one number within a minute: the second was refused."""

    async def write(path: Path) -> None:
        guard = Guard(replace(Policy(send="/otp/send"), secret=SECRET), clock=FakeClock(ATTACK))
        writer = Events(guard, File(path))
        for _ in range(2):
            await guard.assess(guard.attempt("+994554925777", "185.40.32.7"))
        await guard.aclose()
        await writer.aclose()

    path = tmp_path / "events.jsonl"
    asyncio.run(write(path))
    return path


@pytest.fixture
def run(policy: Path, tmp_path: Path) -> Run:
    def run(*words: str | Path) -> tuple[int, str, str]:
        given = [*map(str, words), "--policy", str(policy), "--out", str(tmp_path / "e.zip")]
        result = CliRunner().invoke(app(), ["evidence", *given])
        return result.exit_code, result.stdout, result.stderr

    return run


def rows(folder: Path, name: str) -> list[Row]:
    with ZipFile(folder / "e.zip") as zipped:
        return list(csv.DictReader(io.StringIO(zipped.read(name).decode())))


def summary(folder: Path) -> str:
    with ZipFile(folder / "e.zip") as zipped:
        return zipped.read("summary.md").decode()


def test_the_messages_of_an_attack_are_listed_and_nobody_elses(
    run: Run, log: Path, events: Path, tmp_path: Path
) -> None:
    """With times, ranges, and addresses; numbers are masked unless it is said."""
    code, told, _ = run(log, events, *MAY)
    assert code == 0
    assert told.startswith("Attacks: 1, 300 messages, $")
    messages = rows(tmp_path, "messages.csv")
    assert {each["range"] for each in messages} == {"+994554925"}
    assert messages[0] | {"usd": ""} == {
        "time": "2026-05-11T00:00:00Z", "number": "+994554925•••", "country": "AZ",
        "range": "+994554925", "address": "185.40.0.•", "usd": "", "episode": "1",
    }  # fmt: skip
    assert "300 messages of attacks were sent" in summary(tmp_path)
    assert rows(tmp_path, "ranges.csv")[0]["refused"] == "1"


def test_what_the_guard_refused_is_listed_with_its_reason(
    run: Run, log: Path, events: Path, tmp_path: Path
) -> None:
    run(log, events, *MAY)
    (refused,) = rows(tmp_path, "refused.csv")
    assert (refused["time"], refused["block"]) == ("2026-05-11T00:00:00Z", "+994554925")
    assert (refused["rule"], refused["reason"]) == ("phone_limit", "RATE_LIMIT")
    assert len(refused["reference"]) == 9
    assert "| phone_limit | 1 |" in summary(tmp_path)


@pytest.mark.parametrize(
    ("numbers", "shown"),
    [
        ("whole", "+994554925000"),
        ("masked", "+994554925•••"),
        ("hashed", "#" + keyed_hash(SECRET)("number", "+994554925000")),
    ],
)
def test_numbers_are_as_the_operator_chooses(
    run: Run, log: Path, tmp_path: Path, numbers: str, shown: str
) -> None:
    """Only when he says so is a whole one anywhere in the zip."""
    assert run(log, *MAY, "--numbers", numbers)[0] == 0
    assert rows(tmp_path, "messages.csv")[0]["number"] == shown
    with ZipFile(tmp_path / "e.zip") as zipped:
        everything = b"".join(map(zipped.read, zipped.namelist()))
    assert (b"+994554925000" in everything) == (numbers == "whole")


@pytest.mark.parametrize(("addresses", "there"), [("whole", True), ("masked", False)])
def test_addresses_too(run: Run, log: Path, tmp_path: Path, addresses: str, there: bool) -> None:
    run(log, *MAY, "--addresses", addresses)
    with ZipFile(tmp_path / "e.zip") as zipped:
        everything = b"".join(map(zipped.read, zipped.namelist()))
    assert (b"185.40.3.7" in everything) == there


def test_only_what_was_in_the_time_that_is_asked_for(run: Run, log: Path, events: Path) -> None:
    """Else nothing is to be shown, and the exit code says so."""
    code, told, _ = run(log, events, "--from", "2026-05-12", "--to", "2026-06-01")
    assert code == 2
    assert told.startswith("Attacks: 0, 0 messages, $0.00; 0 refused.")


def test_what_is_missing_is_said(run: Run, log: Path, events: Path) -> None:
    assert "No events of the guard" in run(log, *MAY)[1]
    assert "No log of messages" in run(events, *MAY)[1]


def test_all_parts_say_the_same_of_an_attack(run: Run, log: Path, tmp_path: Path) -> None:
    """Also of one of which only the end is asked for, with a stranger of its country in it."""
    with log.open("a") as file:
        file.write(f"\n{ATTACK + 590},+994501234567,185.41.0.1,")
    code, told, _ = run(log, "--from", "2026-05-11T00:05", "--to", "2026-06-01")
    assert (code, told.partition(", $")[0]) == (0, "Attacks: 1, 150 messages")
    (episode,) = rows(tmp_path, "episodes.csv")
    assert episode["messages"] == str(len(rows(tmp_path, "messages.csv"))) == "150"
    assert "| 150 | " in summary(tmp_path)


def test_files_that_overlap_are_counted_once(run: Run, log: Path, events: Path) -> None:
    """Exports of the same messages, and of the same events."""
    usual, again, later = run(log, events, *MAY)[1], log.with_name("b.csv"), events.with_name("e2")
    again.write_text("\n".join(log.read_text().splitlines()[:600]))
    later.write_text(events.read_text() + "\n")
    told = run(log, again, events, later, *MAY)[1]
    assert told.splitlines()[0] == usual.splitlines()[0]
    assert "In more than one file, and counted once: 2 events." in told


def test_without_codes_nobody_is_accused(run: Run, log: Path) -> None:
    log.write_text("\n".join(line.rpartition(",")[0] for line in log.read_text().splitlines()))
    code, told, _ = run(log, *MAY)
    assert (code, told.startswith("Attacks: 0, 0 messages")) == (2, True)
    assert "Attack episodes were not looked for" in told


def test_times_that_make_no_sense_are_refused(run: Run, log: Path) -> None:
    code, _, said = run(log, "--from", "2026-06-01", "--to", "2026-05-01")
    assert (code, "--to: expected a time after --from" in said) == (1, True)
    code, _, said = run(log, "--from", "May", "--to", "June")
    assert (code, "--from: expected a day or a time such as" in said) == (1, True)


def test_a_file_that_is_not_there_is_said(run: Run, log: Path) -> None:
    code, _, said = run(log, log.with_name("none.jsonl"), *MAY)
    assert (code, "none.jsonl: expected a file that is there" in said) == (1, True)
